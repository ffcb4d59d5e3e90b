//! Templates that parse all the same: objects whose names, kinds or labels nobody has filled in.

use super::{
    fault::Problem,
    template,
    tree::{Node, Value},
};

/// What says what an object is.
const KINDS: [&[&str]; 3] = [&["apiVersion"], &["kind"], &["type"]];

/// What has names only.
const NAMES: [&[&str]; 8] = [
    &["metadata", "name"],
    &["metadata", "generateName"],
    &["metadata", "namespace"],
    &["name"],
    &["mesh"],
    &["spec", "serviceAccountName"],
    &["spec", "template", "spec", "serviceAccountName"],
    &[
        "spec",
        "jobTemplate",
        "spec",
        "template",
        "spec",
        "serviceAccountName",
    ],
];

/// What has labels only.
const LABELS: [&[&str]; 4] = [
    &["metadata", "labels"],
    &["labels"],
    &["spec", "template", "metadata", "labels"],
    &[
        "spec",
        "jobTemplate",
        "spec",
        "template",
        "metadata",
        "labels",
    ],
];

/// The first place where an object's kind is to be filled in.
pub fn kind(node: &Node) -> Option<Problem> {
    KINDS
        .iter()
        .filter_map(|path| text(find(node, path)?))
        .min()
}

/// The first place where a name or label of an object is to be filled in.
pub fn object(node: &Node) -> Option<Problem> {
    let names = NAMES.iter().filter_map(|path| text(find(node, path)?));
    let labels = LABELS.iter().filter_map(|path| label(find(node, path)?));
    names.chain(labels).chain(kind(node)).min()
}

fn find<'n>(node: &'n Node, path: &[&str]) -> Option<&'n Node> {
    path.iter().try_fold(node, |node, key| node.get(key))
}

fn text(node: &Node) -> Option<Problem> {
    let Value::Text(text) = &node.value else {
        return None;
    };
    let at = node.at;
    template::unrendered(text).map(|message| Problem { at, message })
}

fn label(labels: &Node) -> Option<Problem> {
    let entries = labels.entries().ok()?;
    let label = |(key, node): &(String, Node)| {
        let of_key = template::unrendered(key).map(|message| Problem {
            at: node.at,
            message,
        });
        of_key.or_else(|| text(node))
    };
    entries.iter().find_map(label)
}

#[cfg(test)]
mod tests {
    use super::super::tests::node;
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case::name("metadata: {name: 'web-${ENV}'}", Some((1, 18)))]
    #[case::namespace("metadata:\n  name: web\n  namespace: \"{{ .Release.Namespace }}\"", Some((3, 14)))]
    #[case::label("metadata: {labels: {app: web, env: '{% env %}'}}", Some((1, 36)))]
    #[case::key("metadata:\n  labels:\n    ${KEY}: a", Some((3, 13)))]
    #[case::universal("type: Dataplane\nmesh: ${MESH}\nname: vm", Some((2, 7)))]
    #[case::template("spec: {template: {metadata: {labels: {a: '${B}'}}}}", Some((1, 42)))]
    #[case::account("spec:\n  serviceAccountName: ${SA}", Some((2, 23)))]
    #[case::cron_job("spec: {jobTemplate: {spec: {template: {metadata: {labels: {a: '${B}'}}}}}}", Some((1, 63)))]
    #[case::kind("kind: ${KIND}", Some((1, 7)))]
    #[case::the_first("kind: Pod\nmetadata: {labels: {a: '${B}'}, name: '${C}'}", Some((2, 24)))]
    #[case::elsewhere(
        "metadata: {annotations: {a: '${B}'}}\nspec: {containers: [{args: ['${HOME}']}]}",
        None
    )]
    #[case::plain("metadata: {name: web, labels: {a: b}}", None)]
    fn names_that_are_to_be_filled_in_are_found(
        #[case] yaml: &str,
        #[case] expected: Option<(u32, u32)>,
    ) {
        let found = object(&node(yaml)).map(|problem| (problem.at.line, problem.at.column));
        assert_eq!(found, expected);
    }
}
