//! One simulation: replicas, the API servers, the network between them, the world, and what goes wrong.
//!
//! The simulation owns time. Each replica runs up to the next thing that happens anywhere, or until it
//! sends something; then that thing happens. All of it follows from the seed.

mod churn;
mod ending;
mod episodes;
mod exchange;
mod happening;
mod streams;
mod traffic;
mod world;

use std::{collections::BTreeMap, time::Duration};

use fastrand::Rng;

use self::{
    happening::{Episode, Happening},
    traffic::Stream,
};
use crate::{
    agenda::Agenda,
    checks::{
        Check, Violation,
        announcements::{self, Announcements},
        fence::Fences,
        leadership::Term,
        pacing::Pacing,
        references::{Begun, References},
        requests::Requests,
    },
    clock::{Clock, Time},
    expected::Rules,
    fault::{Coverage, Fault},
    planted::Planted,
    process::{Process, time_of_day},
    scenario::{Mode, QUIET, Scenario},
    server::{
        ApiServer, SERVERS,
        resource::Resource,
        store::{Change, Store},
    },
    trace::Trace,
    version::Version,
};

/// Which Pod labels name workloads, where they do.
const POD_LABELS: &[&str] = &["app"];

/// A cache that is behind by more than this is late.
const LATE: Duration = Duration::from_millis(100);

/// The place of a replica.
#[derive(Debug)]
struct Slot {
    process: Option<Process>,
    /// Counts the processes that were here.
    incarnation: u32,
    is_paused: bool,
    term: Term,
    pacing: Pacing,
    /// Of which version the process is.
    version: Version,
    /// Of which version the next one is.
    next_version: Version,
}

/// How a simulation has ended.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// What must not have been, first things first.
    pub violations: Vec<Violation>,
    /// Which faults there were.
    pub coverage: Coverage,
    /// How many requests were sent.
    pub requests: u64,
    /// How long it was, in virtual time.
    pub lasted: Time,
    /// What happened, if that was kept.
    pub trace: Vec<String>,
}

/// A simulation.
#[derive(Debug)]
pub struct Simulation {
    scenario: Scenario,
    planted: Option<Planted>,
    trace: Trace,
    now: Time,
    step: u64,
    agenda: Agenda<Happening>,
    server: ApiServer,
    slots: Vec<Slot>,
    streams: BTreeMap<u64, Stream>,
    next_stream: u64,
    /// Responders that are never used: whoever waits for them waits until it gives up.
    silent: Vec<Box<dyn std::any::Any>>,
    network: Rng,
    world: Rng,
    fates: Rng,
    has_trouble: bool,
    are_away: bool,
    lags: [Duration; SERVERS],
    backups: Vec<(Time, Store)>,
    seen: u64,
    next_dataplane: u64,
    coverage: Coverage,
    references: References,
    fences: Fences,
    announcements: Announcements,
    requests: Requests,
    is_quiet: bool,
    sent: u64,
    /// When something went wrong last.
    disturbed: Time,
    /// Before this, two replicas may lead: the database that names the leader went back.
    leaders_unknown_until: Time,
    violations: Vec<Violation>,
}

impl Simulation {
    /// A simulation of a seed.
    pub fn new(scenario: Scenario, planted: Option<Planted>, trace: Trace) -> Self {
        let seed = scenario.seed;
        let rng = |salt: u64| Rng::with_seed(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ salt);
        fastrand::seed(seed);
        let mut server = ApiServer::default();
        server.has_status_subresource = scenario.has_status_subresource;
        server.page_limit = scenario.page_limit;
        let slots = scenario.replicas.iter().map(|_| Slot {
            process: None,
            incarnation: 0,
            is_paused: false,
            term: Term::default(),
            pacing: Pacing::default(),
            version: Version::Current,
            next_version: Version::Current,
        });
        Self {
            slots: slots.collect(),
            planted,
            trace,
            now: Time::ZERO,
            step: 0,
            agenda: Agenda::default(),
            seen: server.store.revision(),
            server,
            streams: BTreeMap::new(),
            next_stream: 0,
            silent: Vec::new(),
            network: rng(1),
            world: rng(2),
            fates: rng(3),
            has_trouble: false,
            are_away: false,
            lags: [Duration::from_millis(5); SERVERS],
            backups: Vec::new(),
            next_dataplane: 0,
            coverage: Coverage::default(),
            references: References::default(),
            fences: Fences::default(),
            announcements: Announcements::default(),
            requests: Requests::default(),
            is_quiet: false,
            sent: 0,
            disturbed: Time::ZERO,
            leaders_unknown_until: Time::ZERO,
            violations: Vec::new(),
            scenario,
        }
    }

