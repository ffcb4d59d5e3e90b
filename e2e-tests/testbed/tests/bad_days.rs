//! Objects that make no sense, other hands at our objects, grants that are missing.
#![cfg(feature = "cluster")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use kuma_workload_testbed::{Asked, Break, Kind, Proxy, Replica, Team, Testbed, User, eventually};
use rstest::rstest;
use serde_json::{Value, json};

async fn start(stem: &str) -> (&'static Testbed, Team<'static>, Replica) {
    let testbed = Testbed::shared().unwrap();
    let team = Team::new(testbed, stem).await.unwrap();
    let replica = team.replica(testbed).await.unwrap();
    (testbed, team, replica)
}

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

fn label<'a>(workload: &'a Value, key: &str) -> &'a Value {
    &workload["metadata"]["labels"][key]
}

#[rstest]
#[case::inbound_is_a_string(
    json!({"networking": {"inbound": "all of it"}}),
    "spec.networking.inbound is a string where a list is expected"
)]
#[case::inbounds_are_numbers(
    json!({"networking": {"inbound": [{"state": "Ready"}, 7]}}),
    "spec.networking.inbound[1] is a number where an object is expected"
)]
#[case::networking_is_a_list(
    json!({"networking": []}),
    "spec.networking is a list where an object is expected"
)]
#[tokio::test]
async fn a_dataplane_that_cannot_be_read(#[case] spec: Value, #[case] fault: &str) {
    let (testbed, team, replica) = start("undecodable").await;
    team.dataplane("cart-1", "cart", "default").await.unwrap();
    team.dataplane("till-1", "till", "default").await.unwrap();
    let before = team.counts("cart", "default", 1).await.unwrap();
    team.counts("till", "default", 1).await.unwrap();
    let undecodable = r#"undecodable_objects_total{kind="Dataplane"}"#;
    let counted = replica.metric(undecodable).await.unwrap();

    let bad = json!({
        "apiVersion": "kuma.io/v1alpha1", "kind": "Dataplane", "mesh": "default",
        "metadata": {
            "name": "cart-1", "namespace": team.name,
            "annotations": {"kuma.io/workload": "cart"},
        },
        "spec": spec,
    });
    let replace = ["replace", "-f", "-"];
    let replaced = testbed
        .kubectl(User::Admin, &replace, &bad.to_string())
        .await;
    replaced.unwrap().ok().unwrap();
    let named = format!(
        "Dataplane {}/cart-1 cannot be read and is left out: {fault}",
        team.name
    );
    replica.says(&named).await.unwrap();
    assert!(replica.metric(undecodable).await.unwrap() > counted);

    // Nothing that happens beside it, no relist, makes it said again or its Workload go.
    team.delete(Kind::Dataplane, "till-1").await.unwrap();
    team.gone("till").await.unwrap();
    relist(&replica).await;
    team.caught_up(&replica).await.unwrap();
    let now = team.seen("cart").await.unwrap().unwrap();
    assert_eq!(now["metadata"]["uid"], before["metadata"]["uid"]);
    assert_eq!(replica.said(&named).len(), 1, "{}", replica.log());

    // Gone, it holds nothing any more.
    team.delete(Kind::Dataplane, "cart-1").await.unwrap();
    team.gone("cart").await.unwrap();
}

#[tokio::test]
async fn a_dataplane_that_can_be_read_again_counts_again() {
    let (_, team, replica) = start("again").await;
    let bad = json!({
        "metadata": {"name": "cart-1", "annotations": {"kuma.io/workload": "cart"}},
        "spec": {"networking": {"inbound": "none"}},
    });
    team.put(Kind::Dataplane, bad).await.unwrap();
    replica
        .says("cannot be read and is left out")
        .await
        .unwrap();
    team.caught_up(&replica).await.unwrap();
    assert_eq!(team.seen("cart").await.unwrap(), None);
    team.dataplane("cart-1", "cart", "default").await.unwrap();
    team.counts("cart", "default", 1).await.unwrap();
}

