//! Nobody sets the label `kuma.io/workload`: not on a Pod (A1), and not in a Pod template (A2).

use kuma_workload_rulebook::{
    admission::{EnforcementAction, Settings, TEMPLATE_KINDS, Updates},
    keys,
};

use super::{
    asked::{self, Subject},
    cel::text,
    pod,
    policy::{OnError, Policy, Rejection, Says, resources},
    sentence,
    settled::settled,
    template,
    variables::Variables,
};

/// The policy for Pods.
pub(super) fn of_pods(settings: &Settings<'_>) -> Policy {
    Policy {
        name: "kuma-workload-pod-label",
        description: "A1: nobody sets the label kuma.io/workload on a Pod.",
        on_error: OnError::Refuse,
        action: EnforcementAction::Deny,
        resources: vec![resources("v1", &["pods"], &["CREATE", "UPDATE"])],
        exempt: Vec::new(),
        variables: pod_variables(settings),
        validations: vec![Rejection {
            accepts: "!variables.isForged || variables.isSettled".to_owned(),
            says: Says::of(&asked::workload_label(Subject::Pod)),
        }],
    }
}

/// What the rules for Pods need: `isSettled` (A4), and `isForged` where A1 refuses what is not settled.
pub(super) fn pod_variables(settings: &Settings<'_>) -> Variables {
    let label = text(keys::WORKLOAD);
    let has_label = format!("{label} in variables.labels");
    let is_forged = match settings.updates {
        Updates::All => has_label,
        Updates::Membership => format!(
            "{has_label} &&\n!(variables.certainlyStays && \
             variables.labels[?{label}] == variables.oldLabels[?{label}])"
        ),
    };
    let mut variables = pod::pods(str::to_owned);
    variables
        .append(pod::metadata())
        .append(pod::membership(settings))
        .append(settled())
        .define("isForged", is_forged);
    variables
}

/// The policy for Pod templates.
pub(super) fn of_templates(settings: &Settings<'_>) -> Policy {
    let sentences = TEMPLATE_KINDS.iter().map(|kind| {
        let sentence = asked::workload_label(Subject::Template(kind));
        (template::is_one_of(&[kind]), sentence)
    });
    Policy {
        name: "kuma-workload-template-label",
        description: "A2: nobody sets the label kuma.io/workload in a Pod template.",
        on_error: OnError::Accept,
        action: EnforcementAction::Deny,
        resources: template::all_resources(),
        exempt: Vec::new(),
        variables: template_variables(settings),
        validations: vec![Rejection {
            accepts: "!variables.isForged || variables.isOwned".to_owned(),
            says: Says::Expression(sentence::choose(sentences.collect())),
        }],
    }
}

/// What the rules for Pod templates need: `isOwned`, and `isForged` where A2 refuses what is not owned.
pub(super) fn template_variables(settings: &Settings<'_>) -> Variables {
    let label = text(keys::WORKLOAD);
    let mut variables = template::pods();
    variables
        .append(pod::metadata())
        .append(pod::membership(settings))
        .define("isOwned", template::owner_is_judged())
        .define(
            "isForged",
            format!("{label} in variables.labels && !({label} in variables.oldLabels)"),
        );
    variables
}
