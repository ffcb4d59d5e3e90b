//! From what the client says to our sentences. Its own texts are for its authors: they have JSON, URLs
//! and wrappers in them.

use std::{error::Error as StdError, io, iter::successors, path::PathBuf, time::Duration};

use oci_client::errors::{DigestError, OciDistributionError, OciEnvelope, OciErrorCode};

use crate::{Action, Address, Error, error::reason};

/// How much of what others say goes into a sentence.
const DETAIL: usize = 160;

/// What was being done when something failed.
pub(crate) struct Circumstances<'c> {
    pub(crate) action: Action,
    pub(crate) address: &'c Address,
    /// Who asked, and the file in which that was looked up.
    pub(crate) user: Option<&'c str>,
    pub(crate) credentials: PathBuf,
    pub(crate) timeout: Duration,
}

impl Circumstances<'_> {
    /// The client's error as a sentence.
    pub(crate) fn explain(&self, error: &OciDistributionError) -> Error {
        use OciDistributionError as Client;
        let artifact = || self.address.to_string();
        let not_a_policy = |why: &str| Error::NoPolicy {
            artifact: artifact(),
            why: why.to_owned(),
        };
        match error {
            Client::RequestError(error) => self.of_request(error),
            Client::UnauthorizedError { .. } | Client::AuthenticationFailure(_) => {
                self.unauthorized()
            }
            Client::RegistryError { envelope, .. } => {
                self.refused(status_of(envelope), detail_of(envelope))
            }
            Client::ServerError { code, message, .. } => self.refused(*code, detail(message)),
            Client::DigestError(DigestError::VerificationError { expected, actual }) => {
                self.digest(expected, actual)
            }
            Client::ImageIndexParsingNoPlatformResolverError => {
                not_a_policy("it is an image for several platforms")
            }
            Client::UnsupportedMediaTypeError(_) | Client::UnsupportedSchemaVersionError(_) => {
                not_a_policy("its manifest is of an unknown kind")
            }
            Client::ManifestParsingError(_)
            | Client::VersionedParsingError(_)
            | Client::ManifestEncodingError(_)
            | Client::JsonError(_) => self.odd("it sent no manifest"),
            // The generic error is that of a URL which is none.
            Client::RegistryNoLocationError
            | Client::GenericError(_)
            | Client::UrlParseError(_)
            | Client::HeaderValueError(_) => self.odd("it does not say where to upload"),
            Client::DigestError(_) | Client::RegistryNoDigestError => {
                self.odd("it sent a digest that cannot be read")
            }
            Client::SpecViolationError(_) => {
                self.odd("it answered with another status than it may")
            }
            Client::IoError(error) => self.odd(&reason(error)),
            _ => self.odd("its answer cannot be understood"),
        }
    }

    /// What came, or was stored, has another digest.
    pub(crate) fn digest(&self, expected: &str, actual: &str) -> Error {
        Error::Digest {
            host: self.address.host().to_owned(),
            artifact: self.address.to_string(),
            expected: expected.to_owned(),
            actual: actual.to_owned(),
        }
    }

    fn odd(&self, why: &str) -> Error {
        Error::NoRegistry {
            host: self.address.host().to_owned(),
            why: why.to_owned(),
        }
    }

    /// The request did not get through, or its answer did not come back.
    fn of_request(&self, error: &(dyn StdError + 'static)) -> Error {
        let host = self.address.host().to_owned();
        let causes: Vec<_> = causes(error).collect();
        let says = |beginning: &str| {
            let mut texts = causes.iter().map(ToString::to_string);
            texts.any(|text| text.starts_with(beginning))
        };
        let tls = || {
            causes
                .iter()
                .find_map(|cause| cause.downcast_ref::<rustls::Error>())
        };
        let io = || {
            causes
                .iter()
                .rev()
                .find_map(|cause| cause.downcast_ref::<io::Error>())
        };
        let is_of_connecting = says("client error (Connect)");
        // Reasons in the order in which they become visible.
        if says("operation timed out") {
            return Error::Silent {
                host,
                seconds: self.timeout.as_secs(),
            };
        }
        if says("dns error") {
            let why = io().map(reason).unwrap_or_default();
            return Error::UnknownHost { host, why };
        }
        if let Some(error) = tls() {
            return match error {
                rustls::Error::InvalidMessage(_) => Error::NoTls { host },
                // It may list all the names that a certificate has.
                rustls::Error::InvalidCertificate(_) => Error::Certificate {
                    host,
                    why: one_line(&error.to_string()),
                },
                other => Error::Unreachable {
                    host,
                    why: other.to_string(),
                },
            };
        }
        // What is no HTTP at all: a TLS server's alert, or another protocol.
        if says("invalid HTTP") {
            return Error::NoPlainHttp { host };
        }
        match io() {
            Some(error) if is_of_connecting && error.kind() == io::ErrorKind::UnexpectedEof => {
                Error::NoTls { host }
            }
            Some(error) if is_of_connecting => Error::Unreachable {
                host,
                why: reason(error),
            },
            _ => Error::BrokenOff {
                host,
                action: self.action,
                artifact: self.address.to_string(),
            },
        }
    }

    fn unauthorized(&self) -> Error {
        let (host, repository) = self.place();
        let (action, file) = (self.action, self.credentials.clone());
        match self.user {
            None => Error::Anonymous {
                host,
                action,
                repository,
                file,
            },
            Some(user) => Error::Unauthorized {
                host,
                action,
                repository,
                user: user.to_owned(),
                file,
            },
        }
    }

    fn refused(&self, status: u16, detail: String) -> Error {
        let (host, repository) = self.place();
        let (action, artifact) = (self.action, self.address.to_string());
        match (status, action) {
            (401, _) => self.unauthorized(),
            (403, _) => Error::Forbidden {
                host,
                action,
                repository,
                user: self.user.map(str::to_owned),
                detail,
            },
            (404, Action::Pull) => Error::NotThere { artifact, detail },
            (404, Action::Push) => Error::NoRepository {
                host,
                repository,
                detail,
            },
            // Go's servers say so in words.
            (400, _) if detail.ends_with("to an HTTPS server.") => Error::NoPlainHttp { host },
            (status, action) => Error::Refused {
                host,
                action,
                artifact,
                status,
                detail,
            },
        }
    }

    fn place(&self) -> (String, String) {
        let Self { address, .. } = self;
        (address.host().to_owned(), address.repository().to_owned())
    }
}

