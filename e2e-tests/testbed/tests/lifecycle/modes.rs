//! L16 and L17: whose Workloads are written, and when nothing is.

use std::time::Duration;

use kuma_workload_testbed::space::{MANAGER, dataplane, ours, workload};
use kuma_workload_testbed::{Error, Kind, Space, User};
use rstest::rstest;
use serde_json::json;
use tokio::time::Instant;

use crate::{Done, alone};

const MESH: &str = "kuma.io/mesh";
const MANAGED_BY: &str = "kuma.io/managed-by";
const YIELDS: &str = "Workloads are left to the control plane (mode auto)";
/// The field manager of a control plane's writes.
const CONTROL_PLANE: &str = "kuma-cp";

/// The writes that the reconciler tried here, but for events.
fn writes(team: &Space<'_>) -> Result<usize, Error> {
    let asked = team.testbed.asked(User::Reconciler, &team.name)?;
    let writes = asked.iter().filter(|request| request.writes());
    Ok(writes
        .filter(|request| request.resource != "events")
        .count())
}

fn of(manager: &'static str) -> [(&'static str, &'static str); 2] {
    [(MESH, "default"), (MANAGED_BY, manager)]
}

/// A Workload as a control plane makes it.
async fn stamped(team: &Space<'_>, name: &str) -> Done {
    let object = workload(name, &of("k8s-controller"));
    let stamped = team.put_as(CONTROL_PLANE, Kind::Workload, object).await;
    stamped.map(drop)
}

#[tokio::test]
async fn l17_observe_writes_nothing_but_events() -> Done {
    let (reconciler, team) = alone(&["--mode", "observe"], async |team| {
        team.put(Kind::Workload, workload("leftover", &of(MANAGER)))
            .await?;
        team.put(Kind::Workload, workload("adoptable", &[])).await?;
        team.proxy("adoptable-1", "default", "adoptable").await
    })
    .await?;
    team.proxy("web-1", "default", "web").await?;
    team.proxy("both-1", "default", "both").await?;
    team.proxy("both-2", "mesh-2", "both").await?;
    team.wait_for_events("MultipleMeshesDetected", 1).await?;
    team.reported().await?;
    let names: Vec<_> = team.workloads().await?.into_keys().collect();
    assert_eq!(names, ["adoptable", "leftover"]);
    assert_eq!(writes(&team)?, 0);
    let states = [
        ("missing", 1.0),
        ("wrong", 1.0),
        ("leftover", 1.0),
        ("conflict", 1.0),
    ];
    for (state, count) in states {
        reconciler
            .shows(&format!("workloads{{state=\"{state}\"}}"), count)
            .await?;
    }
    reconciler.shows("mode{mode=\"observe\"}", 1.0).await?;
    reconciler.shows("mesh_conflicts", 1.0).await?;
    Ok(())
}

#[tokio::test]
async fn l17_auto_manages_until_it_sees_a_referenced_workload_of_a_control_plane() -> Done {
    let (reconciler, team) = alone(&["--mode", "auto"], async |_| Ok(())).await?;
    team.proxy("web-1", "default", "web").await?;
    team.proxy("old-1", "default", "old").await?;
    team.made("web", "default").await?;
    team.made("old", "default").await?;
    // One that nothing refers to is no evidence.
    stamped(&team, "stamped").await?;
    team.settled().await?;
    reconciler.shows("mode{mode=\"manage\"}", 1.0).await?;
    assert!(!reconciler.log().contains(YIELDS));

    team.proxy("stamped-1", "default", "stamped").await?;
    reconciler.shows("mode{mode=\"yield\"}", 1.0).await?;
    let said = format!(
        "Workload {}/stamped is managed by a control plane and a Dataplane refers to it: {YIELDS}",
        team.name
    );
    reconciler.says(&said).await?;

    // From now on nothing is made, made right or counted.
    let before = writes(&team)?;
    team.proxy("cart-1", "default", "cart").await?;
    team.proxy("web-2", "default", "web").await?;
    team.put(Kind::Workload, workload("adoptable", &[])).await?;
    team.proxy("adoptable-1", "default", "adoptable").await?;
    team.reported().await?;
    assert_eq!(team.get(Kind::Workload, "cart").await?, None);
    assert_eq!(writes(&team)?, before);
    // But our own that nothing refers to are deleted.
    team.delete(Kind::Dataplane, "old-1").await?;
    team.gone("old").await?;
    // It holds for a while, even when the evidence is gone.
    team.delete(Kind::Dataplane, "stamped-1").await?;
    team.delete(Kind::Workload, "stamped").await?;
    team.proxy("late-1", "default", "late").await?;
    team.reported().await?;
    reconciler.shows("mode{mode=\"yield\"}", 1.0).await?;
    assert_eq!(team.get(Kind::Workload, "late").await?, None);
    Ok(())
}

