//! The Kubewarden policy: it applies the rulebook to admission requests.
//!
//! A host calls three guest functions through waPC: `validate`, `validate_settings` and
//! `protocol_version`. policy-server creates a new instance for each request, so an instance
//! registers these functions and prepares nothing else.

mod ask_error;
mod cluster;
mod facts;
mod object;
mod path;
mod payload;
mod proof;
mod request;
mod resource;
mod response;
mod review;
mod unchanged;
mod unreadable;
mod view;

use kubewarden_policy_sdk::protocol_version_guest;
use kuma_workload_rulebook::admission::{Settings, judge};
use wapc_guest::{CallResult, host_call, register_function};

use crate::{cluster::HostCluster, proof::Proof, unreadable::Unreadable};

/// The host calls this when it creates an instance.
#[unsafe(no_mangle)]
pub extern "C" fn wapc_init() {
    register_function("validate", validate);
    register_function("validate_settings", validate_settings);
    register_function("protocol_version", protocol_version_guest);
}

/// The guest function `validate`: takes an admission request and the settings, and returns a
/// verdict. A request that cannot be read is rejected.
///
/// # Errors
///
/// If the response cannot be written.
pub fn validate(payload: &[u8]) -> CallResult {
    answer(payload, |operation: &str, question: &[u8]| {
        host_call("kubewarden", "kubernetes", operation, question)
            .map_err(|error| error.to_string())
    })
}

/// The guest function `validate_settings`: takes a settings document, and returns everything that
/// is wrong with it.
///
/// # Errors
///
/// If the response cannot be written.
pub fn validate_settings(payload: &[u8]) -> CallResult {
    let faults = match request::read_settings(payload) {
        Ok(given) => Settings::read(given).err().map(|faults| faults.to_string()),
        Err(unreadable) => Some(unreadable.to_string()),
    };
    response::settings(faults)
}

/// The response of [`validate`] with a host call of the caller's choice, for tests and the fuzzer.
/// The host call takes the operation and the payload, and returns the answer or an error message.
///
/// # Errors
///
/// If the response cannot be written.
pub fn answer<H>(payload: &[u8], call: H) -> CallResult
where
    H: Fn(&str, &[u8]) -> Result<Vec<u8>, String>,
{
    let verdict = request::read(payload).and_then(|payload| {
        let settings = Settings::read(payload.settings).map_err(Unreadable::Settings)?;
        match payload.request {
            Some(envelope) => {
                let request = facts::facts(envelope, &settings)?;
                let cluster = HostCluster::new(call, Proof::of(&settings, &request));
                Ok(judge(&request, &settings, &cluster))
            }
            None => Ok(Default::default()),
        }
    });
    match verdict {
        Ok(verdict) => response::verdict(verdict),
        Err(unreadable) => response::unreadable(&unreadable),
    }
}
