//! Faults that befall the cluster, a process or a Workload, each for some time.

use std::time::Duration;

use super::{
    Simulation,
    happening::{Episode, Happening},
    world::{MESHES, WORKLOADS},
};
use crate::{
    fault::Fault,
    managers::CONTROL_PLANE,
    process::HOME,
    scenario::{LAST_REFUSALS, NAMESPACES},
    server::{
        SERVERS,
        refusal::{Refusal, StandingRefusal},
        request::Verb,
        resource::Resource,
        store::ObjectKey,
    },
    version::Version,
};

/// How long the program waits at most before it starts a watch again.
const LONGEST_WATCH_BACKOFF: Duration = Duration::from_secs(8);

impl Simulation {
    /// Trouble begins or ends.
    pub(super) fn trouble(&mut self, begins: bool) {
        if self.now >= self.scenario.faults_until {
            return;
        }
        self.has_trouble = begins;
        let seconds = self.fates.u64(15..150);
        let next = self.now + Duration::from_secs(seconds);
        self.agenda.add(next, Happening::Trouble(!begins));
        if begins {
            self.agenda.add(self.now, Happening::Befall);
        }
    }

    /// A fault befalls somebody, and perhaps another one soon.
    pub(super) fn befall(&mut self) {
        if !self.has_trouble || self.now >= self.scenario.faults_until {
            return;
        }
        let possible = Fault::EPISODES.into_iter().chain(Fault::OF_WATCHES);
        let possible: Vec<_> = possible
            .filter(|fault| self.scenario.faults.contains(fault))
            .collect();
        if let Some(fault) = self.fates.choice(possible) {
            self.coverage.drawn(fault);
            match Fault::OF_WATCHES.contains(&fault) {
                true => self.befall_stream(fault),
                false => self.befall_cluster(fault),
            }
        }
        let next = self.now + Duration::from_millis(self.fates.u64(200..20_000));
        self.agenda.add(next, Happening::Befall);
    }

    fn befall_cluster(&mut self, fault: Fault) {
        let replica = self.fates.usize(..self.slots.len());
        self.trace.note(|| format!("fault  {fault:?}"));
        match fault {
            Fault::ServersAway => {
                self.are_away = true;
                self.break_streams();
                self.recover_within(Episode::Away, 200..60_000);
            }
            Fault::CacheLags => {
                let server = self.fates.usize(..SERVERS);
                self.lags[server] = Duration::from_millis(self.fates.u64(500..20_000));
                self.disturb(fault);
                self.recover_within(Episode::Lag(server), 5_000..60_000);
            }
            Fault::Compaction => {
                let revision = self.seen;
                self.server.compact(revision);
                self.disturb(fault);
            }
            Fault::Restore => self.restore(),
            Fault::KindUnserved | Fault::KindGone => {
                let resource = Resource::CUSTOM[self.fates.usize(..Resource::CUSTOM.len())];
                if fault == Fault::KindGone {
                    self.clear_resource(resource, None);
                }
                self.server.serve(resource, false);
                self.disturb(fault);
                self.recover_within(Episode::Unserved(resource), 500..60_000);
            }
            Fault::NamespaceGone => self.delete_namespace(),
            Fault::Paused => {
                if self.slots[replica].process.is_some() && !self.slots[replica].is_paused {
                    self.slots[replica].is_paused = true;
                    self.disturb(fault);
                    self.recover_within(Episode::Paused(replica), 500..60_000);
                }
            }
            Fault::Killed => {
                if let Some(process) = self.slots[replica].process.take() {
                    process.kill();
                    self.slots[replica].term = Default::default();
                    self.disturb(fault);
                    self.recover_within(Episode::Down(replica), 500..30_000);
                }
            }
            Fault::Stopped => {
                let slot = &mut self.slots[replica];
                if let Some(process) = slot.process.as_mut().filter(|_| !slot.is_paused) {
                    process.stop();
                    self.disturbed = self.now;
                }
            }
            Fault::PreviousVersion => {
                let slot = &mut self.slots[replica];
                slot.next_version = slot.version.other();
                if let Some(process) = slot.process.as_mut().filter(|_| !slot.is_paused) {
                    process.stop();
                    self.disturbed = self.now;
                }
            }
            Fault::LeaseDeleted => {
                let lease = ObjectKey::new(Resource::Leases, HOME, "kuma-workload");
                if self.server.store.remove(&lease).is_some() {
                    self.disturb(fault);
                }
            }
            Fault::LongRefusal => self.refuse_some_workload(),
            Fault::GrantLost => self.revoke_some_grant(),
            _ => self.meddle(fault),
        }
    }

    fn recover_within(&mut self, episode: Episode, millis: std::ops::Range<u64>) {
        let when = self.now + Duration::from_millis(self.fates.u64(millis));
        self.agenda.add(when, Happening::Recover(episode));
    }

