//! The command line, and what a run prints.

use std::{
    fs,
    future::Future,
    io::{self, Write},
    path::{Path, PathBuf},
    process::ExitCode,
    time::Duration,
};

use clap::{Args, Parser};
use tokio::{
    runtime::Builder,
    signal::unix::{SignalKind, signal},
};

use crate::{
    Action, Address, Artifact, Error, Registry, artifact::REPOSITORY_METADATA_TAG, error::reason,
    output::Output, registry::Options,
};

/// Pushes the annotated policy to an OCI registry, and pulls it, as kwctl does.
///
/// Prints where it is, by digest: HOST/REPOSITORY@DIGEST.
///
/// Credentials are those of Docker: config.json in DOCKER_CONFIG or ~/.docker.
///
/// Exit status: 0 when it is done; 1 when the registry refused or failed; 2 when what was given cannot be
/// used.
#[derive(Parser)]
#[command(name = "policy-registry", version, max_term_width = 100)]
pub enum Command {
    /// Push the annotated policy.
    Push {
        /// The annotated policy.
        wasm: PathBuf,
        /// HOST/REPOSITORY:TAG; registry:// or oci:// may stand before it.
        reference: String,
        /// How the registry is asked.
        #[command(flatten)]
        connection: Connection,
    },
    /// Pull a policy into a file, which is there whole or not at all.
    Pull {
        /// HOST/REPOSITORY:TAG or HOST/REPOSITORY@DIGEST; registry:// or oci:// may stand before it.
        reference: String,
        /// Where the policy goes.
        #[arg(short, long, value_name = "FILE")]
        output: PathBuf,
        /// How the registry is asked.
        #[command(flatten)]
        connection: Connection,
    },
    /// Push Artifact Hub's metadata of a repository, artifacthub-repo.yml, under the tag artifacthub.io.
    PushMetadata {
        /// artifacthub-repo.yml
        file: PathBuf,
        /// HOST/REPOSITORY; registry:// or oci:// may stand before it.
        repository: String,
        /// How the registry is asked.
        #[command(flatten)]
        connection: Connection,
    },
}

/// How the registry is asked.
#[derive(Args)]
pub struct Connection {
    /// Without TLS; to this machine itself (localhost, 127.0.0.0/8, [::1]) it is without in any case.
    #[arg(long)]
    plain_http: bool,
    /// How long the registry may be silent.
    #[arg(long, value_name = "SECONDS", default_value_t = 60, value_parser = clap::value_parser!(u64).range(1..=3600))]
    timeout: u64,
}

impl Command {
    /// Does it, prints what came of it, and gives the exit status.
    #[must_use]
    pub fn run(&self) -> ExitCode {
        match self.done() {
            Ok(place) => {
                // Who reads may be gone: the artifact is where it is all the same.
                let _ = writeln!(io::stdout(), "{place}");
                ExitCode::SUCCESS
            }
            Err(error) => {
                let _ = writeln!(io::stderr(), "error: {error}");
                ExitCode::from(error.exit_status())
            }
        }
    }

    /// Does it, and says where the artifact is.
    fn done(&self) -> Result<String, Error> {
        match self {
            Self::Push {
                wasm,
                reference,
                connection,
            } => {
                let address = Address::to_push(reference)?;
                let artifact = Artifact::policy(read(wasm)?, wasm)?;
                push(&artifact, address, connection)
            }
            Self::PushMetadata {
                file,
                repository,
                connection,
            } => {
                let address = Address::of_tag(repository, REPOSITORY_METADATA_TAG)?;
                let artifact = Artifact::repository_metadata(read(file)?, file)?;
                push(&artifact, address, connection)
            }
            Self::Pull {
                reference,
                output,
                connection,
            } => {
                let address = Address::to_pull(reference)?;
                // Before anything is asked for: what cannot be written need not be sent.
                let output = Output::create(output)?;
                let registry = Registry::new(address.clone(), connection.options())?;
                let digest = wait(Action::Pull, &address, registry.pull(&output))?;
                output.finish()?;
                Ok(address.at(&digest))
            }
        }
    }
}

impl Connection {
    fn options(&self) -> Options {
        Options {
            plain_http: self.plain_http,
            timeout: Duration::from_secs(self.timeout),
        }
    }
}

fn read(file: &Path) -> Result<Vec<u8>, Error> {
    fs::read(file).map_err(|error| Error::Unreadable {
        file: file.to_owned(),
        why: reason(&error),
    })
}

fn push(artifact: &Artifact, address: Address, connection: &Connection) -> Result<String, Error> {
    let registry = Registry::new(address.clone(), connection.options())?;
    let digest = wait(Action::Push, &address, registry.push(artifact))?;
    Ok(address.at(&digest))
}

/// Runs it to its end or until a signal comes, so that nothing half-written stays behind.
fn wait<T>(
    action: Action,
    address: &Address,
    work: impl Future<Output = Result<T, Error>>,
) -> Result<T, Error> {
    let stopped = || Error::Stopped {
        action,
        artifact: address.to_string(),
    };
    let runtime = Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| Error::NoClient {
        why: reason(&error),
    })?;
    runtime.block_on(async {
        let signals = signal(SignalKind::interrupt()).and_then(|interrupt| {
            let terminate = signal(SignalKind::terminate())?;
            Ok((interrupt, terminate))
        });
        let Ok((mut interrupt, mut terminate)) = signals else {
            return work.await;
        };
        tokio::select! {
            done = work => done,
            _ = interrupt.recv() => Err(stopped()),
            _ = terminate.recv() => Err(stopped()),
        }
    })
}
