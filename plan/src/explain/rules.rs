//! What each rule says, by its number: the tables of `docs/rules.md`.

/// The rules of a kind.
#[derive(Debug, Clone, Copy)]
pub struct Section {
    /// The heading of its table in the documentation.
    pub title: &'static str,
    /// Its rules, in the order of their numbers.
    pub rules: &'static [NumberedRule],
}

/// A rule.
#[derive(Debug, Clone, Copy)]
pub struct NumberedRule {
    /// Its number.
    pub number: &'static str,
    /// What it says, in Markdown.
    pub says: &'static str,
    /// Whether it is Kuma's own; empty where that is no question.
    pub kuma: &'static str,
}

const fn rule(number: &'static str, says: &'static str, kuma: &'static str) -> NumberedRule {
    NumberedRule { number, says, kuma }
}

/// Kuma's own.
const SAME: &str = "same";
/// Kuma's own, and something beside it.
const MORE: &str = "same, and more";
/// This project decides otherwise, on purpose.
const OTHER: &str = "other";
/// It is about this project alone.
const NONE: &str = "";

/// All rules. `KUMA_WORKLOAD_REWRITE=1 cargo test --test docs` writes them into the documentation.
#[rustfmt::skip]
pub const SECTIONS: &[Section] = &[
    Section {
        title: "Mesh of a Pod (M)",
        rules: &[
            rule("M1", "The Pod's label `kuma.io/mesh`, else the Namespace's, else `default`. An empty value counts as none.", SAME),
            rule("M2", "Kuma 2 also reads the annotation of that name, after the label. Kuma 3 does not. Setting `legacyMeshAnnotations`.", SAME),
            rule("M3", "The injector writes the mesh as a label on each Pod that it injects.", SAME),
            rule("M4", "A value that no mesh can have as its name is refused with a sentence.", OTHER),
        ],
    },
    Section {
        title: "Membership (I)",
        rules: &[
            rule("I1", "A Pod is meshed if a Dataplane will be made for it, or if it asks for one: a builtin gateway, an injected Pod, one with the sidecar, one that Kuma will inject, or one that names a mesh by its label.", MORE),
            rule("I2", "The mesh rule judges meshed Pods only.", OTHER),
            rule("I3", "A Pod whose own injection label is off is not meshed, unless it says by other marks that it is a proxy.", SAME),
            rule("I4", "*pods* judges the namespaces with the key `kuma.io/sidecar-injection`, and *strays* the others, there only Pods with Kuma's marks.", OTHER),
            rule("I5", "The annotations `kuma.io/ingress` and `kuma.io/egress` say nothing about membership.", OTHER),
            rule("I6", "Words that do not do what they look like are told as warnings.", OTHER),
        ],
    },
    Section {
        title: "Workload's name (W)",
        rules: &[
            rule("W1", "The first label of `workloadLabels` that the Pod has with a value is the name.", SAME),
            rule("W2", "Otherwise the ServiceAccount's name is it, or `default`.", SAME),
            rule("W3", "`workloadLabels` is empty by default. The annotation `kuma.io/workload` of a Pod is never read.", SAME),
            rule("W4", "On Universal, the Dataplane's own label `kuma.io/workload` is the name. Offline, an inbound's tag is taken where the label is missing, with a warning.", OTHER),
            rule("W5", "A name that no object can have is reported once, and not tried again and again.", OTHER),
            rule("W6", "The Workload has exactly that name.", SAME),
            rule("W7", "Admission warns of the annotation `kuma.io/workload`, since it has no effect. `--pod-annotation honor` lets it count where this project computes names.", OTHER),
            rule("W8", "The name is read from the Dataplane. `--identifiers pods` computes it from the Pod, for control planes before 2.13.", OTHER),
        ],
    },
    Section {
        title: "Admission (A)",
        rules: &[
            rule("A0", "Operations but CREATE and UPDATE, and sub-resources, are not judged, Workloads apart.", SAME),
            rule("A1", "A Pod with the label `kuma.io/workload` is refused.", SAME),
            rule("A2", "So is a Pod template with it, when it is applied.", OTHER),
            rule("A3", "The annotation of that name is accepted, with a warning.", MORE),
            rule("A4", "A Pod being deleted, and an UPDATE that changes nothing that matters, are accepted.", OTHER),
            rule("A5", "The mesh rule: a Pod is refused if the namespace has a Dataplane of another mesh. Off by default.", SAME),
            rule("A6", "The Dataplane's field `mesh` decides, not its label.", OTHER),
            rule("A7", "A Dataplane that a predecessor of the same name left does not count on CREATE. A finished Pod does not count.", OTHER),
            rule("A8", "`updates: membership` judges only an UPDATE that brings the Pod into a mesh.", OTHER),
            rule("A9", "`action: warn` accepts, with the same sentence as a warning.", OTHER),
            rule("A10", "Pods count as well as Dataplanes (`considerPods`).", OTHER),
            rule("A11", "The mesh rule on Pod templates: a warning under `observed`, a refusal under `declared`.", OTHER),
            rule("A12", "A Namespace cannot change its mesh while something of another mesh is in it.", OTHER),
            rule("A13", "A question to the cluster that fails has one of four outcomes, each with a sentence. `grants` says how a grant is made sure of.", OTHER),
            rule("A14", "What cannot be read is refused with 400. Unknown kinds are accepted.", OTHER),
            rule("A15", "Running objects can be audited.", OTHER),
            rule("A16", "A mesh that does not exist is refused, under `observed`.", OTHER),
            rule("A17", "`namespaceMesh: declared`: the Namespace's own label is the law.", OTHER),
            rule("A18", "`alreadySplit: warn` lets in a Pod that brings no mesh which is not there already.", OTHER),
            rule("A19", "`kube-system` and `systemNamespaces` are exempt from the rules on meshes.", OTHER),
            rule("A20", "`meshNamespaces` says which namespaces may be in which mesh.", OTHER),
            rule("A21", "A Namespace in use that stops to inject gets a warning.", OTHER),
            rule("A22", "`kuma-workload vap` prints the same for the API server itself, of what needs no list.", OTHER),
        ],
    },
    Section {
        title: "Protection of Workloads (P)",
        rules: &[
            rule("P1", "Only `workloadManagers` may create, change or delete Workloads. The setting is `protectWorkloads`.", OTHER),
            rule("P2", "Requests without a user, pure bookkeeping, and Workloads being deleted are accepted.", OTHER),
        ],
    },
    Section {
        title: "Lifecycle (L)",
        rules: &[
            rule("L1", "No Dataplane refers to the name, and no Workload exists: nothing.", SAME),
            rule("L2", "No Dataplane refers to it, and the Workload is ours: it is deleted.", SAME),
            rule("L3", "No Dataplane refers to it, and the Workload is somebody else's: it is left.", SAME),
            rule("L4", "Dataplanes of one mesh refer to it, and it does not exist: it is created.", SAME),
            rule("L5", "It exists and is ours or nobody's: its labels are made right.", SAME),
            rule("L6", "It exists and is somebody else's: it is left, and reported.", OTHER),
            rule("L7", "Dataplanes of several meshes refer to it, and it does not exist: none is created.", SAME),
            rule("L8", "The same, and it exists: it is left as it is.", SAME),
            rule("L9", "A conflict is a Warning event in the namespace that it is in.", OTHER),
            rule("L10", "Events are sent when something changes, and every 10 minutes while it lasts.", OTHER),
            rule("L11", "Workloads of several meshes in a namespace, without a shared name: all are made, and a warning is reported.", MORE),
            rule("L12", "What moves from one workload or mesh to another is put right on both sides. An old Mesh is removed as owner.", OTHER),
            rule("L13", "A Dataplane being deleted counts until it is gone. A Workload that is deleted by hand comes back.", SAME),
            rule("L14", "A change costs the same in any namespace.", OTHER),
            rule("L15", "Each write carries what it was decided upon, and each refusal is handled by its meaning.", OTHER),
            rule("L16", "Only Workloads that are ours or nobody's are written.", OTHER),
            rule("L17", "Modes `manage`, `observe` and `auto`. `auto` leaves Workloads to a control plane that manages them.", OTHER),
            rule("L18", "Kuma's definitions are never installed, changed or replaced where they exist.", OTHER),
            rule("L19", "Nothing is deleted on a stale view: Dataplanes are listed once more before.", OTHER),
            rule("L20", "Each Workload is looked at again once in `--resync`, and each watch is compared with the server.", OTHER),
            rule("L21", "Reads are consistent, and a restore of etcd is noticed.", OTHER),
            rule("L22", "What fails is tried again ever more slowly, and writes have a rate.", OTHER),
            rule("L23", "Nothing stalls in silence: timeouts, the age of watches, readiness.", OTHER),
        ],
    },
    Section {
        title: "Status (S)",
        rules: &[
            rule("S1", "`total`: the Dataplanes of the same namespace and mesh.", OTHER),
            rule("S2", "`connected`: those whose insight shows a connection that has not ended.", SAME),
            rule("S3", "`healthy`: those with a ready inbound; without inbounds, a ready listener; without either, those that are connected.", OTHER),
            rule("S4", "Numbers are written only where they change and where the Workload is ours.", OTHER),
            rule("S5", "Both definitions of Workload work: Kuma's, and ours with columns and a status sub-resource.", OTHER),
            rule("S6", "During a conflict, the numbers are those of the mesh that the Workload's label names.", OTHER),
            rule("S7", "The right numbers can be had in every mode, by `status` and by a metric.", OTHER),
        ],
    },
    Section {
        title: "Universal (U)",
        rules: &[
            rule("U1", "One Workload for each mesh and name. The same name in two meshes is reported.", MORE),
            rule("U2", "Bad names are skipped and reported once. Only Workloads of `workload-generator` are proposed for deletion.", OTHER),
        ],
    },
    Section {
        title: "MeshIdentity (ID)",
        rules: &[
            rule("ID1", "The default paths and trust domain of a SPIFFE ID.", SAME),
            rule("ID2", "Of several MeshIdentities the best match counts: most labels, then the smaller name.", SAME),
            rule("ID3", "`plan` says where a proxy would get no identity, before it connects.", OTHER),
            rule("ID4", "The example of the Workload page gives the ID that the page says.", SAME),
        ],
    },
    Section {
        title: "What people run (T)",
        rules: &[
            rule("T1", "The page's command for Warning events finds the conflict's event.", NONE),
            rule("T2", "`plan` shows each Pod with its mesh and workload, and where they come from.", NONE),
            rule("T3", "`plan` says which Pods should move.", NONE),
            rule("T4", "`status` shows each Workload as Kuma reports it and as it is.", NONE),
            rule("T5", "Meshes are looked up by label: `kubectl get pods -n NS -L kuma.io/mesh`.", NONE),
            rule("T6", "`plan --target kuma3` finds what Kuma 3 changes in silence.", NONE),
            rule("T7", "Several applications under the default ServiceAccount are one workload: a note.", NONE),
            rule("T8", "The page's own examples are in `examples/page`, and are tests.", NONE),
        ],
    },
];
