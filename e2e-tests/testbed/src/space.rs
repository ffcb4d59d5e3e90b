//! A namespace for one test: its objects, what is awaited of them, and a fence.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};

use k8s_openapi::api::events::v1::Event;
use kube::api::{DeleteParams, DynamicObject, ListParams, Patch, PatchParams};
use kube::core::{ApiResource, GroupVersionKind};
use kube::{Api, Client};
use serde_json::{Value, json};

use crate::{Error, Testbed, User, eventually};

/// Who manages a Workload of ours, as its label says.
pub const MANAGER: &str = "kuma-workload-reconciler";

/// A kind of Kuma's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// In no namespace.
    Mesh,
    /// One for each proxy.
    Dataplane,
    /// What is known of a proxy's connections.
    DataplaneInsight,
    /// One for each identifier.
    Workload,
}

impl Kind {
    fn resource(self) -> ApiResource {
        let kind = format!("{self:?}");
        let plural = match self {
            Self::Mesh => "meshes",
            Self::Dataplane => "dataplanes",
            Self::DataplaneInsight => "dataplaneinsights",
            Self::Workload => "workloads",
        };
        ApiResource::from_gvk_with_plural(
            &GroupVersionKind::gvk("kuma.io", "v1alpha1", &kind),
            plural,
        )
    }
}

/// A Dataplane of this mesh that refers to this workload.
#[must_use]
pub fn dataplane(name: &str, mesh: &str, workload: &str) -> Value {
    json!({
        "metadata": { "name": name, "annotations": { "kuma.io/workload": workload } },
        "mesh": mesh,
        "spec": { "networking": { "address": "192.0.2.7" } },
    })
}

/// A Workload with these labels.
#[must_use]
pub fn workload(name: &str, labels: &[(&str, &str)]) -> Value {
    let labels: BTreeMap<_, _> = labels.iter().copied().collect();
    json!({ "metadata": { "name": name, "labels": labels }, "spec": {} })
}

/// A namespace, written to as the administrator.
pub struct Space<'a> {
    /// The cluster.
    pub testbed: &'a Testbed,
    /// The namespace's name, which no other test uses.
    pub name: String,
    client: Client,
    fences: AtomicUsize,
}

/// The labels that a Workload of ours in this mesh has.
#[must_use]
pub fn ours(mesh: &str) -> BTreeMap<String, String> {
    [("kuma.io/mesh", mesh), ("kuma.io/managed-by", MANAGER)]
        .map(|(key, value)| (key.to_owned(), value.to_owned()))
        .into()
}

impl<'a> Space<'a> {
    /// Makes one, with these labels.
    ///
    /// # Errors
    /// What the API server says against it.
    pub async fn new(testbed: &'a Testbed, labels: &[(&str, &str)]) -> Result<Self, Error> {
        let space = Self::named(testbed, testbed.unique("team")).await?;
        space.label(labels).await?;
        Ok(space)
    }

    /// One of this name, which is yet to be made by being given its labels.
    pub(crate) async fn named(testbed: &'a Testbed, name: String) -> Result<Self, Error> {
        Ok(Self {
            testbed,
            name,
            client: testbed.client(User::Admin).await?,
            fences: AtomicUsize::new(0),
        })
    }

    /// Gives the Namespace these labels, and takes those that it was given before.
    ///
    /// # Errors
    /// What the API server says against it.
    pub async fn label(&self, labels: &[(&str, &str)]) -> Result<(), Error> {
        let labels: BTreeMap<_, _> = labels.iter().copied().collect();
        let namespaces: Api<k8s_openapi::api::core::v1::Namespace> = Api::all(self.client.clone());
        let namespace = json!({
            "apiVersion": "v1", "kind": "Namespace",
            "metadata": { "name": self.name, "labels": labels },
        });
        let patch = Patch::Apply(&namespace);
        namespaces.patch(&self.name, &apply(), &patch).await?;
        Ok(())
    }

