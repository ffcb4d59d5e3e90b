//! Requests on their way, and their answers.

use std::{sync::Arc, time::Duration};

use axum::body::{Body, Bytes};
use http::Response;
use tower::BoxError;

use super::{
    Simulation,
    happening::Happening,
    traffic::{Call, Delivery, Gain, StreamStep},
};
use crate::{
    checks::{Check, leadership::Term, ownership, requests::Purpose},
    clock::Time,
    fault::Fault,
    planted::Planted,
    server::{
        Reply, SERVERS,
        refusal::Refusal,
        request::{self, Request, Target, Verb},
        resource::Resource,
        status::Answer,
        store::Stored,
        watch::Watch,
    },
    version::Version,
    wire::{self, Responder, Sent},
};

/// After this time, what is due is announced though nobody knows what was announced before.
const RECALLED: Duration = Duration::from_secs(5);
/// A `Retry-After` that nobody keeps, in seconds.
const YEARS: u32 = 100_000_000;

impl Simulation {
    /// A replica has sent something.
    pub(super) fn send(&mut self, replica: usize, sent: Sent) {
        let slot = &self.slots[replica];
        let Some(process) = &slot.process else {
            return;
        };
        let clock = process.clock;
        let at = clock.global(sent.at).max(self.now);
        let mut http = sent.request;
        if let Some(tamper) = self.planted.and_then(Planted::at_the_wire) {
            tamper.alter_request(&mut http);
        }
        let request = match request::read(&http) {
            Target::Resource(request) => Some(*request),
            Target::Discovery(_) | Target::Nowhere => None,
        };
        let (term, incarnation, version) = (slot.term, slot.incarnation, slot.version);
        self.sent += 1;
        self.trace.note(|| {
            let path = http.uri();
            format!(
                "r{replica} {:>9.3} {} {path}",
                at.as_secs_f64(),
                http.method()
            )
        });
        if self.is_quiet {
            self.requests.count(Purpose::of(request.as_ref()));
        }
        let (fault, refusal) = self.draw_fault(request.as_ref());
        let mut call = Call {
            replica,
            incarnation,
            version,
            at: sent.at,
            leads_until: term.ends(clock),
            fence: None,
            server: self.network.usize(..SERVERS),
            fault,
            refusal,
            responder: Some(sent.responder),
            request,
            http,
        };
        if let Some(request) = &call.request {
            let namespace = request.namespace.as_deref().unwrap_or_default();
            call.fence = self.fences.latest(replica, namespace);
        }
        self.check_sending(&call, term, at);
        self.set_out(call, at);
    }

    fn check_sending(&mut self, call: &Call, term: Term, at: Time) {
        let Some(request) = &call.request else {
            return;
        };
        let hurry = self.slots[call.replica].pacing.sent(request, call.at);
        if let (Some(what), Version::Current) = (hurry, call.version) {
            self.violate(Check::TooSoon, format!("replica {}: {what}", call.replica));
        }
        match (request.resource, request.verb.is_write()) {
            (Resource::Leases, true) => {
                let holder = request.body["spec"]["holderIdentity"].as_str();
                if holder.unwrap_or_default().is_empty() {
                    self.slots[call.replica].term.released(call.at);
                }
            }
            (Resource::Workloads, true) if call.version == Version::Current => {
                let replica = call.replica;
                if !term.holds(call.at) {
                    let ended = term.ends(self.slots[replica].process.as_ref().map_or_else(
                        || crate::clock::Clock::new(Time::ZERO, 0),
                        |process| process.clock,
                    ));
                    let what = format!(
                        "replica {replica} sent {} {} at {at:?}, and led until {ended:?}",
                        request.verb.text(),
                        request.full_name()
                    );
                    self.violate(Check::SentWithoutLeading, what);
                }
                self.check_other_leaders(replica, at);
            }
            _ => (),
        }
    }

    /// After all other faults, nothing but the refusal keeps a write from being made.
    fn check_refused(&mut self, call: &Call, request: &Request) {
        let slot = &mut self.slots[call.replica];
        let is_alone = self.now > self.scenario.faults_until;
        if is_alone && call.version == Version::Current && slot.incarnation == call.incarnation {
            let wrong = slot.pacing.refused(request.full_name(), call.at);
            if let Some(what) = wrong {
                self.violate(Check::TooSoon, format!("replica {}: {what}", call.replica));
            }
        }
    }

