//! The Kubewarden policy: opens the rulebook to Kubernetes admission.
//!
//! Three guest functions stand behind the waPC protocol: `validate`, `validate_settings` and
//! `protocol_version`. policy-server makes a new instance for each request, so nothing is prepared
//! here beyond their names.

pub mod cluster;
mod facts;
mod host_error;
mod object;
mod path;
mod request;
mod resource;
mod response;
mod unchanged;
mod unreadable;
mod view;

use kubewarden_policy_sdk::protocol_version_guest;
use kuma_workload_rulebook::admission::{Settings, judge};
use wapc_guest::{CallResult, host_call, register_function};

use crate::{cluster::HostCluster, unreadable::Unreadable};

/// Called by the host when it makes an instance.
#[unsafe(no_mangle)]
pub extern "C" fn wapc_init() {
    register_function("validate", validate);
    register_function("validate_settings", validate_settings);
    register_function("protocol_version", protocol_version_guest);
}

/// Guest function `validate`: an admission request and the settings in, a verdict out.
///
/// # Errors
///
/// None but that the response cannot be written; what cannot be read is rejected.
pub fn validate(payload: &[u8]) -> CallResult {
    let cluster = HostCluster::new(|operation: &str, question: &[u8]| {
        host_call("kubewarden", "kubernetes", operation, question)
            .map_err(|error| error.to_string())
    });
    answer(payload, &cluster)
}

/// Guest function `validate_settings`: a settings document in, all that is wrong with it out.
///
/// # Errors
///
/// None but that the response cannot be written.
pub fn validate_settings(payload: &[u8]) -> CallResult {
    let faults = match request::read_settings(payload) {
        Ok(given) => Settings::read(given).err().map(|faults| faults.to_string()),
        Err(unreadable) => Some(unreadable.to_string()),
    };
    response::settings(faults)
}

/// What `validate` answers with the cluster given; the door's tests and the fuzzer come in here.
///
/// # Errors
///
/// As [`validate`].
pub fn answer<H>(payload: &[u8], cluster: &HostCluster<H>) -> CallResult
where
    H: Fn(&str, &[u8]) -> Result<Vec<u8>, String>,
{
    let verdict = request::read(payload).and_then(|payload| {
        let settings = Settings::read(payload.settings).map_err(Unreadable::Settings)?;
        match payload.request {
            Some(envelope) => {
                let request = facts::facts(envelope, &settings)?;
                Ok(judge(&request, &settings, cluster))
            }
            None => Ok(Default::default()),
        }
    });
    match verdict {
        Ok(verdict) => response::verdict(verdict),
        Err(unreadable) => response::unreadable(&unreadable),
    }
}
