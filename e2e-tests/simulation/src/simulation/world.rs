//! The objects of the world, as Kubernetes and Kuma make them.

use serde_json::{Value, json};

use super::Simulation;
use crate::{
    managers::CONTROL_PLANE,
    process::HOME,
    scenario::NAMESPACES,
    server::{resource::Resource, store::ObjectKey},
};

/// The meshes.
pub(super) const MESHES: [&str; 3] = ["default", "blue", "green"];

/// The names of workloads. No object can have the last one.
pub(super) const WORKLOADS: [&str; 5] = ["web", "api", "db", "jobs", "Not_A_Name"];

impl Simulation {
    /// What there is before anything happens.
    pub(super) fn create_world(&mut self) {
        let now = self.wall();
        let home = json!({ "metadata": { "name": HOME } });
        self.server.write(Resource::Namespaces, home, now);
        for namespace in NAMESPACES {
            self.create_namespace(namespace);
        }
        for mesh in MESHES {
            self.create_mesh(mesh);
        }
        for _ in 0..self.world.usize(0..12) {
            self.add_dataplane();
        }
        let revision = self.server.store.revision();
        for server in 0..crate::server::SERVERS {
            self.server.catch_up(server, revision);
        }
        self.look_at_changes();
    }

    pub(super) fn create_namespace(&mut self, name: &str) {
        let team = if name == NAMESPACES[3] { "b" } else { "a" };
        let namespace = json!({
            "metadata": { "name": name, "labels": { "team": team, "kubernetes.io/metadata.name": name } },
            "spec": { "finalizers": ["kubernetes"] },
            "status": { "phase": "Active" },
        });
        self.server
            .write(Resource::Namespaces, namespace, self.wall());
    }

    pub(super) fn create_mesh(&mut self, name: &str) {
        let mesh = json!({ "metadata": { "name": name }, "spec": {} });
        self.server.write(Resource::Meshes, mesh, self.wall());
    }

    /// Writes a Dataplane, with the Pod that it belongs to.
    pub(super) fn write_dataplane(
        &mut self,
        namespace: &str,
        name: &str,
        workload: &str,
        mesh: &str,
    ) {
        let now = self.wall();
        let pod = json!({
            "metadata": { "name": name, "namespace": namespace, "labels": { "app": workload } },
            "spec": {},
        });
        let owner = self.server.write(Resource::Pods, pod, now).uid().to_owned();
        let mut dataplane = json!({
            "mesh": mesh,
            "metadata": {
                "name": name, "namespace": namespace,
                "labels": { "kuma.io/mesh": mesh },
                "ownerReferences": [{
                    "apiVersion": "v1", "kind": "Pod", "name": name, "uid": owner, "controller": true,
                }],
            },
            "spec": { "networking": { "inbound": [{ "port": 80, "state": "Ready" }] } },
        });
        match self.world.u32(0..8) {
            0 => dataplane["spec"]["networking"] = json!({ "gateway": { "type": "DELEGATED" } }),
            1 => dataplane["spec"]["networking"]["inbound"][0]["state"] = "NotReady".into(),
            2 => dataplane["spec"]["networking"] = json!({ "listeners": [{ "port": 1 }] }),
            _ => (),
        }
        // With identifiers from Pods, the control plane is too old to store them; some have one.
        if !self.scenario.identifiers_of_pods || self.world.u32(0..5) == 0 {
            dataplane["metadata"]["annotations"]["kuma.io/workload"] = workload.into();
        }
        if mesh == MESHES[0]
            && self.world.bool()
            && let Some(dataplane) = dataplane.as_object_mut()
        {
            dataplane.remove("mesh");
        }
        self.server.write(Resource::Dataplanes, dataplane, now);
        if self.world.u32(0..4) > 0 {
            self.write_insight(namespace, name, mesh, true);
        }
    }

    pub(super) fn write_insight(
        &mut self,
        namespace: &str,
        name: &str,
        mesh: &str,
        is_online: bool,
    ) {
        let mut subscription = json!({ "connectTime": "2026-01-01T00:00:00Z" });
        if !is_online {
            subscription["disconnectTime"] = "2026-01-01T00:00:01Z".into();
        }
        let insight = json!({
            "mesh": mesh,
            "metadata": { "name": name, "namespace": namespace },
            "status": { "subscriptions": [subscription] },
        });
        let insight = self.with_identity(Resource::DataplaneInsights, insight);
        self.server
            .write(Resource::DataplaneInsights, insight, self.wall());
    }

    /// A Workload as a control plane writes it.
    pub(super) fn write_foreign(
        &mut self,
        namespace: &str,
        name: &str,
        mesh: &str,
        manager: &str,
        field_manager: &str,
    ) {
        let workload = json!({
            "metadata": {
                "name": name, "namespace": namespace,
                "labels": { "kuma.io/mesh": mesh, "kuma.io/managed-by": manager },
                "managedFields": [{
                    "manager": field_manager, "operation": "Update",
                    "apiVersion": "kuma.io/v1alpha1", "fieldsType": "FieldsV1",
                    "fieldsV1": { "f:metadata": { "f:labels": { "f:kuma.io/managed-by": {}, "f:kuma.io/mesh": {} } } },
                }],
            },
            "spec": {},
        });
        let workload = self.with_identity(Resource::Workloads, workload);
        self.server
            .write(Resource::Workloads, workload, self.wall());
    }

    /// The object that is there keeps its uid.
    fn with_identity(&self, resource: Resource, mut object: Value) -> Value {
        let text = |field: &str| object["metadata"][field].as_str().unwrap_or_default();
        let key = ObjectKey::new(resource, text("namespace"), text("name"));
        if let Some(existing) = self.server.store.get(&key) {
            for field in ["uid", "creationTimestamp"] {
                object["metadata"][field] = existing.value["metadata"][field].clone();
            }
        }
        object
    }

    /// Whether a Workload is a control plane's.
    pub(super) fn is_foreign(workload: &Value) -> bool {
        workload["metadata"]["labels"]["kuma.io/managed-by"] == CONTROL_PLANE
    }

    /// Removes everything in a namespace.
    pub(super) fn clear(&mut self, namespace: &str) {
        for resource in Resource::ALL
            .into_iter()
            .filter(|resource| resource.is_namespaced())
        {
            self.clear_resource(resource, Some(namespace));
        }
    }

    /// Removes all objects of a resource.
    pub(super) fn clear_resource(&mut self, resource: Resource, namespace: Option<&str>) {
        let objects = self.server.store.list(resource, namespace);
        let keys: Vec<_> = objects.map(|(key, _)| key.clone()).collect();
        for key in keys {
            self.server.store.remove(&key);
            self.look_at_changes();
        }
    }
}
