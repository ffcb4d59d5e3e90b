//! What a policy can ask of the cluster.
//!
//! Variants and fields are named as in kwctl's replay sessions: both the serialised form and the
//! `Debug` form (which a replay mismatch quotes) are part of that format.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::wire::{
    CanIRequest, GetResourceRequest, ListAllResourcesRequest, ListResourcesByNamespaceRequest,
    SubjectAccessReview,
};

/// A question about the cluster, after both gates let it through.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Question {
    /// `kubernetes/list_resources_by_namespace`
    KubernetesListResourceNamespace {
        /// `v1`, or `group/version`.
        api_version: String,
        /// The kind, PascalCase.
        kind: String,
        /// Whose objects are listed.
        namespace: String,
        /// Label selector, as the API server reads it.
        label_selector: Option<String>,
        /// Field selector, as the API server reads it.
        field_selector: Option<String>,
        /// Fields to keep of each object's data.
        field_masks: Option<BTreeSet<String>>,
    },
    /// `kubernetes/list_resources_all`
    KubernetesListResourceAll {
        /// `v1`, or `group/version`.
        api_version: String,
        /// The kind, PascalCase.
        kind: String,
        /// Label selector, as the API server reads it.
        label_selector: Option<String>,
        /// Field selector, as the API server reads it.
        field_selector: Option<String>,
        /// Fields to keep of each object's data.
        field_masks: Option<BTreeSet<String>>,
    },
    /// `kubernetes/get_resource`
    KubernetesGetResource {
        /// `v1`, or `group/version`.
        api_version: String,
        /// The kind, PascalCase.
        kind: String,
        /// The object's name.
        name: String,
        /// Its namespace; absent for cluster-scoped kinds.
        namespace: Option<String>,
        /// Ask the API server even if a recent answer is at hand.
        disable_cache: bool,
        /// Fields to keep of the object's data.
        field_masks: Option<BTreeSet<String>>,
    },
    /// `kubernetes/can_i`
    KubernetesCanI {
        /// Who wants to do what.
        request: SubjectAccessReview,
        /// Ask the API server even if a recent answer is at hand.
        disable_cache: bool,
    },
}

impl Question {
    /// The host capability that this question uses.
    #[must_use]
    pub fn capability(&self) -> &'static str {
        match self {
            Self::KubernetesListResourceNamespace { .. } => {
                "kubernetes/list_resources_by_namespace"
            }
            Self::KubernetesListResourceAll { .. } => "kubernetes/list_resources_all",
            Self::KubernetesGetResource { .. } => "kubernetes/get_resource",
            Self::KubernetesCanI { .. } => "kubernetes/can_i",
        }
    }

    /// apiVersion and kind of what is read; none for `can_i`.
    #[must_use]
    pub fn resource(&self) -> Option<(&str, &str)> {
        match self {
            Self::KubernetesListResourceNamespace {
                api_version, kind, ..
            }
            | Self::KubernetesListResourceAll {
                api_version, kind, ..
            }
            | Self::KubernetesGetResource {
                api_version, kind, ..
            } => Some((api_version, kind)),
            Self::KubernetesCanI { .. } => None,
        }
    }

    /// Is it a list (and so a watch that the host never closes)?
    #[must_use]
    pub fn is_list(&self) -> bool {
        matches!(
            self,
            Self::KubernetesListResourceNamespace { .. } | Self::KubernetesListResourceAll { .. }
        )
    }

    /// Is it a get?
    #[must_use]
    pub fn is_get(&self) -> bool {
        matches!(self, Self::KubernetesGetResource { .. })
    }

    /// The name that a get asks for.
    #[must_use]
    pub fn name(&self) -> Option<&str> {
        match self {
            Self::KubernetesGetResource { name, .. } => Some(name),
            _ => None,
        }
    }

    /// The namespace that is asked about.
    #[must_use]
    pub fn namespace(&self) -> Option<&str> {
        match self {
            Self::KubernetesListResourceNamespace { namespace, .. } => Some(namespace),
            Self::KubernetesGetResource { namespace, .. } => namespace.as_deref(),
            Self::KubernetesListResourceAll { .. } | Self::KubernetesCanI { .. } => None,
        }
    }

    /// The label selector of a list.
    #[must_use]
    pub fn label_selector(&self) -> Option<&str> {
        match self {
            Self::KubernetesListResourceNamespace { label_selector, .. }
            | Self::KubernetesListResourceAll { label_selector, .. } => label_selector.as_deref(),
            _ => None,
        }
    }

    /// The field masks of a get or a list.
    #[must_use]
    pub fn field_masks(&self) -> Option<&BTreeSet<String>> {
        match self {
            Self::KubernetesListResourceNamespace { field_masks, .. }
            | Self::KubernetesListResourceAll { field_masks, .. }
            | Self::KubernetesGetResource { field_masks, .. } => field_masks.as_ref(),
            Self::KubernetesCanI { .. } => None,
        }
    }
}

impl From<ListResourcesByNamespaceRequest> for Question {
    fn from(request: ListResourcesByNamespaceRequest) -> Self {
        Self::KubernetesListResourceNamespace {
            api_version: request.api_version,
            kind: request.kind,
            namespace: request.namespace,
            label_selector: request.label_selector,
            field_selector: request.field_selector,
            field_masks: request.field_masks,
        }
    }
}

impl From<ListAllResourcesRequest> for Question {
    fn from(request: ListAllResourcesRequest) -> Self {
        Self::KubernetesListResourceAll {
            api_version: request.api_version,
            kind: request.kind,
            label_selector: request.label_selector,
            field_selector: request.field_selector,
            field_masks: request.field_masks,
        }
    }
}

impl From<GetResourceRequest> for Question {
    fn from(request: GetResourceRequest) -> Self {
        Self::KubernetesGetResource {
            api_version: request.api_version,
            kind: request.kind,
            name: request.name,
            namespace: request.namespace,
            disable_cache: request.disable_cache,
            field_masks: request.field_masks,
        }
    }
}

impl From<CanIRequest> for Question {
    fn from(request: CanIRequest) -> Self {
        Self::KubernetesCanI {
            request: request.subject_access_review,
            disable_cache: request.disable_cache,
        }
    }
}
