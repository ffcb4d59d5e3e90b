//! All that is known of the cluster: the roster of Dataplanes, and the Workloads, Namespaces and
//! Meshes that exist. Synchronous and without I/O: watches tell it, workers ask it.
//!
//! Every change answers with the [`Item`]s that are to be looked at again.

use std::collections::{BTreeSet, HashMap};

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{ObjectMeta, OwnerReference};
use kuma_workload_rulebook::{
    keys, mesh,
    roster::{
        Action, Changes, Decision, ExistingWorkload, Key, ListScope, Mode, Roster, WatchedKind,
        Write,
    },
};

use super::{
    identifiers::{Bare, PodIdentifiers},
    mirror::Mirror,
    options::ModeOption,
};
use crate::kinds::{
    self, API_VERSION, Dataplane, DataplaneInsight, DataplaneProxies, Mesh, Namespace, Pod,
    Workload,
};

/// Namespace and name of an object.
pub(super) type Address = (String, String);

/// What is looked at as one.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Item {
    /// A Workload, existing or not.
    Workload(Key),
    /// The meshes of a namespace.
    Namespace(String),
}

/// A kind that is watched.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    /// Dataplanes.
    Dataplane,
    /// DataplaneInsights.
    DataplaneInsight,
    /// Workloads.
    Workload,
    /// Namespaces.
    Namespace,
    /// Meshes.
    Mesh,
    /// Pods, for identifiers that are computed.
    Pod,
}

impl Kind {
    /// Its name, as objects say it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Dataplane => "Dataplane",
            Self::DataplaneInsight => "DataplaneInsight",
            Self::Workload => "Workload",
            Self::Namespace => "Namespace",
            Self::Mesh => "Mesh",
            Self::Pod => "Pod",
        }
    }

    /// The resource with its group, as grants name it.
    pub fn resource(self) -> &'static str {
        match self {
            Self::Dataplane => "dataplanes.kuma.io",
            Self::DataplaneInsight => "dataplaneinsights.kuma.io",
            Self::Workload => "workloads.kuma.io",
            Self::Namespace => "namespaces",
            Self::Mesh => "meshes.kuma.io",
            Self::Pod => "pods",
        }
    }
}

/// Something odd about a Dataplane, to be named once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Oddity {
    /// It cannot be read: this is why, and the workload that its annotation names.
    Undecodable {
        /// What is wrong, with the path of the field.
        fault: String,
        /// Its identifier, if it has one.
        workload: Option<String>,
    },
    /// Its label and its field name different meshes (A6).
    MeshLabel {
        /// The label's mesh.
        label: String,
        /// The field's mesh, which counts.
        field: String,
    },
}

/// All that is known of the cluster.
#[derive(Debug)]
pub struct Index {
    roster: Roster,
    workloads: Mirror<Key, Kept>,
    /// Those about which a request may be under way, and the uids that have gone meanwhile.
    asked: HashMap<Key, Vec<Box<str>>>,
    /// Whether each is on its way out.
    namespaces: Mirror<String, bool>,
    meshes: Mirror<String, String>,
    oddities: Mirror<Address, Oddity>,
    faulty_insights: Mirror<Address, String>,
    pods: Option<PodIdentifiers>,
    selected_only: bool,
    mode: ModeOption,
    yields: bool,
}

/// A Workload that exists.
#[derive(Debug, Clone, PartialEq)]
pub struct Kept {
    /// Its uid.
    pub uid: Box<str>,
    /// Its resourceVersion.
    pub resource_version: Box<str>,
    /// Whether it is being deleted and only waits for its finalizers.
    pub is_terminating: bool,
    /// The numbers that it shows.
    pub reported: Option<DataplaneProxies>,
    /// All of its owners.
    pub owners: Vec<OwnerReference>,
    mesh: Option<Box<str>>,
    managed_by: Option<Box<str>>,
    origin: Option<Box<str>>,
    home_namespace: Option<Box<str>>,
}

/// What is to be done about a Workload, and what is needed for it.
#[derive(Debug, Clone)]
pub struct View {
    /// What the rules say.
    pub decision: Decision,
    /// The Workload that exists.
    pub existing: Option<Kept>,
    /// The ownerReference to the Mesh of a relabelling, where Meshes can be read (L12).
    pub mesh_owner: Option<OwnerReference>,
}

