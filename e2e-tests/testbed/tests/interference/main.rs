//! What others do to the reconciler: objects that make no sense, edits of its objects by other hands,
//! grants that are missing.
#![cfg(feature = "cluster")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod edits_by_others;
mod missing_grants;
mod unreadable_objects;

use kuma_workload_testbed::{Break, Replica, eventually};

/// All of it is listed anew.
async fn relist(replica: &Replica) {
    let lists = replica.proxy.asked_to("list *").len();
    replica.proxy.break_watches("*", Break::Expire);
    eventually("all kinds are listed again", async || {
        match replica.proxy.asked_to("list *").len() - lists {
            5.. => Ok(()),
            less => Err(less.to_string()),
        }
    })
    .await
    .unwrap();
}
