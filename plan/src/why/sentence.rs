//! The sentences of the steps.

use std::fmt::{self, Write as _};

use kuma_workload_rulebook::{
    admission::{Outcome, Step},
    keys,
    membership::{Mark, MembershipReason},
    mesh::MeshSource,
    quoted::Quoted,
};

use super::walk::{Entry, Walk};

impl Walk {
    /// What a step says.
    pub(super) fn sentence(&self, entry: &Entry) -> String {
        let mut sentence = String::new();
        // A text takes whatever is written to it.
        let _ = self.write(entry, &mut sentence);
        sentence
    }

    fn write(&self, entry: &Entry, to: &mut String) -> fmt::Result {
        match entry {
            Entry::Membership(reason) => self.membership(*reason, to),
            Entry::IsDataplane => to.write_str("it is in a mesh: it is a Dataplane"),
            Entry::Mesh(source, is_pinned) => self.mesh(*source, *is_pinned, to),
            Entry::MeshOfDataplane => {
                write!(to, "its mesh is {}, by its field mesh", Quoted(&self.mesh))
            }
            Entry::Workload(_, source) => {
                let workload = Quoted(&self.workload);
                write!(to, "its workload is {workload}, by {source}")
            }
            Entry::NoWorkload => to.write_str("it has no workload"),
            Entry::Stored(name) => {
                write!(to, "the Dataplane has stored workload {}", Quoted(name))
            }
            Entry::Step(step) => self.step(*step, to),
            Entry::Objection { sentence, .. } => to.write_str(sentence),
            Entry::ItsPods => to.write_str("the Pods that come of it are judged as follows"),
            Entry::End => self.end(to),
        }
    }

    fn membership(&self, reason: MembershipReason, to: &mut String) -> fmt::Result {
        let namespace = Quoted(&self.namespace);
        let injection = keys::SIDECAR_INJECTION;
        let a = if reason.is_meshed() { "a" } else { "no" };
        write!(to, "it is in {a} mesh: ")?;
        match reason {
            MembershipReason::Marked(Mark::BuiltinGateway) => {
                write!(to, "its annotation {} is builtin", keys::GATEWAY)
            }
            MembershipReason::Marked(Mark::Injected) => {
                write!(to, "its annotation {} is on", keys::SIDECAR_INJECTED)
            }
            MembershipReason::Marked(Mark::Sidecar) => {
                write!(to, "it has a container {}", keys::SIDECAR_CONTAINER)
            }
            MembershipReason::NamesMesh => write!(to, "its label {} names one", keys::MESH),
            MembershipReason::Exception(label) => {
                write!(to, "label {label} exempts it from injection")
            }
            MembershipReason::LabelOff => write!(to, "its label {injection} is off"),
            MembershipReason::LabelOn => {
                write!(
                    to,
                    "its label {injection} is on, and namespace {namespace} has the label too"
                )
            }
            MembershipReason::NamespaceInjects => {
                write!(to, "label {injection} of namespace {namespace} is on")
            }
            MembershipReason::NothingInjects => {
                write!(
                    to,
                    "label {injection} of namespace {namespace} does not select it"
                )
            }
        }
    }

    fn mesh(&self, source: MeshSource, is_pinned: bool, to: &mut String) -> fmt::Result {
        write!(to, "its mesh is {}", Quoted(&self.mesh))?;
        let place = match source {
            MeshSource::PodLabel | MeshSource::NamespaceLabel => "label",
            MeshSource::PodAnnotation | MeshSource::NamespaceAnnotation => "annotation",
            MeshSource::Default => return to.write_str(", since nothing names one"),
        };
        write!(to, ", by {place} {}", keys::MESH)?;
        match source {
            MeshSource::NamespaceLabel | MeshSource::NamespaceAnnotation => {
                write!(to, " of namespace {}", Quoted(&self.namespace))
            }
            _ if is_pinned => to.write_str(", which Kuma's injector has written"),
            _ => Ok(()),
        }
    }

