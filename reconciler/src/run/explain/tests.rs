use std::time::Duration;

use super::*;
use crate::{
    kinds::RecordKind,
    run::{
        index::PodIdentifiers,
        lease::{Leadership, LeaseError, LeaseStore},
        metrics::Metrics,
        mode::ConfiguredMode,
        ordered_watch,
        queue::{FailureKind, Next, Queue, WriteFailure, WriteKind},
    },
};
use k8s_openapi::api::coordination::v1::{Lease, LeaseSpec};
use rstest::rstest;
use serde_json::{Value, json};

const NONE: Option<PodIdentifiers> = None;

/// A replica `pod-0_1` that has listed all, and what it tells of `shop/web`.
struct Replica {
    explainer: Explainer,
    leadership: ordered_watch::Sender<Leadership>,
}

impl Replica {
    fn leading() -> Self {
        Self::with(
            ConfiguredMode::Manage,
            ModeFlag::Manage,
            Leadership::forever(),
        )
    }

    fn with(configured: ConfiguredMode, mode: ModeFlag, leadership: Leadership) -> Self {
        let leadership = ordered_watch::Sender::new(leadership);
        let context = Context::new(
            Arc::new(Mutex::new(Index::new(configured, NONE, false))),
            Queue::new(Duration::from_secs(300), 100, Instant::now()),
            Arc::new(Metrics::default()),
            leadership.subscribe(),
        );
        let progress = &context.progress;
        let (id, _) = progress.register(RecordKind::Dataplane, None, true);
        progress.listed(id, progress.epoch());
        let explainer = Explainer {
            context,
            fences: Arc::new(Mutex::new(Fences::new(100))),
            identity: "pod-0_1".into(),
            mode,
            namespaces: BTreeSet::new(),
            lease: Some(SeenLease {
                namespace: "mesh".into(),
                name: "kuma-workload".into(),
                holder: SeenHolder::default(),
            }),
        };
        Self {
            explainer,
            leadership,
        }
    }

    fn context(&self) -> &Context {
        &self.explainer.context
    }

    fn dataplane(&self, name: &str, rest: &Value) {
        let mut object = json!({
            "metadata": {
                "namespace": "shop", "name": name,
                "annotations": { "kuma.io/workload": "web" },
            },
            "mesh": "a",
        });
        for (key, value) in rest.as_object().unwrap() {
            object[key] = value.clone();
        }
        let dataplane = serde_json::from_value(object).unwrap();
        let (items, _) = self.context().index().apply_dataplane(&dataplane);
        self.context().enqueue(items.into());
    }

    fn workload(&self, manager: &str) {
        let workload = serde_json::from_value(json!({ "metadata": {
            "namespace": "shop", "name": "web", "uid": "u", "resourceVersion": "1",
            "labels": { "kuma.io/mesh": "a", "kuma.io/managed-by": manager },
            "managedFields": [{
                "manager": "kuma-cp",
                "fieldsV1": { "f:metadata": { "f:labels": { "f:kuma.io/managed-by": {} } } },
            }],
        } }));
        let workload = workload.unwrap();
        let items = self.context().index().apply_workload(&workload);
        self.context().enqueue(items.into());
    }

    async fn sees_holder(&self, holder: &str) {
        struct Store(Lease);
        impl LeaseStore for Store {
            async fn read(&self) -> Result<Option<Lease>, LeaseError> {
                Ok(Some(self.0.clone()))
            }
            async fn create(&self, _: &Lease) -> Result<Lease, LeaseError> {
                Err(LeaseError::Stale)
            }
            async fn replace(&self, _: &Lease) -> Result<Lease, LeaseError> {
                Err(LeaseError::Stale)
            }
        }
        let spec = LeaseSpec {
            holder_identity: Some(holder.to_owned()),
            ..LeaseSpec::default()
        };
        let lease = Lease {
            spec: Some(spec),
            ..Lease::default()
        };
        let seen = &self.explainer.lease.as_ref().unwrap().holder;
        seen.see(Store(lease)).read().await.unwrap();
    }

    /// Looks at all that is due. What follows for `shop/web` is given.
    fn looks(&self, next: Next) -> Arc<WorkItem> {
        let (mut queue, now) = (self.context().queue(), Instant::now());
        while let Some(item) = queue.next_due(now) {
            let next = match *item == WorkItem::Workload(web()) {
                true => next,
                false => Next::Rest,
            };
            queue.settle(&item, None, next, now);
        }
        Arc::new(WorkItem::Workload(web()))
    }