/// A name that no object can have: said once, not tried.
#[rstest]
#[case::upper_case("Cart")]
#[case::too_long(&"x".repeat(254))]
#[case::a_path("../cart")]
#[tokio::test]
async fn a_name_that_no_object_can_have(#[case] name: &str) {
    let (_, team, replica) = start("names").await;
    team.dataplane("one", name, "default").await.unwrap();
    eventually("it is said", async || {
        let events = team.events("InvalidWorkloadName").await;
        match events.map_err(|error| error.to_string())?.len() {
            0 => Err(replica.log()),
            _ => Ok(()),
        }
    })
    .await
    .unwrap();
    team.dataplane("two", name, "default").await.unwrap();
    relist(&replica).await;
    team.caught_up(&replica).await.unwrap();
    let writes = replica.proxy.writes().into_iter();
    let writes: Vec<_> = writes
        .filter(|write| !write.name.starts_with("fence"))
        .collect();
    assert!(writes.is_empty(), "{writes:?}");
    let events = team.events("InvalidWorkloadName").await.unwrap();
    assert_eq!(events.len(), 1, "{events:?}");
    assert_eq!(replica.proxy.asked_to("create events").len(), 1);
    assert!(replica.proxy.asked_to("patch events").is_empty());
}

#[rstest]
#[case::another_mesh(json!({"kuma.io/mesh": "other"}))]
#[case::no_mesh(json!({"kuma.io/mesh": null}))]
#[case::no_manager(json!({"kuma.io/managed-by": null}))]
#[case::neither(json!({"kuma.io/mesh": null, "kuma.io/managed-by": null}))]
#[tokio::test]
async fn a_workload_edited_by_hand_is_put_right(#[case] labels: Value) {
    let (_, team, replica) = start("edited").await;
    team.dataplane("cart-1", "cart", "default").await.unwrap();
    let before = team.counts("cart", "default", 1).await.unwrap();
    let mut labels = labels;
    labels["kept"] = "yes".into();
    let edit = json!({"metadata": {"labels": labels}, "spec": {"kept": true}});
    team.merge(Kind::Workload, "cart", edit).await.unwrap();
    let after = eventually("it is right again", async || {
        let workload = team.seen("cart").await.map_err(|error| error.to_string())?;
        let workload = workload.unwrap();
        let is_right = label(&workload, "kuma.io/mesh") == "default"
            && label(&workload, "kuma.io/managed-by") == "kuma-workload-reconciler";
        if is_right {
            Ok(workload)
        } else {
            Err(workload.to_string())
        }
    })
    .await
    .unwrap();
    assert_eq!(after["metadata"]["uid"], before["metadata"]["uid"]);
    assert_eq!(
        (label(&after, "kept"), &after["spec"]["kept"]),
        (&json!("yes"), &json!(true))
    );
    team.caught_up(&replica).await.unwrap();
    let patches = replica.proxy.asked_to("patch workloads cart");
    assert_eq!(patches.len(), 2, "its numbers, and this: {patches:?}");
}

#[tokio::test]
async fn numbers_changed_by_hand_are_put_right() {
    let (_, team, replica) = start("numbers").await;
    team.dataplane("cart-1", "cart", "default").await.unwrap();
    team.counts("cart", "default", 1).await.unwrap();
    for status in [
        json!({"dataplaneProxies": {"total": 99}}),
        json!(null),
        json!("none"),
    ] {
        let edit = json!({"status": status});
        // What the CustomResourceDefinition does not allow is no edit.
        if team.merge(Kind::Workload, "cart", edit).await.is_ok() {
            let workload = team.counts("cart", "default", 1).await.unwrap();
            assert_eq!(workload["status"]["dataplaneProxies"]["healthy"], 1);
        }
    }
    team.caught_up(&replica).await.unwrap();
    assert_eq!(replica.proxy.asked_to("create workloads cart").len(), 1);
}

