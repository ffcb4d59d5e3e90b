//! What can go wrong, a sentence each: what, where, and what to do about it.

use std::{fmt, io, path::PathBuf};

/// What was being done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// To the registry.
    Push,
    /// From the registry.
    Pull,
}

impl Action {
    fn preposition(self) -> &'static str {
        match self {
            Self::Push => "to",
            Self::Pull => "from",
        }
    }
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Push => "push",
            Self::Pull => "pull",
        })
    }
}

/// Why nothing was pushed or pulled. `docs/registry.md` has each of them.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    // What was given.
    /// The module, the metadata, or Docker's configuration.
    #[error("{file} cannot be read: {why}", file = .file.display())]
    Unreadable {
        /// The file.
        file: PathBuf,
        /// The operating system's reason.
        why: String,
    },
    /// Something else than wasm.
    #[error(
        "{file} is no WebAssembly module; `make annotated-policy.wasm` builds the one to push",
        file = .file.display()
    )]
    NoModule {
        /// The file.
        file: PathBuf,
    },
    /// Wasm, but cut off or damaged.
    #[error("the module {file} is broken ({why}); build it again", file = .file.display())]
    BrokenModule {
        /// The file.
        file: PathBuf,
        /// What the parser says.
        why: String,
    },
    /// The policy as the compiler made it.
    #[error(
        "{file} has no Kubewarden metadata, and policy-server takes no policy without; push \
         annotated-policy.wasm, which `make annotated-policy.wasm` builds",
        file = .file.display()
    )]
    NoMetadata {
        /// The file.
        file: PathBuf,
    },
    /// Metadata that is no JSON, or not of Kubewarden's form.
    #[error(
        "the Kubewarden metadata in {file} cannot be read ({why}); annotate the policy again",
        file = .file.display()
    )]
    Metadata {
        /// The file.
        file: PathBuf,
        /// What the parser says.
        why: String,
    },
    /// Something else than `artifacthub-repo.yml`.
    #[error("{file} is no repository metadata of Artifact Hub: {why}", file = .file.display())]
    RepositoryMetadata {
        /// The file.
        file: PathBuf,
        /// What is missing.
        why: String,
    },
    /// A reference that cannot be read.
    #[error(
        "{reference:?} does not say where an artifact is: {why}; write HOST/REPOSITORY:TAG, or, to pull, \
         HOST/REPOSITORY@DIGEST"
    )]
    Reference {
        /// As it was given.
        reference: String,
        /// What is wrong with it.
        why: String,
    },
    /// A file that cannot be made, or that nothing may replace.
    #[error("{file} cannot be written: {why}", file = .file.display())]
    Unwritable {
        /// The file.
        file: PathBuf,
        /// The reason.
        why: String,
    },
    /// Docker's configuration, or its entry for the host.
    #[error(
        "the credentials for {host} in {file} cannot be used: {why}; run `docker login {host}` again",
        file = .file.display()
    )]
    Credentials {
        /// The registry.
        host: String,
        /// Docker's configuration.
        file: PathBuf,
        /// The reason.
        why: String,
    },
    /// No client can be made: no root certificates, most often.
    #[error(
        "no registry can be asked from here: {why}; if it is the root certificates, install them (Debian: \
         ca-certificates), or name a file of them in SSL_CERT_FILE"
    )]
    NoClient {
        /// The reason.
        why: String,
    },

    // What the registry said or did.
    /// Nobody answers.
    #[error("{host} cannot be reached: {why}; is it the right host and port, and is it up?")]
    Unreachable {
        /// The registry.
        host: String,
        /// The operating system's reason.
        why: String,
    },
    /// The name does not resolve.
    #[error("{host} cannot be found: {why}; is the name right?")]
    UnknownHost {
        /// The registry.
        host: String,
        /// The resolver's reason.
        why: String,
    },
    /// No answer in time.
    #[error(
        "{host} did not answer within {seconds} s; try again, or give it longer with --timeout"
    )]
    Silent {
        /// The registry.
        host: String,
        /// How long it had.
        seconds: u64,
    },
    /// HTTPS asked, something else answered.
    #[error(
        "{host} does not speak TLS; if it is a registry over plain HTTP and you trust the way to it, \
         add --plain-http"
    )]
    NoTls {
        /// The registry.
        host: String,
    },
    /// TLS, with a certificate that is not trusted.
    #[error(
        "{host} cannot be trusted: {why}; if its certificates are your own, name the file with their \
         root in SSL_CERT_FILE"
    )]
    Certificate {
        /// The registry.
        host: String,
        /// What the verifier says.
        why: String,
    },
    /// Plain HTTP asked, TLS answered.
    #[error(
        "{host} does not speak plain HTTP, which is spoken to this machine itself and with \
         --plain-http; name the registry by the host of its certificate, without that flag"
    )]
    NoPlainHttp {
        /// The registry.
        host: String,
    },
    /// The connection ended too early.
    #[error(
        "the connection to {host} broke off during the {action} of {artifact}; {action} it again"
    )]
    BrokenOff {
        /// The registry.
        host: String,
        /// What was being done.
        action: Action,
        /// To or from where.
        artifact: String,
    },
    /// A signal.
    #[error("the {action} of {artifact} was stopped by a signal; {action} it again")]
    Stopped {
        /// What was being done.
        action: Action,
        /// To or from where.
        artifact: String,
    },
    /// 401 to nobody.
    #[error(
        "{host} wants to know who asks, to {action} {preposition} {repository}, and {file} has no credentials for \
         it; run `docker login {host}`, or name another folder in DOCKER_CONFIG",
        file = .file.display(), preposition = .action.preposition()
    )]
    Anonymous {
        /// The registry.
        host: String,
        /// What was being done.
        action: Action,
        /// The repository.
        repository: String,
        /// Docker's configuration.
        file: PathBuf,
    },
    /// 401 to somebody.
    #[error(
        "{host} does not take the credentials of {user} from {file}, to {action} {preposition} {repository}; run \
         `docker login {host}` again",
        file = .file.display(), preposition = .action.preposition()
    )]
    Unauthorized {
        /// The registry.
        host: String,
        /// What was being done.
        action: Action,
        /// The repository.
        repository: String,
        /// Who asked.
        user: String,
        /// Docker's configuration.
        file: PathBuf,
    },
    /// 403.
    #[error(
        "{host} does not let {user} {action} {preposition} {repository}{detail}; ask who owns it for that right",
        user = .user.as_deref().unwrap_or("a user without credentials"),
        detail = in_brackets(.detail), preposition = .action.preposition()
    )]
    Forbidden {
        /// The registry.
        host: String,
        /// What was being done.
        action: Action,
        /// The repository.
        repository: String,
        /// Who asked.
        user: Option<String>,
        /// What the registry says about it.
        detail: String,
    },
    /// 404 to a pull.
    #[error("there is no {artifact}{detail}; is it the right repository, and the right tag or digest?", detail = in_brackets(.detail))]
    NotThere {
        /// What was asked for.
        artifact: String,
        /// What the registry says about it.
        detail: String,
    },
    /// 404 to a push.
    #[error(
        "{host} has no repository {repository} to push to{detail}; make it there first, if the registry makes none \
         by itself",
        detail = in_brackets(.detail)
    )]
    NoRepository {
        /// The registry.
        host: String,
        /// The repository.
        repository: String,
        /// What the registry says about it.
        detail: String,
    },
    /// Other bytes than named.
    #[error(
        "what {host} has of {artifact} is not what its digest says: {actual} instead of {expected}; do \
         not use it, and tell who runs the registry"
    )]
    Digest {
        /// The registry.
        host: String,
        /// What was asked for, or sent.
        artifact: String,
        /// The digest that was named.
        expected: String,
        /// The digest of what came.
        actual: String,
    },
    /// An image, a chart, or several layers.
    #[error(
        "{artifact} is no policy: {why}; pull what `policy-registry push` or `kwctl push` pushed"
    )]
    NoPolicy {
        /// What was asked for.
        artifact: String,
        /// What it is.
        why: String,
    },
    /// Any other status.
    #[error("{host} answered {status}{detail} to the {action} of {artifact}; {advice}", detail = in_brackets(.detail), advice = advice(*.status))]
    Refused {
        /// The registry.
        host: String,
        /// What was being done.
        action: Action,
        /// To or from where.
        artifact: String,
        /// Of HTTP.
        status: u16,
        /// What the registry says about it.
        detail: String,
    },
    /// Answers that no registry gives.
    #[error("{host} does not answer as a registry does: {why}; is it the right host and port?")]
    NoRegistry {
        /// The registry.
        host: String,
        /// What was odd.
        why: String,
    },
}

