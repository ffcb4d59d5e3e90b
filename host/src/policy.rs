//! A policy, hosted: compiled once, a new instance for each request, within a time limit.

use std::{
    collections::HashMap,
    path::Path,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use crate::{
    admission::{self, AdmissionRequest, AdmissionResponse, Settings},
    callback::{Call, Grants, Host},
    capability::{Capabilities, UnknownCapability},
    cluster::{Backend, Failure, Scripted},
    document::unreadable,
    metadata::{Metadata, MetadataError},
    ticker::{self, Ticker},
    wapc::{Guest, GuestCallError},
    wire::SettingsValidationResponse,
};

/// policy-server's own time limit for an evaluation.
pub const TIME_LIMIT: Duration = Duration::from_secs(2);

/// Why a policy cannot be hosted, or not with these settings.
#[derive(Debug, thiserror::Error)]
pub enum HostError {
    /// The module cannot be read.
    #[error("{0}")]
    Read(String),
    /// The module is no WebAssembly, or imports what this host does not offer.
    #[error("this is no policy: {0}")]
    Module(String),
    /// Its metadata is broken.
    #[error(transparent)]
    Metadata(#[from] MetadataError),
    /// Its metadata asks for a capability that does not exist.
    #[error(transparent)]
    Capability(#[from] UnknownCapability),
    /// No instance can be made.
    #[error("the policy does not start: {0}")]
    Start(String),
    /// The guest refuses these settings: nothing is evaluated with them.
    #[error("the settings are not valid: {0}")]
    Settings(String),
    /// The guest names no protocol that this host speaks.
    #[error("the policy does not name its protocol version: {0}")]
    Protocol(String),
}

/// A policy, ready to be asked. Share it between threads as you like.
pub struct Policy {
    guest: Guest,
    metadata: Option<Metadata>,
    grants: Arc<Grants>,
    limit: Duration,
    /// What the guest said of settings that it saw before.
    settings: Mutex<HashMap<String, SettingsValidationResponse>>,
    /// Ends with the last policy of this module.
    _ticker: Arc<Ticker>,
}

/// One evaluation: the answer, and how it was come by.
#[derive(Clone, Debug)]
pub struct Evaluation {
    /// What the API server gets.
    pub response: AdmissionResponse,
    /// All host calls but log lines, in order.
    pub calls: Vec<Call>,
    /// The distinct watches that the calls needed.
    pub watches: Vec<String>,
    /// Log lines, as the guest sent them.
    pub logs: Vec<String>,
    /// From the first byte of the payload to the verdict, instance included.
    pub elapsed: Duration,
}

impl Evaluation {
    /// How often the policy asked for one object.
    #[must_use]
    pub fn gets(&self) -> usize {
        self.calls.iter().filter(|call| call.is_get()).count()
    }

    /// How often it asked for a list.
    #[must_use]
    pub fn lists(&self) -> usize {
        self.calls.iter().filter(|call| call.is_list()).count()
    }
}

/// One call of a guest's function with bytes of the caller's choice.
#[derive(Clone, Debug)]
pub struct GuestCall {
    /// What the guest answered, or why it did not.
    pub result: Result<Vec<u8>, GuestCallError>,
    /// All host calls but log lines, in order.
    pub calls: Vec<Call>,
    /// Log lines, as the guest sent them.
    pub logs: Vec<String>,
    /// Instance included.
    pub elapsed: Duration,
}

impl Policy {
    /// Loads and compiles a module; grants are what its metadata asks for, none without metadata.
    ///
    /// # Errors
    ///
    /// When it is no policy.
    pub fn load(path: &Path) -> Result<Self, HostError> {
        let module = std::fs::read(path)
            .map_err(|error| HostError::Read(unreadable(path, &error).message))?;
        Self::from_bytes(&module)
    }

    /// The same from a module in memory.
    ///
    /// # Errors
    ///
    /// When it is no policy.
    pub fn from_bytes(module: &[u8]) -> Result<Self, HostError> {
        let metadata = Metadata::from_module(module)?;
        let grants = match &metadata {
            Some(metadata) => Grants {
                capabilities: Capabilities::new(metadata.host_capabilities.iter().flatten())?,
                resources: metadata.context_aware_resources.clone(),
            },
            None => Grants::default(),
        };
        let not_a_policy = |error: &dyn std::fmt::Display| HostError::Module(error.to_string());
        let guest = Guest::compile(module).map_err(|error| not_a_policy(&error))?;
        let ticker = Ticker::start(guest.engine()).map_err(|error| not_a_policy(&error))?;
        Ok(Self {
            guest,
            metadata,
            grants: Arc::new(grants),
            limit: TIME_LIMIT,
            settings: Mutex::default(),
            _ticker: Arc::new(ticker),
        })
    }

    /// Another time limit than policy-server's two seconds.
    #[must_use]
    pub fn with_time_limit(self, limit: Duration) -> Self {
        Self { limit, ..self }
    }

    /// Other grants than those that the metadata asks for.
    #[must_use]
    pub fn with_grants(self, grants: Grants) -> Self {
        Self {
            grants: Arc::new(grants),
            ..self
        }
    }

    /// Another policy of the same module, with grants of its own.
    #[must_use]
    pub fn sibling(&self, grants: Grants) -> Self {
        Self {
            guest: self.guest.clone(),
            metadata: self.metadata.clone(),
            grants: Arc::new(grants),
            limit: self.limit,
            settings: Mutex::default(),
            _ticker: self._ticker.clone(),
        }
    }

    /// What it may use.
    #[must_use]
    pub fn grants(&self) -> &Grants {
        &self.grants
    }

    /// Its metadata, none if it is not annotated.
    #[must_use]
    pub fn metadata(&self) -> Option<&Metadata> {
        self.metadata.as_ref()
    }

    /// Whether the API server asks about this request: by one of the rules that the metadata has, or
    /// whatever it is, without metadata.
    #[must_use]
    pub fn selects(&self, request: &AdmissionRequest) -> bool {
        self.metadata.as_ref().is_none_or(|metadata| {
            let mut rules = metadata.rules.iter();
            rules.any(|rule| rule.selects(request))
        })
    }

    /// The protocol that the guest speaks, such as `v1`.
    ///
    /// # Errors
    ///
    /// When it names none.
    pub fn protocol_version(&self) -> Result<String, HostError> {
        let answer = self
            .call("protocol_version", &[], no_cluster())
            .result
            .map_err(|error| HostError::Protocol(error.to_string()))?;
        serde_json::from_slice(&answer).map_err(|error| HostError::Protocol(error.to_string()))
    }

    /// What the guest says of these settings.
    #[must_use]
    pub fn validate_settings(&self, settings: &Settings) -> SettingsValidationResponse {
        let invalid = |message: String| SettingsValidationResponse {
            valid: false,
            message: Some(message),
        };
        let payload = match serde_json::to_vec(settings) {
            Ok(payload) => payload,
            Err(error) => return invalid(error.to_string()),
        };
        match self
            .call("validate_settings", &payload, no_cluster())
            .result
        {
            Ok(answer) => serde_json::from_slice(&answer)
                .unwrap_or_else(|error| invalid(format!("unreadable answer: {error}"))),
            Err(error) => invalid(error.to_string()),
        }
    }

    /// Evaluates a request. Settings are validated when they are seen for the first time, as
    /// policy-server does when it starts.
    ///
    /// # Errors
    ///
    /// When the guest refuses the settings, or no instance can be made of it. A guest that fails
    /// later has an answer: a rejection.
    pub fn evaluate(
        &self,
        request: &AdmissionRequest,
        settings: &Settings,
        cluster: Arc<dyn Backend>,
    ) -> Result<Evaluation, HostError> {
        self.accept(settings)?;
        self.evaluate_unchecked(request, settings, cluster)
    }

    /// Validates settings ahead of the first request.
    ///
    /// # Errors
    ///
    /// When the guest refuses them.
    pub fn accept(&self, settings: &Settings) -> Result<(), HostError> {
        let key = serde_json::to_string(settings)
            .map_err(|error| HostError::Settings(error.to_string()))?;
        let known = self
            .settings
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get(&key)
            .cloned();
        let verdict = known.unwrap_or_else(|| {
            let verdict = self.validate_settings(settings);
            let mut seen = self.settings.lock().unwrap_or_else(PoisonError::into_inner);
            seen.insert(key, verdict.clone());
            verdict
        });
        if verdict.valid {
            Ok(())
        } else {
            Err(HostError::Settings(
                verdict.message.unwrap_or_else(|| "no reason given".into()),
            ))
        }
    }

    /// Evaluates a request with settings that were accepted before: what a benchmark measures.
    ///
    /// # Errors
    ///
    /// When no instance can be made of the policy.
    pub fn evaluate_unchecked(
        &self,
        request: &AdmissionRequest,
        settings: &Settings,
        cluster: Arc<dyn Backend>,
    ) -> Result<Evaluation, HostError> {
        let payload = admission::validate_payload(request, settings);
        let GuestCall {
            result,
            calls,
            logs,
            elapsed,
        } = self.call("validate", &payload, cluster);
        let response = match result {
            Ok(verdict) => AdmissionResponse::from_verdict(request, &verdict),
            Err(GuestCallError::Interrupted) => AdmissionResponse::interrupted(&request.uid),
            Err(error @ GuestCallError::Failed(_)) => {
                AdmissionResponse::internal_error(&request.uid, &error.to_string())
            }
            Err(GuestCallError::NotStarted(error)) => return Err(HostError::Start(error)),
        };
        let mut watches: Vec<String> = Vec::new();
        for watch in calls.iter().filter_map(|call| call.watch.as_ref()) {
            if !watches.contains(watch) {
                watches.push(watch.clone());
            }
        }
        Ok(Evaluation {
            response,
            calls,
            watches,
            logs,
            elapsed,
        })
    }

    /// Calls a guest's function (`validate`, `validate_settings`, `protocol_version`) of a new
    /// instance with any bytes.
    #[must_use]
    pub fn call(&self, function: &str, payload: &[u8], cluster: Arc<dyn Backend>) -> GuestCall {
        let start = Instant::now();
        let host = Arc::new(Host::new(self.grants.clone(), cluster, start + self.limit));
        let ticks = ticker::ticks(self.limit);
        let result = self.guest.call(function, payload, host.clone(), ticks);
        GuestCall {
            result: if host.has_hung() {
                Err(GuestCallError::Interrupted)
            } else {
                result
            },
            calls: host.take_calls(),
            logs: host.take_logs(),
            elapsed: start.elapsed(),
        }
    }
}

impl std::fmt::Debug for Policy {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Policy")
            .field("grants", &self.grants)
            .field("limit", &self.limit)
            .finish_non_exhaustive()
    }
}

/// For functions that have no business asking about a cluster.
fn no_cluster() -> Arc<dyn Backend> {
    Arc::new(Scripted::failing(Failure::new(
        "kube::Client was not initialized properly",
    )))
}