    /// A fault ends.
    pub(super) fn recover(&mut self, episode: Episode) {
        self.trace.note(|| format!("over   {episode:?}"));
        self.disturbed = self.now;
        match episode {
            Episode::Away => {
                self.are_away = false;
                // Until then, watches wait before they are started again.
                self.announcements.forget(self.now + LONGEST_WATCH_BACKOFF);
            }
            Episode::Lag(server) => self.lags[server] = Duration::from_millis(5),
            Episode::Unserved(resource) => self.server.serve(resource, true),
            Episode::Terminating(name) => {
                self.clear(name);
                self.server
                    .store
                    .remove(&ObjectKey::new(Resource::Namespaces, "", name));
                self.recover_within(Episode::Gone(name), 0..20_000);
            }
            Episode::Gone(name) => {
                if self.server.namespace(name).is_none() {
                    self.create_namespace(name);
                }
            }
            Episode::Paused(replica) => self.resume(replica),
            Episode::Down(replica) => {
                if self.slots[replica].process.is_none() {
                    self.start(replica);
                }
            }
            Episode::Refused(id) => {
                self.server.refusals.remove(&id);
            }
            Episode::LongRefusals => self.server.refusals.clear(),
        }
    }

    fn resume(&mut self, replica: usize) {
        let now = self.now;
        let slot = &mut self.slots[replica];
        if std::mem::take(&mut slot.is_paused)
            && let Some(process) = &mut slot.process
        {
            process.awake(now);
        }
    }

    /// The database goes back some seconds or minutes.
    fn restore(&mut self) {
        let Some((time, backup)) = self.fates.choice(&self.backups) else {
            return;
        };
        self.trace.note(|| format!("restore of {time:?}"));
        let backup = backup.clone();
        self.server.restore(&backup);
        self.seen = self.server.store.revision();
        self.break_streams();
        let now = self.now;
        self.backups
            .retain(|(time, store)| *time <= now && store.revision() <= backup.revision());
        for name in NAMESPACES {
            self.update_references(name);
        }
        // A restore that leaves no lower number to be seen is made good by the second comparison (L20).
        let healed = self.now + self.scenario.resync.mul_f64(2.2);
        self.announcements.forget(healed);
        self.leaders_unknown_until = self.now + 3 * self.scenario.lease.duration;
        self.disturb(Fault::Restore);
    }

