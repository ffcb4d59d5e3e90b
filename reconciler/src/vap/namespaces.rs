//! Namespaces that name a mesh: a name that a Mesh can have (M4), and a mesh that is open to them (A20).

use kuma_workload_rulebook::{
    admission::Settings,
    mesh::{MeshAnnotations, MeshSource},
};

use super::{
    asked::{self, Subject},
    cel::{any, quoted},
    mesh_name, mesh_namespaces, pod,
    policy::{OnError, Policy, Rejection, Says, exempt, resources},
    sentence,
    variables::Variables,
};

/// The policy, if one of the rules is on.
pub(super) fn of_namespaces(settings: &Settings<'_>) -> Option<Policy> {
    let annotations = settings.mesh_annotations;
    let mut of_new = Variables::default();
    mesh_name::define_named(&mut of_new, annotations)
        .define("mesh", mesh_name::or_default("variables.namedMesh"));
    let mut variables = pod::pods(str::to_owned);
    variables
        .append(pod::metadata())
        .append(of_new.and_of_old())
        .define(
            "isAnswered",
            any(&[
                "variables.namedMesh == ''",
                "has(object.metadata.deletionTimestamp)",
                "request.operation == 'UPDATE' && variables.namedMesh == variables.oldNamedMesh",
            ]),
        )
        .define("isPossible", mesh_name::is_possible("variables.mesh"))
        .define("quotedMesh", quoted("variables.mesh"));
    let mut validations = Vec::new();
    if settings.mesh_rule {
        let label = asked::impossible_mesh(Subject::Namespace, MeshSource::NamespaceLabel);
        let annotation =
            asked::impossible_mesh(Subject::Namespace, MeshSource::NamespaceAnnotation);
        let says = match annotations {
            MeshAnnotations::Ignored => label.cel(),
            MeshAnnotations::Read => sentence::choose(vec![
                ("variables.labelledMesh != ''".to_owned(), label),
                ("true".to_owned(), annotation),
            ]),
        };
        validations.push(Rejection {
            accepts: any(&["variables.isAnswered", "variables.isPossible"]),
            says: Says::Expression(says),
        });
    }
    if !settings.mesh_namespaces.is_empty() {
        let (table, says) =
            mesh_namespaces::table(Subject::Namespace, "object.metadata.name", settings);
        variables.append(table);
        // No key of the table is a name that M4 rejects.
        validations.push(Rejection {
            accepts: any(&["variables.isAnswered", "variables.mayJoin"]),
            says,
        });
    }
    (!validations.is_empty()).then(|| Policy {
        name: "kuma-workload-namespace-mesh",
        description: "M4, A20: a namespace names a mesh that it may be in.",
        on_error: OnError::Accept,
        action: settings.action,
        resources: vec![resources("v1", &["namespaces"], &["CREATE", "UPDATE"])],
        exempt: exempt(settings),
        variables,
        validations,
    })
}
