//! The scheduler's part and the kubelet's: each live Pod is bound to a node, its container is started as the
//! Pod says, its probes are asked, and its status says what came of it.

use std::env;

use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::{self as core, Pod};
use k8s_openapi::jiff::Timestamp;
use kube::api::{ListParams, Patch, PatchParams, PostParams};
use kube::{Api, Client, ResourceExt};
use kuma_workload_testbed::{Error, Testbed, User, eventually};
use serde_json::{Value, json};

use crate::container::Container;
use crate::image::Image;
use crate::probe::asked;
use crate::service::ApiServer;
use crate::told::{end_of, seen};
use crate::{bundle, volumes};

const NAME: &str = "node";
const ADDRESS: &str = "10.0.0.1";

/// A node, with the Pods that it runs.
pub(crate) struct Node<'a> {
    testbed: &'a Testbed,
    client: Client,
    service: ApiServer,
    running: Vec<(Pod, Container)>,
}

impl<'a> Node<'a> {
    pub(crate) async fn start(testbed: &'a Testbed) -> Result<Self, Error> {
        let client = testbed.client(User::Admin).await?;
        let service = ApiServer::serve(testbed, &client).await?;
        let nodes: Api<core::Node> = Api::all(client.clone());
        let node = core::Node {
            metadata: kube::core::ObjectMeta {
                name: Some(NAME.to_owned()),
                ..Default::default()
            },
            ..core::Node::default()
        };
        nodes.create(&PostParams::default(), &node).await?;
        Ok(Self {
            testbed,
            client,
            service,
            running: Vec::new(),
        })
    }

    /// Runs the Pods of a Deployment, which must be of this image, once they are there.
    pub(crate) async fn run(&mut self, name: &str, image: &str) -> Result<(), Error> {
        for pod in self.pods_of(name).await? {
            let spec = pod.spec.clone().unwrap_or_default();
            let [container] = spec.containers.as_slice() else {
                return Err(Error::new(format!(
                    "Pod {} has not one container",
                    pod.name_any()
                )));
            };
            if container.image.as_deref() != Some(image) {
                return Err(Error::new(format!(
                    "Pod {} has image {:?}, and {image} was pushed",
                    pod.name_any(),
                    container.image
                )));
            }
            self.bind(&pod).await?;
            let pod = self.pods(name).get(&pod.name_any()).await?;
            self.begin(pod, container).await?;
        }
        Ok(())
    }

    /// The Pods of a Deployment, as many as it wants.
    async fn pods_of(&self, name: &str) -> Result<Vec<Pod>, Error> {
        let deployments: Api<Deployment> = Api::namespaced(self.client.clone(), name);
        eventually(&format!("the Pods of Deployment {name}"), async || {
            let deployment = deployments
                .get(name)
                .await
                .map_err(|error| error.to_string())?;
            let spec = deployment.spec.unwrap_or_default();
            let labels = spec.selector.match_labels.unwrap_or_default();
            let selector: Vec<_> = labels
                .iter()
                .map(|(key, value)| format!("{key}={value}"))
                .collect();
            let list = ListParams::default().labels(&selector.join(","));
            let pods = self
                .pods(name)
                .list(&list)
                .await
                .map_err(|error| error.to_string())?
                .items;
            match i32::try_from(pods.len()) {
                Ok(there) if Some(there) == spec.replicas => Ok(pods),
                there => Err(format!(
                    "{there:?} of {:?}; status {:?}",
                    spec.replicas, deployment.status
                )),
            }
        })
        .await
    }

    async fn bind(&self, pod: &Pod) -> Result<(), Error> {
        let binding = json!({
            "apiVersion": "v1", "kind": "Binding",
            "metadata": {"name": pod.name_any(), "namespace": pod.namespace()},
            "target": {"apiVersion": "v1", "kind": "Node", "name": NAME},
        });
        let pods = self.pods(&pod.namespace().unwrap_or_default());
        let name = pod.name_any();
        let parameters = PostParams::default();
        pods.create_subresource::<_, Value>("binding", &name, &parameters, &binding)
            .await?;
        Ok(())
    }

