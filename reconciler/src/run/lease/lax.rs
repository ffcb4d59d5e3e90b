//! Reads a Lease that somebody may have edited by hand. What cannot be decoded counts as absent, so that
//! no edit keeps every replica from reading the Lease, and with that from writing it right again.
//!
//! The API server takes more than can be decoded here: `9999-12-31T23:59:59Z` is a time for it, say.

use k8s_openapi::{
    api::coordination::v1::{Lease, LeaseSpec},
    apimachinery::pkg::apis::meta::v1::ObjectMeta,
};
use kube::{
    Client, Error,
    core::{Request, Resource as _, params::GetParams},
};
use serde::{
    Deserialize, Deserializer,
    de::{DeserializeOwned, Error as _},
};
use serde_json::{Map, Value};

/// A Lease without what cannot be decoded.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct LaxLease(pub(super) Lease);

impl<'de> Deserialize<'de> for LaxLease {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut lease = Map::deserialize(deserializer)?;
        match lease.get_mut("spec") {
            Some(Value::Object(spec)) => {
                spec.retain(|field, value| decodes::<LeaseSpec>(field, value))
            }
            _ => drop(lease.remove("spec")),
        }
        // The rest of the metadata says which object it is: without it, nothing may be written.
        if let Some(Value::Object(metadata)) = lease.get_mut("metadata") {
            metadata.retain(|field, value| {
                field != "managedFields" || decodes::<ObjectMeta>(field, value)
            });
        }
        let lease = serde_json::from_value(Value::Object(lease));
        lease.map(Self).map_err(D::Error::custom)
    }
}

/// Whether a field of this type can be decoded.
fn decodes<T: DeserializeOwned>(field: &str, value: &Value) -> bool {
    let alone = Map::from_iter([(field.to_owned(), value.clone())]);
    serde_json::from_value::<T>(Value::Object(alone)).is_ok()
}

/// The requests for the Leases of a namespace.
pub(super) fn requests(namespace: &str) -> Request {
    Request::new(Lease::url_path(&(), Some(namespace)))
}

/// Reads a Lease. None if it does not exist.
///
/// # Errors
/// When the API server does not answer with a Lease.
pub(crate) async fn read_lease(
    client: &Client,
    namespace: &str,
    name: &str,
) -> Result<Option<Lease>, Error> {
    let request = requests(namespace).get(name, &GetParams::default());
    let request = request.map_err(Error::BuildRequest)?;
    match client.request::<LaxLease>(request).await {
        Err(Error::Api(status)) if status.is_not_found() => Ok(None),
        answer => answer.map(|lease| Some(lease.0)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;
    use serde_json::json;

    fn lease() -> Value {
        json!({
            "apiVersion": "coordination.k8s.io/v1",
            "kind": "Lease",
            "metadata": {
                "name": "kuma-workload", "uid": "a", "resourceVersion": "7",
                "managedFields": [{ "manager": "kubectl", "time": "2026-11-27T20:00:00Z" }],
            },
            "spec": {
                "holderIdentity": "me",
                "leaseDurationSeconds": 15,
                "leaseTransitions": 3,
                "acquireTime": "2026-11-27T20:00:00.000000Z",
                "renewTime": "2026-11-27T20:00:01.000000Z",
            },
        })
    }

    /// The field at this path alone is absent; all else stays.
    #[rstest]
    #[case::time_beyond_the_calendar("/spec/renewTime", json!("9999-12-31T23:59:59.999999Z"))]
    #[case::no_time("/spec/renewTime", json!("yesterday"))]
    #[case::time_of_another_type("/spec/renewTime", json!(7))]
    #[case::acquired_beyond_the_calendar("/spec/acquireTime", json!("9999-12-31T23:59:59.999999Z"))]
    #[case::acquired_at_no_time("/spec/acquireTime", json!(""))]
    #[case::duration_out_of_range("/spec/leaseDurationSeconds", json!(2_147_483_648_u64))]
    #[case::duration_of_another_type("/spec/leaseDurationSeconds", json!("15s"))]
    #[case::transitions_out_of_range("/spec/leaseTransitions", json!(1e30))]
    #[case::transitions_of_another_type("/spec/leaseTransitions", json!({}))]
    #[case::holder_of_another_type("/spec/holderIdentity", json!(["me"]))]
    #[case::spec_of_another_type("/spec", json!("none"))]
    #[case::written_beyond_the_calendar(
        "/metadata/managedFields",
        json!([{ "time": "9999-12-31T23:59:59Z" }])
    )]
    fn what_cannot_be_decoded_counts_as_absent(#[case] path: &str, #[case] value: Value) {
        let mut odd = lease();
        *odd.pointer_mut(path).unwrap() = value;
        let mut without = lease();
        let (parent, field) = path.rsplit_once('/').unwrap();
        let parent = without.pointer_mut(parent).unwrap();
        parent.as_object_mut().unwrap().remove(field).unwrap();

        serde_json::from_value::<Lease>(odd.clone()).unwrap_err();
        let LaxLease(read) = serde_json::from_value(odd).unwrap();
        assert_eq!(read, serde_json::from_value(without).unwrap());
    }

    #[rstest]
    #[case::right(lease())]
    #[case::without_spec(json!({
        "apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": { "uid": "a" },
    }))]
    fn what_can_be_decoded_stays(#[case] lease: Value) {
        let LaxLease(read) = serde_json::from_value(lease.clone()).unwrap();
        assert_eq!(read, serde_json::from_value(lease).unwrap());
    }

    /// Without the number of the version that was read, a write would replace any.
    #[rstest]
    #[case::version("/metadata/resourceVersion")]
    #[case::uid("/metadata/uid")]
    fn metadata_is_not_guessed(#[case] path: &str) {
        let mut odd = lease();
        *odd.pointer_mut(path).unwrap() = json!(7);
        serde_json::from_value::<LaxLease>(odd).unwrap_err();
    }
}
