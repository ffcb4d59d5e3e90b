//! The clock of the evaluation time limit: it advances an engine's epoch until it is dropped.

use std::{
    io,
    sync::mpsc::{self, RecvTimeoutError, Sender},
    thread,
    time::Duration,
};

use wasmtime::Engine;

/// The clock's resolution. policy-server ticks once a second; tests need shorter limits than that.
const TICK: Duration = Duration::from_millis(10);

/// Keeps an engine's epoch moving.
pub(crate) struct Ticker {
    /// Closes when the ticker is dropped: the thread waits on its other end.
    _stop: Sender<()>,
}

impl Ticker {
    pub(crate) fn start(engine: &Engine) -> io::Result<Self> {
        let (stop, stopped) = mpsc::channel();
        let engine = engine.weak();
        thread::Builder::new()
            .name("epochs".to_owned())
            .spawn(move || {
                while let Err(RecvTimeoutError::Timeout) = stopped.recv_timeout(TICK) {
                    match engine.upgrade() {
                        Some(engine) => engine.increment_epoch(),
                        None => break,
                    }
                }
            })?;
        Ok(Self { _stop: stop })
    }
}

/// How many ticks last at least this long: the one that is under way does not count.
pub(crate) fn ticks(limit: Duration) -> u64 {
    let ticks = limit.as_millis().div_ceil(TICK.as_millis()) + 1;
    u64::try_from(ticks).unwrap_or(u64::MAX / 2)
}