impl Error {
    /// 1 where the registry refused or failed, 2 where what was given cannot be used.
    #[must_use]
    pub fn exit_status(&self) -> u8 {
        match self {
            Self::Unreadable { .. }
            | Self::NoModule { .. }
            | Self::BrokenModule { .. }
            | Self::NoMetadata { .. }
            | Self::Metadata { .. }
            | Self::RepositoryMetadata { .. }
            | Self::Reference { .. }
            | Self::Unwritable { .. }
            | Self::Credentials { .. }
            | Self::NoClient { .. } => 2,
            Self::Unreachable { .. }
            | Self::UnknownHost { .. }
            | Self::Silent { .. }
            | Self::NoTls { .. }
            | Self::Certificate { .. }
            | Self::NoPlainHttp { .. }
            | Self::BrokenOff { .. }
            | Self::Stopped { .. }
            | Self::Anonymous { .. }
            | Self::Unauthorized { .. }
            | Self::Forbidden { .. }
            | Self::NotThere { .. }
            | Self::NoRepository { .. }
            | Self::Digest { .. }
            | Self::NoPolicy { .. }
            | Self::Refused { .. }
            | Self::NoRegistry { .. } => 1,
        }
    }
}

/// The operating system's reason, without its number.
#[must_use]
pub fn reason(error: &io::Error) -> String {
    let text = error.to_string();
    match text.split_once(" (os error ") {
        Some((reason, _)) => reason.to_owned(),
        None => text,
    }
}

/// What a registry said, as a part of our sentence.
fn in_brackets(detail: &str) -> String {
    match detail {
        "" => String::new(),
        detail => format!(" ({detail})"),
    }
}

fn advice(status: u16) -> &'static str {
    match status {
        429 => "it had too many requests: wait, then try again",
        500.. => "try again later, or tell who runs the registry",
        _ => "is it the right host and repository?",
    }
}
