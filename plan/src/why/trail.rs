//! The witness of a judgement.

use std::cell::RefCell;

use kuma_workload_rulebook::admission::{Objection, Rule, Step, Witness};

use super::walk::Entry;

/// What a judgement tells, step by step.
#[derive(Debug)]
pub(crate) struct Trail {
    is_template: bool,
    entries: RefCell<Vec<Entry>>,
}

impl Trail {
    /// One for the judgement of a template, or of a Pod.
    pub(crate) fn new(is_template: bool) -> Self {
        Self {
            is_template,
            entries: RefCell::default(),
        }
    }

    /// What it was told.
    pub(crate) fn into_entries(self) -> Vec<Entry> {
        self.entries.into_inner()
    }

    /// The number of a rule that objects.
    fn number(&self, rule: Rule) -> &'static str {
        match rule.numbers() {
            [_, of_templates] if rule == Rule::WorkloadLabel && self.is_template => of_templates,
            [number, ..] => number,
            [] => "",
        }
    }
}

impl Witness for Trail {
    fn step(&self, step: Step) {
        self.entries.borrow_mut().push(Entry::Step(step));
    }

    fn objects(&self, objection: &Objection, rejects: bool) {
        self.entries.borrow_mut().push(Entry::Objection {
            number: self.number(objection.rule),
            rule: objection.rule,
            rejects,
            sentence: objection.message.clone(),
        });
    }
}