#[tokio::test]
async fn a_workload_deleted_by_hand_comes_back() {
    let (_, team, replica) = start("deleted").await;
    team.dataplane("cart-1", "cart", "default").await.unwrap();
    let mut before = team.counts("cart", "default", 1).await.unwrap();
    for _ in 0..3 {
        team.delete(Kind::Workload, "cart").await.unwrap();
        let after = team.counts("cart", "default", 1).await.unwrap();
        assert_ne!(after["metadata"]["uid"], before["metadata"]["uid"]);
        before = after;
    }
    team.caught_up(&replica).await.unwrap();
    assert_eq!(replica.proxy.asked_to("create workloads cart").len(), 4);
    assert!(replica.proxy.asked_to("delete workloads").is_empty());
}

/// L16: whose label says another is another's, from then on.
#[rstest]
#[case::helm("helm", 1)]
#[case::the_control_plane("k8s-controller", 0)]
#[tokio::test]
async fn a_workload_that_another_takes_is_let_go(#[case] manager: &str, #[case] events: usize) {
    let (_, team, replica) = start("taken").await;
    team.dataplane("cart-1", "cart", "default").await.unwrap();
    team.counts("cart", "default", 1).await.unwrap();
    team.caught_up(&replica).await.unwrap();
    let writes = replica.proxy.asked_to("* workloads cart").len();
    let stamp = json!({
        "metadata": {"labels": {"kuma.io/managed-by": manager, "kuma.io/mesh": "wrong"}},
    });
    team.merge(Kind::Workload, "cart", stamp).await.unwrap();
    let taken = team.seen("cart").await.unwrap();
    // Whatever would be a reason to write it if it were ours.
    team.dataplane("cart-2", "cart", "default").await.unwrap();
    team.caught_up(&replica).await.unwrap();
    team.dataplane("cart-1", "cart", "other").await.unwrap();
    team.caught_up(&replica).await.unwrap();
    team.delete(Kind::Dataplane, "cart-1").await.unwrap();
    team.delete(Kind::Dataplane, "cart-2").await.unwrap();
    team.caught_up(&replica).await.unwrap();
    relist(&replica).await;
    team.caught_up(&replica).await.unwrap();
    assert_eq!(team.seen("cart").await.unwrap(), taken);
    assert_eq!(replica.proxy.asked_to("* workloads cart").len(), writes);
    let said = team.events("WorkloadManagedByAnother").await.unwrap();
    assert_eq!(said.len(), events, "{said:?}");
}

/// Another that stamps whatever we write: we write each once.
#[tokio::test]
async fn another_that_stamps_our_objects_is_not_fought() {
    let (_, team, replica) = start("stamps").await;
    let stamp = json!({"metadata": {"labels": {"kuma.io/managed-by": "helm"}}});
    let stamping = async {
        for _ in 0.. {
            for name in team.names().await.unwrap() {
                if !name.starts_with("fence") {
                    let _ = team.merge(Kind::Workload, &name, stamp.clone()).await;
                }
            }
        }
    };
    let working = async {
        for round in 0..3 {
            for name in ["cart", "till", "shelf"] {
                let proxy = format!("{name}-{round}");
                team.dataplane(&proxy, name, "default").await.unwrap();
            }
            team.caught_up(&replica).await.unwrap();
        }
    };
    tokio::select! {
        () = stamping => {}
        () = working => {}
    }
    for name in ["cart", "till", "shelf"] {
        let writes = replica.proxy.asked_to(&format!("* workloads {name}"));
        let done = writes
            .iter()
            .filter(|write| write.is_done() && write.writes_workloads());
        assert!(done.count() <= 2, "made, perhaps counted once: {writes:?}");
    }
}

/// Another that takes our labels away as often as we put them there: we do not race.
#[tokio::test]
async fn another_that_strips_our_objects_does_not_hurry_us() {
    let (_, team, replica) = start("strips").await;
    team.dataplane("cart-1", "cart", "default").await.unwrap();
    team.counts("cart", "default", 1).await.unwrap();
    team.caught_up(&replica).await.unwrap();
    let before = replica.proxy.asked_to("patch workloads cart").len();
    let begun = tokio::time::Instant::now();
    let strip = json!({"metadata": {"labels": {"kuma.io/mesh": "wrong"}}});
    while begun.elapsed().as_secs() < 5 {
        team.merge(Kind::Workload, "cart", strip.clone())
            .await
            .unwrap();
    }
    team.counts("cart", "default", 1).await.unwrap();
    let writes = replica.proxy.asked_to("patch workloads cart").len() - before;
    // Once in the time in which numbers are written once, a second here.
    assert!((2..=12).contains(&writes), "{writes} writes in 5 s");
}

