//! Which writes of this replica may still take effect.
//!
//! A Lease that is released is taken over at once. So it may be released only when no write of its holder
//! can take effect any more: when each was answered, or as long after it was sent as a write may take.

use std::sync::{Arc, Mutex};

use http::{Method, Request};
use kube::{Client, client::Body};
use tokio::time::Instant;
use tower::service_fn;

use crate::run::lock::lock;

/// The writes of this replica that have no answer.
#[derive(Debug, Clone, Default)]
pub(crate) struct Writes(Arc<Mutex<Unanswered>>);

#[derive(Debug, Default)]
struct Unanswered {
    under_way: usize,
    /// When the last one was given up, or failed without an answer.
    last_given_up: Option<Instant>,
}

impl Writes {
    /// The same client, with its writes noted here.
    pub(crate) fn noted(&self, client: Client) -> Client {
        let namespace = client.default_namespace().to_owned();
        let writes = self.clone();
        let service = service_fn(move |request: Request<Body>| {
            let is_write = !matches!(*request.method(), Method::GET | Method::HEAD);
            let write = is_write.then(|| writes.begin());
            let client = client.clone();
            async move {
                let answer = client.send(request).await;
                if let Some(mut write) = write {
                    write.is_answered = answer.is_ok();
                }
                answer
            }
        });
        Client::new(service, namespace)
    }

    /// When the last write without an answer was given up: now, if one is under way. None if every write
    /// was answered.
    pub(super) fn last_unanswered(&self) -> Option<Instant> {
        let unanswered = lock(&self.0);
        match unanswered.under_way {
            0 => unanswered.last_given_up,
            _ => Some(Instant::now()),
        }
    }

    fn begin(&self) -> Unfinished {
        lock(&self.0).under_way += 1;
        Unfinished {
            writes: self.clone(),
            is_answered: false,
        }
    }
}

/// A write under way.
struct Unfinished {
    writes: Writes,
    is_answered: bool,
}

impl Drop for Unfinished {
    fn drop(&mut self) {
        let mut unanswered = lock(&self.writes.0);
        unanswered.under_way -= 1;
        if !self.is_answered {
            unanswered.last_given_up = Some(Instant::now());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures::FutureExt;
    use http::Response;
    use rstest::rstest;
    use std::future::pending;
    use tower::BoxError;

    async fn write(client: &Client, method: Method, path: &str) {
        let request = Request::builder().method(method).uri(path);
        let request = request.body(Vec::new()).unwrap();
        let _ = client.request_text(request).await;
    }

    /// A server that answers, breaks the connection, or does neither.
    fn client(writes: &Writes) -> Client {
        let server = service_fn(|request: Request<Body>| async move {
            match request.uri().path() {
                "/answered" => Ok(Response::builder().status(409).body(Body::empty())?),
                "/broken" => Err(BoxError::from("broken")),
                _ => pending().await,
            }
        });
        writes.noted(Client::new(server, "default"))
    }

    #[rstest]
    #[case::refused(Method::POST, "/answered", false)]
    #[case::broken(Method::POST, "/broken", true)]
    #[case::no_write(Method::GET, "/broken", false)]
    #[tokio::test(start_paused = true)]
    async fn what_was_not_answered_may_still_take_effect(
        #[case] method: Method,
        #[case] path: &str,
        #[case] may: bool,
    ) {
        let writes = Writes::default();
        write(&client(&writes), method, path).await;
        assert_eq!(writes.last_unanswered(), may.then(Instant::now));
    }

    #[tokio::test(start_paused = true)]
    async fn while_it_is_under_way_and_when_it_is_given_up() {
        let writes = Writes::default();
        let client = client(&writes);
        let mut hanging = Box::pin(write(&client, Method::POST, "/hang"));
        assert_eq!((&mut hanging).now_or_never(), None);
        tokio::time::advance(std::time::Duration::from_secs(1)).await;
        assert_eq!(writes.last_unanswered(), Some(Instant::now()));
        drop(hanging);
        let given_up = Instant::now();
        tokio::time::advance(std::time::Duration::from_secs(1)).await;
        assert_eq!(writes.last_unanswered(), Some(given_up));
    }
}
