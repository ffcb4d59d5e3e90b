//! The mesh rules that need no list, for Pods and Pod templates: the name (M4), who may join which mesh
//! (A20), and the Namespace's declaration (A17, A11).

use kuma_workload_rulebook::{
    admission::{NamespaceMesh, Settings, TEMPLATE_KINDS, Updates},
    mesh::{MeshAnnotations, MeshSource},
};

use super::{
    asked::{self, Subject},
    cel::{any, quoted},
    mesh_name, mesh_namespaces,
    policy::{OnError, Policy, Rejection, Says, exempt, resources},
    sentence, template,
    variables::Variables,
    workload_label,
};

/// The policy for Pods, if a rule for them is on.
pub(super) fn of_pods(settings: &Settings<'_>) -> Option<Policy> {
    let judges_every_update =
        settings.namespace_mesh == NamespaceMesh::Observed && settings.updates == Updates::All;
    let rules = Rules {
        subject: Subject::Pod,
        answered: "variables.isForged || variables.isSettled",
        judges_every_update,
    };
    let variables = workload_label::pod_variables(settings);
    let (variables, validations) = rules.read(variables, settings);
    (!validations.is_empty()).then(|| Policy {
        name: "kuma-workload-pod-mesh",
        description: "M4, A17, A20: a Pod is in a mesh that its namespace may be in.",
        on_error: OnError::Refuse,
        action: settings.action,
        resources: vec![resources("v1", &["pods"], &["CREATE", "UPDATE"])],
        exempt: exempt(settings),
        variables,
        validations,
    })
}

/// The policy for Pod templates, if a rule for them is on.
pub(super) fn of_templates(settings: &Settings<'_>) -> Option<Policy> {
    let first = TEMPLATE_KINDS.first()?;
    let rules = Rules {
        // Of all kinds the same is said.
        subject: Subject::Template(first),
        answered: "variables.isOwned || variables.isForged",
        judges_every_update: false,
    };
    let variables = workload_label::template_variables(settings);
    let (variables, validations) = rules.read(variables, settings);
    (!validations.is_empty()).then(|| Policy {
        name: "kuma-workload-template-mesh",
        description: "M4, A17, A20: the Pods of a template are in a mesh that their namespace may be in.",
        on_error: OnError::Accept,
        action: settings.action,
        resources: template::all_resources(),
        exempt: exempt(settings),
        variables,
        validations,
    })
}

struct Rules {
    subject: Subject,
    /// Where an earlier rule answers.
    answered: &'static str,
    /// Whether M4 looks at UPDATEs that do not join, too (A8).
    judges_every_update: bool,
}

impl Rules {
    /// The rules that are on, each of which holds only where none before it rejects, and their
    /// variables after those that are given.
    fn read(
        &self,
        mut variables: Variables,
        settings: &Settings<'_>,
    ) -> (Variables, Vec<Rejection>) {
        variables
            .define("isAnswered", any(&["!variables.isMeshed", self.answered]))
            .define("isPossible", mesh_name::is_possible("variables.mesh"))
            // Nothing is asked about a name that no Mesh can have (M4), so it counts as new where only
            // the Namespace could tell.
            .define(
                "joinsAsNamed",
                "variables.namedMesh == '' ? variables.joins : !variables.certainlyStays",
            )
            .define("quotedMesh", quoted("variables.mesh"))
            .define("quotedNamespaceMesh", quoted("variables.namespaceMesh"));
        let mut validations = Vec::new();
        let mut passed = vec!["variables.isAnswered".to_owned()];
        if settings.mesh_rule {
            let mut accepts = passed.clone();
            if !self.judges_every_update {
                accepts.push("!variables.joinsAsNamed".to_owned());
            }
            accepts.push("variables.isPossible".to_owned());
            validations.push(Rejection {
                accepts: any(&accepts),
                says: self.says_impossible(settings),
            });
            passed.push("!variables.isPossible".to_owned());
        }
        passed.push("!variables.joins".to_owned());
        if !settings.mesh_namespaces.is_empty() {
            let (table, says) = mesh_namespaces::table(self.subject, "request.namespace", settings);
            variables.append(table);
            let mut accepts = passed.clone();
            accepts.push("variables.mayJoin".to_owned());
            validations.push(Rejection {
                accepts: any(&accepts),
                says,
            });
            passed.push("!variables.mayJoin".to_owned());
        }
        if settings.mesh_rule && settings.namespace_mesh == NamespaceMesh::Declared {
            passed.push("variables.mesh == variables.namespaceMesh".to_owned());
            validations.push(Rejection {
                accepts: any(&passed),
                says: Says::of(&asked::declared_mesh(self.subject)),
            });
        }
        (variables, validations)
    }

    fn says_impossible(&self, settings: &Settings<'_>) -> Says {
        let mut sources = vec![
            ("variables.labelledMesh != ''", MeshSource::PodLabel),
            ("variables.namedMesh != ''", MeshSource::PodAnnotation),
            (
                "variables.namespaceLabelledMesh != ''",
                MeshSource::NamespaceLabel,
            ),
            ("true", MeshSource::NamespaceAnnotation),
        ];
        if settings.mesh_annotations == MeshAnnotations::Ignored {
            sources.retain(|(_, source)| {
                matches!(source, MeshSource::PodLabel | MeshSource::NamespaceLabel)
            });
        }
        let sentences = sources.into_iter().map(|(condition, source)| {
            (
                condition.to_owned(),
                asked::impossible_mesh(self.subject, source),
            )
        });
        Says::Expression(sentence::choose(sentences.collect()))
    }
}
