//! What was read and is not planned: counted, and told where somebody would miss it.

use kuma_workload_rulebook::quoted::Quoted;

use super::{
    finding::{Code, Finding},
    inventory::{Inventory, full_name},
    manifest::{KindName, Named, Skipped},
    report::SkippedKind,
};

/// How many objects that is.
pub(crate) fn count(inventory: &Inventory) -> usize {
    let skipped = inventory.skipped.values().map(|skipped| skipped.count);
    skipped.sum::<usize>() + inventory.elsewhere
}

/// The kinds that do not matter here.
pub(crate) fn kinds(inventory: &Inventory) -> Vec<SkippedKind> {
    let kinds = inventory.skipped.iter();
    kinds
        .map(|(kind, skipped)| SkippedKind {
            api_version: kind.api_version.as_deref().map(str::to_owned),
            kind: kind.kind.as_deref().map(str::to_owned),
            count: skipped.count,
        })
        .collect()
}

/// What there is to say of it, beside these other findings.
pub(crate) fn notes(inventory: &Inventory, others: &[Finding]) -> Vec<Finding> {
    let kinds = inventory.skipped.iter();
    kinds
        .filter_map(|(kind, skipped)| not_judged(kind, skipped))
        .chain(copies(inventory))
        .chain(nothing_planned(inventory, others))
        .collect()
}

/// The policy judges the templates of seven kinds; of the Pods of others it sees each when it comes
/// (A2).
fn not_judged(kind: &KindName, skipped: &Skipped) -> Option<Finding> {
    let (count, first) = skipped.with_template.as_ref()?;
    let objects = match count {
        1 => "an object".to_owned(),
        count => format!("{count} objects"),
    };
    Some(Finding::note(
        Code::KindNotJudged,
        first.clone(),
        format!(
            "{objects} of kind {} with a Pod template: admission does not judge the template, only \
             the Pods that come of it, and these are not planned",
            shown(kind)
        ),
        "give the Pods that come of it".to_owned(),
    ))
}

/// A kind, for a sentence.
fn shown(kind: &KindName) -> String {
    let name = kind.kind.as_deref().unwrap_or_default();
    match &kind.api_version {
        Some(api_version) => Quoted(&format!("{api_version} {name}")).to_string(),
        None => Quoted(name).to_string(),
    }
}

/// Dataplanes and Workloads that other zones sent to this control plane (section 7).
fn copies(inventory: &Inventory) -> Option<Finding> {
    let dataplanes = inventory.dataplanes.values();
    let dataplanes = dataplanes
        .filter(|one| !one.is_local())
        .map(|one| &one.named);
    let of_universal = inventory.universal_dataplanes.values();
    let of_universal = of_universal
        .filter(|one| !one.is_local())
        .map(|one| &one.named);
    let workloads = inventory.workloads.values();
    let workloads = workloads
        .filter(|one| !one.is_local())
        .map(|one| &one.named);
    let workloads_of_universal = inventory.universal_workloads.values();
    let workloads_of_universal = workloads_of_universal
        .filter(|one| !one.is_local())
        .map(|one| &one.named);
    let mut dataplanes = dataplanes.chain(of_universal).peekable();
    let mut workloads = workloads.chain(workloads_of_universal).peekable();
    let first: &Named = dataplanes.peek().copied().or(workloads.peek().copied())?;
    let name = full_name(first);
    let place = first.place.clone();
    Some(Finding::note(
        Code::CopiesNotCounted,
        place,
        format!(
            "copies from other zones, which count nowhere here: {} (the first is {name})",
            listed([
                (dataplanes.count(), "Dataplane"),
                (workloads.count(), "Workload")
            ])
        ),
        "plan each zone by what its own control plane has".to_owned(),
    ))
}

/// `2 Dataplanes and 1 Workload`.
fn listed(counts: [(usize, &str); 2]) -> String {
    let counts = counts.iter().filter(|(count, _)| *count > 0);
    let counts: Vec<_> = counts
        .map(|(count, what)| match count {
            1 => format!("1 {what}"),
            count => format!("{count} {what}s"),
        })
        .collect();
    counts.join(" and ")
}

/// Only what does not matter here was read.
fn nothing_planned(inventory: &Inventory, others: &[Finding]) -> Option<Finding> {
    let is_told = !inventory.faults.is_empty() || !others.is_empty();
    if inventory.live || inventory.is_empty() || inventory.read > 0 || is_told {
        return None;
    }
    let of_namespace = match inventory.elsewhere {
        0 => "",
        _ => " in this namespace",
    };
    let what = match count(inventory) {
        0 => "no object was read".to_owned(),
        1 => format!("1 object was read, and it is of no kind that is planned{of_namespace}"),
        count => {
            format!(
                "{count} objects were read, and none is of a kind that is planned{of_namespace}"
            )
        }
    };
    Some(Finding::note(
        Code::NothingPlanned,
        None,
        what,
        "give Pods, what makes them, Namespaces, or what Kuma has; -v lists the kinds that were skipped"
            .to_owned(),
    ))
}
