//! Records what a policy asks and is answered, for kwctl's replay.

use std::{
    path::Path,
    sync::{Arc, Mutex, PoisonError},
};

use kuma_workload_plan::read::Fault;

use super::{
    backend::{Backend, Reply},
    session::{self, Recorded},
};
use crate::question::Question;

/// Passes questions on, and remembers them with their answers.
pub struct Recorder {
    inner: Arc<dyn Backend>,
    exchanges: Mutex<Vec<Recorded>>,
}

impl Recorder {
    /// Records what this backend answers.
    #[must_use]
    pub fn new(inner: Arc<dyn Backend>) -> Self {
        Self {
            inner,
            exchanges: Mutex::default(),
        }
    }

    /// Writes all of it as a session file.
    ///
    /// # Errors
    ///
    /// When the file cannot be written, or an answer cannot be recorded: one that is no text, and
    /// a call that never ended.
    pub fn save(&self, path: &Path) -> Result<(), Fault> {
        session::write(
            path,
            &self
                .exchanges
                .lock()
                .unwrap_or_else(PoisonError::into_inner),
        )
    }
}

impl Backend for Recorder {
    fn ask(&self, question: &Question) -> Reply {
        let reply = self.inner.ask(question);
        let mut exchanges = self
            .exchanges
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        exchanges.push((question.clone(), reply.clone()));
        reply
    }
}
