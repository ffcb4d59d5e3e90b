//! Records of Kubernetes' and Kuma's objects: only the fields that this program uses. The others are
//! skipped while reading, so that they cost neither time nor memory.
//!
//! Every field may be absent. A field of another type than Kuma's is the `fault` of its record, and
//! the reader reports it. The rest of the list is read all the same.

mod dataplane;
mod field_owners;
mod insight;
mod lax;
mod mesh;
mod metadata;
mod namespace;
mod pod;
mod record;
mod workload;

pub use self::{
    dataplane::DataplaneRecord,
    insight::InsightRecord,
    mesh::{MeshRecord, is_mesh, mesh_owners},
    metadata::{
        NamespacedName, annotation, label, name, names, namespace, namespaced_name, workload_key,
    },
    namespace::NamespaceRecord,
    pod::PodRecord,
    record::{API_VERSION, Record, RecordKind},
    workload::WorkloadRecord,
};