    fn check_other_leaders(&mut self, replica: usize, at: Time) {
        if at < self.leaders_unknown_until {
            return;
        }
        let others = self.slots.iter().enumerate().filter(|(other, slot)| {
            let leads = slot
                .process
                .as_ref()
                .is_some_and(|process| slot.term.holds(process.clock.local(at)));
            *other != replica && leads && slot.version == Version::Current
        });
        let others: Vec<_> = others.map(|(other, _)| other).collect();
        if !others.is_empty() {
            let what = format!("replica {replica} writes at {at:?} while {others:?} lead too");
            self.violate(Check::TwoLeaders, what);
        }
    }

    /// A request goes on its way, which takes as long as its fault makes it take.
    fn set_out(&mut self, mut call: Call, at: Time) {
        let bound = self.scenario.lease.network_bound().mul_f64(0.9);
        let is_write = call
            .request
            .as_ref()
            .is_some_and(|request| request.verb.is_write());
        let mut delay = self.latency();
        match call.fault {
            Some(Fault::RequestLost) => {
                self.disturb(Fault::RequestLost);
                self.silent.push(Box::new(call));
                return;
            }
            Some(Fault::RequestReset) => {
                self.disturb(Fault::RequestReset);
                if let Some(responder) = call.responder.take() {
                    self.answer(
                        call.replica,
                        call.incarnation,
                        responder,
                        Err(wire::broken()),
                        at + delay,
                        Gain::Nothing,
                    );
                }
                return;
            }
            Some(Fault::RequestLate) => {
                self.disturb(Fault::RequestLate);
                delay += Duration::from_millis(self.network.u64(500..20_000));
            }
            Some(Fault::RequestDoubled) => {
                let again = self.latency() + Duration::from_millis(self.network.u64(0..3_000));
                if !is_write || delay + again < bound {
                    self.disturb(Fault::RequestDoubled);
                    let copy = call.copy();
                    self.agenda
                        .add(at + delay + again, Happening::Arrive(Box::new(copy)));
                }
            }
            _ => (),
        }
        if is_write {
            // Later than this, it would never take effect.
            delay = delay.min(bound);
        }
        self.agenda
            .add(at + delay, Happening::Arrive(Box::new(call)));
    }

    /// A request reaches a server.
    pub(super) fn arrive(&mut self, mut call: Call) {
        let responder = call.responder.take();
        if self.are_away {
            self.disturb(Fault::ServersAway);
            if let Some(responder) = responder {
                let when = self.now + self.latency();
                self.answer(
                    call.replica,
                    call.incarnation,
                    responder,
                    Err(wire::broken()),
                    when,
                    Gain::Nothing,
                );
            }
            return;
        }
        let before = self.server.store.revision();
        let reply = match (&call.request, call.refusal) {
            (Some(request), Some(refusal)) => {
                if let Some(fault) = call.fault {
                    self.disturb(fault);
                }
                Reply::Answer(refusal.answer(request))
            }
            (Some(request), None) => {
                let mut refusals = self.server.refusals.values();
                if refusals.any(|refusal| refusal.matches(request)) {
                    self.disturb(Fault::GrantLost);
                    self.check_refused(&call, request);
                }
                self.server
                    .handle_resource(request, call.server, self.wall())
            }
            (None, _) => self.server.handle(&call.http, call.server, self.wall()),
        };
        self.follow_lease(&call, before);
        self.check_effects(&call, before);
        match (reply, responder) {
            (Reply::Answer(answer), responder) => self.reply(call, answer, responder),
            (Reply::Watch(watch), Some(responder)) => self.begin_watch(&call, *watch, responder),
            (Reply::Watch(_), None) => (),
        }
    }

    /// Whether a request has made the Lease, or taken it over.
    fn follow_lease(&mut self, call: &Call, before: u64) {
        let slot = &mut self.slots[call.replica];
        if !call.wins_lease() || slot.incarnation != call.incarnation {
            return;
        }
        for change in self.server.store.since(before) {
            let holder = |lease: &Arc<Stored>| lease.text("/spec/holderIdentity").to_owned();
            match (&change.before, &change.after) {
                (None, Some(_)) => {
                    let duration = self.scenario.lease.duration;
                    slot.term.made(call.at, duration);
                    if call.version == Version::Previous {
                        // It leads at once, and may give the Lease to another before the holder of one
                        // that was deleted knows of it.
                        self.leaders_unknown_until = self.now + duration;
                    }
                }
                (Some(before), Some(after)) if holder(before) != holder(after) => {
                    slot.term.taken_over();
                }
                _ => (),
            }
        }
    }

