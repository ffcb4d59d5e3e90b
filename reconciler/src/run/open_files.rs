//! How many files this process may have open at once.
//!
//! Each watch is a connection. With `--namespace` and 2,000 names there are 6,000 of them, and the usual
//! soft limit is 1,024: it is for programs that use `select`, and the hard limit is the one that counts.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Raises the soft limit to the hard one.
pub(super) fn raise_limit() {
    let limit = getrlimit(Resource::Nofile);
    let raised = Rlimit {
        current: limit.maximum,
        ..limit
    };
    if raised == limit {
        return;
    }
    if let Err(error) = setrlimit(Resource::Nofile, raised) {
        tracing::debug!("the limit of open files cannot be raised: {error}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_soft_limit_is_raised_to_the_hard_one() {
        let before = getrlimit(Resource::Nofile);
        // Enough for the other tests of this process.
        let lowered = Rlimit {
            current: before.maximum.map(|most| most.min(512)).or(Some(512)),
            ..before
        };
        setrlimit(Resource::Nofile, lowered).unwrap();
        assert_ne!(getrlimit(Resource::Nofile), before);
        raise_limit();
        assert_eq!(getrlimit(Resource::Nofile).current, before.maximum);
    }
}
