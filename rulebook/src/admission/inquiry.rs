//! What the mesh rules find out about a Pod, with as few questions to the cluster as possible.

use std::cell::OnceCell;

use super::{
    cluster::{Cluster, ClusterAnswer},
    joins,
    pod_review::PodReview,
    settings::Settings,
};
use crate::{
    membership::{self, Membership},
    mesh::{self, ResolvedMesh},
    metadata::{Metadata, PodFacts},
};

/// A Pod or Pod template that the mesh rules judge, and the cluster that they ask. It asks for the
/// Namespace only if a rule needs it, and only once.
pub(super) struct Inquiry<'r, C> {
    pub(super) review: PodReview<'r>,
    pub(super) settings: &'r Settings<'r>,
    pub(super) cluster: &'r C,
    namespace: OnceCell<ClusterAnswer<Metadata<'static>>>,
}

impl<'r, C: Cluster> Inquiry<'r, C> {
    pub(super) fn new(review: PodReview<'r>, settings: &'r Settings<'r>, cluster: &'r C) -> Self {
        Self {
            review,
            settings,
            cluster,
            namespace: OnceCell::new(),
        }
    }

    /// The name of the object; empty for a template, whose Pods get names of their own.
    pub(super) fn own_name(&self) -> &'r str {
        &self.review.new.name
    }

    /// The labels and annotations of the Namespace.
    pub(super) fn namespace_metadata(&self) -> ClusterAnswer<&Metadata<'static>> {
        self.namespace
            .get_or_init(|| self.cluster.namespace(self.review.namespace))
            .as_ref()
            .map_err(Clone::clone)
    }

    /// The labels and annotations of the Namespace, if it was asked for and is there.
    pub(super) fn known_namespace(&self) -> Option<&Metadata<'static>> {
        self.namespace.get()?.as_ref().ok()
    }

    /// The mesh of a Pod, if it is meshed (I1, I2, M1).
    pub(super) fn mesh_of<'a>(
        &'a self,
        pod: &'a PodFacts<'_>,
    ) -> ClusterAnswer<Option<ResolvedMesh<'a>>> {
        let is_meshed = match membership::of_pod(pod) {
            Membership::Meshed => true,
            Membership::Unmeshed => false,
            Membership::AskNamespace(injected_where) => {
                injected_where.holds(self.namespace_metadata()?)
            }
        };
        if !is_meshed {
            return Ok(None);
        }
        let annotations = self.settings.mesh_annotations;
        Ok(Some(match mesh::named_by_pod(&pod.metadata, annotations) {
            Some(mesh) => mesh,
            None => mesh::of_namespace(self.namespace_metadata()?, annotations),
        }))
    }

    /// Whether the request makes the Pod join a mesh, where the Namespace decides (A8).
    pub(super) fn joins_in_namespace(&self) -> ClusterAnswer<bool> {
        let annotations = self.settings.mesh_annotations;
        let namespace = self.namespace_metadata()?;
        Ok(joins::in_namespace(&self.review, annotations, namespace))
    }
}
