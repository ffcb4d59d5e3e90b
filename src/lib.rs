//! The Kubewarden policy: it applies the rulebook to admission requests.
//!
//! A host calls three guest functions through waPC: `validate`, `validate_settings` and
//! `protocol_version`. policy-server creates a new instance for each request, so an instance
//! prepares nothing.

#![deny(unsafe_code)]

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
#[cfg(target_family = "wasm")]
#[allow(unsafe_code)]
mod wapc;

use kuma_workload_rulebook::admission::{Settings, judge};

use crate::{cluster::HostCluster, proof::Proof, unreadable::Unreadable};

pub use response::GuestResult;

/// Calls a guest function by its name. A guest function asks the cluster by `host_call`, which takes
/// the operation and the payload, and returns the answer or an error message.
///
/// # Errors
///
/// If there is no such function, or its response cannot be written.
pub fn guest_function<H>(name: &[u8], payload: &[u8], host_call: H) -> GuestResult
where
    H: Fn(&str, &[u8]) -> Result<Vec<u8>, String>,
{
    match name {
        b"validate" => validate(payload, host_call),
        b"validate_settings" => validate_settings(payload),
        b"protocol_version" => Ok(br#""v1""#.to_vec()),
        _ => Err("this policy has no such function"),
    }
}

/// The guest function `validate`: takes an admission request and the settings, and returns a
/// verdict. A request that cannot be read is rejected.
///
/// # Errors
///
/// If the response cannot be written.
pub fn validate<H>(payload: &[u8], host_call: H) -> GuestResult
where
    H: Fn(&str, &[u8]) -> Result<Vec<u8>, String>,
{
    let verdict = request::read(payload).and_then(|payload| {
        let settings = Settings::read(payload.settings).map_err(Unreadable::Settings)?;
        match payload.request {
            Some(envelope) => {
                let request = facts::facts(envelope, &settings)?;
                let cluster = HostCluster::new(host_call, Proof::of(&settings, &request));
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

/// The guest function `validate_settings`: takes a settings document, and returns everything that
/// is wrong with it.
///
/// # Errors
///
/// If the response cannot be written.
pub fn validate_settings(payload: &[u8]) -> GuestResult {
    let faults = match request::read_settings(payload) {
        Ok(given) => Settings::read(given).err().map(|faults| faults.to_string()),
        Err(unreadable) => Some(unreadable.to_string()),
    };
    response::settings(faults)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case::protocol_version("protocol_version", Ok(r#""v1""#))]
    #[case::settings("validate_settings", Ok(r#"{"valid":true,"message":null}"#))]
    #[case::unknown("mutate", Err("this policy has no such function"))]
    #[case::in_part("validate_", Err("this policy has no such function"))]
    fn guest_functions_are_called_by_name(
        #[case] name: &str,
        #[case] result: Result<&str, &'static str>,
    ) {
        let unreachable = |_: &str, _: &[u8]| Err("nothing is asked".to_owned());
        let answered = guest_function(name.as_bytes(), b"{}", unreachable);
        assert_eq!(answered, result.map(|text| text.as_bytes().to_vec()));
    }
}
