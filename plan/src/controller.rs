//! What people change in order to change a Pod: the object at the top of its controllers.

use kuma_workload_rulebook::metadata::Labels;

use super::{
    finding::{Member, ObjectName},
    inventory::Inventory,
    manifest::{DataplaneManifest, Named, Owner, PodManifest, TemplateManifest},
    read::Place,
};

/// Label that a Deployment sets on its ReplicaSets and their Pods: the end of a ReplicaSet's name.
const POD_TEMPLATE_HASH: &str = "pod-template-hash";

/// The kind that Deployments make.
const REPLICA_SET: &str = "ReplicaSet";

/// Pod, ReplicaSet, Deployment; nothing that has a template is controlled deeper.
pub(crate) const LEVELS: usize = 3;

/// The object at the top of a Pod's or template's controllers; itself, if nothing controls it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Controller {
    /// The object.
    pub object: ObjectName,
    /// Where it stands, if it was read from a file.
    pub place: Option<Place>,
    /// Whether it has a template that was read.
    pub is_template: bool,
}

impl Controller {
    /// What a finding in something of this kind, which it controls, is about.
    pub(crate) fn member(&self, found_in: &'static str) -> Member {
        Member::new(self.object.clone(), found_in, self.place.clone())
    }

    /// The object, where its template was read.
    pub(crate) fn template(&self) -> Option<ObjectName> {
        self.is_template.then(|| self.object.clone())
    }

    fn itself(kind: &str, named: &Named) -> Self {
        Self {
            object: ObjectName::of(kind, named),
            place: named.place.clone(),
            is_template: false,
        }
    }

    fn not_read(kind: &str, namespace: &str, name: &str) -> Self {
        Self {
            object: ObjectName::in_namespace(kind, namespace, name),
            place: None,
            is_template: false,
        }
    }
}

/// What people change in order to change this Pod.
pub(crate) fn of_pod(pod: &PodManifest, inventory: &Inventory) -> Controller {
    let namespace = pod.named.namespace();
    match &pod.owner {
        Some(owner) => match inventory.template(namespace, owner) {
            Some(template) => of_template(template, inventory),
            None => by_reference(owner, namespace, &pod.facts.metadata.labels)
                .unwrap_or_else(|| Controller::itself("Pod", &pod.named)),
        },
        None => Controller::itself("Pod", &pod.named),
    }
}

/// What people change in order to change this template.
pub(crate) fn of_template(template: &TemplateManifest, inventory: &Inventory) -> Controller {
    let namespace = template.named.namespace();
    let mut top = template;
    for _ in 0..LEVELS {
        let Some(owner) = &top.owner else { break };
        match inventory.template(namespace, owner) {
            Some(owner) => top = owner,
            None => {
                let labels = &top.facts.metadata.labels;
                if let Some(controller) = by_reference(owner, namespace, labels) {
                    return controller;
                }
                break;
            }
        }
    }
    Controller {
        is_template: true,
        ..Controller::itself(top.kind.name, &top.named)
    }
}

/// What people change in order to change the Pod of this Dataplane, which has the Pod's name and
/// labels.
pub(crate) fn of_dataplane(dataplane: &DataplaneManifest, inventory: &Inventory) -> Controller {
    let namespace = dataplane.named.namespace();
    let name = dataplane.named.name.as_str();
    if let Some(pod) = inventory.pod(namespace, name) {
        return of_pod(pod, inventory);
    }
    let hash = dataplane.metadata.labels.get_non_empty(POD_TEMPLATE_HASH);
    let deployment = hash.and_then(|hash| {
        let (replica_set, _) = name.rsplit_once('-')?;
        without_hash(replica_set, hash)
    });
    match deployment {
        Some(deployment) => Controller::not_read("Deployment", namespace, deployment),
        None => Controller::itself("Pod", &dataplane.named),
    }
}

/// The owner of an object with these labels, which was not read. A ReplicaSet that a Deployment made
/// has the hash of its template at the end of its name. Nobody changes the Node of a static Pod.
fn by_reference(owner: &Owner, namespace: &str, labels: &Labels<'_>) -> Option<Controller> {
    let hash = labels
        .get_non_empty(POD_TEMPLATE_HASH)
        .filter(|_| owner.template.is_some_and(|kind| kind.name == REPLICA_SET));
    let deployment = hash.and_then(|hash| without_hash(&owner.name, hash));
    match (deployment, &*owner.kind) {
        (Some(deployment), _) => Some(Controller::not_read("Deployment", namespace, deployment)),
        (None, "" | "Node") => None,
        (None, kind) => Some(Controller::not_read(kind, namespace, &owner.name)),
    }
}

fn without_hash<'n>(replica_set: &'n str, hash: &str) -> Option<&'n str> {
    let deployment = replica_set.strip_suffix(hash)?.strip_suffix('-')?;
    (!deployment.is_empty()).then_some(deployment)
}

#[cfg(test)]
mod tests {
    use crate::tests::planned;
    use rstest::rstest;

    /// Of Dataplanes whose Pods were not read; what Pods are told by is in the tests of `group`.
    #[rstest]
    #[case::of_a_deployment("web-7f4b8c-xk2vp", "pod-template-hash: 7f4b8c", ("Deployment", "web"))]
    #[case::with_dashes("web-2-7f4b8c-xk2vp", "pod-template-hash: 7f4b8c", ("Deployment", "web-2"))]
    #[case::without_the_label("web-7f4b8c-xk2vp", "app: web", ("Pod", "web-7f4b8c-xk2vp"))]
    #[case::of_a_shortened_name("web-7f4xk2vp", "pod-template-hash: 7f4b8c", ("Pod", "web-7f4xk2vp"))]
    #[case::nothing_before_the_hash("-7f4b8c-xk2vp", "pod-template-hash: 7f4b8c", ("Pod", "-7f4b8c-xk2vp"))]
    fn t3_a_dataplane_names_the_deployment_of_its_pod(
        #[case] name: &str,
        #[case] labels: &str,
        #[case] expected: (&str, &str),
    ) {
        let dataplane = |name: &str, mesh: &str, labels: &str| {
            format!(
                "apiVersion: kuma.io/v1alpha1\nkind: Dataplane\nmesh: {mesh}\n\
                 metadata: {{name: {name}, namespace: team, labels: {{{labels}}}}}\n---\n"
            )
        };
        let others = dataplane("a", "m", "") + &dataplane("b", "m", "");
        let report = planned(&(others + &dataplane(name, "other", labels)));
        let moves = &report.namespaces[0].moves;
        let moves: Vec<_> = moves.iter().map(|one| (&*one.kind, &*one.name)).collect();
        assert_eq!(moves, [expected]);
    }
}
