//! The program's subcommands.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use clap::{Args, ValueEnum};
use kuma_workload_plan::read::Fault;

use crate::{
    case::{self, Case, Cases, PlacedSettings},
    cluster::{Backend, Manifests, Recorder, ReplaySession, manifests::POLICY_SERVER},
    document::unreadable,
    metadata::{Metadata, MetadataError},
    policy::{HostError, Policy},
    report::{JudgedCase, Report},
    verdict::Verdict,
};

/// Why a subcommand could not do its work.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The policy.
    #[error("{}: {error}", path.display())]
    Policy {
        /// Its file.
        path: PathBuf,
        /// Why.
        error: HostError,
    },
    /// The metadata, or the module that they are written into.
    #[error("{}: {error}", path.display())]
    Module {
        /// The module's file.
        path: PathBuf,
        /// Why.
        error: MetadataError,
    },
    /// A file.
    #[error("{0}")]
    File(Fault),
    /// What was asked of the program cannot be done.
    #[error("{0}")]
    Usage(String),
}

/// How the outcome is printed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For a person, in lines no wider than the terminal.
    #[default]
    Text,
    /// A JSON list of AdmissionReviews.
    Json,
}

/// What makes the exit status 1.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum FailOn {
    /// A verdict that is not the declared one.
    #[default]
    Unexpected,
    /// That, and any rejection.
    Rejected,
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
    /// The policy's settings, or a ClusterAdmissionPolicy or AdmissionPolicy with settings. A
    /// request's own STEM.settings.json goes before them.
    #[arg(long, value_name = "FILE")]
    pub settings: Option<PathBuf>,
    /// How to print the verdicts.
    #[arg(short, long, value_enum, default_value_t)]
    pub output: Format,
    /// What makes the exit status 1.
    #[arg(long, value_enum, value_name = "WHAT", default_value_t)]
    pub fail_on: FailOn,
    /// Seconds after which an evaluation is given up.
    #[arg(long, value_name = "SECONDS", default_value_t = 2.0, value_parser = seconds)]
    pub timeout: f64,
    /// Write what the policy asked, and was answered, as a session that kwctl can replay. Takes
    /// exactly one request.
    #[arg(long, value_name = "FILE")]
    pub record: Option<PathBuf>,
    /// The user that policy-server is. If RBAC objects among the manifests bind something to it, it
    /// has those grants only; otherwise it has all.
    #[arg(long, value_name = "USER", default_value = POLICY_SERVER)]
    pub policy_server_user: String,
    /// A grant that policy-server lacks, such as list:kuma.io/v1alpha1/Dataplane.
    #[arg(long, value_name = "VERB:APIVERSION/KIND", value_parser = denial)]
    pub forbid: Vec<Denial>,
    /// A request that gets no answer holds the lock of policy-server's cache: what asks by the cache
    /// waits for ever.
    #[arg(long)]
    pub hold_cache: bool,
    /// An API group that is not installed, whatever the manifests say.
    #[arg(long, value_name = "GROUP")]
    pub without_group: Vec<String>,
    /// AdmissionReviews, AdmissionRequests or manifests: files, folders, or - for standard input.
    #[arg(required = true, value_name = "PATH")]
    pub requests: Vec<PathBuf>,
}

/// A grant that policy-server lacks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Denial {
    verb: String,
    api_version: String,
    kind: String,
}

fn seconds(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(seconds) if seconds > 0.0 && seconds <= 3600.0 => Ok(seconds),
        _ => Err("it must be a number of seconds above 0 and up to 3600".to_owned()),
    }
}

fn denial(text: &str) -> Result<Denial, String> {
    let parts = text.split_once(':').and_then(|(verb, kind)| {
        let (api_version, kind) = kind.rsplit_once('/')?;
        Some((verb, api_version, kind))
    });
    match parts {
        Some((verb @ ("get" | "list" | "watch" | "create"), api_version, kind)) => Ok(Denial {
            verb: verb.to_owned(),
            api_version: api_version.to_owned(),
            kind: kind.to_owned(),
        }),
        _ => Err(
            "it must be get, list, watch or create, a colon and apiVersion/kind, such as list:kuma.io/v1alpha1/Dataplane"
                .to_owned(),
        ),
    }
}

/// Writes the annotated module.
///
/// # Errors
///
/// When an input is bad, or the output cannot be written.
pub fn annotate(
    wasm: &Path,
    metadata: &Path,
    readme: Option<&Path>,
    output: &Path,
) -> Result<(), RunError> {
    let of_module = |error: MetadataError| match error {
        MetadataError::File(fault) => RunError::File(fault),
        error => RunError::Module {
            path: wasm.to_owned(),
            error,
        },
    };
    let protocol = load(wasm)?.protocol_version();
    let protocol = protocol.map_err(|error| RunError::Policy {
        path: wasm.to_owned(),
        error,
    })?;
    let metadata = Metadata::from_files(metadata, readme, protocol).map_err(of_module)?;
    let module = std::fs::read(wasm).map_err(|error| RunError::File(unreadable(wasm, &error)))?;
    let annotated = metadata.annotate(&module).map_err(of_module)?;
    std::fs::write(output, annotated).map_err(|error| {
        let why = format!("it cannot be written: {error}");
        RunError::File(Fault::of_file(output.display().to_string(), why))
    })
}