impl Index {
    /// Nothing is known yet.
    pub fn new(mode: ModeOption, pods: Option<PodIdentifiers>, selected_only: bool) -> Self {
        Self {
            roster: Roster::default(),
            workloads: Mirror::default(),
            asked: HashMap::new(),
            namespaces: Mirror::default(),
            meshes: Mirror::default(),
            oddities: Mirror::default(),
            faulty_insights: Mirror::default(),
            pods,
            selected_only,
            mode,
            yields: false,
        }
    }

    /// A Dataplane was listed, added or changed. Also says what is odd about it, if that is new.
    pub fn apply_dataplane(&mut self, dataplane: &Dataplane) -> (Vec<Item>, Option<Oddity>) {
        let address = address(&dataplane.metadata);
        let news = self.note_oddity(&address, oddity(dataplane));
        if dataplane.fault.is_some() {
            return (self.forget_dataplane(&address), news);
        }
        let changes = match dataplane
            .stored_identifier()
            .filter(|name| !name.is_empty())
        {
            Some(stored) => {
                if let Some(pods) = &mut self.pods {
                    pods.forget_dataplane(&address);
                }
                self.roster.apply(&dataplane.facts(Some(stored)))
            }
            None => match &mut self.pods {
                Some(pods) => {
                    let workload = pods.apply_dataplane(address, Bare::of(dataplane));
                    self.roster.apply(&dataplane.facts(workload.as_deref()))
                }
                None => self.roster.apply(&dataplane.facts(None)),
            },
        };
        (items(changes), news)
    }

    /// A Dataplane is gone.
    pub fn delete_dataplane(&mut self, metadata: &ObjectMeta) -> Vec<Item> {
        let address = address(metadata);
        let mut items = self.forget_dataplane(&address);
        if let Some(oddity) = self.oddities.take(&address)
            && let Some(workload) = held(&oddity)
        {
            items.push(Item::Workload(Key {
                namespace: address.0,
                workload: workload.to_owned(),
            }));
        }
        items
    }

    fn forget_dataplane(&mut self, address: &Address) -> Vec<Item> {
        if let Some(pods) = &mut self.pods {
            pods.forget_dataplane(address);
        }
        items(self.roster.delete(&address.0, &address.1))
    }

    fn note_oddity(&mut self, address: &Address, oddity: Option<Oddity>) -> Option<Oddity> {
        let Some(oddity) = oddity else {
            self.oddities.take(address);
            return None;
        };
        if self.oddities.get(address) == Some(&oddity) {
            self.oddities.see(address);
            return None;
        }
        self.oddities.put(address.clone(), oddity.clone());
        Some(oddity)
    }

    /// A DataplaneInsight was listed, added or changed. Also says why it cannot be read, if that is
    /// new; its proxy does not count as connected.
    pub fn apply_insight(&mut self, insight: &DataplaneInsight) -> (Vec<Item>, Option<String>) {
        let address = address(&insight.metadata);
        let Some(fault) = &insight.fault else {
            self.faulty_insights.take(&address);
            return (items(self.roster.apply_insight(&insight.facts())), None);
        };
        let known = self.faulty_insights.put(address.clone(), fault.clone());
        let changes = self.roster.delete_insight(&address.0, &address.1);
        (
            items(changes),
            Some(fault.clone()).filter(|_| known.as_ref() != Some(fault)),
        )
    }

    /// A DataplaneInsight is gone.
    pub fn delete_insight(&mut self, metadata: &ObjectMeta) -> Vec<Item> {
        let address = address(metadata);
        self.faulty_insights.take(&address);
        items(self.roster.delete_insight(&address.0, &address.1))
    }

    /// A Workload was listed, added or changed. What is older than what is known is left out: our own
    /// writes are known before a watch shows them.
    pub fn apply_workload(&mut self, workload: &Workload) -> Vec<Item> {
        let (key, new) = (key(&workload.metadata), Kept::of(workload));
        if self.is_known(&key, &new) {
            self.workloads.see(&key);
            return Vec::new();
        }
        self.workloads.put(key.clone(), new);
        vec![Item::Workload(key)]
    }

    /// Requests about this Workload go out from now on.
    pub fn asks(&mut self, key: &Key) {
        self.asked.insert(key.clone(), Vec::new());
    }