    /// The write of `shop/web` fails.
    fn fails(&self, kind: FailureKind, retry_after: Option<u64>) {
        let item = self.looks(Next::Write(WriteKind::Object));
        let now = Instant::now();
        let mut queue = self.context().queue();
        queue.next_write(now).unwrap();
        let failure = WriteFailure {
            kind,
            sentence: "Workload shop/web: cannot create workloads.kuma.io: no".into(),
            retry_after: retry_after.map(Duration::from_secs),
            rejected: None,
        };
        queue.failed(&item, failure, now);
    }

    fn text(&self) -> String {
        self.explainer.explain(&web()).to_string()
    }
}

fn web() -> Key {
    Key {
        namespace: "shop".into(),
        workload: "web".into(),
    }
}

fn says(text: &str, line: &str) {
    assert!(
        text.lines().any(|one| one.starts_with(line)),
        "{line}\n---\n{text}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_write_that_was_refused_waits_and_says_why() {
    let replica = Replica::leading();
    replica.dataplane("web-0", &json!({}));
    replica.fails(FailureKind::Refused, None);
    tokio::time::advance(Duration::from_secs(1)).await;
    replica
        .context()
        .enqueue(vec![WorkItem::Workload(web())].into());
    replica.fails(FailureKind::Refused, Some(30));
    tokio::time::advance(Duration::from_secs(10)).await;
    let text = replica.text();
    says(
        &text,
        "Workload shop/web does not exist because the API server has refused the write, 2 times in a row.",
    );
    says(
        &text,
        "Decision:     L4: Dataplanes of one mesh refer to it",
    );
    says(&text, "Dataplanes:   1 in mesh a");
    says(&text, "Next look:    due in 20s: it waits after a failure");
    says(
        &text,
        "Last failure: Workload shop/web: cannot create workloads.kuma.io: no",
    );
    says(
        &text,
        "Backoff:      failed 2 times in a row; it is not tried again for 20s; the API server has asked to wait 30s",
    );
    says(&text, "Replica:      pod-0_1 leads");
}

#[tokio::test(start_paused = true)]
async fn a_write_waits_for_its_turn() {
    let replica = Replica::leading();
    replica.dataplane("web-0", &json!({}));
    says(
        &replica.text(),
        "Workload shop/web does not exist because it has changed and is looked at next.",
    );
    replica.looks(Next::Write(WriteKind::Object));
    says(
        &replica.text(),
        "Workload shop/web does not exist because it waits for its turn to be written.",
    );
}

#[tokio::test(start_paused = true)]
async fn l19_a_delete_waits_for_its_list() {
    let replica = Replica::leading();
    replica.workload("kuma-workload-reconciler");
    lock(&replica.explainer.fences).ask(&web(), Instant::now());
    replica.looks(Next::Fence);
    let text = replica.text();
    says(
        &text,
        "Workload shop/web exists and is not as it should be: it is to be deleted, but not yet: it waits for the list of Dataplanes before it is deleted.",
    );
    says(&text, "Decision:   L2, L19: ");
    says(
        &text,
        "Fence:      L19: the Dataplanes of the namespace are listed next",
    );
}

#[rstest]
#[case::of_another(
    "pod-1_2",
    "the leader, pod-1_2, has not written it, and this replica is a standby",
    "mesh/kuma-workload is held by pod-1_2",
    Some("ask the leader: kubectl exec -n mesh pod-1 -- kuma-workload status --why shop/web")
)]
#[case::of_nobody(
    "",
    "no replica leads: nobody holds the Lease",
    "mesh/kuma-workload is held by nobody",
    None
)]
#[case::of_this_one(
    "pod-0_1",
    "this replica holds the Lease and does not lead yet",
    "mesh/kuma-workload is held by pod-0_1",
    None
)]
#[tokio::test(start_paused = true)]
async fn a_standby_names_the_holder(
    #[case] holder: &str,
    #[case] because: &str,
    #[case] lease: &str,
    #[case] note: Option<&str>,
) {
    let replica = Replica::leading();
    replica.leadership.send_replace(Leadership::STANDBY);
    replica.dataplane("web-0", &json!({}));
    says(
        &replica.text(),
        "Workload shop/web does not exist because this replica has not read the Lease yet.",
    );
    replica.sees_holder(holder).await;
    let text = replica.text();
    says(
        &text,
        &format!("Workload shop/web does not exist because {because}."),
    );
    says(&text, &format!("Lease:      {lease}"));
    says(
        &text,
        "Replica:    pod-0_1 is a standby, and only the leader knows",
    );
    match note {
        Some(note) => says(&text, &format!("Note:       {note}")),
        None => assert!(!text.contains("Note:"), "{text}"),
    }
}

