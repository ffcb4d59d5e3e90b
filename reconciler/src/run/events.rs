//! Events (L9 to L11, L6, W5): what is wrong, said where people look.
//!
//! | part | job |
//! |---|---|
//! | [`Condition`] | what is to be said of a workload or a namespace |
//! | [`Reports`] | when to say it, as a pure state machine |
//! | [`Reporter`] | the handle by which the controller tells what it has seen |
//! | [`Publisher`] | brings events to the API server, and loses none |
//!
//! [`REASONS`] is the one table of them.

mod condition;
mod publisher;
mod reason;
mod reports;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use clap::{ArgAction, Args};
use tokio::{sync::Notify, time::Instant};

pub use self::{
    condition::{Condition, Message, Subject},
    publisher::Publisher,
    reason::{Description, REASONS, Reason, Severity},
    reports::{REPEAT, Report, Reports},
};

/// What is said.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Events")]
#[group(id = "events")]
pub struct Options {
    /// Warn of namespaces with workloads of several meshes, which Kuma allows so far.
    #[arg(
        long,
        env = "KUMA_WORKLOAD_WARN_SPLIT_NAMESPACES",
        default_value_t = true,
        action = ArgAction::Set,
        value_name = "BOOL"
    )]
    pub warn_split_namespaces: bool,
}

/// Tells the [`Publisher`] what was seen, and costs next to nothing.
#[derive(Debug, Clone)]
pub struct Reporter(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    reports: Mutex<Reports>,
    seen: Notify,
}

impl Reporter {
    /// One for this process.
    pub fn new(options: &Options) -> Self {
        Self(Arc::new(Shared {
            reports: Mutex::new(Reports::new(options.warn_split_namespaces)),
            seen: Notify::new(),
        }))
    }

    /// This is how a workload or a namespace stands; none is well. To be told each time it is
    /// looked at, changed or not.
    pub fn observe(&self, subject: Subject, condition: Option<Condition>) {
        if self.reports().observe(subject, condition, Instant::now()) {
            self.0.seen.notify_one();
        }
    }

    /// It is no longer looked after: how it stands is not known, so nothing more is said.
    pub fn forget(&self, subject: &Subject) {
        self.reports().forget(subject);
    }

    fn reports(&self) -> MutexGuard<'_, Reports> {
        self.0
            .reports
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}