    /// What a request has changed.
    fn check_effects(&mut self, call: &Call, before: u64) {
        if call.version == Version::Previous {
            return;
        }
        let changes = self.server.store.since(before).to_vec();
        for change in changes {
            if change.key.resource != Resource::Workloads {
                continue;
            }
            let name = (change.key.namespace.clone(), change.key.name.clone());
            let bound = self.scenario.lease.network_bound();
            let late = call
                .leads_until
                .is_none_or(|until| self.now > until + bound);
            if late {
                let what = format!(
                    "a write of {name:?} by replica {}, which led until {:?}",
                    call.replica, call.leads_until
                );
                self.violate(Check::TookEffectTooLate, what);
            }
            if let Some(objection) = ownership::objection(&self.scenario, &change) {
                self.violate(Check::WroteForeign, objection);
            }
            if change.after.is_none() {
                self.check_delete(call, &name);
            }
        }
    }

    fn check_delete(&mut self, call: &Call, name: &(String, String)) {
        let Some(referred) = self.references.get(name) else {
            return;
        };
        let since = referred.since;
        if call.fence.is_none_or(|fence| since <= fence) {
            let what = format!(
                "replica {} deleted {}/{}, referred to since step {since}; its list of Dataplanes was answered at step {:?}",
                call.replica, name.0, name.1, call.fence
            );
            self.violate(Check::DeletedWhatIsNeeded, what);
        } else {
            let due = self.now + Duration::from_secs(5);
            self.agenda.add(due, Happening::Verify(name.clone(), since));
        }
    }

