//! A namespace that is one test's own, and what is in it.

use futures::{StreamExt, TryStreamExt, stream};
use kube::api::{
    ApiResource, DeleteParams, DynamicObject, GroupVersionKind, ListParams, Patch, PatchParams,
};
use kube::{Api, Client};
use serde_json::{Value, json};

use crate::{Error, Proxy, Replica, Testbed, User, eventually};

/// How many requests are under way at a time where many are made.
const AT_A_TIME: usize = 8;

/// A namespace. Replicas that are started with its flags look after it alone.
#[derive(Clone)]
pub struct Team {
    /// Its name.
    pub name: String,
    client: Client,
}

impl Team {
    /// A new namespace.
    ///
    /// # Errors
    /// What the API server says against it.
    pub async fn new(testbed: &Testbed, stem: &str) -> Result<Self, Error> {
        testbed.install_kuma().await?;
        let name = testbed.unique(stem);
        let team = Self {
            client: testbed.client(User::Admin).await?,
            name,
        };
        let namespace = json!({"metadata": {"labels": {"team": team.name}}});
        team.apply_cluster("", "v1", "Namespace", &team.name, namespace)
            .await?;
        Ok(team)
    }

    /// What makes a replica look after it alone, with quick leases and prompt numbers.
    fn flags(&self) -> Vec<String> {
        let name = &self.name;
        let flags = [
            format!("--namespace-selector=team={name}"),
            format!("--lease-name={name}"),
            "--lease-namespace=kuma-workload".to_owned(),
            "--lease-duration=3s".to_owned(),
            "--lease-renew-deadline=2s".to_owned(),
            "--lease-retry-period=500ms".to_owned(),
            "--status-interval=1s".to_owned(),
            "--mode=manage".to_owned(),
        ];
        flags.into()
    }

    /// A replica for it, ready and at work.
    ///
    /// # Errors
    /// When it is not in time.
    pub async fn replica(&self, testbed: &Testbed) -> Result<Replica, Error> {
        self.replica_with(testbed, &[]).await
    }

    /// The same with flags of its own, which come before the usual ones.
    ///
    /// # Errors
    /// When it is not in time.
    pub async fn replica_with(&self, testbed: &Testbed, own: &[&str]) -> Result<Replica, Error> {
        let proxy = Proxy::start(testbed, User::Reconciler).await?;
        let replica = self.behind(testbed, proxy, own)?;
        replica.ready().await?;
        replica.shows("leader", 1.0).await?;
        Ok(replica)
    }

    /// One that may not be ready yet, behind this proxy.
    ///
    /// # Errors
    /// When it does not start.
    pub fn behind(&self, testbed: &Testbed, proxy: Proxy, own: &[&str]) -> Result<Replica, Error> {
        let flags = self.flags();
        let of = |flag: &str| flag.split('=').next().map(str::to_owned);
        let is_own = |flag: &str| own.iter().any(|own| of(own) == of(flag));
        let common = flags.iter().map(String::as_str);
        let common = common.filter(|flag| !is_own(flag));
        let flags: Vec<_> = own.iter().copied().chain(common).collect();
        Replica::start(testbed, proxy, &flags)
    }

    /// The objects of one of Kuma's kinds.
    #[must_use]
    pub fn api(&self, kind: &str) -> Api<DynamicObject> {
        Api::namespaced_with(self.client.clone(), &self.name, &resource(kind))
    }

    /// A Dataplane that refers to a workload, in this mesh from now on.
    ///
    /// # Errors
    /// What the API server says against it.
    pub async fn dataplane(&self, name: &str, workload: &str, mesh: &str) -> Result<(), Error> {
        let object = json!({
            "metadata": {
                "annotations": {"kuma.io/workload": workload},
                "labels": {"kuma.io/mesh": mesh},
            },
            "mesh": mesh,
            "spec": {"networking": {"inbound": [{"port": 80}]}},
        });
        self.apply("Dataplane", name, object).await.map(drop)
    }

    /// Many of them: name and workload, in mesh `default`.
    ///
    /// # Errors
    /// What the API server says against the first that it does not take.
    pub async fn dataplanes(
        &self,
        all: impl IntoIterator<Item = (String, String)>,
    ) -> Result<(), Error> {
        let made = stream::iter(all)
            .map(async |(name, workload)| self.dataplane(&name, &workload, "default").await);
        made.buffer_unordered(AT_A_TIME).try_collect().await
    }

    /// Makes or changes an object of one of Kuma's kinds, by what is said of it alone.
    ///
    /// # Errors
    /// What the API server says against it.
    pub async fn apply(&self, kind: &str, name: &str, object: Value) -> Result<Value, Error> {
        apply(&self.api(kind), "kuma.io/v1alpha1", kind, name, object).await
    }