    /// All of them are answered.
    pub fn asks_no_more(&mut self, key: &Key) {
        self.asked.remove(key);
    }

    /// A request was answered with this Workload. The watch may have been faster: if it has shown its
    /// end, the answer is of the past.
    pub fn answered(&mut self, workload: &Workload) -> Vec<Item> {
        let (key, new) = (key(&workload.metadata), Kept::of(workload));
        let has_gone = |gone: &Vec<_>| gone.contains(&new.uid);
        if self.asked.get(&key).is_some_and(has_gone) || self.is_known(&key, &new) {
            return Vec::new();
        }
        self.workloads.update(key.clone(), new);
        vec![Item::Workload(key)]
    }

    fn is_known(&self, key: &Key, new: &Kept) -> bool {
        let known = self.workloads.get(key);
        known.is_some_and(|known| known.is_newer_than(new) || known == new)
    }

    /// A Workload is gone; without a uid, whichever there was.
    pub fn delete_workload(&mut self, key: &Key, uid: Option<&str>) -> Vec<Item> {
        let known = self.workloads.get(key);
        let gone = uid.or(known.map(|known| &*known.uid));
        if let (Some(gone), Some(uids)) = (gone, self.asked.get_mut(key)) {
            uids.push(gone.into());
        }
        // One of that name that was made since is another one.
        if known.is_none_or(|known| uid.is_some_and(|uid| uid != &*known.uid)) {
            return Vec::new();
        }
        self.workloads.take(key);
        vec![Item::Workload(key.clone())]
    }

    fn sweep_workloads(&mut self, within: impl Fn(&Key) -> bool) -> Vec<Item> {
        let gone = self.workloads.sweep(within).into_iter();
        let look_at = |(key, kept): (Key, Kept)| {
            if let Some(uids) = self.asked.get_mut(&key) {
                uids.push(kept.uid);
            }
            Item::Workload(key)
        };
        gone.map(look_at).collect()
    }

    /// A Namespace was listed, added or changed.
    pub fn apply_namespace(&mut self, namespace: &Namespace) -> Vec<Item> {
        let name = kinds::name(&namespace.metadata);
        let is_terminating = namespace.metadata.deletion_timestamp.is_some();
        let known = self.namespaces.put(name.to_owned(), is_terminating);
        if known.is_none() && self.selected_only {
            return self.items_of(name);
        }
        Vec::new()
    }

    /// A Namespace is gone, or is no longer selected: what is in it stays as it is.
    pub fn delete_namespace(&mut self, metadata: &ObjectMeta) -> Vec<Item> {
        let name = kinds::name(metadata);
        self.namespaces.take(name);
        if self.selected_only {
            return self.items_of(name);
        }
        Vec::new()
    }

    /// A Mesh was listed, added or changed.
    pub fn apply_mesh(&mut self, mesh: &Mesh) {
        let uid = mesh.metadata.uid.clone().unwrap_or_default();
        self.meshes.put(kinds::name(&mesh.metadata).to_owned(), uid);
    }

    /// A Mesh is gone.
    pub fn delete_mesh(&mut self, metadata: &ObjectMeta) {
        self.meshes.take(kinds::name(metadata));
    }

    /// A Pod was listed, added or changed (W8).
    pub fn apply_pod(&mut self, pod: &Pod) -> Vec<Item> {
        let address = address(&pod.metadata);
        let Some(pods) = &mut self.pods else {
            return Vec::new();
        };
        let Some(dataplane) = pods.apply_pod(&address, pod) else {
            return Vec::new();
        };
        items(self.roster.apply(&dataplane.facts(&address)))
    }

    /// A Pod is gone. Its Dataplane keeps the identifier (W8, L13).
    pub fn delete_pod(&mut self, metadata: &ObjectMeta) {
        if let Some(pods) = &mut self.pods {
            pods.delete_pod(&address(metadata));
        }
    }

