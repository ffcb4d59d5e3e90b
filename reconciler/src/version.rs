//! What `--version` says.

use std::sync::LazyLock;

use jiff::{Timestamp, tz::TimeZone};

/// The package's version, with the commit and the day of the build where they are known.
pub(crate) static VERSION: LazyLock<String> = LazyLock::new(|| {
    // The build script knows.
    let commit = env!("KUMA_WORKLOAD_BUILT_FROM_COMMIT");
    let epoch = env!("KUMA_WORKLOAD_BUILT_FROM_EPOCH");
    version(env!("CARGO_PKG_VERSION"), commit, epoch)
});

/// `epoch`: seconds since 1970. What is empty, or no time, is not known.
fn version(package: &str, commit: &str, epoch: &str) -> String {
    let time = epoch.parse().ok();
    let time = time.and_then(|seconds| Timestamp::from_second(seconds).ok());
    let day = time.map(|time| time.to_zoned(TimeZone::UTC).date().to_string());
    let commit = (!commit.is_empty()).then(|| format!("commit {commit}"));
    let known: Vec<_> = [commit, day].into_iter().flatten().collect();
    match known.is_empty() {
        true => package.to_owned(),
        false => format!("{package} ({})", known.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case::both("f5a1631", "1767225599", "1.2.3 (commit f5a1631, 2025-12-31)")]
    #[case::commit("f5a1631", "", "1.2.3 (commit f5a1631)")]
    #[case::day("", "1767225600", "1.2.3 (2026-01-01)")]
    #[case::neither("", "", "1.2.3")]
    #[case::no_time("", "soon", "1.2.3")]
    #[case::out_of_range("", "99999999999999999", "1.2.3")]
    fn what_is_known_is_said(#[case] commit: &str, #[case] epoch: &str, #[case] expected: &str) {
        assert_eq!(version("1.2.3", commit, epoch), expected);
    }
}
