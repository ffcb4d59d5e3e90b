//! The program's subcommands.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use clap::{Args, ValueEnum};

use crate::admission::Settings;
use crate::case::{self, Case, CaseError};
use crate::cluster::manifests::ManifestError;
use crate::cluster::session::SessionError;
use crate::cluster::{Backend, Manifests, Recorder, ReplaySession};
use crate::metadata::{Metadata, MetadataError};
use crate::policy::{Evaluation, HostError, Policy};
use crate::report::{self, Outcome};

/// Why a subcommand could not do its work.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The policy.
    #[error(transparent)]
    Host(#[from] HostError),
    /// The metadata.
    #[error(transparent)]
    Metadata(#[from] MetadataError),
    /// A request or what belongs to it.
    #[error(transparent)]
    Case(#[from] CaseError),
    /// The cluster.
    #[error(transparent)]
    Manifest(#[from] ManifestError),
    /// A session.
    #[error(transparent)]
    Session(#[from] SessionError),
    /// A case that the policy cannot be asked.
    #[error("{case}: {error}")]
    Evaluation {
        /// The case.
        case: String,
        /// Why.
        error: HostError,
    },
    /// A file that cannot be written.
    #[error("{path}: {reason}")]
    Write {
        /// The file.
        path: String,
        /// Why.
        reason: String,
    },
    /// What was asked of the program cannot be done.
    #[error("{0}")]
    Usage(String),
}

/// How the outcome is printed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For a person.
    #[default]
    Table,
    /// One JSON array of AdmissionReview responses.
    Json,
}

/// What `run` is told.
#[derive(Clone, Debug, Args)]
pub struct RunOptions {
    /// The annotated policy.
    #[arg(long, value_name = "WASM")]
    pub policy: PathBuf,
    /// Manifests of the cluster that answers the policy's questions: a file or a folder. Without
    /// it, a cluster without any object.
    #[arg(long, value_name = "PATH")]
    pub cluster: Option<PathBuf>,
    /// The policy's settings; a case's own STEM.settings.json goes before them.
    #[arg(long, value_name = "FILE")]
    pub settings: Option<PathBuf>,
    /// How to print the outcome.
    #[arg(short, long, value_enum, default_value_t)]
    pub output: Format,
    /// Seconds after which an evaluation is given up.
    #[arg(long, value_name = "SECONDS", default_value_t = 2.0, value_parser = seconds)]
    pub timeout: f64,
    /// Write what the policy asked, and was answered, as a session that kwctl can replay. Takes
    /// exactly one request.
    #[arg(long, value_name = "FILE")]
    pub record: Option<PathBuf>,
    /// A grant that policy-server lacks, such as list:kuma.io/v1alpha1/Dataplane.
    #[arg(long, value_name = "VERB:APIVERSION/KIND")]
    pub forbid: Vec<String>,
    /// An API group that is not installed, whatever the manifests say.
    #[arg(long, value_name = "GROUP")]
    pub without_group: Vec<String>,
    /// AdmissionReviews, AdmissionRequests or manifests: files or folders.
    #[arg(required = true)]
    pub requests: Vec<PathBuf>,
}

fn seconds(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(seconds) if seconds > 0.0 && seconds <= 3600.0 => Ok(seconds),
        _ => Err("a number of seconds above 0 and up to 3600".to_owned()),
    }
}

/// What a subcommand has to say.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// For standard output.
    pub output: String,
    /// What differs from the expectations.
    pub differences: Vec<String>,
}

/// Writes the annotated module.
///
/// # Errors
/// When an input is bad, or the output cannot be written.
pub fn annotate(
    wasm: &Path,
    metadata: &Path,
    readme: Option<&Path>,
    output: &Path,
) -> Result<(), RunError> {
    let protocol = Policy::load(wasm)?.protocol_version()?;
    let metadata = Metadata::from_files(metadata, readme, protocol)?;
    let module = std::fs::read(wasm).map_err(|error| unwritable(wasm, error))?;
    let annotated = metadata.annotate(&module)?;
    std::fs::write(output, annotated).map_err(|error| unwritable(output, error))
}

fn unwritable(path: &Path, error: impl ToString) -> RunError {
    RunError::Write {
        path: path.display().to_string(),
        reason: error.to_string(),
    }
}

/// Evaluates requests.
///
/// # Errors
/// When an input is bad, or the policy cannot be hosted.
pub fn run(options: &RunOptions) -> Result<Report, RunError> {
    let policy =
        Policy::load(&options.policy)?.with_time_limit(Duration::from_secs_f64(options.timeout));
    let settings = match &options.settings {
        Some(path) => case::read_settings(path)?,
        None => Settings::default(),
    };
    let manifests = manifests(options)?;
    let mut cases = Vec::new();
    for path in &options.requests {
        cases.extend(case::load(path, &manifests)?);
    }
    if cases.is_empty() {
        return Err(RunError::Usage(
            "there is no request in what was given".to_owned(),
        ));
    }
    if options.record.is_some() && cases.len() != 1 {
        return Err(RunError::Usage(format!(
            "--record takes exactly one request, and {} were given",
            cases.len()
        )));
    }
    let cluster: Arc<dyn Backend> = Arc::new(manifests.handled());
    let outcomes: Result<Vec<Outcome>, RunError> = cases
        .into_iter()
        .map(|case| {
            outcome(
                &policy,
                case,
                &settings,
                &cluster,
                options.record.as_deref(),
            )
        })
        .collect();
    let outcomes = outcomes?;
    let output = match options.output {
        Format::Table => report::table(&outcomes),
        Format::Json => report::json(&outcomes),
    };
    Ok(Report {
        output: output + "\n",
        differences: report::differences(&outcomes),
    })
}

fn manifests(options: &RunOptions) -> Result<Manifests, RunError> {
    let mut manifests = match &options.cluster {
        Some(path) => Manifests::load(path)?,
        None => Manifests::new(),
    };
    for group in &options.without_group {
        manifests = manifests.without_group(group);
    }
    for denial in &options.forbid {
        let (verb, kind) = denial.split_once(':').ok_or_else(|| bad_denial(denial))?;
        let (api_version, kind) = kind.rsplit_once('/').ok_or_else(|| bad_denial(denial))?;
        if !["get", "list", "create"].contains(&verb) {
            return Err(bad_denial(denial));
        }
        manifests = manifests.forbid(verb, api_version, kind);
    }
    Ok(manifests)
}

fn bad_denial(text: &str) -> RunError {
    RunError::Usage(format!(
        "--forbid {text}: expected get, list or create, a colon, apiVersion/kind, such as list:kuma.io/v1alpha1/Dataplane"
    ))
}

fn outcome(
    policy: &Policy,
    case: Case,
    settings: &Settings,
    cluster: &Arc<dyn Backend>,
    record: Option<&Path>,
) -> Result<Outcome, RunError> {
    let Case {
        name,
        request,
        expected,
        settings: own,
        session,
    } = case;
    let replay = session
        .map(|path| ReplaySession::load(&path))
        .transpose()?
        .map(Arc::new);
    let source: Arc<dyn Backend> = match &replay {
        Some(replay) => replay.clone(),
        None => cluster.clone(),
    };
    let recorder = record.map(|path| (path, Arc::new(Recorder::new(source.clone()))));
    let backend: Arc<dyn Backend> = match &recorder {
        Some((_, recorder)) => recorder.clone(),
        None => source,
    };
    let evaluation: Evaluation = policy
        .evaluate(&request, own.as_ref().unwrap_or(settings), backend)
        .map_err(|error| RunError::Evaluation {
            case: name.clone(),
            error,
        })?;
    if let Some((path, recorder)) = recorder {
        recorder.save(path)?;
    }
    let mut differences = expected
        .map(|expected| expected.differences(&evaluation))
        .unwrap_or_default();
    for left in replay.iter().flat_map(|replay| replay.leftovers()) {
        differences.push(format!(
            "the session has an exchange that was never asked: {left:?}"
        ));
    }
    Ok(Outcome {
        name,
        evaluation,
        differences,
    })
}