/// What an error came of in the end, without the client's wrappers around it.
pub(crate) fn innermost(error: &(dyn StdError + 'static)) -> String {
    let last = causes(error).last().map(ToString::to_string);
    last.unwrap_or_default()
}

/// The error and what it came of. An `io::Error` hides the one inside it.
fn causes<'e>(
    error: &'e (dyn StdError + 'static),
) -> impl Iterator<Item = &'e (dyn StdError + 'static)> {
    successors(Some(error), |&error| {
        let inside = error.downcast_ref().and_then(io::Error::get_ref);
        match inside {
            Some(inside) => Some(inside as &(dyn StdError + 'static)),
            None => error.source(),
        }
    })
}

/// The status that a code stands for: where there is an envelope, the client does not tell the status.
fn status_of(envelope: &OciEnvelope) -> u16 {
    use OciErrorCode as Code;
    match envelope.errors.first().map(|error| &error.code) {
        Some(Code::Unauthorized) => 401,
        Some(Code::Denied) => 403,
        Some(Code::ManifestUnknown | Code::NameUnknown | Code::NotFound | Code::BlobUnknown) => 404,
        Some(Code::Toomanyrequests) => 429,
        _ => 400,
    }
}

/// The first of a registry's messages.
fn detail_of(envelope: &OciEnvelope) -> String {
    let message = envelope
        .errors
        .first()
        .map(|error| one_line(&error.message));
    message.unwrap_or_default()
}

/// What is to be told of a body: the first message, or a line of plain text, and never JSON or HTML.
fn detail(body: &str) -> String {
    if let Ok(envelope) = serde_json::from_str(body) {
        return detail_of(&envelope);
    }
    let is_plain = !body.trim_start().starts_with(['{', '[', '<', '"']);
    let first = body.trim().lines().next().filter(|_| is_plain);
    one_line(first.unwrap_or_default())
}

/// Without line ends and control characters, and not too long.
fn one_line(text: &str) -> String {
    let words: Vec<_> = text.split_whitespace().collect();
    let line = words.join(" ");
    let mut shown: String = line
        .chars()
        .filter(|c| !c.is_control())
        .take(DETAIL)
        .collect();
    if line.chars().count() > DETAIL {
        shown.push('…');
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case::an_envelope(r#"{"errors":[{"code":"DENIED","message":"not yours"}]}"#, "not yours")]
    #[case::an_envelope_without_message(r#"{"errors":[{"code":"DENIED"}]}"#, "")]
    #[case::an_empty_envelope(r#"{"errors":[]}"#, "")]
    #[case::other_json(r#"{"secret":"x"}"#, "")]
    #[case::html("<html><body>Bad gateway</body></html>", "")]
    #[case::text("no healthy upstream\n", "no healthy upstream")]
    #[case::lines("no healthy upstream\nat line 7", "no healthy upstream")]
    #[case::colours("\u{1b}[31mred", "[31mred")]
    #[case::nothing("", "")]
    fn what_is_told_of_a_body(#[case] body: &str, #[case] expected: &str) {
        assert_eq!(detail(body), expected);
    }

    #[test]
    fn a_long_message_is_cut() {
        assert_eq!(detail(&"x".repeat(500)).chars().count(), DETAIL + 1);
    }
}
