//! W5: names that no Workload can have.

use kuma_workload_testbed::{Kind, User};
use rstest::rstest;

use crate::{Done, managed};

#[rstest]
#[case::upper_case("Web", "lower-case letters")]
#[case::underscore("web_1", "lower-case letters")]
#[case::too_long(&"w".repeat(254), "253")]
#[tokio::test]
async fn w5_a_bad_name_is_reported_once_and_never_tried(
    #[case] name: &str,
    #[case] why: &str,
) -> Done {
    let team = managed().await?;
    team.proxy("web-1", "default", name).await?;
    let events = team.wait_for_events("InvalidWorkloadName", 1).await?;
    let note = events[0].note.as_deref().unwrap_or_default();
    // Of a name that is too long, as much is shown as a name can have.
    let shown = name.chars().take(253).collect::<String>();
    let beginning = format!("Skipping Workload generation: \"{shown}");
    assert!(note.starts_with(&beginning), "{note}");
    assert!(note.contains(why), "{note}");
    assert_eq!(events[0].type_.as_deref(), Some("Warning"));
    // Another proxy of that name, and one in another mesh, are no news.
    team.proxy("web-2", "default", name).await?;
    team.proxy("web-3", "mesh-2", name).await?;
    team.settled().await?;
    // Events are published in turn: another one is seen after all of the first.
    team.proxy("fence-1", "default", "Fence").await?;
    let events = team.wait_for_events("InvalidWorkloadName", 2).await?;
    assert!(
        events.iter().all(|event| event.series.is_none()),
        "{events:?}"
    );
    for request in team.testbed.asked(User::Reconciler, &team.name)? {
        let is_fence = request.name.starts_with("fence-");
        let is_list = request.verb == "list" || request.verb == "watch";
        let is_of_workloads = request.resource.starts_with("workloads");
        assert!(is_fence || is_list || !is_of_workloads, "{request:?}");
    }
    team.delete(Kind::Dataplane, "fence-1").await
}

#[tokio::test]
async fn w5_a_name_that_becomes_good_is_made() -> Done {
    let team = managed().await?;
    team.proxy("web-1", "default", "Web").await?;
    team.wait_for_events("InvalidWorkloadName", 1).await?;
    team.proxy("web-1", "default", "web").await?;
    team.made("web", "default").await?;
    Ok(())
}