#[tokio::test]
async fn a_namespace_is_deleted() {
    let (testbed, team, replica) = start("doomed").await;
    for n in 0..12 {
        let name = format!("cart-{n}");
        let mesh = if n < 10 { "default" } else { "other" };
        team.dataplane(&name, &format!("w-{}", n % 4), mesh)
            .await
            .unwrap();
    }
    team.counts("w-0", "default", 3).await.unwrap();
    let rights = ["delete", "namespace", &team.name, "--timeout=30s"];
    let deleted = testbed.kubectl(User::Admin, &rights, "").await.unwrap();
    deleted.ok().unwrap();
    replica.shows("workqueue_depth", 0.0).await.unwrap();
    let created = replica.proxy.asked_to("create workloads").into_iter();
    let refused: Vec<_> = created
        .filter(|asked| asked.answer.is_some_and(|code| code != 201))
        .collect();
    assert!(refused.len() <= 4, "at most once each: {refused:?}");
    assert!(replica.said("ERROR").is_empty(), "{}", replica.log());
    assert!(
        replica.said("is tried again").is_empty(),
        "{}",
        replica.log()
    );
}

/// An account with the grants that are shipped, but for one.
struct Grants {
    account: String,
    rules: Vec<Value>,
    lease_verbs: Vec<&'static str>,
}

impl Grants {
    /// Without this verb on this resource.
    fn without(testbed: &Testbed, verb: &str, resource: &str) -> Self {
        let shipped = include_str!("../../../examples/reconciler/rbac.yaml");
        let documents = shipped.split("\n---\n");
        let role = documents
            .map(|document| serde_saphyr::from_str::<Value>(document).unwrap())
            .find(|document| document["kind"] == "ClusterRole")
            .unwrap();
        let mut rules = Vec::new();
        for rule in role["rules"].as_array().unwrap() {
            for of in rule["resources"].as_array().unwrap() {
                let verbs = rule["verbs"].as_array().unwrap().iter();
                let verbs: Vec<_> = verbs.filter(|own| of != resource || *own != verb).collect();
                if !verbs.is_empty() {
                    rules.push(
                        json!({"apiGroups": rule["apiGroups"], "resources": [of], "verbs": verbs}),
                    );
                }
            }
        }
        let lease_verbs = ["get", "create", "update"].into_iter();
        Self {
            account: testbed.unique("account"),
            rules,
            lease_verbs: lease_verbs
                .filter(|own| resource != "leases" || *own != verb)
                .collect(),
        }
    }

    fn with(mut self, verb: &'static str, group: &str, resource: &str) -> Self {
        if resource == "leases" {
            self.lease_verbs.push(verb);
        } else {
            self.rules
                .push(json!({"apiGroups": [group], "resources": [resource], "verbs": [verb]}));
        }
        self
    }

    async fn apply(&self, testbed: &Testbed) {
        let rbac = "rbac.authorization.k8s.io";
        let account = &self.account;
        let subjects = json!([{"kind": "User", "name": account, "apiGroup": rbac}]);
        let lease_rule = json!({"apiGroups": ["coordination.k8s.io"], "resources": ["leases"], "verbs": self.lease_verbs});
        let home = json!({"name": account, "namespace": "kuma-workload"});
        let items = [
            (
                "ClusterRole",
                json!({"name": account}),
                json!({"rules": self.rules}),
            ),
            (
                "ClusterRoleBinding",
                json!({"name": account}),
                json!({"subjects": subjects, "roleRef": {"apiGroup": rbac, "kind": "ClusterRole", "name": account}}),
            ),
            ("Role", home.clone(), json!({"rules": [lease_rule]})),
            (
                "RoleBinding",
                home,
                json!({"subjects": subjects, "roleRef": {"apiGroup": rbac, "kind": "Role", "name": account}}),
            ),
        ];
        let items = items.map(|(kind, metadata, mut item)| {
            item["apiVersion"] = format!("{rbac}/v1").into();
            item["kind"] = kind.into();
            item["metadata"] = metadata;
            item
        });
        let list = json!({"apiVersion": "v1", "kind": "List", "items": items});
        testbed.apply(&list.to_string()).await.unwrap();
    }
}

