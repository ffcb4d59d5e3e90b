//! The host calls of a policy: two gates, the questions behind them, and a record of every call.
//!
//! The error texts are the real host's, word for word: a policy tells its failures apart by them.

use std::{
    collections::BTreeSet,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::Instant,
};

use serde::de::DeserializeOwned;

use crate::{
    capability::Capabilities,
    cluster::{Answer, Backend, Reply},
    metadata::ContextAwareResource,
    question::Question,
    wire::{
        CanIRequest, GetResourceRequest, ListAllResourcesRequest, ListResourcesByNamespaceRequest,
    },
};

/// What a policy may use: the first gate and the second one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Grants {
    /// Host capabilities.
    pub capabilities: Capabilities,
    /// Kinds that may be read.
    pub resources: BTreeSet<ContextAwareResource>,
}

/// One host call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    /// `namespace/operation`, as capabilities are named.
    pub operation: String,
    /// What was asked, if it could be read.
    pub question: Option<Question>,
    /// The watch that it needed.
    pub watch: Option<String>,
    /// How it ended.
    pub outcome: CallOutcome,
}

/// How a host call ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CallOutcome {
    /// With an answer of this many bytes.
    Answered(usize),
    /// With this error, as the policy read it.
    Failed(String),
    /// With this error, by one of the gates.
    Denied(String),
    /// Not at all, until the evaluation was given up.
    Hung,
}

impl Call {
    /// Is it a get?
    #[must_use]
    pub fn is_get(&self) -> bool {
        self.question.as_ref().is_some_and(Question::is_get)
    }

    /// Is it a list?
    #[must_use]
    pub fn is_list(&self) -> bool {
        self.question.as_ref().is_some_and(Question::is_list)
    }

    /// One line for a person: the operation and what it was about.
    #[must_use]
    pub fn summary(&self) -> String {
        let Some(question) = &self.question else {
            return self.operation.clone();
        };
        let verb = match question {
            Question::KubernetesGetResource { .. } => "get",
            Question::KubernetesCanI { request, .. } => {
                return format!("can_i {request}{}", self.ending());
            }
            _ => "list",
        };
        let kind = question.resource().map_or("", |(_, kind)| kind);
        let namespace = question.namespace();
        let name = question.name();
        let place = match (namespace, name) {
            (Some(namespace), Some(name)) => format!(" {namespace}/{name}"),
            (Some(one), None) | (None, Some(one)) => format!(" {one}"),
            (None, None) => String::new(),
        };
        let selector = question
            .label_selector()
            .map(|text| format!(" {text}"))
            .unwrap_or_default();
        format!("{verb} {kind}{place}{selector}{}", self.ending())
    }

    fn ending(&self) -> &'static str {
        match &self.outcome {
            CallOutcome::Answered(_) => "",
            CallOutcome::Failed(text) if text.contains(" named '") => " (not found)",
            CallOutcome::Failed(_) => " (failed)",
            CallOutcome::Denied(_) => " (denied)",
            CallOutcome::Hung => " (hung)",
        }
    }
}

/// The host's side of one instance.
pub(crate) struct Host {
    grants: Arc<Grants>,
    backend: Arc<dyn Backend>,
    /// When the evaluation is given up.
    deadline: Instant,
    calls: Mutex<Vec<Call>>,
    logs: Mutex<Vec<String>>,
    hung: AtomicBool,
}

/// What a call made of its payload.
struct Done {
    question: Option<Question>,
    watch: Option<String>,
    denied: bool,
    result: Result<Vec<u8>, String>,
    hung: bool,
}

impl Done {
    fn refused(message: String) -> Self {
        Self {
            question: None,
            watch: None,
            denied: false,
            result: Err(message),
            hung: false,
        }
    }
}

impl Host {
    pub(crate) fn new(grants: Arc<Grants>, backend: Arc<dyn Backend>, deadline: Instant) -> Self {
        Self {
            grants,
            backend,
            deadline,
            calls: Mutex::default(),
            logs: Mutex::default(),
            hung: AtomicBool::new(false),
        }
    }

    pub(crate) fn take_calls(&self) -> Vec<Call> {
        std::mem::take(&mut *self.calls.lock().unwrap_or_else(PoisonError::into_inner))
    }

