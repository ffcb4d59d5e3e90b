//! Each grant that the reconciler needs: missing, told once, and given later.

use kuma_workload_testbed::{Asked, Kind, Proxy, Team, Testbed, eventually};
use rstest::rstest;
use serde_json::{Value, json};

/// An account with the grants that are shipped, but for one.
struct Grants {
    account: String,
    rules: Vec<Value>,
    lease_verbs: Vec<&'static str>,
}

impl Grants {
    /// Without this verb on this resource.
    fn without(testbed: &Testbed, verb: &str, resource: &str) -> Self {
        let shipped = include_str!("../../../../examples/reconciler/1-rbac.yaml");
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
    // There is something to make, to label, to report and to delete.
    let adopted = json!({"metadata": {"name": "shelf"}});
    team.space.put(Kind::Workload, adopted).await.unwrap();
    team.dataplane("shelf-1", "shelf", "default").await.unwrap();
    team.dataplane("cart-1", "cart", "default").await.unwrap();
    team.dataplane("till-1", "till", "default").await.unwrap();
    team.dataplane("till-2", "till", "other").await.unwrap();
    let left = json!({"metadata": {"name": "left", "labels": {
        "kuma.io/mesh": "default", "kuma.io/managed-by": "kuma-workload-reconciler",
    }}});
    team.space.put(Kind::Workload, left).await.unwrap();

    let grants = Grants::without(testbed, verb, resource);
    grants.apply(testbed).await;
    let proxy = Proxy::of_account(testbed, &grants.account).await.unwrap();
    let replica = team.behind(testbed, proxy, &[]).unwrap();
    replica.reconciler.says(sentence).await.unwrap();
    let refused = format!("{verb} {resource}");
    eventually("it is tried again", async || {
        match replica.proxy.asked_to(&refused).len() {
            2.. => Ok(()),
            times => Err(times.to_string()),
        }
    })
    .await
    .unwrap();
    let said = replica.reconciler.said(sentence);
    assert_eq!(said.len(), 1, "{}", replica.reconciler.log());
    let others = replica.proxy.asked().into_iter();
    let mut others = others.filter(|asked| !asked.is(&refused) && !asked.is("get *"));
    assert!(
        others.all(|asked| is_unanswered_or_done(&asked)),
        "nothing else is refused"
    );

    grants.with(verb, group, resource).apply(testbed).await;
    replica.reconciler.ready().await.unwrap();
    team.counts("cart", "default", 1).await.unwrap();
    team.counts("shelf", "default", 1).await.unwrap();
    team.space.gone("left").await.unwrap();
    eventually("the event is there", async || {
        let events = team.space.events("MultipleMeshesDetected").await;
        match events.map_err(|error| error.to_string())?.len() {
            1 => Ok(()),
            other => Err(format!("{other}: {}", replica.reconciler.log())),
        }
    })
    .await
    .unwrap();
}