    /// The objects of a kind, in this namespace unless it is in none.
    #[must_use]
    pub fn api(&self, kind: Kind) -> Api<DynamicObject> {
        let client = self.client.clone();
        match kind {
            Kind::Mesh => Api::all_with(client, &kind.resource()),
            _ => Api::namespaced_with(client, &self.name, &kind.resource()),
        }
    }

    /// Makes an object be so: what was put before and is left out now goes.
    ///
    /// # Errors
    /// What the API server says against it.
    pub async fn put(&self, kind: Kind, object: Value) -> Result<DynamicObject, Error> {
        self.put_as("test", kind, object).await
    }

    /// The same as another field manager: `kuma-cp` is Kuma's control plane.
    ///
    /// # Errors
    /// What the API server says against it.
    pub async fn put_as(
        &self,
        manager: &str,
        kind: Kind,
        mut object: Value,
    ) -> Result<DynamicObject, Error> {
        let resource = kind.resource();
        object["apiVersion"] = resource.api_version.into();
        object["kind"] = resource.kind.into();
        let name = object["metadata"]["name"]
            .as_str()
            .unwrap_or_default()
            .to_owned();
        let manager = PatchParams::apply(manager).force();
        Ok(self
            .api(kind)
            .patch(&name, &manager, &Patch::Apply(&object))
            .await?)
    }

    /// Changes an object as JSON Merge Patch has it: null takes away.
    ///
    /// # Errors
    /// What the API server says against it.
    pub async fn merge(&self, kind: Kind, name: &str, patch: Value) -> Result<(), Error> {
        let (parameters, patch) = (PatchParams::default(), Patch::Merge(patch));
        self.api(kind).patch(name, &parameters, &patch).await?;
        Ok(())
    }

    /// Puts a Dataplane of this mesh that refers to this workload.
    ///
    /// # Errors
    /// As [`put`](Self::put).
    pub async fn proxy(&self, name: &str, mesh: &str, workload: &str) -> Result<(), Error> {
        let object = dataplane(name, mesh, workload);
        self.put(Kind::Dataplane, object).await.map(drop)
    }

    /// An object, if it is there.
    ///
    /// # Errors
    /// What the API server says against it.
    pub async fn get(&self, kind: Kind, name: &str) -> Result<Option<DynamicObject>, Error> {
        Ok(self.api(kind).get_opt(name).await?)
    }

    /// Deletes an object.
    ///
    /// # Errors
    /// What the API server says against it.
    pub async fn delete(&self, kind: Kind, name: &str) -> Result<(), Error> {
        self.api(kind)
            .delete(name, &DeleteParams::default())
            .await?;
        Ok(())
    }

    /// The Workloads that are there, with their labels.
    ///
    /// # Errors
    /// What the API server says against it.
    pub async fn workloads(&self) -> Result<BTreeMap<String, BTreeMap<String, String>>, Error> {
        let list = self
            .api(Kind::Workload)
            .list(&ListParams::default())
            .await?;
        let of_object = |object: DynamicObject| {
            let name = object.metadata.name.unwrap_or_default();
            (name, object.metadata.labels.unwrap_or_default())
        };
        Ok(list.items.into_iter().map(of_object).collect())
    }

    /// Waits until a Workload is there of which this holds.
    ///
    /// # Errors
    /// When there is none in time.
    pub async fn workload(
        &self,
        name: &str,
        holds: impl Fn(&DynamicObject) -> bool,
    ) -> Result<DynamicObject, Error> {
        let what = format!("Workload {}/{name} as it should be", self.name);
        eventually(&what, async || match self.get(Kind::Workload, name).await {
            Ok(Some(workload)) if holds(&workload) => Ok(workload),
            other => Err(format!("{other:?}")),
        })
        .await
    }

    /// Waits until a Workload has the labels of one of ours in this mesh, perhaps among others.
    ///
    /// # Errors
    /// When it has not in time.
    pub async fn made(&self, name: &str, mesh: &str) -> Result<DynamicObject, Error> {
        let labels = ours(mesh);
        let has_them = |workload: &DynamicObject| {
            let has = workload.metadata.labels.clone().unwrap_or_default();
            labels
                .iter()
                .all(|(key, value)| has.get(key) == Some(value))
        };
        self.workload(name, has_them).await
    }