#[tokio::test(start_paused = true)]
async fn l23_nothing_is_known_before_all_lists() {
    let replica = Replica::leading();
    replica.dataplane("web-0", &json!({}));
    let context = Context::new(
        Arc::new(Mutex::new(Index::new(ConfiguredMode::Manage, NONE, false))),
        Queue::new(Duration::from_secs(300), 100, Instant::now()),
        Arc::new(Metrics::default()),
        replica.leadership.subscribe(),
    );
    context.progress.register(RecordKind::Workload, None, true);
    let explainer = Explainer {
        context,
        ..replica.explainer.clone()
    };
    let text = explainer.explain(&web()).to_string();
    says(
        &text,
        "It is not known yet whether Workload shop/web should exist: waiting for the list of workloads.kuma.io.",
    );
    says(
        &text,
        "Watches:    waiting for the list of workloads.kuma.io",
    );
}

#[tokio::test(start_paused = true)]
async fn an_api_server_that_is_away_is_told() {
    let replica = Replica::leading();
    replica.context().health.failed();
    tokio::time::advance(Duration::from_secs(90)).await;
    says(&replica.text(), "API server: has not answered for 1m30s");
}

#[tokio::test(start_paused = true)]
async fn a_namespace_that_no_flag_names_is_not_selected() {
    let mut replica = Replica::leading();
    replica.explainer.namespaces = ["cart".to_owned()].into();
    says(
        &replica.text(),
        "Workload shop/web does not exist because namespace shop is not selected.",
    );
    replica.explainer.namespaces.insert("shop".to_owned());
    says(
        &replica.text(),
        "Workload shop/web does not exist because no Dataplane of namespace shop refers to it.",
    );
}

#[tokio::test(start_paused = true)]
async fn a_dataplane_that_cannot_be_read_is_named() {
    let replica = Replica::leading();
    replica.dataplane("web-0", &json!({ "spec": "x" }));
    let why = "Dataplane shop/web-0, which names it, cannot be read: spec is a string where an object is expected";
    let text = replica.text();
    says(
        &text,
        &format!("Workload shop/web does not exist because {why}."),
    );
    says(&text, &format!("Unreadable: {why}"));
    replica.workload("kuma-workload-reconciler");
    says(
        &replica.text(),
        "Workload shop/web exists and is kept because a Dataplane that cannot be read names it.",
    );
}

#[tokio::test(start_paused = true)]
async fn the_other_names_of_the_namespace_are_told() {
    let replica = Replica::leading();
    replica.dataplane("web-0", &json!({}));
    replica.looks(Next::Rest);
    let key = Key {
        workload: "wbe".into(),
        ..web()
    };
    let text = replica.explainer.explain(&key).to_string();
    says(&text, "Namespace:  Dataplanes there refer to: web");
    assert!(!text.contains("Next look"), "it is unknown:\n{text}");
}

#[rstest]
#[case::manage(ConfiguredMode::Manage, ModeFlag::Manage, "manage (--mode manage)")]
#[case::observe(ConfiguredMode::Observe, ModeFlag::Observe, "observe (--mode observe)")]
#[case::auto(
    auto("other"),
    ModeFlag::Auto,
    "manage (--mode auto, and no control plane is seen to manage Workloads)"
)]
#[case::auto_yields(
    auto("kuma-cp"),
    ModeFlag::Auto,
    "yield (--mode auto, and a control plane manages Workloads, as shop/web shows)"
)]
#[tokio::test(start_paused = true)]
async fn l17_the_mode_is_told_with_its_reason(
    #[case] configured: ConfiguredMode,
    #[case] flag: ModeFlag,
    #[case] mode: &str,
) {
    let replica = Replica::with(configured, flag, Leadership::forever());
    replica.dataplane("web-0", &json!({}));
    replica.workload("k8s-controller");
    let mut index = replica.context().index();
    index.review_evidence(&web());
    drop(index);
    says(&replica.text(), &format!("Mode:       {mode}"));
}

fn auto(manager: &str) -> ConfiguredMode {
    ConfiguredMode::Auto {
        managers: [manager.to_owned()].into(),
        grace: Duration::from_secs(600),
    }
}