    async fn begin(&mut self, pod: Pod, container: &core::Container) -> Result<(), Error> {
        let name = pod.name_any();
        let folder = self.testbed.folder().join("pods").join(&name);
        let image = Image::pull(
            self.testbed,
            container.image.as_deref().unwrap_or_default(),
            &folder,
        )
        .await?;
        let volumes = volumes::write(&self.client, &pod, &folder.join("volumes")).await?;
        let group = env::var("CONTROL_GROUP").unwrap_or_else(|_| "/kuma-workload".to_owned());
        let config = bundle::config(
            &pod,
            container,
            &image,
            &volumes,
            &self.service.environment,
            &format!("{group}/{name}"),
        )?;
        let number = u8::try_from(self.running.len() + 2).unwrap_or_default();
        let running = Container::start(&folder, &name, number, &config).await?;
        let process = &config["process"];
        seen(&format!(
            "Pod {name} at {}: user {} runs {}",
            running.address, process["user"]["uid"], process["args"]
        ));
        let ready = container.readiness_probe.as_ref();
        let ready =
            ready.ok_or_else(|| Error::new(format!("Pod {name} has no readiness probe")))?;
        let what = format!("the readiness probe of Pod {name}");
        eventually(&what, async || {
            match asked(ready, container, &running).await {
                Ok(()) => Ok(()),
                Err(error) => Err(format!("{error}\n{}", end_of(&running.log()))),
            }
        })
        .await?;
        running.is_restricted()?;
        seen(&format!(
            "Pod {name} is ready, and as restricted as it says"
        ));
        self.say_ready(&pod, container, &running).await?;
        self.running.push((pod, running));
        Ok(())
    }

    async fn say_ready(
        &self,
        pod: &Pod,
        container: &core::Container,
        running: &Container,
    ) -> Result<(), Error> {
        let now = Timestamp::now().to_string();
        let conditions = [
            "PodReadyToStartContainers",
            "Initialized",
            "PodScheduled",
            "ContainersReady",
            "Ready",
        ]
        .map(|kind| json!({"type": kind, "status": "True", "lastTransitionTime": now}));
        let status = json!({"status": {
            "phase": "Running", "conditions": conditions, "startTime": now,
            "hostIP": ADDRESS, "podIP": running.address, "podIPs": [{"ip": running.address}],
            "containerStatuses": [{
                "name": container.name, "image": container.image, "imageID": container.image,
                "ready": true, "started": true, "restartCount": 0, "state": {"running": {"startedAt": now}},
            }],
        }});
        let pods = self.pods(&pod.namespace().unwrap_or_default());
        pods.patch_status(
            &pod.name_any(),
            &PatchParams::default(),
            &Patch::Merge(&status),
        )
        .await?;
        Ok(())
    }

    /// Every container runs, and says so to its liveness probe.
    pub(crate) async fn alive(&self) -> Result<(), Error> {
        for (pod, running) in &self.running {
            running.runs()?;
            for container in pod.spec.iter().flat_map(|spec| &spec.containers) {
                let probe = container.liveness_probe.as_ref();
                let probe = probe.ok_or_else(|| {
                    Error::new(format!("Pod {} has no liveness probe", pod.name_any()))
                })?;
                asked(probe, container, running).await?;
            }
            seen(&format!("Pod {} is alive", pod.name_any()));
        }
        Ok(())
    }

    /// The Pods that run, with the address of each.
    pub(crate) fn running(&self) -> impl Iterator<Item = (&Pod, &Container)> {
        self.running.iter().map(|(pod, container)| (pod, container))
    }

    /// What failed, with the ends of all logs.
    pub(crate) fn explained(&self, error: &Error) -> Error {
        Error::new(format!("{error}\n{}", self.logs()))
    }

    /// The ends of all logs.
    pub(crate) fn logs(&self) -> String {
        let of_each = self.running().map(|(pod, container)| {
            format!("log of {}:\n{}", pod.name_any(), end_of(&container.log()))
        });
        of_each.collect::<Vec<_>>().join("\n")
    }

    fn pods(&self, namespace: &str) -> Api<Pod> {
        Api::namespaced(self.client.clone(), namespace)
    }
}