    /// Runs to the end, or to the first thing that must not be.
    pub fn run(mut self) -> Outcome {
        self.begin();
        while self.now < self.scenario.ends && self.violations.is_empty() {
            self.proceed();
        }
        if self.violations.is_empty() {
            self.check_the_end();
        }
        for slot in &mut self.slots {
            if let Some(process) = slot.process.take() {
                process.kill();
            }
        }
        Outcome {
            violations: self.violations,
            coverage: self.coverage,
            requests: self.sent,
            lasted: self.now,
            trace: self.trace.lines(),
        }
    }

    fn begin(&mut self) {
        let scenario = format!("{:?}", self.scenario);
        self.trace.note(|| scenario);
        self.create_world();
        if self.scenario.faults.contains(&Fault::PreviousVersion) {
            for slot in &mut self.slots {
                slot.next_version = match self.fates.bool() {
                    true => Version::Previous,
                    false => Version::Current,
                };
            }
        }
        for replica in 0..self.slots.len() {
            self.start(replica);
        }
        let (faults_until, ends) = (self.scenario.faults_until, self.scenario.ends);
        self.agenda.add(Time::ZERO, Happening::Churn);
        self.agenda.add(Time::ZERO, Happening::Housekeeping);
        self.agenda
            .add(Time::from_secs(15), Happening::Trouble(true));
        self.agenda.add(faults_until, Happening::FaultsEnd);
        self.agenda
            .add(ends.saturating_sub(QUIET), Happening::Quiet);
    }

    /// Lets everybody run up to the next thing that happens, and then lets it happen.
    fn proceed(&mut self) {
        let ends = self.scenario.ends;
        for replica in 0..self.slots.len() {
            // Whoever sends something may thereby make something happen earlier.
            loop {
                let next = self.agenda.next().unwrap_or(ends).min(ends);
                let slot = &mut self.slots[replica];
                let Some(process) = slot.process.as_mut().filter(|_| !slot.is_paused) else {
                    break;
                };
                if process.now() >= next {
                    break;
                }
                let sent = process.run(next);
                let is_idle = sent.is_empty();
                for sent in sent {
                    self.send(replica, sent);
                }
                if is_idle {
                    // It has come up to there, though rounding may say that it is a moment short of it.
                    self.notice_end(replica);
                    break;
                }
            }
        }
        let Some(next) = self.agenda.next().filter(|next| *next <= ends) else {
            self.now = ends;
            return;
        };
        self.now = next.max(self.now);
        self.trace.set_time(self.now);
        if let Some((_, happening)) = self.agenda.pop() {
            self.step += 1;
            self.happen(happening);
            self.look_at_changes();
        }
    }

    fn happen(&mut self, happening: Happening) {
        match happening {
            Happening::Arrive(call) => self.arrive(*call),
            Happening::Answer(delivery) => self.deliver(*delivery),
            Happening::CatchUp(server, revision) => self.catch_up(server, revision),
            Happening::Stream(id, step) => self.stream(id, step),
            Happening::Churn => self.churn(),
            Happening::Trouble(begins) => self.trouble(begins),
            Happening::Befall => self.befall(),
            Happening::Recover(episode) => self.recover(episode),
            Happening::Housekeeping => self.keep_house(),
            Happening::Verify(name, since) => self.verify(&name, since),
            Happening::FaultsEnd => self.end_faults(),
            Happening::Quiet => self.is_quiet = true,
        }
    }

