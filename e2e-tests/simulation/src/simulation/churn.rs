//! What people and Kuma do to the world: Dataplanes come, go, move and change.

use std::time::Duration;

use super::{
    Simulation,
    happening::Happening,
    world::{MESHES, WORKLOADS},
};
use crate::{
    clock::Time,
    scenario::NAMESPACES,
    server::{resource::Resource, store::ObjectKey},
};

/// No more Dataplanes than these, so that a simulation stays cheap.
const MOST_DATAPLANES: usize = 24;

impl Simulation {
    /// One change, and when the next one is. After the last faults there are a few more.
    pub(super) fn churn(&mut self) {
        if self.now > self.scenario.faults_until {
            return;
        }
        self.change_world();
        if self.scenario.identifiers_of_pods && self.world.bool() {
            self.change_pod();
        }
        let mean = u64::try_from(self.scenario.churn.as_millis()).unwrap_or(1_000);
        // Often calm, sometimes all at once.
        let pause = match self.world.u32(0..10) {
            0..=2 => self.world.u64(1..30),
            3..=8 => self.world.u64(0..2 * mean),
            _ => self.world.u64(0..20 * mean),
        };
        let next = self.now + Duration::from_millis(pause.max(1));
        self.agenda.add(next, Happening::Churn);
    }

    fn change_world(&mut self) {
        let dataplanes = self.server.store.list(Resource::Dataplanes, None);
        let dataplanes: Vec<_> = dataplanes.map(|(key, _)| key.clone()).collect();
        let some = self.world.choice(&dataplanes).cloned();
        let what = self.world.u32(0..100);
        self.trace.note(|| {
            format!(
                "world  {what} {:?}",
                some.as_ref().map(|key| (&key.namespace, &key.name))
            )
        });
        match (what, some) {
            (0..=34, _) | (_, None) if dataplanes.len() < MOST_DATAPLANES => self.add_dataplane(),
            (0..=54, Some(key)) => self.remove_dataplane(&key),
            (55..=64, Some(key)) => self.move_dataplane(&key),
            (65..=72, Some(key)) => self.change_mesh(&key),
            (73..=80, Some(key)) => self.change_health(&key),
            (81..=90, Some(key)) => self.change_connection(&key),
            (91..=94, Some(key)) => self.remove_workload(&key),
            (95..=97, Some(key)) => self.replace_dataplane(&key),
            (98.., Some(_)) => self.add_copy(),
            _ => (),
        }
    }

    /// A new Dataplane: mostly of the mesh that its namespace should have.
    pub(super) fn add_dataplane(&mut self) {
        let namespace = NAMESPACES[self.world.usize(..NAMESPACES.len())];
        if !self.is_open(namespace) || !self.server.serves(Resource::Dataplanes) {
            return;
        }
        let workload = match self.world.u32(0..40) {
            0 => WORKLOADS[4],
            _ => WORKLOADS[self.world.usize(..4)],
        };
        let mesh = self.draw_mesh(namespace);
        self.next_dataplane += 1;
        let name = format!("dp-{}", self.next_dataplane);
        self.write_dataplane(namespace, &name, workload, mesh);
    }