    /// An answer goes on its way, which its fault may cut short.
    fn reply(&mut self, call: Call, mut answer: Answer, responder: Option<Responder>) {
        let tamper = self.planted.and_then(Planted::at_the_wire);
        if let (Some(tamper), Some(request)) = (tamper, &call.request) {
            tamper.alter_answer(request, &mut answer);
        }
        let page = call
            .request
            .as_ref()
            .filter(|_| answer.is_success())
            .and_then(|request| {
                self.fences
                    .answered(call.replica, request, &answer.body, self.step)
            });
        let may_not_recall = call.request.as_ref().is_some_and(|request| {
            request.resource == Resource::Events && request.verb == Verb::List && answer.code == 403
        });
        if may_not_recall {
            // Who leads does without what was announced before.
            self.announcements.forget(self.now + RECALLED);
        }
        let is_amid_list = call.request.as_ref().is_some_and(|request| {
            request.resource == Resource::Dataplanes && answer.body.contains(r#""continue":""#)
        });
        if is_amid_list && self.scenario.identifiers_of_pods && self.network.bool() {
            self.change_done_pods();
        }
        let Some(responder) = responder else {
            return;
        };
        let gain = match page {
            Some(page) => Gain::Fence(page),
            None if call.wins_lease() && answer.is_success() => Gain::Lease(call.at),
            None => wait_of(&call, &answer).unwrap_or(Gain::Nothing),
        };
        let (replica, fault) = (call.replica, call.fault);
        self.trace
            .note(|| format!("r{replica}   {} {}", answer.code, call.http.uri().path()));
        let mut when = self.now + self.latency();
        match fault {
            Some(fault @ Fault::AnswerLost) => {
                self.disturb(fault);
                self.silent.push(Box::new(responder));
            }
            Some(fault @ Fault::AnswerReset) => {
                self.disturb(fault);
                self.answer(
                    replica,
                    call.incarnation,
                    responder,
                    Err(wire::broken()),
                    when,
                    Gain::Nothing,
                );
            }
            Some(fault @ (Fault::AnswerCut | Fault::AnswerStalled)) => {
                self.disturb(fault);
                let (sender, body) = wire::parts();
                let half = answer.body.as_bytes().get(..answer.body.len() / 2);
                let _ = sender.send(Ok(Bytes::copy_from_slice(half.unwrap_or_default())));
                match fault {
                    Fault::AnswerCut => drop(sender.send(Err(wire::broken()))),
                    _ => self.silent.push(Box::new(sender)),
                }
                let response = response(&answer, body);
                self.answer(
                    replica,
                    call.incarnation,
                    responder,
                    response,
                    when,
                    Gain::Nothing,
                );
            }
            fault => {
                if fault == Some(Fault::AnswerLate) {
                    self.disturb(Fault::AnswerLate);
                    when += Duration::from_millis(self.network.u64(500..20_000));
                }
                let response = response(&answer, Body::from(answer.body.clone()));
                self.answer(replica, call.incarnation, responder, response, when, gain);
            }
        }
    }

    fn begin_watch(&mut self, call: &Call, watch: Watch, responder: Responder) {
        if matches!(call.fault, Some(Fault::AnswerLost)) {
            self.disturb(Fault::AnswerLost);
            self.silent.push(Box::new(responder));
            return;
        }
        let when = self.now + self.latency();
        let (replica, incarnation) = (call.replica, call.incarnation);
        let (sender, body) = wire::parts();
        let response = response(&Answer::ok(200, ""), body);
        self.answer(
            replica,
            incarnation,
            responder,
            response,
            when,
            Gain::Nothing,
        );
        let id = self.open_stream(replica, watch, sender, when);
        self.trace.note(|| format!("r{replica}   200 watch {id}"));
        self.stream(id, StreamStep::Show);
    }

    fn answer(
        &mut self,
        replica: usize,
        incarnation: u32,
        responder: Responder,
        answer: Result<Response<Body>, BoxError>,
        when: Time,
        gain: Gain,
    ) {
        let delivery = Delivery {
            replica,
            incarnation,
            responder,
            answer,
            gain,
        };
        self.agenda.add(when, Happening::Answer(Box::new(delivery)));
    }

    /// An answer reaches a replica.
    pub(super) fn deliver(&mut self, delivery: Delivery) {
        let slot = &mut self.slots[delivery.replica];
        if slot.incarnation != delivery.incarnation || slot.process.is_none() {
            return;
        }
        let has_arrived = delivery.responder.send(delivery.answer).is_ok();
        if !has_arrived {
            return;
        }
        match delivery.gain {
            Gain::Lease(sent) => slot.term.renewed(sent, self.scenario.lease.renew_deadline),
            Gain::Fence(page) => self.fences.arrived(delivery.replica, page),
            Gain::Wait(workload, seconds) => {
                if let Some(process) = &slot.process {
                    let at = process.clock.local(self.now);
                    slot.pacing.asked_to_wait(workload, seconds, at);
                }
            }
            Gain::Nothing => (),
        }
    }

    fn latency(&mut self) -> Duration {
        Duration::from_micros(self.network.u64(300..15_000))
    }

    /// The fault of a request, if it has one.
    fn draw_fault(&mut self, request: Option<&Request>) -> (Option<Fault>, Option<Refusal>) {
        if !self.has_trouble || self.network.u32(0..10_000) >= self.scenario.fault_rate {
            return (None, None);
        }
        let possible = Fault::OF_REQUESTS.into_iter();
        let possible: Vec<_> = possible
            .filter(|fault| self.scenario.faults.contains(fault))
            .collect();
        let Some(fault) = self.network.choice(possible) else {
            return (None, None);
        };
        self.coverage.drawn(fault);
        let Some(refusals) = refusals(fault, &mut self.network) else {
            return (Some(fault), None);
        };
        let refusal = refusals
            .into_iter()
            .find(|refusal| request.is_some_and(|request| refusal.fits(request)));
        (refusal.map(|_| fault), refusal)
    }
}

/// How long a write of a Workload is to wait, if the answer says so.
fn wait_of(call: &Call, answer: &Answer) -> Option<Gain> {
    let request = call.request.as_ref()?;
    let seconds = answer.retry_after.filter(|_| request.is_workload_write())?;
    Some(Gain::Wait(request.full_name(), seconds))
}

/// How the server shows a fault; none if the server has no part in it.
fn refusals(fault: Fault, rng: &mut fastrand::Rng) -> Option<Vec<Refusal>> {
    let seconds = rng.u32(1..20);
    let mut refusals = match fault {
        Fault::Code400 => vec![Refusal::Denied(400)],
        Fault::Code403 => vec![Refusal::Denied(403), Refusal::Ungranted],
        Fault::Code404 => vec![Refusal::Unserved],
        Fault::Code409 => vec![Refusal::Conflict],
        Fault::Code410 => vec![Refusal::Expired],
        Fault::Code422 => vec![Refusal::Invalid],
        Fault::Code429 if rng.u32(0..10) == 0 => {
            vec![Refusal::Busy(YEARS), Refusal::Initializing(seconds)]
        }
        Fault::Code429 => vec![Refusal::Busy(seconds), Refusal::Initializing(seconds)],
        Fault::Code500 => vec![Refusal::WebhookFailed, Refusal::DatabaseFailed],
        Fault::Code503 => vec![Refusal::Unavailable],
        _ => return None,
    };
    rng.shuffle(&mut refusals);
    Some(refusals)
}

fn response(answer: &Answer, body: Body) -> Result<Response<Body>, BoxError> {
    let mut response = Response::builder()
        .status(answer.code)
        .header("content-type", answer.content_type);
    if let Some(seconds) = answer.retry_after {
        response = response.header("retry-after", seconds);
    }
    Ok(response.body(body)?)
}
