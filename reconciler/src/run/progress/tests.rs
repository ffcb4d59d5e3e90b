use super::*;

fn shop() -> Option<String> {
    Some("shop".into())
}

#[tokio::test(start_paused = true)]
async fn what_is_needed_is_waited_for() {
    let (progress, health) = (Progress::default(), Health::default());
    assert!(!progress.is_ready());
    assert_eq!(progress.pending(&health), ["the watches have not begun"]);
    let (dataplanes, _) = progress.register(RecordKind::Dataplane, shop(), true);
    let (meshes, _) = progress.register(RecordKind::Mesh, None, false);
    progress.failed(dataplanes, "denied".into());
    progress.absent(meshes);
    assert_eq!(
        progress.pending(&health),
        ["waiting for the list of dataplanes.kuma.io in shop: denied"]
    );
    progress.listed(dataplanes, 0);
    assert!(progress.is_ready() && progress.allows_deletes());
    assert!(progress.pending(&health).is_empty());
}

#[tokio::test(start_paused = true)]
async fn l23_a_kind_that_is_not_served_is_not_waited_for_and_nothing_is_deleted() {
    let progress = Progress::default();
    let (dataplanes, _) = progress.register(RecordKind::Dataplane, None, true);
    progress.absent(dataplanes);
    assert!(progress.is_ready());
    assert!(!progress.allows_deletes());
    progress.listed(dataplanes, 0);
    assert!(progress.allows_deletes());
}

#[tokio::test(start_paused = true)]
async fn l21_nothing_is_deleted_after_a_restore_before_all_is_listed_anew() {
    let progress = Progress::default();
    let (dataplanes, relist) = progress.register(RecordKind::Dataplane, None, true);
    let (workloads, _) = progress.register(RecordKind::Workload, None, true);
    for id in [dataplanes, workloads] {
        progress.listed(id, 0);
    }
    assert!(progress.restored(0));
    assert!(!progress.restored(0), "it is known already");
    assert_eq!(progress.epoch(), 1);
    relist.notified().await;
    assert!(progress.is_ready() && !progress.allows_deletes());
    progress.listed(dataplanes, 0);
    progress.listed(workloads, 1);
    assert!(!progress.allows_deletes(), "that list had begun before");
    progress.listed(dataplanes, 1);
    assert!(progress.allows_deletes());
}

#[tokio::test(start_paused = true)]
async fn l23_a_watch_that_is_down_while_others_are_answered_is_told() {
    let (progress, health) = (Progress::default(), Health::default());
    let (dataplanes, _) = progress.register(RecordKind::Dataplane, None, true);
    progress.listed(dataplanes, 0);
    progress.connected(dataplanes);
    progress.failed(dataplanes, "cannot watch".into());
    tokio::time::advance(LONGEST_DOWN + Duration::from_secs(1)).await;
    assert!(
        progress.pending(&health).is_empty(),
        "the API server answers nobody"
    );
    health.answered();
    assert_eq!(
        progress.pending(&health),
        ["the watch of dataplanes.kuma.io is down: cannot watch"]
    );
    progress.connected(dataplanes);
    assert!(progress.pending(&health).is_empty());
}

#[tokio::test(start_paused = true)]
async fn the_watch_that_was_silent_for_longest_counts() {
    let progress = Progress::default();
    let (shop, _) = progress.register(RecordKind::Dataplane, shop(), true);
    let (cart, _) = progress.register(RecordKind::Dataplane, Some("cart".into()), true);
    for id in [shop, cart] {
        progress.listed(id, 0);
    }
    tokio::time::advance(Duration::from_secs(7)).await;
    progress.sign(shop);
    let age = progress.ages()[&RecordKind::Dataplane];
    assert_eq!(age, Duration::from_secs(7));
}

#[tokio::test(start_paused = true)]
async fn dataplanes_are_being_listed_from_the_first_page_to_the_last() {
    let progress = Progress::default();
    let (wide, _) = progress.register(RecordKind::Dataplane, None, true);
    let (of_shop, _) = progress.register(RecordKind::Dataplane, shop(), true);
    let (workloads, _) = progress.register(RecordKind::Workload, None, true);
    progress.lists(workloads);
    assert!(!progress.is_listing_dataplanes("shop"));
    progress.lists(of_shop);
    assert!(progress.is_listing_dataplanes("shop"));
    assert!(!progress.is_listing_dataplanes("cart"));
    progress.failed(of_shop, "cut".into());
    assert!(
        progress.is_listing_dataplanes("shop"),
        "half of it is there"
    );
    progress.listed(of_shop, 0);
    assert!(!progress.is_listing_dataplanes("shop"));
    progress.lists(wide);
    assert!(progress.is_listing_dataplanes("cart"));
    tokio::time::advance(LONGEST_LIST).await;
    assert!(!progress.is_listing_dataplanes("cart"), "it may never end");
}
