//! The identity of this process: the holder of the Lease, and the `reportingInstance` of its events.

use std::{env, fs};

/// The longest `reportingInstance` that the API server accepts, in bytes.
const MAX_BYTES: usize = 128;

/// An identity that no other process has, nor another run of this one: the given name, or else the
/// host's, and a random part.
pub(super) fn draw(name: Option<&str>) -> String {
    let suffix = format!("_{:016x}", fastrand::u64(..));
    let mut identity = name.map_or_else(host_name, str::to_owned);
    identity.truncate(identity.floor_char_boundary(MAX_BYTES - suffix.len()));
    identity + &suffix
}

/// The host's name. In a container, it is the Pod's.
fn host_name() -> String {
    env::var("HOSTNAME")
        .or_else(|_| fs::read_to_string("/proc/sys/kernel/hostname"))
        .ok()
        .map(|name| name.trim().to_owned())
        .filter(|name| !name.is_empty())
        .unwrap_or_else(|| "kuma-workload".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[test]
    fn two_processes_of_one_name_differ() {
        let identity = draw(Some("pod-0"));
        assert!(identity.starts_with("pod-0_"), "{identity}");
        assert_ne!(identity, draw(Some("pod-0")));
    }

    #[rstest]
    #[case::of_the_host(None)]
    #[case::long(Some("a".repeat(1000)))]
    #[case::wide(Some("ä".repeat(1000)))]
    fn an_event_can_carry_it(#[case] name: Option<String>) {
        let identity = draw(name.as_deref());
        assert!((17..=MAX_BYTES).contains(&identity.len()), "{identity}");
    }
}