    async fn apply_cluster(
        &self,
        group: &str,
        version: &str,
        kind: &str,
        name: &str,
        object: Value,
    ) -> Result<Value, Error> {
        let resource = ApiResource::from_gvk(&GroupVersionKind::gvk(group, version, kind));
        let api = Api::all_with(self.client.clone(), &resource);
        apply(&api, &resource.api_version, kind, name, object).await
    }

    /// Changes an object as JSON Merge Patch has it: null takes away.
    ///
    /// # Errors
    /// What the API server says against it.
    pub async fn merge(&self, kind: &str, name: &str, patch: Value) -> Result<(), Error> {
        let (parameters, patch) = (PatchParams::default(), Patch::Merge(patch));
        let changed = self.api(kind).patch(name, &parameters, &patch).await;
        Ok(changed.map(drop)?)
    }

    /// Deletes an object.
    ///
    /// # Errors
    /// What the API server says against it.
    pub async fn delete(&self, kind: &str, name: &str) -> Result<(), Error> {
        let deleted = self.api(kind).delete(name, &DeleteParams::default()).await;
        Ok(deleted.map(drop)?)
    }

    /// A Workload, if there is one.
    ///
    /// # Errors
    /// When the API server does not say.
    pub async fn workload(&self, name: &str) -> Result<Option<Value>, Error> {
        let workload = self.api("Workload").get_opt(name).await?;
        Ok(workload.map(|workload| serde_json::to_value(workload).unwrap_or_default()))
    }

    /// The names of all Workloads, in order.
    ///
    /// # Errors
    /// When the API server does not say.
    pub async fn workloads(&self) -> Result<Vec<String>, Error> {
        let all = self.api("Workload").list(&ListParams::default()).await?;
        let names = all.items.into_iter().map(|object| object.metadata.name);
        Ok(names.flatten().collect())
    }

    /// Waits until a Workload of this mesh counts so many proxies; gives it.
    ///
    /// # Errors
    /// When it does not in time.
    pub async fn counts(&self, name: &str, mesh: &str, total: u64) -> Result<Value, Error> {
        eventually(
            &format!("Workload {name} counts {total} in {mesh}"),
            async || {
                let seen = self.workload(name).await;
                let seen = seen.map_err(|error| error.to_string())?;
                let seen = seen.ok_or("there is none")?;
                let is_so = seen["status"]["dataplaneProxies"]["total"] == total
                    && seen["metadata"]["labels"]["kuma.io/mesh"] == mesh;
                if is_so {
                    Ok(seen)
                } else {
                    Err(seen.to_string())
                }
            },
        )
        .await
    }

    /// Waits until there is no such Workload.
    ///
    /// # Errors
    /// When there still is one in the end.
    pub async fn lacks(&self, name: &str) -> Result<(), Error> {
        eventually(&format!("Workload {name} is gone"), async || {
            match self.workload(name).await {
                Ok(None) => Ok(()),
                Ok(Some(seen)) => Err(seen.to_string()),
                Err(error) => Err(error.to_string()),
            }
        })
        .await
    }

    /// Waits until the replica has dealt with all that happened before: a Workload comes about and is
    /// counted, and nothing waits.
    ///
    /// # Errors
    /// When it has not in time.
    pub async fn settled(&self, replica: &Replica) -> Result<(), Error> {
        let fence = format!("fence-{}", replica.proxy.asked().len());
        self.dataplane(&fence, &fence, "default").await?;
        self.counts(&fence, "default", 1).await?;
        replica.shows("workqueue_depth", 0.0).await
    }

    /// The events in the namespace with this reason.
    ///
    /// # Errors
    /// When the API server does not say.
    pub async fn events(&self, reason: &str) -> Result<Vec<Value>, Error> {
        let resource =
            ApiResource::from_gvk(&GroupVersionKind::gvk("events.k8s.io", "v1", "Event"));
        let api: Api<DynamicObject> =
            Api::namespaced_with(self.client.clone(), &self.name, &resource);
        let all = api.list(&ListParams::default()).await?.items.into_iter();
        let all = all.map(|event| serde_json::to_value(event).unwrap_or_default());
        Ok(all.filter(|event| event["reason"] == reason).collect())
    }
}

async fn apply(
    api: &Api<DynamicObject>,
    api_version: &str,
    kind: &str,
    name: &str,
    mut object: Value,
) -> Result<Value, Error> {
    object["apiVersion"] = api_version.into();
    object["kind"] = kind.into();
    object["metadata"]["name"] = name.into();
    let manager = PatchParams::apply("test").force();
    let applied = api.patch(name, &manager, &Patch::Apply(object)).await?;
    Ok(serde_json::to_value(applied).unwrap_or_default())
}

fn resource(kind: &str) -> ApiResource {
    let plural = match kind {
        "Mesh" => "meshes".to_owned(),
        kind => format!("{}s", kind.to_lowercase()),
    };
    let kind = GroupVersionKind::gvk("kuma.io", "v1alpha1", kind);
    ApiResource::from_gvk_with_plural(&kind, &plural)
}
