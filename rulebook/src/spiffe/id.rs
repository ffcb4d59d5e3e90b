//! What a SPIFFE ID looks like (ID3).

use std::fmt;

const SCHEME: &str = "spiffe://";
/// The longest SPIFFE ID and the longest trust domain that the SPIFFE specification allows, in
/// bytes.
const MAX_ID: usize = 2048;
const MAX_TRUST_DOMAIN: usize = 255;

/// A valid SPIFFE ID.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SpiffeId(String);

/// Why a text is no SPIFFE ID.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IdFault {
    /// It does not begin with `spiffe://`.
    NoScheme,
    /// There is nothing between `spiffe://` and the path.
    NoTrustDomain,
    /// A character that is not allowed in a trust domain.
    TrustDomainCharacter(char),
    /// The trust domain has more than 255 bytes.
    TrustDomainTooLong,
    /// Two slashes in a row.
    EmptySegment,
    /// A segment `.` or `..`.
    DotSegment,
    /// A character that is not allowed in a path.
    PathCharacter(char),
    /// A slash at the end.
    TrailingSlash,
    /// The ID has more than 2048 bytes.
    TooLong,
}

impl fmt::Display for IdFault {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoScheme => formatter.write_str("it does not begin with spiffe://"),
            Self::NoTrustDomain => formatter.write_str("its trust domain is empty"),
            Self::TrustDomainCharacter(found) => write!(
                formatter,
                "its trust domain has {found:?}; it must be lower-case letters, digits, \
                 '.', '-' and '_'"
            ),
            Self::TrustDomainTooLong => write!(
                formatter,
                "its trust domain is longer than {MAX_TRUST_DOMAIN} bytes"
            ),
            Self::EmptySegment => formatter.write_str("its path has an empty segment"),
            Self::DotSegment => formatter.write_str("its path has a segment '.' or '..'"),
            Self::PathCharacter(found) => write!(
                formatter,
                "its path has {found:?}; it must be letters, digits, '.', '-' and '_' \
                 between slashes"
            ),
            Self::TrailingSlash => formatter.write_str("its path ends with a slash"),
            Self::TooLong => write!(formatter, "it is longer than {MAX_ID} bytes"),
        }
    }
}

impl SpiffeId {
    /// Reads a SPIFFE ID (ID3).
    ///
    /// # Errors
    ///
    /// The first fault found.
    pub fn parse(text: &str) -> Result<Self, IdFault> {
        let rest = text.strip_prefix(SCHEME).ok_or(IdFault::NoScheme)?;
        let (trust_domain, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        check_trust_domain(trust_domain)?;
        check_path(path)?;
        if text.len() > MAX_ID {
            return Err(IdFault::TooLong);
        }
        Ok(Self(text.to_owned()))
    }

    /// The whole ID, including `spiffe://`.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for SpiffeId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

fn check_trust_domain(name: &str) -> Result<(), IdFault> {
    if name.is_empty() {
        return Err(IdFault::NoTrustDomain);
    }
    let foreign = |c: &char| {
        let known = c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '.' | '-' | '_');
        !known
    };
    if let Some(found) = name.chars().find(foreign) {
        return Err(IdFault::TrustDomainCharacter(found));
    }
    if name.len() > MAX_TRUST_DOMAIN {
        return Err(IdFault::TrustDomainTooLong);
    }
    Ok(())
}

/// Checks a path, which is empty or begins with a slash.
fn check_path(path: &str) -> Result<(), IdFault> {
    let Some(path) = path.strip_prefix('/') else {
        return Ok(());
    };
    let mut segments = path.split('/').peekable();
    while let Some(segment) = segments.next() {
        check_segment(segment, segments.peek().is_none())?;
    }
    Ok(())
}

fn check_segment(segment: &str, last: bool) -> Result<(), IdFault> {
    let foreign = |c: &char| !(c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_'));
    match segment {
        "" if last => Err(IdFault::TrailingSlash),
        "" => Err(IdFault::EmptySegment),
        "." | ".." => Err(IdFault::DotSegment),
        _ => match segment.chars().find(foreign) {
            Some(found) => Err(IdFault::PathCharacter(found)),
            None => Ok(()),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case::workload("spiffe://example.com/workload/demo-workload")]
    #[case::without_path("spiffe://example.com")]
    #[case::every_kind_of_character("spiffe://a-b_c.0/Az09._-/...")]
    #[case::trust_domain_that_dns_would_not_have("spiffe://.a..b/x")]
    fn id3_spiffe_ids(#[case] text: &str) {
        assert_eq!(
            SpiffeId::parse(text).map(|id| id.to_string()),
            Ok(text.to_owned())
        );
    }

    #[rstest]
    #[case::empty("", IdFault::NoScheme)]
    #[case::other_scheme("https://example.com/a", IdFault::NoScheme)]
    #[case::scheme_in_upper_case("SPIFFE://example.com/a", IdFault::NoScheme)]
    #[case::scheme_alone("spiffe://", IdFault::NoTrustDomain)]
    #[case::path_alone("spiffe:///a", IdFault::NoTrustDomain)]
    #[case::upper_case("spiffe://UPPER.com/a", IdFault::TrustDomainCharacter('U'))]
    #[case::port("spiffe://example.com:80/a", IdFault::TrustDomainCharacter(':'))]
    #[case::empty_segment("spiffe://example.com/a//b", IdFault::EmptySegment)]
    #[case::only_slashes("spiffe://example.com//", IdFault::EmptySegment)]
    #[case::dot("spiffe://example.com/./a", IdFault::DotSegment)]
    #[case::two_dots("spiffe://example.com/a/..", IdFault::DotSegment)]
    #[case::space("spiffe://example.com/x y", IdFault::PathCharacter(' '))]
    #[case::not_ascii("spiffe://example.com/ünï", IdFault::PathCharacter('ü'))]
    #[case::percent("spiffe://example.com/%41", IdFault::PathCharacter('%'))]
    #[case::query("spiffe://example.com/a?b", IdFault::PathCharacter('?'))]
    #[case::trailing_slash("spiffe://example.com/a/", IdFault::TrailingSlash)]
    #[case::one_slash("spiffe://example.com/", IdFault::TrailingSlash)]
    fn id3_no_spiffe_ids(#[case] text: &str, #[case] fault: IdFault) {
        assert_eq!(SpiffeId::parse(text), Err(fault));
    }

    #[rstest]
    #[case::trust_domain(255, 0, None)]
    #[case::trust_domain_too_long(256, 0, Some(IdFault::TrustDomainTooLong))]
    #[case::whole(11, 2027, None)]
    #[case::whole_too_long(11, 2028, Some(IdFault::TooLong))]
    fn id3_lengths(
        #[case] trust_domain: usize,
        #[case] segment: usize,
        #[case] fault: Option<IdFault>,
    ) {
        let mut text = format!("{SCHEME}{}", "a".repeat(trust_domain));
        if segment > 0 {
            text.push('/');
            text.push_str(&"b".repeat(segment));
        }
        assert_eq!(SpiffeId::parse(&text).err(), fault);
    }
}