    /// A list begins, of all namespaces or of one.
    pub fn relist(&mut self, kind: Kind, namespace: Option<&str>) {
        let within = |home: &str| namespace.is_none_or(|namespace| namespace == home);
        match kind {
            Kind::Dataplane => {
                self.roster
                    .relist(WatchedKind::Dataplanes, scope(namespace));
                self.oddities.relist(|(home, _)| within(home));
                if let Some(pods) = &mut self.pods {
                    pods.relist_dataplanes(within);
                }
            }
            Kind::DataplaneInsight => {
                self.roster.relist(WatchedKind::Insights, scope(namespace));
                self.faulty_insights.relist(|(home, _)| within(home));
            }
            Kind::Workload => self.workloads.relist(|key| within(&key.namespace)),
            Kind::Namespace => self.namespaces.relist(|_| true),
            Kind::Mesh => self.meshes.relist(|_| true),
            Kind::Pod => {
                if let Some(pods) = &mut self.pods {
                    pods.relist_pods(within);
                }
            }
        }
    }

    /// The list has ended: what was not in it is gone.
    pub fn sweep(&mut self, kind: Kind, namespace: Option<&str>) -> Vec<Item> {
        let within = |home: &str| namespace.is_none_or(|namespace| namespace == home);
        match kind {
            Kind::Dataplane => {
                let changes = self.roster.sweep(WatchedKind::Dataplanes, scope(namespace));
                let mut items = items(changes);
                // Which workload an oddity held is no longer known: all of its namespace are looked at.
                let homes: BTreeSet<_> = self
                    .oddities
                    .sweep(|(home, _)| within(home))
                    .into_iter()
                    .map(|((home, _), _)| home)
                    .collect();
                items.extend(homes.iter().flat_map(|home| self.items_of(home)));
                if let Some(pods) = &mut self.pods {
                    pods.sweep_dataplanes(within);
                }
                items
            }
            Kind::DataplaneInsight => {
                self.faulty_insights.sweep(|(home, _)| within(home));
                items(self.roster.sweep(WatchedKind::Insights, scope(namespace)))
            }
            Kind::Workload => self.sweep_workloads(|key| within(&key.namespace)),
            Kind::Namespace => {
                let gone = self.namespaces.sweep(|_| true);
                let unselected = gone.iter().filter(|_| self.selected_only);
                unselected
                    .flat_map(|(name, _)| self.items_of(name))
                    .collect()
            }
            Kind::Mesh => {
                self.meshes.sweep(|_| true);
                Vec::new()
            }
            Kind::Pod => {
                if let Some(pods) = &mut self.pods {
                    pods.sweep_pods(within);
                }
                Vec::new()
            }
        }
    }

    /// Everything there is to look at.
    pub fn items(&self) -> Vec<Item> {
        let referenced = self.roster.keys();
        let existing = self.workloads.iter().map(|(key, _)| key.clone());
        let keys: BTreeSet<_> = referenced.chain(existing).collect();
        let namespaces: BTreeSet<_> = keys.iter().map(|key| key.namespace.clone()).collect();
        let namespaces = namespaces.into_iter().map(Item::Namespace);
        keys.into_iter()
            .map(Item::Workload)
            .chain(namespaces)
            .collect()
    }

    fn items_of(&self, namespace: &str) -> Vec<Item> {
        let mut items = self.items();
        items.retain(|item| match item {
            Item::Workload(key) => key.namespace == namespace,
            Item::Namespace(name) => name == namespace,
        });
        items
    }

    /// Whether a namespace is ours to look after: it is selected, or nothing selects.
    pub fn is_selected(&self, namespace: &str) -> bool {
        !self.selected_only || self.namespaces.get(namespace).is_some()
    }

    /// Whether a namespace is known to be on its way out, where nothing can be created.
    pub fn is_terminating(&self, namespace: &str) -> bool {
        self.namespaces.get(namespace) == Some(&true)
    }

    /// The roster.
    pub fn roster(&self) -> &Roster {
        &self.roster
    }

    /// What is odd about Dataplanes.
    pub fn oddities(&self) -> impl Iterator<Item = &Oddity> {
        self.oddities.iter().map(|(_, oddity)| oddity)
    }

    /// How many objects of each kind are known.
    pub fn sizes(&self) -> [(Kind, usize); 6] {
        let census = self.roster.census();
        [
            (Kind::Dataplane, census.dataplanes),
            (Kind::DataplaneInsight, census.insights),
            (Kind::Workload, self.workloads.len()),
            (Kind::Namespace, self.namespaces.len()),
            (Kind::Mesh, self.meshes.len()),
            (Kind::Pod, self.pods.as_ref().map_or(0, PodIdentifiers::len)),
        ]
    }

