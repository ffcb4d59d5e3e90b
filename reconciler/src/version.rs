//! What `--version` says, and the day in the manual.

use std::sync::LazyLock;

use jiff::{Timestamp, tz::TimeZone};

/// The package's version, with the commit and the day of the build where they are known.
pub(crate) static VERSION: LazyLock<String> = LazyLock::new(|| {
    // The build script knows.
    let commit = env!("KUMA_WORKLOAD_BUILT_FROM_COMMIT");
    version(env!("CARGO_PKG_VERSION"), commit, EPOCH)
});

const EPOCH: &str = env!("KUMA_WORKLOAD_BUILT_FROM_EPOCH");

/// The day of the build, where it is known.
pub(crate) fn day() -> Option<String> {
    day_of(EPOCH)
}

/// `epoch`: seconds since 1970. What is empty, or no time, is not known.
fn version(package: &str, commit: &str, epoch: &str) -> String {
    let day = day_of(epoch);
    let commit = (!commit.is_empty()).then(|| format!("commit {commit}"));
    let known: Vec<_> = [commit, day].into_iter().flatten().collect();
    match known.is_empty() {
        true => package.to_owned(),
        false => format!("{package} ({})", known.join(", ")),
    }
}

fn day_of(epoch: &str) -> Option<String> {
    let time = Timestamp::from_second(epoch.parse().ok()?).ok()?;
    Some(time.to_zoned(TimeZone::UTC).date().to_string())
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
