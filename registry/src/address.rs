//! Where an artifact is: `HOST/REPOSITORY:TAG` or `HOST/REPOSITORY@DIGEST`.

use std::{fmt, net::Ipv4Addr};

use oci_client::{ParseError, Reference};

use crate::Error;

/// What may stand before the host: as Kubewarden and as Helm write it.
const SCHEMES: [&str; 2] = ["registry://", "oci://"];

/// The IPv6 loopback address, as hosts are written.
const LOOPBACK_V6: &str = "[::1]";

/// The place of an artifact, with the host that was named: Docker Hub is not assumed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address {
    reference: Reference,
}

impl Address {
    /// Where to push to: with a tag, without a digest.
    ///
    /// # Errors
    ///
    /// When it cannot be read as such.
    pub fn to_push(text: &str) -> Result<Self, Error> {
        let bad = |why: &str| bad(text, why);
        let bare = bare(text).map_err(bad)?;
        if bare.contains('@') {
            return Err(bad("it has a digest, and a push makes one"));
        }
        if !names_tag(bare) {
            return Err(bad("it has no tag"));
        }
        parse(bare).map_err(|why| bad(&why))
    }

    /// Where to pull from: with a tag, a digest, or both. Then the digest counts.
    ///
    /// # Errors
    ///
    /// When it cannot be read as such.
    pub fn to_pull(text: &str) -> Result<Self, Error> {
        let bad = |why: &str| bad(text, why);
        let bare = bare(text).map_err(bad)?;
        if !bare.contains('@') && !names_tag(bare) {
            return Err(bad("it has no tag and no digest"));
        }
        parse(bare).map_err(|why| bad(&why))
    }

    /// A tag in a repository that is named without one.
    ///
    /// # Errors
    ///
    /// When the repository cannot be read as such.
    pub fn of_tag(repository: &str, tag: &str) -> Result<Self, Error> {
        let bad = |why: &str| bad(repository, why);
        let bare = bare(repository).map_err(bad)?;
        if bare.contains('@') || names_tag(bare) {
            return Err(bad("it has a tag or a digest, and here the tag is fixed"));
        }
        parse(&format!("{bare}:{tag}")).map_err(|why| bad(&why))
    }

    /// The host, with its port if one was named.
    #[must_use]
    pub fn host(&self) -> &str {
        self.reference.registry()
    }

    /// The repository on that host.
    #[must_use]
    pub fn repository(&self) -> &str {
        self.reference.repository()
    }

    /// As the client wants it.
    #[must_use]
    pub fn reference(&self) -> &Reference {
        &self.reference
    }

    /// The same repository at a digest: what never changes.
    #[must_use]
    pub fn at(&self, digest: &str) -> String {
        format!("{}/{}@{digest}", self.host(), self.repository())
    }

    /// Whether the host is this machine: `localhost`, `127.0.0.0/8` or `[::1]`.
    #[must_use]
    pub fn is_loopback(&self) -> bool {
        let host = self.host();
        let name = match host.rsplit_once(':') {
            Some((name, port)) if !port.contains(']') => name,
            _ => host,
        };
        name == LOOPBACK_V6
            || name.eq_ignore_ascii_case("localhost")
            || name.parse().is_ok_and(|ip: Ipv4Addr| ip.is_loopback())
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.reference.fmt(f)
    }
}

fn bad(reference: &str, why: &str) -> Error {
    Error::Reference {
        reference: reference.to_owned(),
        why: why.to_owned(),
    }
}

/// Without the scheme.
fn bare(text: &str) -> Result<&str, &'static str> {
    let bare = SCHEMES.iter().find_map(|scheme| text.strip_prefix(scheme));
    match bare {
        Some(bare) => Ok(bare),
        None if text.contains("://") => Err("only registry:// and oci:// may stand before it"),
        None => Ok(text),
    }
}

/// Whether the last part has a tag: a colon before it belongs to the port.
fn names_tag(bare: &str) -> bool {
    let name = bare.split('@').next().unwrap_or_default();
    name.rsplit('/')
        .next()
        .is_some_and(|last| last.contains(':'))
}

fn parse(bare: &str) -> Result<Address, String> {
    let Some((host, rest)) = bare.split_once('/') else {
        return Err("it names no host".to_owned());
    };
    let is_host = host.contains(['.', ':']) || host == "localhost";
    if !is_host {
        return Err(format!("{host:?} is no host: it has no dot and no port"));
    }
    // The client's grammar has no IPv6 addresses; all else of the reference is left to it.
    let Some(port) = host.strip_prefix(LOOPBACK_V6) else {
        let reference = Reference::try_from(bare).map_err(|error| sentence(&error))?;
        return Ok(Address { reference });
    };
    let read = Reference::try_from(format!("localhost{port}/{rest}"));
    let read = read.map_err(|error| sentence(&error))?;
    let (host, repository) = (host.to_owned(), read.repository().to_owned());
    let reference = match (read.tag(), read.digest()) {
        (_, Some(digest)) => Reference::with_digest(host, repository, digest.to_owned()),
        (tag, None) => Reference::with_tag(host, repository, tag.unwrap_or_default().to_owned()),
    };
    Ok(Address { reference })
}