    /// Waits until there is no such Workload.
    ///
    /// # Errors
    /// When it is still there in the end.
    pub async fn gone(&self, name: &str) -> Result<(), Error> {
        let what = format!("Workload {}/{name} is gone", self.name);
        eventually(&what, async || match self.get(Kind::Workload, name).await {
            Ok(None) => Ok(()),
            other => Err(format!("{other:?}")),
        })
        .await
    }

    /// The events for this reason.
    ///
    /// # Errors
    /// What the API server says against it.
    pub async fn events(&self, reason: &str) -> Result<Vec<Event>, Error> {
        let events: Api<Event> = Api::namespaced(self.client.clone(), &self.name);
        let of_reason = ListParams::default().fields(&format!("reason={reason}"));
        Ok(events.list(&of_reason).await?.items)
    }

    /// Waits until there are so many events for this reason.
    ///
    /// # Errors
    /// When there are not in time.
    pub async fn wait_for_events(&self, reason: &str, count: usize) -> Result<Vec<Event>, Error> {
        let what = format!("{count} events {reason} in {}", self.name);
        eventually(&what, async || {
            let events = self
                .events(reason)
                .await
                .map_err(|error| error.to_string())?;
            if events.len() == count {
                return Ok(events);
            }
            Err(format!("{events:?}"))
        })
        .await
    }

    /// A fence, where a reconciler manages this namespace: waits until it has seen all that was
    /// done here before, and has acted upon it.
    ///
    /// A Dataplane that comes last is seen last, and its Workload is made after what was waiting before
    /// it. Deleted by hand, the Workload comes back only when that is seen too, and so is whatever
    /// happened to Workloads earlier. It goes with its Dataplane after one list of the namespace, which
    /// serves all deletes that were due there.
    ///
    /// # Errors
    /// When that does not come about in time.
    pub async fn settled(&self) -> Result<(), Error> {
        let fence = self.fence();
        self.proxy(&fence, "default", &fence).await?;
        let is_counted = |workload: &DynamicObject| total(workload) == Some(1);
        let first = self.workload(&fence, is_counted).await?;
        self.delete(Kind::Workload, &fence).await?;
        let is_another = |workload: &DynamicObject| workload.metadata.uid != first.metadata.uid;
        self.workload(&fence, is_another).await?;
        self.delete(Kind::Dataplane, &fence).await?;
        self.gone(&fence).await
    }

    /// The same where a reconciler only reports: waits until it has said of a Workload that comes
    /// last that it is another's.
    ///
    /// # Errors
    /// When that does not come about in time.
    pub async fn reported(&self) -> Result<(), Error> {
        let fence = self.fence();
        self.put(
            Kind::Workload,
            workload(&fence, &[("kuma.io/managed-by", "fence")]),
        )
        .await?;
        self.proxy(&fence, "default", &fence).await?;
        let what = format!("{fence} in {} is reported", self.name);
        eventually(&what, async || {
            let events = self.events("WorkloadManagedByAnother").await;
            let events = events.map_err(|error| error.to_string())?;
            let is_of_fence = |event: &Event| {
                let related = event.related.as_ref();
                related.is_some_and(|related| related.name.as_ref() == Some(&fence))
            };
            if events.iter().any(is_of_fence) {
                return Ok(());
            }
            Err(format!("{events:?}"))
        })
        .await?;
        self.delete(Kind::Dataplane, &fence).await?;
        self.delete(Kind::Workload, &fence).await
    }

    fn fence(&self) -> String {
        format!("fence-{}", self.fences.fetch_add(1, Ordering::Relaxed))
    }
}

/// The number of proxies that a Workload shows.
#[must_use]
pub fn total(workload: &DynamicObject) -> Option<i64> {
    workload.data["status"]["dataplaneProxies"]["total"].as_i64()
}

fn apply() -> PatchParams {
    PatchParams::apply("test").force()
}