fn is_unanswered_or_done(asked: &Asked) -> bool {
    asked.answer.is_none() || asked.is_done()
}

#[rstest]
#[case::list_dataplanes(
    "list",
    "kuma.io",
    "dataplanes",
    "cannot list dataplanes.kuma.io: the grant is missing"
)]
#[case::watch_dataplanes(
    "watch",
    "kuma.io",
    "dataplanes",
    "cannot watch dataplanes.kuma.io: the grant is missing"
)]
#[case::list_workloads(
    "list",
    "kuma.io",
    "workloads",
    "cannot list workloads.kuma.io: the grant is missing"
)]
#[case::create_workloads(
    "create",
    "kuma.io",
    "workloads",
    "cannot create workloads.kuma.io: the grant is missing"
)]
#[case::patch_workloads(
    "patch",
    "kuma.io",
    "workloads",
    "cannot patch workloads.kuma.io: the grant is missing"
)]
#[case::delete_workloads(
    "delete",
    "kuma.io",
    "workloads",
    "cannot delete workloads.kuma.io: the grant is missing"
)]
#[case::create_events(
    "create",
    "events.k8s.io",
    "events",
    "cannot create events.events.k8s.io: the grant is missing"
)]
#[case::get_leases(
    "get",
    "",
    "leases",
    "cannot get leases.coordination.k8s.io: the grant is missing"
)]
#[case::create_leases(
    "create",
    "",
    "leases",
    "cannot create leases.coordination.k8s.io: the grant is missing"
)]
#[tokio::test]
async fn a_grant_is_missing_and_comes(
    #[case] verb: &'static str,
    #[case] group: &str,
    #[case] resource: &str,
    #[case] sentence: &str,
) {
    let testbed = Testbed::shared().unwrap();
    let team = Team::new(testbed, "grants").await.unwrap();
    // There is something to make, to count, to report and to delete.
    team.dataplane("cart-1", "cart", "default").await.unwrap();
    team.dataplane("till-1", "till", "default").await.unwrap();
    team.dataplane("till-2", "till", "other").await.unwrap();
    let left = json!({"metadata": {"name": "left", "labels": {
        "kuma.io/mesh": "default", "kuma.io/managed-by": "kuma-workload-reconciler",
    }}});
    team.put(Kind::Workload, left).await.unwrap();

    let grants = Grants::without(testbed, verb, resource);
    grants.apply(testbed).await;
    let proxy = Proxy::of_account(testbed, &grants.account).await.unwrap();
    let replica = team.behind(testbed, proxy, &[]).unwrap();
    replica.says(sentence).await.unwrap();
    let refused = format!("{verb} {resource}");
    eventually("it is tried again", async || {
        match replica.proxy.asked_to(&refused).len() {
            2.. => Ok(()),
            times => Err(times.to_string()),
        }
    })
    .await
    .unwrap();
    let said = replica.said(sentence);
    assert_eq!(said.len(), 1, "{}", replica.log());
    let others = replica.proxy.asked().into_iter();
    let mut others = others.filter(|asked| !asked.is(&refused) && !asked.is("get *"));
    assert!(
        others.all(|asked| is_unanswered_or_done(&asked)),
        "nothing else is refused"
    );

    grants.with(verb, group, resource).apply(testbed).await;
    replica.ready().await.unwrap();
    team.counts("cart", "default", 1).await.unwrap();
    team.gone("left").await.unwrap();
    eventually("the event is there", async || {
        let events = team.events("MultipleMeshesDetected").await;
        match events.map_err(|error| error.to_string())?.len() {
            1 => Ok(()),
            other => Err(format!("{other}: {}", replica.log())),
        }
    })
    .await
    .unwrap();
}