    /// What the rules say of every Workload, of those in selected namespaces.
    pub fn decisions(&self) -> impl Iterator<Item = (Key, Decision)> {
        let items = self.items().into_iter();
        let keys = items.filter_map(|item| match item {
            Item::Workload(key) if self.is_selected(&key.namespace) => Some(key),
            _ => None,
        });
        keys.map(|key| {
            let existing = self.workloads.get(&key).map(Kept::facts);
            let decision = self.roster.decide(&key, existing.as_ref(), self.mode());
            (key, decision)
        })
    }

    /// What of the table is carried out at present (L17).
    pub fn mode(&self) -> Mode {
        match self.mode {
            ModeOption::Observe => Mode::Observe,
            ModeOption::Auto if self.yields => Mode::Yield,
            ModeOption::Auto | ModeOption::Manage => Mode::Manage,
        }
    }

    /// In mode `auto`, whether this Workload shows for the first time that a control plane manages
    /// Workloads: from now on it is left to do so (L17).
    pub fn yields_now(&mut self, key: &Key) -> bool {
        if self.mode != ModeOption::Auto || self.yields || !self.is_selected(&key.namespace) {
            return false;
        }
        let existing = self.workloads.get(key).map(Kept::facts);
        self.yields =
            existing.is_some_and(|existing| self.roster.shows_control_plane(key, &existing));
        self.yields
    }

    /// What is to be done about a Workload.
    pub fn view(&self, key: &Key) -> View {
        let existing = self.workloads.get(key);
        let facts = existing.map(Kept::facts);
        let mut decision = self.roster.decide(key, facts.as_ref(), self.mode());
        if matches!(decision.action, Action::Write(Write::Delete)) && self.is_held(key) {
            decision.action = Action::Nothing;
        }
        View {
            mesh_owner: self.mesh_owner(&decision.action),
            decision,
            existing: existing.cloned(),
        }
    }

    /// Whether a Dataplane that cannot be read refers to it, so that nobody knows that none does.
    fn is_held(&self, key: &Key) -> bool {
        self.oddities.iter().any(|((namespace, _), oddity)| {
            *namespace == key.namespace && held(oddity) == Some(&key.workload)
        })
    }

    fn mesh_owner(&self, action: &Action) -> Option<OwnerReference> {
        let (Action::Write(Write::Relabel { mesh, .. })
        | Action::Withheld(Write::Relabel { mesh, .. })) = action
        else {
            return None;
        };
        Some(OwnerReference {
            api_version: API_VERSION.to_owned(),
            kind: "Mesh".to_owned(),
            name: mesh.clone(),
            uid: self.meshes.get(mesh.as_str())?.clone(),
            ..OwnerReference::default()
        })
    }
}

impl Kept {
    fn of(workload: &Workload) -> Self {
        let metadata = &workload.metadata;
        let boxed = |text: &Option<String>| text.as_deref().unwrap_or_default().into();
        let ExistingWorkload {
            mesh,
            managed_by,
            origin,
            home_namespace,
            mesh_owners: _,
        } = workload.facts();
        Self {
            uid: boxed(&metadata.uid),
            resource_version: boxed(&metadata.resource_version),
            is_terminating: metadata.deletion_timestamp.is_some(),
            reported: workload.reported,
            owners: metadata.owner_references.clone().unwrap_or_default(),
            mesh: mesh.map(Into::into),
            managed_by: managed_by.map(Into::into),
            origin: origin.map(Into::into),
            home_namespace: home_namespace.map(Into::into),
        }
    }

    /// What the roster needs of it.
    pub fn facts(&self) -> ExistingWorkload<'_> {
        ExistingWorkload {
            mesh: self.mesh.as_deref(),
            managed_by: self.managed_by.as_deref(),
            origin: self.origin.as_deref(),
            home_namespace: self.home_namespace.as_deref(),
            mesh_owners: kinds::mesh_owners(&self.owners).collect(),
        }
    }

    fn is_newer_than(&self, other: &Self) -> bool {
        let number = |kept: &Self| kept.resource_version.parse::<u64>().ok();
        number(self)
            .zip(number(other))
            .is_some_and(|(this, other)| this > other)
    }
}

