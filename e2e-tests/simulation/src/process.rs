//! A replica as a process of its own: a runtime whose clock stands still until it is moved.

use std::{error::Error, time::Duration};

use clap::{CommandFactory, Parser};
use jiff::{SignedDuration, Timestamp};
use kuma_workload::run::{Clients, PlantedFault, Replica, RunFlags, client_over};
use tokio::{
    runtime::{Builder, Runtime},
    sync::oneshot,
    task::JoinHandle,
    time::{Instant, sleep_until},
};

use crate::{
    clock::{Clock, Time},
    wire::{Sent, Wire},
};

/// The namespace that the replicas are in.
pub const HOME: &str = "mesh";

/// The time of day when a simulation begins.
pub fn epoch() -> Timestamp {
    Timestamp::from_second(1_767_225_600).unwrap_or(Timestamp::UNIX_EPOCH)
}

/// The time of day at a moment of the simulation.
pub fn time_of_day(time: Time) -> Timestamp {
    epoch() + SignedDuration::try_from(time).unwrap_or_default()
}

#[derive(Debug, Parser)]
struct CommandLine {
    #[command(flatten)]
    flags: RunFlags,
}

/// Whether `run` has a flag.
pub fn has_flag(name: &str) -> bool {
    let command = CommandLine::command();
    command
        .get_arguments()
        .any(|argument| argument.get_long() == Some(name))
}

/// A running process.
#[derive(Debug)]
pub struct Process {
    runtime: Runtime,
    wire: Wire,
    /// Its clock.
    pub clock: Clock,
    started: Instant,
    task: JoinHandle<Result<(), String>>,
    stop: Option<oneshot::Sender<()>>,
    faults: Vec<PlantedFault>,
}

impl Process {
    /// Starts a replica with this command line, and with these faults planted. Its wall clock is wrong by
    /// this offset.
    ///
    /// # Errors
    /// When it does not start.
    pub fn start(
        line: &[String],
        clock: Clock,
        wall_offset: SignedDuration,
        faults: Vec<PlantedFault>,
    ) -> Result<Self, Box<dyn Error>> {
        plant(&faults);
        let words = std::iter::once("run").chain(line.iter().map(String::as_str));
        let flags = CommandLine::try_parse_from(words)?.flags;
        let runtime = Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            .build()?;
        let entered = runtime.enter();
        let started = Instant::now();
        let wire = Wire::new(started);
        let client = || client_over(wire.clone(), HOME);
        let clients = Clients {
            lease: client(),
            watches: client(),
            requests: client(),
        };
        let begun = time_of_day(clock.global(Duration::ZERO)) + wall_offset;
        let wall_clock = move || {
            let elapsed = SignedDuration::try_from(started.elapsed());
            begun + elapsed.unwrap_or_default()
        };
        let replica = Replica::new(flags, clients, std::sync::Arc::new(wall_clock))?;
        let (stop, stopped) = oneshot::channel::<()>();
        let task = tokio::spawn(replica.run(async {
            let _ = stopped.await;
        }));
        drop(entered);
        Ok(Self {
            runtime,
            wire,
            clock,
            started,
            task,
            stop: Some(stop),
            faults,
        })
    }

    /// Runs until this moment, or until it has sent something.
    pub fn run(&mut self, until: Time) -> Vec<Sent> {
        plant(&self.faults);
        // Timers have milliseconds.
        let millis = self.clock.local(until).as_nanos().div_ceil(1_000_000);
        let horizon = self.started + Duration::from_millis(u64::try_from(millis).unwrap_or(0));
        let wire = self.wire.clone();
        self.runtime.block_on(async {
            tokio::select! {
                biased;
                () = wire.sent() => (),
                () = sleep_until(horizon) => (),
            }
        });
        self.wire.take()
    }

    /// The moment up to which it has run.
    pub fn now(&self) -> Time {
        let _entered = self.runtime.enter();
        self.clock.global(self.started.elapsed())
    }

    /// It stood still until this moment, and its clock did not.
    pub fn awake(&mut self, at: Time) {
        let now = self.now();
        let missed = self.clock.local(at).saturating_sub(self.clock.local(now));
        if !missed.is_zero() {
            plant(&self.faults);
            self.runtime.block_on(tokio::time::advance(missed));
        }
    }

    /// SIGTERM.
    pub fn stop(&mut self) {
        if let Some(stop) = self.stop.take() {
            let _ = stop.send(());
        }
    }

    /// How it has ended, if it has: without a word after SIGTERM, else with what it says, or in panic.
    pub fn ended(&mut self) -> Option<Result<(), String>> {
        if !self.task.is_finished() {
            return None;
        }
        plant(&self.faults);
        let ended = self.runtime.block_on(&mut self.task);
        let was_stopped = self.stop.is_none();
        Some(match ended {
            Ok(Ok(())) if was_stopped => Ok(()),
            Ok(Ok(())) => Err("it ended by itself".to_owned()),
            Ok(Err(why)) => Err(why),
            Err(panic) => Err(panic.to_string()),
        })
    }

    /// SIGKILL.
    pub fn kill(self) {
        self.runtime.shutdown_background();
    }
}

/// Plants these faults in whatever this thread runs next.
#[cfg(feature = "planted-faults")]
fn plant(faults: &[PlantedFault]) {
    kuma_workload::run::plant(faults);
}

#[cfg(not(feature = "planted-faults"))]
fn plant(_: &[PlantedFault]) {}
