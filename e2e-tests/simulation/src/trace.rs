//! What happened, for a person to read and for a test to compare.

use std::sync::{Arc, Mutex, PoisonError};

use crate::clock::Time;

/// A trace; nothing is kept unless somebody wants it.
#[derive(Debug, Clone, Default)]
pub struct Trace(Option<Arc<Mutex<Lines>>>);

#[derive(Debug, Default)]
struct Lines {
    lines: Vec<String>,
    now: Time,
}

impl Trace {
    /// A trace that keeps everything.
    pub fn kept() -> Self {
        Self(Some(Arc::default()))
    }

    /// Whether it keeps anything.
    pub fn is_kept(&self) -> bool {
        self.0.is_some()
    }

    /// The time of what follows.
    pub fn set_time(&self, time: Time) {
        if let Some(lines) = &self.0 {
            lines.lock().unwrap_or_else(PoisonError::into_inner).now = time;
        }
    }

    /// Notes something.
    pub fn note(&self, what: impl FnOnce() -> String) {
        if let Some(lines) = &self.0 {
            let mut lines = lines.lock().unwrap_or_else(PoisonError::into_inner);
            let line = format!("{:>11.3} {}", lines.now.as_secs_f64(), what());
            lines.lines.push(line);
        }
    }

    /// Everything so far.
    pub fn lines(&self) -> Vec<String> {
        match &self.0 {
            Some(lines) => lines
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .lines
                .clone(),
            None => Vec::new(),
        }
    }
}

/// The program's own log, as part of a trace.
#[derive(Debug, Clone)]
pub struct LogWriter(pub Trace);

impl std::io::Write for LogWriter {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        let line = String::from_utf8_lossy(bytes);
        self.0.note(|| format!("log    {}", line.trim_end()));
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}
