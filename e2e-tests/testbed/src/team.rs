//! A namespace that replicas behind proxies look after, and no other.

use futures::{StreamExt, TryStreamExt, stream};
use serde_json::{Value, json};

use crate::{Error, Kind, Proxy, Replica, Space, Testbed, User, eventually};

/// How many requests are under way at a time where many are made.
const AT_A_TIME: usize = 8;

/// A namespace. Replicas that are started with its flags look after it alone.
pub struct Team<'a> {
    /// What is in it.
    pub space: Space<'a>,
}

impl Team<'static> {
    /// A new namespace of the shared testbed, and a replica at work in it.
    ///
    /// # Errors
    /// What the API server says against it, or that the replica is not at work in time.
    pub async fn at_work(stem: &str) -> Result<(Self, Replica), Error> {
        let testbed = Testbed::shared()?;
        let team = Self::new(testbed, stem).await?;
        let replica = team.replica(testbed).await?;
        Ok((team, replica))
    }
}

impl<'a> Team<'a> {
    /// A new namespace, whose name begins so.
    ///
    /// # Errors
    /// What the API server says against it.
    pub async fn new(testbed: &'a Testbed, stem: &str) -> Result<Self, Error> {
        testbed.install_kuma().await?;
        let space = Space::named(testbed, testbed.unique(stem)).await?;
        space.label(&[("team", &space.name)]).await?;
        Ok(Self { space })
    }

    /// What makes a replica look after it alone, with quick leases and prompt numbers.
    fn flags(&self) -> Vec<String> {
        let name = &self.space.name;
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
        replica.reconciler.ready().await?;
        replica.reconciler.shows("leader", 1.0).await?;
        // It is ready when it has listed; what a test does to its watches must find them open.
        eventually("its watches are open", async || {
            let is_open = |what: &str| {
                let asked = replica.proxy.asked_to(what);
                asked.iter().any(|asked| asked.answer == Some(200))
            };
            let missing = [
                "watch dataplanes",
                "watch dataplaneinsights",
                "watch workloads",
            ]
            .into_iter()
            .find(|what| !is_open(what));
            missing.map_or(Ok(()), |what| Err(format!("no {what}")))
        })
        .await?;
        Ok(replica)
    }

    /// One that may not be ready yet, behind this proxy.
    ///
    /// # Errors
    /// When it does not start.
    pub fn behind(&self, testbed: &Testbed, proxy: Proxy, own: &[&str]) -> Result<Replica, Error> {
        let flags = self.flags();
        let of = |flag: &str| flag.split('=').next().map(str::to_owned);
        // Either names the namespaces.
        let names = |flag: &str| flag.starts_with("--namespace");
        let is_own = |flag: &str| {
            own.iter()
                .any(|own| of(own) == of(flag) || names(own) && names(flag))
        };
        let common = flags.iter().map(String::as_str);
        let common = common.filter(|flag| !is_own(flag));
        let flags: Vec<_> = own.iter().copied().chain(common).collect();
        Replica::start(testbed, proxy, &flags)
    }

    /// A Dataplane that refers to a workload, in this mesh from now on.
    ///
    /// # Errors
    /// What the API server says against it.
    pub async fn dataplane(&self, name: &str, workload: &str, mesh: &str) -> Result<(), Error> {
        let object = json!({
            "metadata": {
                "name": name,
                "annotations": {"kuma.io/workload": workload},
                "labels": {"kuma.io/mesh": mesh},
            },
            "mesh": mesh,
            "spec": {"networking": {"inbound": [{"port": 80}]}},
        });
        self.space.put(Kind::Dataplane, object).await.map(drop)
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

    /// A Workload as it is now, if there is one.
    ///
    /// # Errors
    /// When the API server does not say.
    pub async fn find_workload(&self, name: &str) -> Result<Option<Value>, Error> {
        let workload = self.space.get(Kind::Workload, name).await?;
        Ok(workload.map(|workload| serde_json::to_value(workload).unwrap_or_default()))
    }

    /// The names of all Workloads, in order.
    ///
    /// # Errors
    /// When the API server does not say.
    pub async fn names(&self) -> Result<Vec<String>, Error> {
        Ok(self.space.workloads().await?.into_keys().collect())
    }

    /// Waits until a Workload of this mesh counts so many proxies; gives it.
    ///
    /// # Errors
    /// When it does not in time.
    pub async fn counts(&self, name: &str, mesh: &str, total: u64) -> Result<Value, Error> {
        eventually(
            &format!("Workload {name} counts {total} in {mesh}"),
            async || {
                let found = self.find_workload(name).await;
                let found = found.map_err(|error| error.to_string())?;
                let found = found.ok_or("there is none")?;
                let is_so = found["status"]["dataplaneProxies"]["total"] == total
                    && found["metadata"]["labels"]["kuma.io/mesh"] == mesh;
                if is_so {
                    Ok(found)
                } else {
                    Err(found.to_string())
                }
            },
        )
        .await
    }

    /// Waits until the replica has dealt with all that happened before: a Workload comes about and is
    /// counted, and nothing waits.
    ///
    /// # Errors
    /// When it has not in time.
    pub async fn caught_up(&self, replica: &Replica) -> Result<(), Error> {
        let fence = format!("fence-{}", replica.proxy.asked().len());
        self.dataplane(&fence, &fence, "default").await?;
        self.counts(&fence, "default", 1).await?;
        replica.reconciler.shows("workqueue_depth", 0.0).await
    }
}
