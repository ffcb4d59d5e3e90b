//! A cluster that answers from a table.

use std::cell::RefCell;

use super::entries::{Entries, labels};
use crate::{
    admission::{
        cluster::{Cluster, ClusterAnswer, ClusterFailure, DataplaneFacts, ListQuestion},
        verdict::Objection,
        witness::{Step, Witness},
    },
    keys,
    metadata::{Metadata, PodFacts, Text},
};

/// A cluster with the meshes `default`, `mesh1`, `mesh2` and `mesh3`, and one Namespace. It records
/// what it is asked, and answers a list as the API server does with a label selector.
#[derive(Default)]
pub(in crate::admission) struct FakeCluster {
    namespace: Metadata<'static>,
    dataplanes: Vec<(DataplaneFacts, Option<&'static str>)>,
    pods: Vec<PodFacts<'static>>,
    failure: Option<ClusterFailure>,
    /// How many questions are answered before the failure.
    answers: usize,
    is_untouched: bool,
    asked: RefCell<Vec<String>>,
    told: RefCell<Vec<(&'static str, &'static str)>>,
}

impl FakeCluster {
    pub(in crate::admission) fn new(namespace_labels: Entries<'_>) -> Self {
        Self {
            namespace: Metadata {
                labels: labels(namespace_labels),
                ..Metadata::default()
            },
            ..Self::default()
        }
    }

    /// A cluster that fails the test if it is asked anything.
    pub(in crate::admission) fn untouched() -> Self {
        Self {
            is_untouched: true,
            ..Self::default()
        }
    }

    /// A cluster that answers every question with this failure.
    pub(in crate::admission) fn failing(failure: ClusterFailure) -> Self {
        Self {
            failure: Some(failure),
            ..Self::default()
        }
    }

    /// The same, but the first questions are answered.
    pub(in crate::admission) fn after(mut self, answers: usize, failure: ClusterFailure) -> Self {
        (self.answers, self.failure) = (answers, Some(failure));
        self
    }

    pub(in crate::admission) fn dataplane(
        mut self,
        name: &'static str,
        field: Option<&'static str>,
        label: Option<&'static str>,
    ) -> Self {
        let dataplane = DataplaneFacts {
            name: name.into(),
            mesh: field.map(Text::from),
        };
        self.dataplanes.push((dataplane, label));
        self
    }

    pub(in crate::admission) fn pod(
        mut self,
        name: &'static str,
        entries: Entries<'_>,
        finished: bool,
    ) -> Self {
        self.pods.push(PodFacts {
            name: name.into(),
            metadata: Metadata {
                labels: labels(entries),
                ..Metadata::default()
            },
            finished,
            ..PodFacts::default()
        });
        self
    }

    /// The Pod that was added last has the sidecar, and these annotations.
    pub(in crate::admission) fn with_sidecar(mut self, annotations: Entries<'_>) -> Self {
        if let Some(pod) = self.pods.last_mut() {
            pod.has_sidecar = true;
            pod.metadata.annotations = labels(annotations);
        }
        self
    }

    pub(in crate::admission) fn questions(&self) -> usize {
        self.asked.borrow().len()
    }

    pub(in crate::admission) fn lists(&self) -> usize {
        self.asked
            .borrow()
            .iter()
            .filter(|question| question.starts_with("list"))
            .count()
    }

    pub(in crate::admission) fn asked_without_selector(&self) -> bool {
        let asked = self.asked.borrow();
        let mut lists = asked.iter().filter(|question| question.starts_with("list"));
        lists.all(|question| question.ends_with("Any"))
    }

    /// The steps that it was told: the number of a rule, or the name of one that objects, and what came
    /// of it.
    pub(in crate::admission) fn told(&self) -> String {
        let told = self.told.take();
        let told: Vec<_> = told
            .iter()
            .map(|(rule, outcome)| format!("{rule} {outcome}"))
            .collect();
        told.join(", ")
    }

    fn ask<T>(&self, question: String, answer: T) -> ClusterAnswer<T> {
        assert!(
            !self.is_untouched,
            "a question that no rule needs: {question}"
        );
        let mut asked = self.asked.borrow_mut();
        asked.push(question);
        match &self.failure {
            Some(failure) if asked.len() > self.answers => Err(failure.clone()),
            _ => Ok(answer),
        }
    }
}

impl Witness for FakeCluster {
    fn step(&self, step: Step) {
        let told = (step.rule(), step.outcome().name());
        self.told.borrow_mut().push(told);
    }

    fn objects(&self, objection: &Objection, rejects: bool) {
        let outcome = if rejects { "rejects" } else { "warns" };
        let told = (objection.rule.name(), outcome);
        self.told.borrow_mut().push(told);
    }
}

impl Cluster for FakeCluster {
    fn namespace(&self, name: &str) -> ClusterAnswer<Metadata<'static>> {
        self.ask(format!("get Namespace {name}"), self.namespace.clone())
    }

    fn mesh_exists(&self, name: &str) -> ClusterAnswer<bool> {
        let exists = ["default", "mesh1", "mesh2", "mesh3"].contains(&name);
        self.ask(format!("get Mesh {name}"), exists)
    }

    fn dataplanes(&self, question: ListQuestion<'_>) -> ClusterAnswer<Vec<DataplaneFacts>> {
        let selected = self
            .dataplanes
            .iter()
            .filter(|(_, label)| question.selector.selects(*label));
        let answer = selected.map(|(dataplane, _)| dataplane.clone()).collect();
        self.ask(format!("list Dataplane {:?}", question.selector), answer)
    }

    fn pods(&self, question: ListQuestion<'_>) -> ClusterAnswer<Vec<PodFacts<'static>>> {
        let selected = self.pods.iter().filter(|pod| {
            let label = pod.metadata.labels.get(keys::MESH);
            label.is_some() && question.selector.selects(label)
        });
        let answer = selected.cloned().collect();
        self.ask(format!("list Pod {:?}", question.selector), answer)
    }
}