    /// Starts a process in the place of a replica.
    fn start(&mut self, replica: usize) {
        let traits = self.scenario.replicas[replica];
        let clock = Clock::new(self.now, traits.drift);
        let slot = &mut self.slots[replica];
        slot.version = slot.next_version;
        let faults = slot.version.faults(self.planted);
        let line = self.scenario.line(replica);
        let started = Process::start(&line, clock, traits.wall_offset, faults);
        if slot.version == Version::Previous {
            self.coverage.effective(Fault::PreviousVersion);
        }
        slot.incarnation += 1;
        slot.is_paused = false;
        slot.term = Term::default();
        slot.pacing = Pacing::default();
        self.fences.forget(replica);
        match started {
            Ok(process) => slot.process = Some(process),
            Err(error) => self.violate(Check::Ended, format!("replica {replica}: {error}")),
        }
        let version = self.slots[replica].version;
        self.trace
            .note(|| format!("r{replica}     starts, {version:?} version"));
    }

    /// A process may have ended. One that was asked to is followed by another.
    fn notice_end(&mut self, replica: usize) {
        let ended = self.slots[replica].process.as_mut().map(Process::ended);
        match ended {
            None | Some(None) => return,
            Some(Some(Ok(()))) => self.coverage.effective(Fault::Stopped),
            Some(Some(Err(why))) => {
                self.violate(Check::Ended, format!("replica {replica}: {why}"));
            }
        }
        self.slots[replica].process = None;
        let delay = Duration::from_millis(self.fates.u64(500..10_000));
        let episode = Episode::Down(replica);
        self.agenda
            .add(self.now + delay, Happening::Recover(episode));
    }

    /// Follows what has changed in the database since the last time.
    fn look_at_changes(&mut self) {
        let revision = self.server.store.revision();
        if revision == self.seen {
            return;
        }
        let changes = self.server.store.since(self.seen).to_vec();
        self.seen = revision;
        let mut namespaces: Vec<_> = changes
            .iter()
            .filter(|change| matches!(change.key.resource, Resource::Dataplanes | Resource::Pods))
            .map(|change| change.key.namespace.clone())
            .collect();
        namespaces.dedup();
        for namespace in namespaces {
            self.update_references(&namespace);
        }
        // The previous version announces what was announced before it led. With identifiers of Pods, two
        // watches tell of one proxy, one a moment before the other.
        if self.is_upgrading() || self.scenario.identifiers_of_pods {
            self.announcements.forget(self.now);
        }
        let is_event = |change: &&Change| change.key.resource == Resource::Events;
        for change in changes.iter().filter(is_event) {
            self.trace.note(|| announcements::describe(change));
            if let Some(what) = self.announcements.written(change, self.now) {
                self.violate(Check::AnnouncedTwice, what);
            }
        }
        for server in 0..SERVERS {
            let lag = self.lags[server];
            if lag > LATE {
                // Whoever asks this server has an older view of when conflicts begin and end.
                self.announcements.forget(self.now + lag);
            }
            let jitter = Duration::from_micros(self.network.u64(500..20_000));
            self.agenda.add(
                self.now + lag + jitter,
                Happening::CatchUp(server, revision),
            );
        }
    }

    fn update_references(&mut self, namespace: &str) {
        let rules = rules(&self.scenario);
        let store = &self.server.store;
        let begun = self
            .references
            .update(store, rules, namespace, self.step, self.now);
        for Begun(name) in begun {
            let (namespace, workload) = &name;
            self.trace
                .note(|| format!("conflict of {namespace}/{workload} begins or changes"));
            self.announcements.began(name, self.now);
        }
    }

    /// Whether a process of the previous version runs.
    fn is_upgrading(&self) -> bool {
        let is_previous = |slot: &Slot| slot.version == Version::Previous && slot.process.is_some();
        self.slots.iter().any(is_previous)
    }

    fn violate(&mut self, check: Check, what: String) {
        let violation = Violation {
            time: self.now,
            check,
            what,
        };
        self.trace.note(|| format!("WRONG  {violation}"));
        self.violations.push(violation);
    }

    fn disturb(&mut self, fault: Fault) {
        self.disturbed = self.now;
        self.coverage.effective(fault);
    }

    fn wall(&self) -> jiff::Timestamp {
        time_of_day(self.now)
    }
}

/// What the model is told.
fn rules(scenario: &Scenario) -> Rules {
    Rules {
        pod_labels: scenario.identifiers_of_pods.then_some(POD_LABELS),
        may_manage: scenario.mode != Mode::Observe,
        may_yield: scenario.mode == Mode::Auto,
        excluded: scenario.excluded(),
    }
}
