//! Watches that are under way.

use std::sync::Arc;

use axum::body::{Body, Bytes};
use axum::response::Response;
use futures::{StreamExt, stream};
use serde_json::json;
use tokio::sync::watch;
use tower::BoxError;

/// What becomes of a watch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Break {
    /// It ends, as it does after some minutes.
    End,
    /// Its connection is cut.
    Cut,
    /// It says that its version is gone, and ends.
    Expire,
}

/// All watches.
#[derive(Debug, Clone, Default)]
pub(super) struct Streams(Arc<watch::Sender<Orders>>);

#[derive(Debug, Clone, Default)]
struct Orders {
    breaks: Vec<(String, Break)>,
    held: Vec<String>,
}

fn is_of(resource: &str, order: &str) -> bool {
    order == "*" || order == resource
}

impl Streams {
    pub(super) fn break_off(&self, resource: &str, how: Break) {
        self.0
            .send_modify(|orders| orders.breaks.push((resource.to_owned(), how)));
    }

    pub(super) fn hold(&self, resource: &str) -> Hold {
        let resource = resource.to_owned();
        self.0
            .send_modify(|orders| orders.held.push(resource.clone()));
        Hold {
            streams: self.clone(),
            resource,
        }
    }

    /// The answer to a watch, subject to orders from now on.
    pub(super) fn through(&self, resource: &str, response: Response) -> Response {
        let orders = self.0.subscribe();
        let begun = orders.borrow().breaks.len();
        let (resource, ended) = (resource.to_owned(), false);
        response.map(|body| {
            let start = (body.into_data_stream(), orders, resource, begun, ended);
            Body::from_stream(stream::unfold(start, async |watch| {
                let (mut body, mut orders, resource, mut obeyed, ended) = watch;
                if ended {
                    return None;
                }
                loop {
                    let (order, is_held) = {
                        let now = orders.borrow_and_update();
                        let new = now.breaks.get(obeyed..).unwrap_or_default();
                        let mine = new.iter().find(|(order, _)| is_of(&resource, order));
                        let order = mine.map(|(_, how)| *how);
                        obeyed = now.breaks.len();
                        let is_held = now.held.iter().any(|order| is_of(&resource, order));
                        (order, is_held)
                    };
                    let last: Result<Bytes, BoxError> = match order {
                        Some(Break::End) => return None,
                        Some(Break::Cut) => Err("the watch is cut".into()),
                        Some(Break::Expire) => Ok(expired().into()),
                        None => {
                            tokio::select! {
                                biased;
                                changed = orders.changed() => match changed {
                                    Ok(()) => continue,
                                    Err(_) => return None,
                                },
                                part = body.next(), if !is_held => {
                                    let part = part?.map_err(BoxError::from);
                                    return Some((part, (body, orders, resource, obeyed, false)));
                                }
                            }
                        }
                    };
                    return Some((last, (body, orders, resource, obeyed, true)));
                }
            }))
        })
    }
}

/// Watches are silent until this is dropped.
#[derive(Debug)]
#[must_use = "they go on when this is dropped"]
pub struct Hold {
    streams: Streams,
    resource: String,
}

impl Drop for Hold {
    fn drop(&mut self) {
        self.streams.0.send_modify(|orders| {
            let place = orders.held.iter().position(|held| *held == self.resource);
            place.map(|place| orders.held.remove(place));
        });
    }
}

/// What a watch says last whose version is gone.
pub(super) fn expired() -> String {
    let event = json!({
        "type": "ERROR",
        "object": {
            "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure",
            "message": "too old resource version: 1 (2)", "reason": "Expired", "code": 410,
        },
    });
    format!("{event}\n")
}