fn load(path: &Path) -> Result<Policy, RunError> {
    Policy::load(path).map_err(|error| RunError::Policy {
        path: path.to_owned(),
        error,
    })
}

/// Evaluates requests. What cannot be read, or cannot be asked, does not hide the other verdicts.
///
/// # Errors
///
/// When the policy cannot be hosted or refuses its settings, or there is no request at all.
pub fn run(options: &RunOptions) -> Result<Report, RunError> {
    let policy = load(&options.policy)?.with_time_limit(Duration::from_secs_f64(options.timeout));
    let settings = options.settings.as_deref().map(case::read_settings);
    let settings = settings.transpose().map_err(RunError::File)?;
    let settings = settings.unwrap_or_else(PlacedSettings::defaults);
    policy
        .accept(&settings.settings)
        .map_err(|error| RunError::File(settings.fault(&error)))?;

    let (manifests, mut faults) = manifests(options);
    let loaded = Cases::load(&options.requests, &manifests);
    faults.extend(loaded.faults);
    let cases = loaded.cases;
    if options.record.is_some() && cases.len() != 1 {
        return Err(RunError::Usage(format!(
            "--record takes exactly one request, and {} were given",
            cases.len()
        )));
    }
    if cases.is_empty() && faults.is_empty() {
        return Err(RunError::Usage(
            "there is no request in what was given".to_owned(),
        ));
    }
    let cluster = manifests.handled();
    if options.hold_cache {
        cluster.hold_cache();
    }
    let judge = Judge {
        policy,
        settings,
        cluster: Arc::new(cluster),
        record: options.record.as_deref(),
    };
    let mut report = Report {
        cases: Vec::new(),
        faults,
    };
    for case in cases {
        match judge.case(case) {
            Ok(judged) => report.cases.push(judged),
            Err(fault) => report.faults.push(fault),
        }
    }
    Ok(report)
}

fn manifests(options: &RunOptions) -> (Manifests, Vec<Fault>) {
    let (mut manifests, faults) = match &options.cluster {
        Some(path) => Manifests::load(path),
        None => (Manifests::new(), Vec::new()),
    };
    manifests = manifests.with_policy_server(&options.policy_server_user);
    for group in &options.without_group {
        manifests = manifests.without_group(group);
    }
    for Denial {
        verb,
        api_version,
        kind,
    } in &options.forbid
    {
        manifests = manifests.forbid(verb, api_version, kind);
    }
    (manifests, faults)
}

/// Who asks the policy about cases.
struct Judge<'o> {
    policy: Policy,
    settings: PlacedSettings,
    cluster: Arc<dyn Backend>,
    /// Where what was asked is written.
    record: Option<&'o Path>,
}

impl Judge<'_> {
    fn case(&self, case: Case) -> Result<JudgedCase, Fault> {
        let Case {
            name,
            place,
            request,
            expected,
            settings,
            session,
        } = case;
        let replay = session.map(|path| ReplaySession::load(&path)).transpose()?;
        let replay = replay.map(Arc::new);
        let source: Arc<dyn Backend> = match &replay {
            Some(replay) => replay.clone(),
            None => self.cluster.clone(),
        };
        let recorder = self
            .record
            .map(|path| (path, Arc::new(Recorder::new(source.clone()))));
        let backend: Arc<dyn Backend> = match &recorder {
            Some((_, recorder)) => recorder.clone(),
            None => source,
        };
        let settings = settings.as_ref().unwrap_or(&self.settings);
        let evaluation = self
            .policy
            .evaluate(&request, &settings.settings, backend)
            .map_err(|error| match error {
                HostError::Settings(_) => settings.fault(&error),
                error => Fault {
                    place: place.clone(),
                    message: error.to_string(),
                },
            })?;
        if let Some((path, recorder)) = recorder {
            recorder.save(path)?;
        }
        let is_declared = expected.is_some();
        let differences = expected.map(|expected| expected.differences(&evaluation));
        let mut differences = differences.unwrap_or_default();
        let unasked = replay.iter().flat_map(|replay| replay.leftovers());
        differences.extend(unasked.map(|question| {
            format!("the session has an exchange that was never asked: {question:?}")
        }));
        let verdict = match Verdict::of_answer(evaluation.response.allowed) {
            Verdict::Accepted if !self.policy.selects(&request) => Verdict::NotJudged,
            verdict => verdict,
        };
        Ok(JudgedCase {
            name,
            place,
            request,
            verdict,
            evaluation,
            is_declared,
            differences,
        })
    }
}
