//! Which Namespaces may be in which mesh, as the settings have it (A20).

use kuma_workload_rulebook::admission::Settings;

use super::{
    asked::{self, Subject},
    cel,
    policy::Says,
    variables::Variables,
};

/// The longest expression that a table may be, in characters: the API server compiles none that has
/// more than 100,000.
const LONGEST: usize = 50_000;

/// `mayJoin`: whether the mesh of `mesh` is open to a Namespace, which an expression names; and what is
/// said where it is not.
pub(super) fn table(
    subject: Subject,
    namespace: &str,
    settings: &Settings<'_>,
) -> (Variables, Says) {
    let mut variables = Variables::default();
    let mut patterns = Vec::new();
    let mut ends = Vec::new();
    let mut sentence = None;
    for (mesh, of_mesh) in settings.mesh_namespaces.iter() {
        let (beginning, end) = asked::closed_mesh(subject, mesh, settings).split_end();
        sentence.get_or_insert(beginning);
        let key = cel::text(mesh);
        patterns.push(format!("{key}: {}", cel::list(of_mesh)));
        ends.push(format!("{key}: {}", cel::text(&end)));
    }
    let patterns = define_map(&mut variables, "meshNamespaces", &patterns);
    let ends = define_map(&mut variables, "meshSentences", &ends);
    variables
        .define(
            "mayJoin",
            format!(
                "{patterns}.optMap(patterns, patterns.exists(pattern,\n  pattern.endsWith('*') ? \
                 {namespace}.startsWith(pattern.substring(0, size(pattern) - 1)) :\n  \
                 {namespace} == pattern)).orValue(true)"
            ),
        )
        .define("sentenceEnd", format!("{ends}.orValue('')"));
    let says = sentence.map(|sentence| sentence.then("variables.sentenceEnd").cel());
    (variables, Says::Expression(says.unwrap_or_default()))
}

/// Defines a map, in as many variables as it needs, and returns what looks `mesh` up in it.
fn define_map(variables: &mut Variables, name: &str, entries: &[String]) -> String {
    let mut parts: Vec<Vec<&str>> = vec![Vec::new()];
    let mut length = 0;
    for entry in entries {
        length += entry.chars().count();
        if length > LONGEST {
            parts.push(Vec::new());
            length = entry.chars().count();
        }
        if let Some(part) = parts.last_mut() {
            part.push(entry);
        }
    }
    let mut lookup = String::new();
    for (number, part) in parts.iter().enumerate() {
        let name = match number {
            0 => name.to_owned(),
            number => format!("{name}{}", number + 1),
        };
        variables.define(&name, format!("{{\n  {}\n}}", part.join(",\n  ")));
        let found = format!("variables.{name}[?variables.mesh]");
        match number {
            0 => lookup = found,
            _ => lookup.push_str(&format!(".or({found})")),
        }
    }
    lookup
}
