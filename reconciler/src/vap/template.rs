//! Where the Pod template of an object is, and whose template is judged already (A2).

use k8s_openapi::api::admissionregistration::v1::NamedRuleWithOperations;
use kuma_workload_rulebook::admission::{TEMPLATE_KINDS, TemplateKind};

use super::{
    cel::{any, list, text},
    pod,
    policy::resources,
    variables::Variables,
};

/// The resources with a Pod template: a rule for each API group and version.
pub(super) fn all_resources() -> Vec<NamedRuleWithOperations> {
    let by_version = grouped(|kind| kind.api_version);
    let rules = by_version.into_iter().map(|(api_version, kinds)| {
        let plurals: Vec<_> = kinds.iter().map(|kind| kind.plural).collect();
        resources(api_version, &plurals, &["CREATE", "UPDATE"])
    });
    rules.collect()
}

/// `pod` and `oldPod`: the template, and the template before the request.
pub(super) fn pods() -> Variables {
    pod::pods(|object| {
        let mut by_path = grouped(|kind| kind.template_path);
        let Some((path, _)) = by_path.pop() else {
            return object.to_owned();
        };
        let mut expression = String::new();
        for (path, kinds) in by_path {
            expression.push_str(&format!("{} ? {object}.{path} :\n", is_one_of(&kinds)));
        }
        format!("({expression}{object}.{path})")
    })
}

/// Whether the controller of an object is one whose template is judged itself.
pub(super) fn owner_is_judged() -> String {
    let pairs = TEMPLATE_KINDS.iter().filter_map(|kind| {
        let group = text(&format!("{}/", kind.group()));
        let (made, maker) = (text(kind.name), text(kind.made_by?));
        Some(format!(
            "request.kind.kind == {made} && owner.kind == {maker} && owner.apiVersion.startsWith({group})"
        ))
    });
    let pairs: Vec<_> = pairs.collect();
    format!(
        "object.metadata.?ownerReferences.orValue([]).exists(owner,\nowner.?controller.orValue(false) && ({}))",
        any(&pairs)
    )
}

/// Whether the object is of one of these kinds.
pub(super) fn is_one_of(kinds: &[&TemplateKind]) -> String {
    match kinds {
        [kind] => format!("request.kind.kind == {}", text(kind.name)),
        kinds => format!(
            "request.kind.kind in {}",
            list(kinds.iter().map(|kind| kind.name))
        ),
    }
}

/// All kinds, those together of which the same is said; the largest group is the last.
fn grouped(
    said: impl Fn(&'static TemplateKind) -> &'static str,
) -> Vec<(&'static str, Vec<&'static TemplateKind>)> {
    let mut groups: Vec<(&str, Vec<&TemplateKind>)> = Vec::new();
    for kind in TEMPLATE_KINDS {
        match groups.iter_mut().find(|(key, _)| *key == said(kind)) {
            Some((_, kinds)) => kinds.push(kind),
            None => groups.push((said(kind), vec![kind])),
        }
    }
    groups.sort_by_key(|(_, kinds)| kinds.len());
    groups
}