fn oddity(dataplane: &Dataplane) -> Option<Oddity> {
    if let Some(fault) = &dataplane.fault {
        let workload = dataplane.stored_identifier().map(str::to_owned);
        let fault = fault.clone();
        return Some(Oddity::Undecodable { fault, workload });
    }
    let field = mesh::of_dataplane(dataplane.mesh.as_deref());
    let label = kinds::label(&dataplane.metadata, keys::MESH).filter(|label| !label.is_empty())?;
    (label != field).then(|| Oddity::MeshLabel {
        label: label.to_owned(),
        field: field.to_owned(),
    })
}

/// The workload whose object nobody may delete while a Dataplane cannot be read.
fn held(oddity: &Oddity) -> Option<&str> {
    match oddity {
        Oddity::Undecodable { workload, .. } => workload.as_deref(),
        Oddity::MeshLabel { .. } => None,
    }
}

/// The key of a Workload object.
pub(super) fn key(metadata: &ObjectMeta) -> Key {
    Key {
        namespace: kinds::namespace(metadata).to_owned(),
        workload: kinds::name(metadata).to_owned(),
    }
}

fn address(metadata: &ObjectMeta) -> Address {
    (
        kinds::namespace(metadata).to_owned(),
        kinds::name(metadata).to_owned(),
    )
}

fn scope(namespace: Option<&str>) -> ListScope<'_> {
    namespace.map_or(ListScope::Cluster, ListScope::Namespace)
}

