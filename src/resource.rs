//! The kinds of objects that the policy asks the host for.

/// A kind that the policy asks for.
#[derive(Debug)]
pub(crate) struct Resource {
    pub(crate) api_version: &'static str,
    pub(crate) kind: &'static str,
    /// The name of the resource, with its API group.
    pub(crate) plural: &'static str,
}

impl Resource {
    /// The name of the resource and its API group, which is empty for the core group.
    pub(crate) fn plural_and_group(&self) -> (&'static str, &'static str) {
        self.plural.split_once('.').unwrap_or((self.plural, ""))
    }

    /// Whether the kind is one of Kuma's.
    pub(crate) fn is_kumas(&self) -> bool {
        self.plural.ends_with(".kuma.io")
    }
}

pub(crate) const NAMESPACE: Resource = Resource {
    api_version: "v1",
    kind: "Namespace",
    plural: "namespaces",
};

pub(crate) const POD: Resource = Resource {
    api_version: "v1",
    kind: "Pod",
    plural: "pods",
};

pub(crate) const MESH: Resource = Resource {
    api_version: "kuma.io/v1alpha1",
    kind: "Mesh",
    plural: "meshes.kuma.io",
};

pub(crate) const DATAPLANE: Resource = Resource {
    api_version: "kuma.io/v1alpha1",
    kind: "Dataplane",
    plural: "dataplanes.kuma.io",
};

/// What `can_i` creates. The policy names no version and kind of it, since the host does.
pub(crate) const SUBJECT_ACCESS_REVIEW: Resource = Resource {
    api_version: "",
    kind: "",
    plural: "subjectaccessreviews",
};