    pub(crate) fn take_logs(&self) -> Vec<String> {
        std::mem::take(&mut *self.logs.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Did a call wait until the evaluation was given up?
    pub(crate) fn has_hung(&self) -> bool {
        self.hung.load(Ordering::Acquire)
    }

    /// Keeps a log line.
    pub(crate) fn log(&self, line: String) {
        let mut logs = self.logs.lock().unwrap_or_else(PoisonError::into_inner);
        logs.push(line);
    }

    pub(crate) fn call(
        &self,
        binding: &str,
        namespace: &str,
        operation: &str,
        payload: &[u8],
    ) -> Result<Vec<u8>, String> {
        if binding == "kubewarden" && namespace == "tracing" && operation == "log" {
            // Not gated, never fails, and no question: kept apart from the calls.
            self.log(String::from_utf8_lossy(payload).into_owned());
            return Ok(Vec::new());
        }
        let done = self.answer(binding, namespace, operation, payload);
        let outcome = match &done.result {
            _ if done.hung => CallOutcome::Hung,
            Ok(bytes) => CallOutcome::Answered(bytes.len()),
            Err(error) if done.denied => CallOutcome::Denied(error.clone()),
            Err(error) => CallOutcome::Failed(error.clone()),
        };
        self.calls
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(Call {
                operation: format!("{namespace}/{operation}"),
                question: done.question,
                watch: done.watch,
                outcome,
            });
        done.result
    }

    fn answer(&self, binding: &str, namespace: &str, operation: &str, payload: &[u8]) -> Done {
        if binding != "kubewarden" {
            return Done::refused(format!("unknown binding: {binding}"));
        }
        let capability = format!("{namespace}/{operation}");
        if namespace != "tracing" && !self.grants.capabilities.allow(&capability) {
            return Done {
                denied: true,
                ..Done::refused(format!(
                    "Policy has not been granted access to the '{capability}' host capability. The violation has been reported."
                ))
            };
        }
        match (namespace, operation) {
            ("kubernetes", "get_resource") => self.ask::<GetResourceRequest>(payload),
            ("kubernetes", "list_resources_by_namespace") => {
                self.ask::<ListResourcesByNamespaceRequest>(payload)
            }
            ("kubernetes", "list_resources_all") => self.ask::<ListAllResourcesRequest>(payload),
            ("kubernetes", "can_i") => self.ask::<CanIRequest>(payload),
            // Known to the real host, but nothing that this one could answer.
            ("oci" | "net" | "crypto", _) if Capabilities::is_known(&capability) => {
                Done::refused(format!("{capability} is not offered by this host"))
            }
            ("kubernetes" | "tracing" | "oci" | "net" | "crypto", _) => {
                Done::refused(format!("unknown operation: {operation}"))
            }
            _ => Done::refused(format!("unknown namespace: {namespace}")),
        }
    }

    fn ask<R: DeserializeOwned + Into<Question>>(&self, payload: &[u8]) -> Done {
        let question: Question = match serde_json::from_slice::<R>(payload) {
            Ok(request) => request.into(),
            Err(error) => return Done::refused(error.to_string()),
        };
        if let Some((api_version, kind)) = question.resource() {
            let resource = ContextAwareResource::new(api_version, kind);
            if !self.grants.resources.contains(&resource) {
                let message = format!(
                    "Policy has not been granted access to Kubernetes {api_version}/{kind} resources. The violation has been reported."
                );
                return Done {
                    denied: true,
                    question: Some(question),
                    ..Done::refused(message)
                };
            }
        }
        let Reply { answer, watch } = self.backend.ask(&question);
        let hung = answer == Answer::Hang;
        let result = match answer {
            Answer::Payload(bytes) => Ok(bytes),
            Answer::Failure(failure) => {
                Err(format!("Callback evaluation failure: {}", failure.chain()))
            }
            Answer::Hang => {
                // The real host would wait on, far beyond the limit: nothing can interrupt a guest
                // that waits for its host. Here the wait ends with the limit, and so does the guest.
                thread::sleep(self.deadline.saturating_duration_since(Instant::now()));
                self.hung.store(true, Ordering::Release);
                Err("Error obtaining response over callback channel".to_owned())
            }
        };
        Done {
            question: Some(question),
            watch,
            denied: false,
            result,
            hung,
        }
    }
}