/// The client's words, where they say enough.
fn sentence(error: &ParseError) -> String {
    match error {
        ParseError::ReferenceInvalidFormat => {
            "host, repository, tag or digest has a character that it may not have".to_owned()
        }
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "this is a test")]

    use super::*;
    use rstest::rstest;

    const DIGEST: &str = "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";

    #[rstest]
    #[case::as_kubewarden_writes_it("registry://ghcr.io/a/b:v1", "ghcr.io", "a/b", "v1")]
    #[case::as_helm_writes_it("oci://ghcr.io/a/b:v1", "ghcr.io", "a/b", "v1")]
    #[case::bare("ghcr.io/a/b:v1", "ghcr.io", "a/b", "v1")]
    #[case::with_a_port("localhost:5000/b:v1", "localhost:5000", "b", "v1")]
    #[case::without_a_port("localhost/b:v1", "localhost", "b", "v1")]
    #[case::ip_v6("[::1]:5000/a/b:v1", "[::1]:5000", "a/b", "v1")]
    #[case::docker_hub("docker.io/a/b:v1", "docker.io", "a/b", "v1")]
    fn is_read(
        #[case] text: &str,
        #[case] host: &str,
        #[case] repository: &str,
        #[case] tag: &str,
    ) {
        for address in [Address::to_push(text), Address::to_pull(text)] {
            let address = address.unwrap();
            let reference = address.reference();
            assert_eq!((address.host(), address.repository()), (host, repository));
            assert_eq!((reference.tag(), reference.digest()), (Some(tag), None));
        }
    }

    #[rstest]
    #[case::ip_v4("127.0.0.1:5000/a")]
    #[case::ip_v6("[::1]:5000/a")]
    fn a_digest_is_read(#[case] repository: &str) {
        let address = Address::to_pull(&format!("{repository}@{DIGEST}")).unwrap();
        assert_eq!(address.reference().digest(), Some(DIGEST));
        assert_eq!(address.at(DIGEST), format!("{repository}@{DIGEST}"));
    }

    #[rstest]
    #[case::nothing("", "it has no tag")]
    #[case::no_tag("ghcr.io/a/b", "it has no tag")]
    #[case::no_tag_but_a_port("localhost:5000/b", "it has no tag")]
    #[case::no_host("policy:v1", "it names no host")]
    #[case::no_host_but_a_folder("a/policy:v1", "\"a\" is no host: it has no dot and no port")]
    #[case::another_scheme(
        "https://ghcr.io/a:v1",
        "only registry:// and oci:// may stand before it"
    )]
    #[case::upper_case(
        "ghcr.io/A:v1",
        "host, repository, tag or digest has a character that it may not have"
    )]
    #[case::a_space(
        "ghcr.io/a b:v1",
        "host, repository, tag or digest has a character that it may not have"
    )]
    #[case::another_ip_v6(
        "[fe80::1]:80/a:v1",
        "host, repository, tag or digest has a character that it may not have"
    )]
    #[case::a_digest(
        "ghcr.io/a@sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
        "it has a digest, and a push makes one"
    )]
    fn is_refused_for_a_push(#[case] text: &str, #[case] expected: &str) {
        let Err(Error::Reference { why, .. }) = Address::to_push(text) else {
            unreachable!("{text}")
        };
        assert_eq!(why, expected);
    }

    #[rstest]
    #[case::no_tag("ghcr.io/a/b", "it has no tag and no digest")]
    #[case::a_short_digest(
        "ghcr.io/a@sha256:9f86d081884c7d659a2feaa0c55ad015",
        "invalid checksum digest length"
    )]
    fn is_refused_for_a_pull(#[case] text: &str, #[case] expected: &str) {
        let Err(Error::Reference { why, .. }) = Address::to_pull(text) else {
            unreachable!("{text}")
        };
        assert_eq!(why, expected);
    }

    #[rstest]
    #[case::name("localhost", true)]
    #[case::name_with_a_port("localhost:5000", true)]
    #[case::ip_v4("127.0.0.1:5000", true)]
    #[case::anywhere_in_127("127.9.9.9", true)]
    #[case::ip_v6("[::1]", true)]
    #[case::ip_v6_with_a_port("[::1]:5000", true)]
    #[case::another_host("ghcr.io", false)]
    #[case::private_ip("10.0.0.1:5000", false)]
    #[case::a_name_that_begins_so("localhost.example.com", false)]
    #[case::an_ip_in_a_name("127.0.0.1.example.com", false)]
    fn is_loopback(#[case] host: &str, #[case] expected: bool) {
        let address = Address::to_push(&format!("{host}/a:v1")).unwrap();
        assert_eq!(address.is_loopback(), expected);
    }

    #[test]
    fn a_fixed_tag_comes_to_a_repository_without_one() {
        let address = Address::of_tag("oci://localhost:5000/a", "artifacthub.io").unwrap();
        assert_eq!(address.to_string(), "localhost:5000/a:artifacthub.io");
        assert!(Address::of_tag("localhost:5000/a:v1", "artifacthub.io").is_err());
    }
}