    fn delete_namespace(&mut self) {
        let name = NAMESPACES[self.fates.usize(..NAMESPACES.len())];
        let Some(namespace) = self.server.namespace(name) else {
            return;
        };
        if namespace.is_terminating() {
            return;
        }
        let mut value = namespace.value.clone();
        value["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z".into();
        value["status"]["phase"] = "Terminating".into();
        self.server
            .store
            .put(ObjectKey::new(Resource::Namespaces, "", name), value);
        self.disturb(Fault::NamespaceGone);
        self.recover_within(Episode::Terminating(name), 10..20_000);
    }

    /// A webhook refuses all writes of a Workload until some time after all other faults.
    fn refuse_some_workload(&mut self) {
        let refusal = match self.fates.u32(0..4) {
            0 => Refusal::Denied(400),
            1 => Refusal::Denied(403),
            2 => Refusal::Invalid,
            _ => Refusal::WebhookFailed,
        };
        let standing = StandingRefusal {
            verbs: Vec::new(),
            resource: Some(Resource::Workloads),
            namespace: Some(NAMESPACES[self.fates.usize(..3)].to_owned()),
            name: Some(WORKLOADS[self.fates.usize(..4)].to_owned()),
            refusal,
        };
        self.refuse(standing);
        self.coverage.effective(Fault::LongRefusal);
    }

    fn revoke_some_grant(&mut self) {
        let resource = Resource::ALL[self.fates.usize(..Resource::ALL.len())];
        let verbs = match self.fates.u32(0..4) {
            0 => vec![Verb::List],
            1 => vec![Verb::List, Verb::Watch],
            2 => vec![Verb::Create, Verb::Patch, Verb::Update, Verb::Delete],
            _ => Vec::new(),
        };
        let id = self.refuse(StandingRefusal {
            verbs,
            resource: Some(resource),
            namespace: None,
            name: None,
            refusal: Refusal::Ungranted,
        });
        self.recover_within(Episode::Refused(id), 500..120_000);
    }

    fn refuse(&mut self, refusal: StandingRefusal) -> u64 {
        let id = self.step;
        self.trace.note(|| format!("refuse {refusal:?}"));
        self.server.refusals.insert(id, refusal);
        id
    }

    /// Somebody else writes a Workload.
    fn meddle(&mut self, fault: Fault) {
        let workloads = self.server.store.list(Resource::Workloads, None);
        let workloads: Vec<_> = workloads
            .map(|(key, object)| (key.clone(), object.value.clone()))
            .collect();
        if fault == Fault::SecondManager {
            return self.manage_elsewhere(workloads);
        }
        let Some((key, mut workload)) = self.fates.choice(workloads) else {
            return;
        };
        self.trace
            .note(|| format!("       {}/{}", key.namespace, key.name));
        self.disturb(fault);
        match fault {
            Fault::LabelsEdited => {
                let labels = &mut workload["metadata"]["labels"];
                let mesh = MESHES[self.fates.usize(..MESHES.len())];
                match self.fates.u32(0..4) {
                    0 => labels["kuma.io/mesh"] = mesh.into(),
                    1 => *labels = serde_json::json!({}),
                    // By hand: no evidence of a control plane (L17).
                    2 => {
                        labels["kuma.io/managed-by"] = CONTROL_PLANE.into();
                        workload["metadata"]["managedFields"] = serde_json::json!([]);
                    }
                    _ => {
                        workload["metadata"]["ownerReferences"] = serde_json::json!([{
                            "apiVersion": "kuma.io/v1alpha1", "kind": "Mesh", "name": mesh, "uid": "1",
                        }]);
                    }
                }
                self.server.store.put(key, workload);
            }
            Fault::StatusEdited => {
                workload["status"] = serde_json::json!({ "dataplaneProxies": { "total": 99 } });
                self.server.store.put(key, workload);
            }
            _ => {
                self.server.store.remove(&key);
            }
        }
    }

    /// A control plane takes a Workload, makes one, or gives one up.
    fn manage_elsewhere(&mut self, workloads: Vec<(ObjectKey, serde_json::Value)>) {
        if !self.server.serves(Resource::Workloads) {
            return;
        }
        self.disturb(Fault::SecondManager);
        let foreign = workloads
            .into_iter()
            .find(|(_, workload)| Self::is_foreign(workload));
        if let (Some((key, _)), true) = (foreign, self.fates.u32(0..3) > 0) {
            self.server.store.remove(&key);
            return;
        }
        let namespace = NAMESPACES[self.fates.usize(..NAMESPACES.len())];
        let is_open = self
            .server
            .namespace(namespace)
            .is_some_and(|home| !home.is_terminating());
        if is_open {
            let name = WORKLOADS[self.fates.usize(..4)];
            let mesh = MESHES[self.fates.usize(..MESHES.len())];
            let (manager, field_manager) = match self.fates.u32(0..3) {
                0 => ("helm", "helm"),
                _ => (CONTROL_PLANE, "kuma-cp"),
            };
            self.write_foreign(namespace, name, mesh, manager, field_manager);
        }
    }

    /// Nothing goes wrong any more.
    pub(super) fn end_faults(&mut self) {
        self.trace.note(|| "no faults from now on".to_owned());
        self.has_trouble = false;
        self.are_away = false;
        self.lags = [Duration::from_millis(5); SERVERS];
        let lasting = |refusal: &StandingRefusal| refusal.name.is_some();
        self.server.refusals.retain(|_, refusal| lasting(refusal));
        self.agenda.add(
            self.now + LAST_REFUSALS,
            Happening::Recover(Episode::LongRefusals),
        );
        for resource in Resource::CUSTOM {
            self.server.serve(resource, true);
        }
        for name in NAMESPACES {
            let namespace = self.server.namespace(name);
            if namespace.is_some_and(|namespace| namespace.is_terminating()) {
                self.clear(name);
                self.server
                    .store
                    .remove(&ObjectKey::new(Resource::Namespaces, "", name));
            }
            if self.server.namespace(name).is_none() {
                self.create_namespace(name);
            }
        }
        for mesh in MESHES {
            if self
                .server
                .store
                .get(&ObjectKey::new(Resource::Meshes, "", mesh))
                .is_none()
            {
                self.create_mesh(mesh);
            }
        }
        for replica in 0..self.slots.len() {
            self.resume(replica);
            let slot = &mut self.slots[replica];
            slot.next_version = Version::Current;
            if let (Some(process), Version::Previous) = (&mut slot.process, slot.version) {
                process.stop();
            }
        }
        self.hurry_streams();
        if self.scenario.identifiers_of_pods {
            self.remove_unseen();
        }
        self.disturbed = self.now;
    }

    /// A Dataplane goes, and only the list that follows shows it. Its Pod stays.
    fn remove_unseen(&mut self) {
        let dataplanes = self.server.store.list(Resource::Dataplanes, None);
        let dataplanes: Vec<_> = dataplanes.map(|(key, _)| key.clone()).collect();
        if let Some(key) = self.fates.choice(dataplanes) {
            self.expire_streams(Resource::Dataplanes);
            self.server.store.remove(&key);
        }
    }
}
