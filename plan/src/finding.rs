//! What the plan has to say: stable codes, how grave they are, and sentences.

use serde::Serialize;

use super::read::{Place, tree::Position};

/// How grave a finding is. The worst comes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Something is or will be refused, or a Workload is not made.
    Error,
    /// Something is not as it should be, or the plan could not see all.
    Warning,
    /// Worth knowing.
    Note,
}

impl Severity {
    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
            Self::Note => "note",
        }
    }
}

/// Which findings count.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum FailOn {
    /// Errors.
    Error,
    /// Errors and warnings.
    #[default]
    Warning,
    /// None.
    Never,
}

impl FailOn {
    /// All of them, with their names and what counts.
    pub const ALL: [(Self, &str, &str); 3] = [
        (Self::Error, "error", "Errors"),
        (Self::Warning, "warning", "Errors and warnings"),
        (Self::Never, "never", "None"),
    ];

    /// Whether findings of this severity do.
    pub fn counts(self, severity: Severity) -> bool {
        match self {
            Self::Error => severity == Severity::Error,
            Self::Warning => severity <= Severity::Warning,
            Self::Never => false,
        }
    }
}

/// What faults are called where findings have their codes.
pub(crate) const BAD_INPUT: &str = "bad-input";

macro_rules! codes {
    ($($(#[doc = $meaning:literal])+ $code:ident = $name:literal,)+) => {
        /// What a finding is about: the names are stable.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
        #[serde(rename_all = "kebab-case")]
        pub enum Code {
            $($(#[doc = $meaning])+ $code,)+
        }

        impl Code {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$code),+];

            /// Its name.
            pub fn name(self) -> &'static str {
                match self {
                    $(Self::$code => $name,)+
                }
            }
        }
    };
}

codes! {
    /// A name that no Mesh can have (M4).
    BadMeshName = "bad-mesh-name",
    /// A name that no Workload can have (W5).
    BadName = "bad-name",
    /// Proxies of several meshes refer to one Workload (L7, L8).
    Conflict = "conflict",
    /// Copies from other zones, which count nowhere (section 7).
    CopiesNotCounted = "copies-not-counted",
    /// An object is given twice.
    Duplicate = "duplicate",
    /// A Pod or template sets the label `kuma.io/workload` (A1, A2).
    ForgedLabel = "forged-label",
    /// Somebody else manages a Workload that is referred to (L6).
    Foreign = "foreign",
    /// An annotation `kuma.io/workload` on a Pod or template (W7).
    IdleAnnotation = "idle-annotation",
    /// A MeshIdentity gives proxies no SPIFFE ID (ID3).
    IdentityFault = "identity-fault",
    /// A MeshIdentity's template is richer than what is evaluated here (ID3).
    IdentityNotEvaluated = "identity-not-evaluated",
    /// A kind with a Pod template that is not judged (A2).
    KindNotJudged = "kind-not-judged",
    /// A Dataplane's label and field name different meshes (A6).
    MeshLabelDiffers = "mesh-label-differs",
    /// The API server does not know a kind.
    MissingCrd = "missing-crd",
    /// The API server does not let us read a kind.
    MissingGrant = "missing-grant",
    /// A Namespace is not among the manifests.
    NamespaceNotRead = "namespace-not-read",
    /// Dataplanes have no identifier (W8).
    NoIdentifier = "no-identifier",
    /// Nothing that was read is of a kind that matters here.
    NothingPlanned = "nothing-planned",
    /// Something is read otherwise than it looks.
    ReadOtherwise = "read-otherwise",
    /// The Pods of a template would be refused.
    RejectedPods = "rejected-pods",
    /// A Pod or template of another mesh than its Namespace's (A5 to A11, A17, A18).
    SecondMesh = "second-mesh",
    /// On Universal, one name in several meshes (U1).
    SeveralMeshes = "several-meshes",
    /// A Namespace has Pods of several meshes (L11, T3).
    SplitNamespace = "split-namespace",
    /// A Dataplane keeps an identifier that its Pod would not get today (W8).
    StaleIdentifier = "stale-identifier",
    /// A word for a switch that is neither on nor off (I1).
    SwitchWord = "switch-word",
    /// On Universal, an identifier is a tag and no label (W4).
    TagRead = "tag-read",
    /// Members of one mesh only, which their Namespace does not declare (A17).
    UndeclaredMesh = "undeclared-mesh",
    /// A mesh that does not exist (A16).
    UnknownMesh = "unknown-mesh",
    /// An object that was nearly of a kind that is read.
    UnknownObject = "unknown-object",
    /// Objects of the cluster that could not be read.
    Unread = "unread",
}

/// Something that the plan has to say.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Finding {
    /// How grave it is.
    pub severity: Severity,
    /// What it is about.
    pub code: Code,
    /// Where it stands, if it was read from a file.
    pub place: Option<Place>,
    /// What is found.
    pub message: String,
    /// What to do about it.
    pub remedy: String,
}

impl Finding {
    /// An error.
    pub fn error(code: Code, place: Option<Place>, message: String, remedy: String) -> Self {
        Self {
            severity: Severity::Error,
            code,
            place,
            message,
            remedy,
        }
    }

    /// A warning.
    pub fn warning(code: Code, place: Option<Place>, message: String, remedy: String) -> Self {
        Self {
            severity: Severity::Warning,
            ..Self::error(code, place, message, remedy)
        }
    }

    /// A note.
    pub fn note(code: Code, place: Option<Place>, message: String, remedy: String) -> Self {
        Self {
            severity: Severity::Note,
            ..Self::error(code, place, message, remedy)
        }
    }
}

/// The same file at another position, if that is known.
pub(crate) fn place_at(place: Option<&Place>, at: Option<Position>) -> Option<Place> {
    let mut place = place?.clone();
    if let Some(at) = at {
        place.at = at;
    }
    Some(place)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_what_is_serialized() {
        for code in Code::ALL {
            let json = serde_json::to_string(code).unwrap();
            assert_eq!(json, format!("{:?}", code.name()));
        }
    }
}
