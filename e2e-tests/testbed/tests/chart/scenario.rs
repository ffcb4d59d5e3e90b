//! What happens in a namespace so that the reconciler needs each of its grants.

use kuma_workload_testbed::{Error, Kind, Replica, Team, eventually};
use serde_json::json;

/// What is there before the reconciler comes: something to make, to label, to count, to report and to
/// delete.
pub(crate) async fn prepare(team: &Team<'_>) -> Result<(), Error> {
    let adopted = json!({"metadata": {"name": "shelf"}});
    team.space.put(Kind::Workload, adopted).await?;
    team.dataplane("shelf-1", "shelf", "default").await?;
    team.dataplane("cart-1", "cart", "default").await?;
    team.dataplane("till-1", "till", "default").await?;
    team.dataplane("till-2", "till", "other").await?;
    let left = json!({"metadata": {"name": "left", "labels": {
        "kuma.io/mesh": "default", "kuma.io/managed-by": "kuma-workload-reconciler",
    }}});
    team.space.put(Kind::Workload, left).await.map(drop)
}

/// Waits until all of this is done.
pub(crate) async fn is_done(team: &Team<'_>) -> Result<(), Error> {
    team.counts("shelf", "default", 1).await?;
    team.counts("cart", "default", 1).await?;
    team.space.gone("left").await?;
    team.space
        .wait_for_events("MultipleMeshesDetected", 1)
        .await
        .map(drop)
}

/// Afterwards: the conflict ends, and is there again, so that its event is continued.
pub(crate) async fn conflict_again(team: &Team<'_>) -> Result<(), Error> {
    team.space
        .wait_for_events("MultipleMeshesDetected", 1)
        .await?;
    team.dataplane("till-2", "till", "default").await?;
    team.space
        .wait_for_events("MultipleMeshesResolved", 1)
        .await?;
    team.dataplane("till-2", "till", "other").await
}

/// Waits until the event was continued.
pub(crate) async fn is_continued(team: &Team<'_>) -> Result<(), Error> {
    eventually("the event has a series", async || {
        let events = team.space.events("MultipleMeshesDetected").await;
        let events = events.map_err(|error| error.to_string())?;
        match events.iter().all(|event| event.series.is_some()) {
            true => Ok(()),
            false => Err(format!("{events:?}")),
        }
    })
    .await
}

/// Afterwards: somebody changes a Workload, which the watch does not show; so the next write is refused,
/// and the Workload is read.
pub(crate) async fn stale_write(team: &Team<'_>, replica: &Replica) -> Result<(), Error> {
    team.counts("cart", "default", 1).await?;
    let _hold = replica.proxy.hold_watches("workloads");
    let edit = json!({"metadata": {"annotations": {"example.com/note": "mine"}}});
    team.space.merge(Kind::Workload, "cart", edit).await?;
    team.dataplane("cart-2", "cart", "default").await?;
    eventually("a write is refused as stale", async || {
        let asked = replica.proxy.asked_to("patch workloads/status cart");
        match asked.iter().any(|asked| asked.answer == Some(409)) {
            true => Ok(()),
            false => Err(format!("{asked:?}")),
        }
    })
    .await
}