fn items(changes: Changes) -> Vec<Item> {
    let keys = changes.keys.into_iter().map(Item::Workload);
    let namespaces = changes.namespaces.into_iter().map(Item::Namespace);
    keys.chain(namespaces).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use kuma_workload_rulebook::identifier::PodAnnotation;
    use kuma_workload_rulebook::roster::{CONTROL_PLANE, MANAGER};
    use rstest::rstest;
    use serde::de::DeserializeOwned;
    use serde_json::{Value, json};

    fn object<K: DeserializeOwned>(object: Value) -> K {
        serde_json::from_value(object).unwrap()
    }

    fn dataplane(name: &str, workload: Option<&str>, rest: Value) -> Dataplane {
        let mut object = json!({ "metadata": { "namespace": "shop", "name": name } });
        if let Some(workload) = workload {
            object["metadata"]["annotations"] = json!({ "kuma.io/workload": workload });
        }
        for (key, value) in rest.as_object().unwrap() {
            object[key] = value.clone();
        }
        self::object(object)
    }

    fn workload(version: u32, managed_by: &str) -> Workload {
        object(json!({ "metadata": {
            "namespace": "shop", "name": "web", "uid": "u", "resourceVersion": version.to_string(),
            "labels": { "kuma.io/mesh": "default", "kuma.io/managed-by": managed_by },
        } }))
    }

    fn web() -> Key {
        Key {
            namespace: "shop".into(),
            workload: "web".into(),
        }
    }

    fn managing() -> Index {
        Index::new(ModeOption::Manage, None, false)
    }

    fn is_delete(index: &Index) -> bool {
        matches!(
            index.view(&web()).decision.action,
            Action::Write(Write::Delete)
        )
    }

    /// Answers and watches come in any order.
    #[rstest]
    #[case::deleted(|index: &mut Index| drop(index.delete_workload(&web(), Some("u"))))]
    #[case::seen_and_deleted(|index: &mut Index| {
        index.apply_workload(&workload(10, MANAGER));
        index.delete_workload(&web(), Some("u"));
    })]
    #[case::swept(|index: &mut Index| {
        index.apply_workload(&workload(10, MANAGER));
        index.relist(Kind::Workload, None);
        index.sweep(Kind::Workload, None);
    })]
    fn l13_an_answer_does_not_bring_back_what_has_gone_meanwhile(#[case] goes: fn(&mut Index)) {
        let mut index = managing();
        index.asks(&web());
        goes(&mut index);
        assert_eq!(index.answered(&workload(11, MANAGER)), []);
        assert_eq!(index.view(&web()).existing, None);
        index.asks_no_more(&web());
        index.asks(&web());
        let looks = index.answered(&workload(11, MANAGER));
        assert_eq!(
            looks,
            [Item::Workload(web())],
            "the next pass has answers of its own"
        );
    }

    #[test]
    fn a_workload_is_not_deleted_while_a_dataplane_of_it_cannot_be_read() {
        let mut index = managing();
        index.apply_workload(&workload(1, MANAGER));
        let (_, news) =
            index.apply_dataplane(&dataplane("web-0", Some("web"), json!({ "mesh": 5 })));
        assert!(matches!(news, Some(Oddity::Undecodable { .. })));
        assert!(!is_delete(&index));

        let again = index.apply_dataplane(&dataplane("web-0", Some("web"), json!({ "mesh": 5 })));
        assert_eq!(again.1, None, "it is named once");

        let gone = dataplane("web-0", Some("web"), json!({}));
        let items = index.delete_dataplane(&gone.metadata);
        assert!(items.contains(&Item::Workload(web())), "{items:?}");
        assert!(is_delete(&index));
    }

    #[test]
    fn a_dataplane_that_cannot_be_read_and_goes_unseen_holds_nothing_any_more() {
        let mut index = managing();
        index.apply_workload(&workload(1, MANAGER));
        index.apply_dataplane(&dataplane("web-0", Some("web"), json!({ "spec": [] })));
        index.relist(Kind::Dataplane, None);
        let items = index.sweep(Kind::Dataplane, None);
        assert!(items.contains(&Item::Workload(web())), "{items:?}");
        assert!(is_delete(&index));
    }

    #[test]
    fn a6_a_label_that_differs_from_the_field_is_named_once() {
        let mut index = managing();
        let mut odd = dataplane("web-0", Some("web"), json!({ "mesh": "a" }));
        odd.metadata.labels = Some([("kuma.io/mesh".to_owned(), "b".to_owned())].into());
        let expected = Oddity::MeshLabel {
            label: "b".into(),
            field: "a".into(),
        };
        assert_eq!(index.apply_dataplane(&odd).1, Some(expected));
        assert_eq!(index.apply_dataplane(&odd).1, None);
        assert_eq!(index.oddities().count(), 1);
    }

    #[test]
    fn what_a_slow_watch_shows_does_not_undo_what_is_known() {
        let mut index = managing();
        index.apply_workload(&workload(10, MANAGER));
        assert_eq!(index.apply_workload(&workload(9, "somebody")), []);
        assert_eq!(index.apply_workload(&workload(10, MANAGER)), []);
        let version = |index: &Index| index.view(&web()).existing.unwrap().resource_version;
        assert_eq!(&*version(&index), "10");
        assert_eq!(
            index.apply_workload(&workload(11, MANAGER)),
            [Item::Workload(web())]
        );
        assert_eq!(&*version(&index), "11");
    }

    #[test]
    fn the_end_of_an_earlier_object_of_the_name_is_no_news() {
        let mut index = managing();
        index.apply_workload(&workload(10, MANAGER));
        assert_eq!(index.delete_workload(&web(), Some("another")), []);
        assert_eq!(
            index.delete_workload(&web(), Some("u")),
            [Item::Workload(web())]
        );
        assert_eq!(index.delete_workload(&web(), Some("u")), []);
    }

    #[test]
    fn l17_auto_yields_to_a_control_plane_that_is_referred_to() {
        let mut index = Index::new(ModeOption::Auto, None, false);
        index.apply_workload(&workload(1, CONTROL_PLANE));
        assert!(!index.yields_now(&web()), "nothing refers to it");
        index.apply_dataplane(&dataplane("web-0", Some("web"), json!({})));
        assert!(index.yields_now(&web()));
        assert!(!index.yields_now(&web()), "it is told once");
        index.delete_workload(&web(), None);
        assert_eq!(index.mode(), Mode::Yield, "it holds");
    }

    #[test]
    fn only_selected_namespaces_are_looked_after() {
        let mut index = Index::new(ModeOption::Manage, None, true);
        index.apply_dataplane(&dataplane("web-0", Some("web"), json!({})));
        assert!(!index.is_selected("shop"));
        let shop: Namespace = object(json!({ "metadata": { "name": "shop" } }));
        let both = [Item::Workload(web()), Item::Namespace("shop".into())];
        assert_eq!(index.apply_namespace(&shop), both);
        assert!(index.is_selected("shop"));
        index.relist(Kind::Namespace, None);
        assert_eq!(index.sweep(Kind::Namespace, None), both);
        assert!(!index.is_selected("shop"));
    }

    #[test]
    fn l12_a_new_owner_only_where_meshes_can_be_read() {
        let mut index = managing();
        let mut old = workload(1, MANAGER);
        let owner =
            json!({ "apiVersion": API_VERSION, "kind": "Mesh", "name": "old", "uid": "m0" });
        old.metadata.owner_references = Some(vec![object(owner)]);
        index.apply_workload(&old);
        index.apply_dataplane(&dataplane("web-0", Some("web"), json!({ "mesh": "new" })));
        assert_eq!(index.view(&web()).mesh_owner, None);
        index.apply_mesh(&object(
            json!({ "metadata": { "name": "new", "uid": "m1" } }),
        ));
        let owner = index.view(&web()).mesh_owner.unwrap();
        assert_eq!((&*owner.name, &*owner.uid), ("new", "m1"));
    }

    mod w8 {
        use super::*;

        fn index(annotation: PodAnnotation) -> Index {
            let pods = PodIdentifiers::new(vec!["app".to_owned()], annotation);
            Index::new(ModeOption::Manage, Some(pods), false)
        }

        fn pod(rest: Value) -> Pod {
            let mut metadata = json!({ "namespace": "shop", "name": "web-0" });
            for (key, value) in rest.as_object().unwrap() {
                metadata[key] = value.clone();
            }
            object(json!({ "metadata": metadata, "spec": { "serviceAccountName": "account" } }))
        }

        fn workloads(index: &Index) -> Vec<String> {
            index.roster().keys().map(|key| key.workload).collect()
        }

        #[test]
        fn whichever_comes_first() {
            let of_label = pod(json!({ "labels": { "app": "web" } }));
            for dataplane_first in [true, false] {
                let mut index = index(PodAnnotation::Ignore);
                if dataplane_first {
                    index.apply_dataplane(&dataplane("web-0", None, json!({})));
                    assert_eq!(workloads(&index), [""; 0]);
                }
                index.apply_pod(&of_label);
                if !dataplane_first {
                    index.apply_dataplane(&dataplane("web-0", None, json!({})));
                }
                assert_eq!(workloads(&index), ["web"]);
            }
        }

        #[test]
        fn a_stored_identifier_wins() {
            let mut index = index(PodAnnotation::Ignore);
            index.apply_dataplane(&dataplane("web-0", Some("stored"), json!({})));
            index.apply_pod(&pod(json!({})));
            assert_eq!(workloads(&index), ["stored"]);
        }

        #[test]
        fn the_last_identifier_outlives_the_pod() {
            let mut index = index(PodAnnotation::Ignore);
            index.apply_dataplane(&dataplane("web-0", None, json!({})));
            let pod = pod(json!({}));
            index.apply_pod(&pod);
            index.delete_pod(&pod.metadata);
            index.apply_dataplane(&dataplane("web-0", None, json!({ "mesh": "a" })));
            assert_eq!(workloads(&index), ["account"]);
            index.delete_dataplane(&dataplane("web-0", None, json!({})).metadata);
            assert_eq!(workloads(&index), [""; 0]);
        }

        #[test]
        fn the_annotation_counts_if_it_is_honored() {
            let annotated = pod(json!({ "annotations": { "kuma.io/workload": "annotated" } }));
            for (annotation, expected) in [
                (PodAnnotation::Ignore, "account"),
                (PodAnnotation::Honor, "annotated"),
            ] {
                let mut index = index(annotation);
                index.apply_pod(&annotated);
                index.apply_dataplane(&dataplane("web-0", None, json!({})));
                assert_eq!(workloads(&index), [expected]);
            }
        }

        #[test]
        fn gateways_and_zone_proxies_have_none() {
            let builtin = json!({ "spec": { "networking": { "gateway": { "type": "BUILTIN" } } } });
            let mut index = index(PodAnnotation::Ignore);
            index.apply_pod(&pod(json!({})));
            index.apply_dataplane(&dataplane("web-0", None, builtin));
            assert_eq!(workloads(&index), [""; 0]);
            index.apply_pod(&pod(
                json!({ "annotations": { "kuma.io/ingress": "enabled" } }),
            ));
            index.apply_dataplane(&dataplane("web-0", None, json!({})));
            assert_eq!(workloads(&index), [""; 0]);
        }
    }
}