    fn step(&self, step: Step, to: &mut String) -> fmt::Result {
        let [namespace, mesh] = [&self.namespace, &self.mesh].map(|name| Quoted(name));
        to.write_str(match step {
            Step::OwnerIsJudged => "its controller has the same template, and is judged instead",
            Step::NotAtItsEnd => "it has not finished, and is not being deleted",
            Step::AtItsEnd => "it has finished or is being deleted, so no rule looks at it",
            Step::Changes => "the update changes what rules look at",
            Step::ChangesNothing => "the update changes nothing that rules look at",
            Step::PodWithoutLabel | Step::TemplateWithoutLabel => "no label kuma.io/workload",
            Step::TemplateHadLabel => "it had label kuma.io/workload before",
            Step::WithoutAnnotation => "no annotation kuma.io/workload",
            Step::NamesNotJudged => "names of workloads are not judged (invalidWorkloadName)",
            Step::NoWorkloadKnown => {
                "no name is judged: without its namespace, it is in no mesh or has no workload"
            }
            Step::PossibleWorkload => "a Workload can have the name of its workload",
            Step::KeptWorkload => "the update does not change the name of its workload",
            Step::MeshesNotJudged => {
                "meshes are not judged: disallowMultipleMeshesPerNamespace is false, and \
                 meshNamespaces is empty"
            }
            Step::ExemptNamespace => {
                return write!(
                    to,
                    "namespace {namespace} is exempt from the rules on meshes (systemNamespaces)"
                );
            }
            Step::JoinsNothing => "the update brings it into no mesh",
            Step::NothingClosed => {
                return write!(
                    to,
                    "meshNamespaces closes no mesh that it can be in to namespace {namespace}"
                );
            }
            Step::Unmeshed => "it is in no mesh, and the rules on meshes judge only what is in one",
            Step::Joins => return write!(to, "it joins mesh {mesh}"),
            Step::EveryUpdate => "every update is judged (updates)",
            Step::PossibleMesh => return write!(to, "a Mesh can have the name {mesh}"),
            Step::OpenMesh | Step::OnlyOpenMesh => {
                return write!(
                    to,
                    "meshNamespaces does not close mesh {mesh} to namespace {namespace}"
                );
            }
            Step::DeclaredMesh => {
                return write!(to, "namespace {namespace} is declared for mesh {mesh}");
            }
            Step::WithoutKuma => "Kuma is not installed, so no mesh can be in conflict",
            Step::MeshExists => return write!(to, "mesh {mesh} exists"),
            Step::WasInUnknownMesh => {
                return write!(to, "mesh {mesh} does not exist, but it was in it before");
            }
            Step::ZoneProxy => {
                return write!(
                    to,
                    "mesh {mesh} does not exist, but a zone proxy may come before it"
                );
            }
            Step::Predecessor => {
                "the Dataplane of its own name does not count: an earlier Pod has left it behind"
            }
            Step::NoOtherDataplane | Step::NoOtherPod | Step::OtherPod => {
                let other = match step {
                    Step::NoOtherDataplane => "no Dataplane",
                    Step::NoOtherPod => "no Pod",
                    _ => "a Pod",
                };
                return write!(to, "namespace {namespace} has {other} of another mesh");
            }
            Step::PodsNotConsidered => "Pods of other meshes do not count (considerPods)",
            Step::AlreadySplit | Step::NotYetSplit => {
                let has = match step {
                    Step::AlreadySplit => "is split already: it has something",
                    _ => "is not split yet: it has nothing",
                };
                return write!(
                    to,
                    "namespace {namespace} {has} of mesh {mesh} (alreadySplit)"
                );
            }
            Step::TemplateOnlyWarned => "a Pod template is only warned about (namespaceMesh)",
            Step::OnlyWarned => "what would be rejected is only warned about (action)",
        })
    }

    /// What became of it, by what was said before.
    fn end(&self, to: &mut String) -> fmt::Result {
        let of = |outcome| {
            let entries = self.entries.iter();
            entries.filter_map(move |entry| match entry {
                Entry::Objection { number, rule, .. } if entry.outcome() == outcome => {
                    Some((*number, rule.name()))
                }
                _ => None,
            })
        };
        if let Some((number, name)) = of(Outcome::Rejects).next() {
            to.write_str(match self.entries.contains(&Entry::ItsPods) {
                true => "accepted, but its Pods are rejected",
                false => "rejected",
            })?;
            return write!(to, " by {number} ({name})");
        }
        to.write_str("accepted")?;
        let mut before = ", with a warning by ";
        for (number, name) in of(Outcome::Warns) {
            write!(to, "{before}{number} ({name})")?;
            before = " and ";
        }
        Ok(())
    }
}