    fn draw_mesh(&mut self, namespace: &str) -> &'static str {
        let home = NAMESPACES.iter().position(|name| *name == namespace);
        match self.world.u32(0..5) {
            0 => MESHES[self.world.usize(..MESHES.len())],
            _ => MESHES[home.unwrap_or(0) % MESHES.len()],
        }
    }

    /// Whether something can be made in a namespace.
    fn is_open(&self, namespace: &str) -> bool {
        self.server
            .namespace(namespace)
            .is_some_and(|namespace| !namespace.is_terminating())
    }

    pub(super) fn remove_dataplane(&mut self, key: &ObjectKey) {
        for resource in [
            Resource::DataplaneInsights,
            Resource::Dataplanes,
            Resource::Pods,
        ] {
            // The Dataplane of a Pod that is done goes, and the Pod stays.
            let stays = resource == Resource::Pods
                && self.scenario.identifiers_of_pods
                && self.world.bool();
            let key = ObjectKey {
                resource,
                ..key.clone()
            };
            if !stays {
                self.server.store.remove(&key);
            }
        }
        // Each of several changes is one for itself.
        self.look_at_changes();
    }

    fn edit(&mut self, key: &ObjectKey, edit: impl FnOnce(&mut serde_json::Value)) {
        if let Some(object) = self.server.store.get(key) {
            let mut value = object.value.clone();
            edit(&mut value);
            self.server.store.put(key.clone(), value);
        }
    }

    /// It gets another workload. Where Pods name workloads, a Pod keeps its name for life.
    fn move_dataplane(&mut self, key: &ObjectKey) {
        let workload = WORKLOADS[self.world.usize(..4)];
        let loses_it = self.world.u32(0..6) == 0 && !self.scenario.identifiers_of_pods;
        self.edit(key, |dataplane| {
            let annotations = &mut dataplane["metadata"]["annotations"];
            if !annotations["kuma.io/workload"].is_null() || !loses_it {
                annotations["kuma.io/workload"] = match loses_it {
                    true => "".into(),
                    false => workload.into(),
                };
            }
        });
    }

    fn change_mesh(&mut self, key: &ObjectKey) {
        let mesh = self.draw_mesh(&key.namespace);
        self.edit(key, |dataplane| {
            dataplane["mesh"] = mesh.into();
            dataplane["metadata"]["labels"]["kuma.io/mesh"] = mesh.into();
        });
    }

    fn change_health(&mut self, key: &ObjectKey) {
        let state = if self.world.bool() {
            "Ready"
        } else {
            "NotReady"
        };
        self.edit(key, |dataplane| {
            let networking = &mut dataplane["spec"]["networking"];
            if !networking["inbound"].is_null() {
                networking["inbound"][0]["state"] = state.into();
            }
        });
    }

    fn change_connection(&mut self, key: &ObjectKey) {
        if !self.server.serves(Resource::DataplaneInsights) || !self.is_open(&key.namespace) {
            return;
        }
        let is_online = self.world.bool();
        let mesh = self.server.store.get(key).map(|dataplane| {
            let mesh = dataplane.value["mesh"].as_str().unwrap_or(MESHES[0]);
            mesh.to_owned()
        });
        if let Some(mesh) = mesh {
            self.write_insight(&key.namespace, &key.name, &mesh, is_online);
        }
    }

    /// All Dataplanes of a workload go: it is scaled to zero.
    fn remove_workload(&mut self, key: &ObjectKey) {
        let workload_of = |dataplane: &serde_json::Value| {
            dataplane["metadata"]["annotations"]["kuma.io/workload"].clone()
        };
        let Some(workload) = self
            .server
            .store
            .get(key)
            .map(|object| workload_of(&object.value))
        else {
            return;
        };
        let same = self
            .server
            .store
            .list(Resource::Dataplanes, Some(&key.namespace));
        let same = same.filter(|(_, object)| workload_of(&object.value) == workload);
        let same: Vec<_> = same.map(|(key, _)| key.clone()).collect();
        for key in same {
            self.remove_dataplane(&key);
        }
    }

    /// A Pod is replaced: the new Dataplane comes a moment before or after the old one goes.
    fn replace_dataplane(&mut self, key: &ObjectKey) {
        self.remove_dataplane(key);
        self.add_dataplane();
    }

    /// The kubelet writes the status of a Pod. One that is done is removed some time.
    fn change_pod(&mut self) {
        let pods = self.server.store.list(Resource::Pods, None);
        let pods: Vec<_> = pods.map(|(key, _)| key.clone()).collect();
        let Some(key) = self.world.choice(pods) else {
            return;
        };
        if self.is_done(&key) && self.world.u32(0..4) == 0 {
            self.server.store.remove(&key);
            return;
        }
        let seconds = self.now.as_secs();
        self.edit(&key, |pod| pod["status"]["seconds"] = seconds.into());
    }

    /// Whether a Pod has no Dataplane any more.
    fn is_done(&self, pod: &ObjectKey) -> bool {
        let dataplane = ObjectKey::new(Resource::Dataplanes, &pod.namespace, &pod.name);
        self.server.store.get(&dataplane).is_none()
    }

    /// The status of all Pods that are done is written, in the middle of a list of Dataplanes.
    pub(super) fn change_done_pods(&mut self) {
        let pods = self.server.store.list(Resource::Pods, None);
        let done: Vec<_> = pods
            .map(|(key, _)| key.clone())
            .filter(|key| self.is_done(key))
            .collect();
        for key in done {
            let step = self.step;
            self.edit(&key, |pod| pod["status"]["step"] = step.into());
        }
    }

    /// A copy from another zone, which counts for nothing.
    fn add_copy(&mut self) {
        let namespace = NAMESPACES[self.world.usize(..NAMESPACES.len())];
        if !self.is_open(namespace) || !self.server.serves(Resource::Dataplanes) {
            return;
        }
        self.next_dataplane += 1;
        let name = format!("copy-{}", self.next_dataplane);
        let labels = match self.world.u32(0..3) {
            0 => serde_json::json!({ "k8s.kuma.io/namespace": "another" }),
            1 => serde_json::json!({ "kuma.io/env": "universal" }),
            _ => serde_json::json!({ "kuma.io/display-name": "another" }),
        };
        let copy = serde_json::json!({
            "mesh": MESHES[self.world.usize(..MESHES.len())],
            "metadata": {
                "name": name, "namespace": namespace, "labels": labels,
                "annotations": { "kuma.io/workload": WORKLOADS[self.world.usize(..4)] },
            },
        });
        let now = self.wall();
        self.server.write(Resource::Dataplanes, copy, now);
    }

    /// The database is copied, and forgets what is long past; so does the simulation.
    pub(super) fn keep_house(&mut self) {
        self.backups
            .retain(|(time, _)| self.now.saturating_sub(*time) < Time::from_secs(400));
        self.backups.push((self.now, self.server.store.clone()));
        // The API server lets the database forget every five minutes what is as old.
        let old = self
            .backups
            .iter()
            .rev()
            .find(|(time, _)| self.now.saturating_sub(*time) > Time::from_secs(300));
        if let Some(revision) = old.map(|(_, store)| store.revision()) {
            self.server.compact(revision.min(self.seen));
        }
        let next = self.now + Duration::from_secs(60);
        self.agenda.add(next, Happening::Housekeeping);
    }
}
