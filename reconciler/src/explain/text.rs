//! An explanation for people: the answer in the first line, then the details.

use std::fmt::{self, Display};

use kuma_workload_rulebook::quoted::printable;

use super::{Explanation, KnownWorkload, LeaseState, NamespaceState, ReconcilerState};
use crate::crd::DataplaneProxies;

impl Display for Explanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}\n", one_line(&self.answer))?;
        let details = self.details();
        let width = details.iter().map(|(label, _)| label.len()).max();
        let width = width.unwrap_or_default() + 1;
        for (label, text) in details {
            let label = format!("{label}:");
            writeln!(f, "{label:width$} {}", one_line(&text))?;
        }
        Ok(())
    }
}

impl Explanation {
    fn details(&self) -> Vec<(&'static str, String)> {
        let rules = self.rules.join(", ");
        let mut details = Vec::new();
        let mut add = |label, text| details.push((label, text));
        add(
            "Decision",
            match rules.is_empty() {
                true => self.decision.clone(),
                false => format!("{rules}: {}", self.decision),
            },
        );
        add("Dataplanes", self.dataplanes_text());
        for unreadable in &self.unreadable_dataplanes {
            add("Unreadable", unreadable.clone());
        }
        if !self.other_workloads.is_empty() {
            let others = self.other_workloads.join(", ");
            add("Namespace", format!("Dataplanes there refer to: {others}"));
        }
        let namespace = match self.namespace_state {
            NamespaceState::Present => None,
            NamespaceState::Terminating => Some("is being deleted"),
            NamespaceState::Missing => Some("does not exist"),
            NamespaceState::Unselected => Some("is not selected"),
        };
        if let Some(namespace) = namespace {
            add("Namespace", namespace.to_owned());
        }
        add(
            "Workload",
            self.workload
                .as_ref()
                .map_or_else(|| "none".to_owned(), |workload| workload.to_string()),
        );
        if let Some(reconciler) = &self.reconciler {
            reconciler.details(&mut add);
        }
        if let Some(lease) = &self.lease {
            add("Lease", lease.to_string());
        }
        if let Some(note) = &self.note {
            add("Note", note.clone());
        }
        details
    }

    fn dataplanes_text(&self) -> String {
        let meshes = self.dataplanes.iter().map(|(mesh, proxies)| {
            let DataplaneProxies {
                connected,
                healthy,
                total,
            } = proxies;
            format!("{total} in mesh {mesh} ({connected} connected, {healthy} healthy)")
        });
        let meshes: Vec<_> = meshes.collect();
        match meshes.is_empty() {
            true => "none refers to it".to_owned(),
            false => meshes.join("; "),
        }
    }
}

impl Display for KnownWorkload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.mesh {
            Some(mesh) => write!(f, "in mesh {mesh}")?,
            None => write!(f, "without the label kuma.io/mesh")?,
        }
        match &self.manager {
            Some(manager) => write!(f, ", managed by {manager}")?,
            None => write!(f, ", managed by nobody")?,
        }
        match &self.reported {
            Some(DataplaneProxies {
                connected,
                healthy,
                total,
            }) => write!(
                f,
                ", its status says {total} ({connected} connected, {healthy} healthy)"
            )?,
            None => write!(f, ", without numbers in its status")?,
        }
        match self.is_being_deleted {
            true => write!(f, ", being deleted"),
            false => Ok(()),
        }
    }
}

impl ReconcilerState {
    fn details(&self, add: &mut impl FnMut(&'static str, String)) {
        if let Some(next) = &self.next {
            let step = &next.step;
            add(
                "Next look",
                match next.due_in_seconds {
                    None => step.clone(),
                    Some(0) => format!("due now: {step}"),
                    Some(seconds) => format!("due in {}: {step}", length(seconds)),
                },
            );
        }
        if let Some(failure) = &self.last_failure {
            add("Last failure", failure.sentence.clone());
            let times = match failure.times {
                1 => "once".to_owned(),
                times => format!("{times} times in a row"),
            };
            let waits = match failure.waits_seconds {
                0 => "it may be tried again now".to_owned(),
                seconds => format!("it is not tried again for {}", length(seconds)),
            };
            let asked = failure
                .retry_after_seconds
                .map(|seconds| format!("; the API server has asked to wait {}", length(seconds)));
            add(
                "Backoff",
                format!("failed {times}; {waits}{}", asked.unwrap_or_default()),
            );
        }
        if let Some(fence) = &self.fence {
            add("Fence", format!("L19: {fence}"));
        }
        add("Mode", self.mode.clone());
        let leads = match self.leads {
            true => "leads",
            false => "is a standby, and only the leader knows of failures and fences",
        };
        add("Replica", format!("{} {leads}", self.replica));
        for line in &self.waiting_for {
            add("Watches", line.clone());
        }
        if let Some(seconds) = self.api_server_away_seconds {
            let away = length(seconds);
            add("API server", format!("has not answered for {away}"));
        }
    }
}

impl Display for LeaseState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.namespace, self.name)?;
        match (&self.holder, &self.unknown) {
            (Some(holder), _) => write!(f, " is held by {holder}")?,
            (None, Some(unknown)) => write!(f, ": {unknown}")?,
            (None, None) => write!(f, " is held by nobody")?,
        }
        match &self.renewed {
            Some(renewed) => write!(f, ", renewed {renewed}"),
            None => Ok(()),
        }
    }
}

/// A length of time, as `4m12s`.
pub(super) fn length(seconds: u64) -> String {
    let (hours, minutes, rest) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    let parts = [(hours, "h"), (minutes, "m"), (rest, "s")];
    let parts = parts.iter().filter(|(count, _)| *count > 0);
    let text: String = parts
        .map(|(count, unit)| format!("{count}{unit}"))
        .collect();
    match text.is_empty() {
        true => "0s".to_owned(),
        false => text,
    }
}

/// What others have written may break lines and control a terminal.
fn one_line(text: &str) -> String {
    let words: Vec<_> = text.split_whitespace().collect();
    printable(&words.join(" "))
}

#[cfg(test)]
mod tests;