#[tokio::test]
async fn l17_auto_manages_again_once_the_control_plane_has_gone_for_long() -> Done {
    let flags = ["--mode", "auto", "--mode-grace", "3s"];
    let (reconciler, team) = alone(&flags, async |team| {
        stamped(team, "stamped").await?;
        team.proxy("stamped-1", "default", "stamped").await
    })
    .await?;
    reconciler.says(YIELDS).await?;
    team.proxy("web-1", "default", "web").await?;
    team.reported().await?;
    assert_eq!(team.get(Kind::Workload, "web").await?, None);
    team.delete(Kind::Workload, "stamped").await?;
    let gone = Instant::now();
    team.made("web", "default").await?;
    let held = gone.elapsed();
    assert!(held >= Duration::from_secs(2), "{held:?}");
    team.made("stamped", "default").await?;
    reconciler.shows("mode{mode=\"manage\"}", 1.0).await
}

/// One label that somebody has set by hand is no control plane: it turns nothing off.
#[rstest]
#[case::of_a_new_workload(false)]
#[case::of_one_of_ours(true)]
#[tokio::test]
async fn l17_a_label_that_was_set_by_hand_is_no_evidence(#[case] is_ours: bool) -> Done {
    let (reconciler, team) = alone(&["--mode", "auto"], async |_| Ok(())).await?;
    team.proxy("web-1", "default", "web").await?;
    if is_ours {
        team.made("web", "default").await?;
        let label = json!({ "metadata": { "labels": { MANAGED_BY: "k8s-controller" } } });
        team.merge(Kind::Workload, "web", label).await?;
    } else {
        team.put(Kind::Workload, workload("hand", &of("k8s-controller")))
            .await?;
        team.proxy("hand-1", "default", "hand").await?;
    }
    reconciler
        .says("it is not one of --control-plane-managers, so Workloads are managed all the same")
        .await?;
    reconciler.shows("unknown_managers", 1.0).await?;
    team.proxy("cart-1", "default", "cart").await?;
    team.made("cart", "default").await?;
    team.settled().await?;
    reconciler.shows("mode{mode=\"manage\"}", 1.0).await?;
    // The Workload itself is left (L6).
    let name = if is_ours { "web" } else { "hand" };
    let labels = &team.workloads().await?[name];
    assert_eq!(labels[MANAGED_BY], "k8s-controller");
    // Once its label has gone, so has the stranger.
    let label = json!({ "metadata": { "labels": { MANAGED_BY: null } } });
    team.merge(Kind::Workload, name, label).await?;
    team.made(name, "default").await?;
    reconciler.shows("unknown_managers", 0.0).await
}

#[tokio::test]
async fn l17_another_name_for_the_control_plane_can_be_given() -> Done {
    let flags = [
        "--mode",
        "auto",
        "--control-plane-managers",
        "kuma-cp,our-cp",
    ];
    let (reconciler, team) = alone(&flags, async |_| Ok(())).await?;
    let object = workload("web", &of("k8s-controller"));
    team.put_as("our-cp", Kind::Workload, object).await?;
    team.proxy("web-1", "default", "web").await?;
    reconciler.shows("mode{mode=\"yield\"}", 1.0).await
}

#[tokio::test]
async fn l17_auto_knows_before_its_first_write() -> Done {
    // What shows the control plane is neither first nor last in any order.
    let (reconciler, team) = alone(&["--mode", "auto"], async |team| {
        for number in 10..30 {
            let name = if number == 20 {
                "w-20-evidence".to_owned()
            } else {
                format!("w-{number}")
            };
            if number == 20 {
                stamped(team, &name).await?;
            }
            team.proxy(&name, "default", &name).await?;
        }
        Ok(())
    })
    .await?;
    reconciler.shows("mode{mode=\"yield\"}", 1.0).await?;
    team.reported().await?;
    assert_eq!(writes(&team)?, 0);
    Ok(())
}

#[tokio::test]
async fn l16_what_a_control_plane_has_stamped_is_left() -> Done {
    let (_reconciler, team) = alone(&["--mode", "manage"], async |_| Ok(())).await?;
    team.proxy("web-1", "default", "web").await?;
    team.made("web", "default").await?;
    team.put(Kind::Workload, workload("web", &of("k8s-controller")))
        .await?;
    team.settled().await?;
    let before = team.get(Kind::Workload, "web").await?.unwrap();
    // Neither its mesh nor its numbers nor its end are ours any more.
    team.proxy("web-1", "mesh-2", "web").await?;
    team.proxy("web-2", "mesh-2", "web").await?;
    team.settled().await?;
    team.delete(Kind::Dataplane, "web-1").await?;
    team.delete(Kind::Dataplane, "web-2").await?;
    team.settled().await?;
    let after = team.get(Kind::Workload, "web").await?.unwrap();
    assert_eq!(after, before);
    Ok(())
}

#[rstest]
#[case::manage("manage")]
#[case::auto("auto")]
#[tokio::test]
async fn l4_what_is_there_at_the_start_is_made(#[case] mode: &str) -> Done {
    let (_reconciler, team) = alone(&["--mode", mode], async |team| {
        team.put(Kind::Dataplane, dataplane("web-1", "default", "web"))
            .await?;
        team.put(Kind::Workload, workload("leftover", &of(MANAGER)))
            .await
            .map(drop)
    })
    .await?;
    assert_eq!(
        team.made("web", "default").await?.metadata.labels,
        Some(ours("default"))
    );
    team.gone("leftover").await
}
