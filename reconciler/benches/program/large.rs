//! A large cluster, watched as a whole: memory, CPU, polls; idleness; many new workloads; an API server
//! that is away. And a small one.

use std::{
    collections::BTreeMap,
    path::Path,
    time::{Duration, Instant},
};

use tokio::time::sleep;

use crate::{
    check::Check,
    generated::{self, GeneratedObject, MESHES, NAMESPACES, PODS_EACH, WORKLOADS_EACH},
    server::{Cluster, FakeApiServer, Verb, most_in_a_second},
    subject::Subject,
};

/// What may be resident at most, in megabytes.
const MEMORY: f64 = 64.0;
/// How long a task may keep the thread, in milliseconds of CPU time.
const POLL: f64 = 5.0;
/// How many Dataplanes are deleted while no watch says so.
const LOST: usize = 10_000;
/// How many workloads come at once, and within what time they must be there, in seconds.
const NEW: usize = 5_000;
const NEW_WITHIN: f64 = 120.0;
/// How many workloads a cluster has that is not large.
const SMALL: usize = 1_000;
/// How long nothing happens.
const IDLE: Duration = Duration::from_secs(30);
/// How long the API server is away.
const AWAY: Duration = Duration::from_secs(60);
/// How many Workloads change meanwhile: most are new numbers, some come, some go.
const CHANGED: usize = 1_000;
const COME: usize = 50;
const GO: usize = 50;
/// Within what time all of them must be right after it is back, in seconds.
const WHOLE_WITHIN: f64 = 20.0;
/// How many lists and watches may begin in one second.
const STARTS: f64 = 20.0;
/// There must be fewer lines in the log.
const LINES: f64 = 9.0;

struct Large<'p> {
    server: FakeApiServer,
    subject: Subject,
    check: &'p mut Check,
}

/// Memory, CPU and polls, and what it does while nothing happens. With `all`, what takes minutes too.
pub(crate) async fn run(check: &mut Check, program: &Path, all: bool) {
    let server = FakeApiServer::start(Cluster::generated());
    let mut large = Large::start(check, program, server);
    large.started().await;
    large.relisted().await;
    large.swept().await;
    large.idle().await;
    if all {
        large.many_new().await;
        large.away().await;
    }
}

/// A cluster as most are: what the chart requests for it.
pub(crate) async fn small(check: &mut Check, program: &Path) {
    let server = FakeApiServer::start(Cluster::empty());
    let mut large = Large::start(check, program, server);
    large.subject.settled().await;
    large
        .check
        .about(&format!("{SMALL} workloads of one Dataplane each"));
    let before = large.subject.cpu();
    large.server.cluster(|cluster| {
        (0..SMALL).for_each(|number| cluster.add_proxy(&new_place("small", number)));
    });
    large.subject.whole(&large.server).await;
    large.report(before).await;
    large.idle().await;
}

/// Many new workloads where Workload has no status subresource.
pub(crate) async fn without_subresource(check: &mut Check, program: &Path) {
    let server = FakeApiServer::start(Cluster::empty()).without_status_subresource();
    let mut large = Large::start(check, program, server);
    large.subject.settled().await;
    large.many_new().await;
}

impl<'p> Large<'p> {
    /// The program begins before this server.
    fn start(check: &'p mut Check, program: &Path, server: FakeApiServer) -> Self {
        let subject = Subject::start(program, &server, "");
        Self {
            server,
            subject,
            check,
        }
    }

    async fn started(&mut self) {
        self.check.about(
            "100,000 Dataplanes, 100,000 DataplaneInsights, 20,000 Workloads; it starts and leads",
        );
        self.subject.settled().await;
        self.check.note(&format!(
            "nothing is left to do after {:.1} s",
            self.subject.age().as_secs_f64()
        ));
        self.report(Duration::ZERO).await;
    }

    async fn relisted(&mut self) {
        self.check
            .about("everything is listed anew, since all watches end with 410");
        let before = self.subject.cpu();
        self.relist().await;
        self.report(before).await;
    }

    /// Whole namespaces are lost, so that their Workloads are deleted, after one list in each.
    async fn swept(&mut self) {
        self.check.about(&format!(
            "{LOST} Dataplanes are not in the next list, and {} Workloads go",
            LOST / PODS_EACH
        ));
        let before = self.subject.cpu();
        let began = Instant::now();
        self.server.cluster(|cluster| {
            generated::pods()
                .take(LOST)
                .for_each(|pod| cluster.lose_proxy(&pod));
        });
        self.relist().await;
        self.subject.whole(&self.server).await;
        let fences = self.asked(began, Verb::Fence);
        let deletes = self.asked(began, Verb::Delete);
        self.check.note(&format!(
            "{deletes} deletes and {fences} lists before them, in {:.1} s",
            began.elapsed().as_secs_f64()
        ));
        self.report(before).await;
    }

    async fn idle(&mut self) {
        self.check
            .about(&format!("nothing happens for {} s", IDLE.as_secs()));
        // The last numbers are written by then.
        sleep(Duration::from_secs(6)).await;
        let (began, before) = (Instant::now(), self.subject.cpu());
        sleep(IDLE).await;
        let asked = self.server.asked_since(began);
        let mut counts = BTreeMap::<_, usize>::new();
        for one in &asked {
            *counts.entry((one.verb, &*one.resource)).or_default() += 1;
        }
        let only = |&(verb, resource): &(Verb, &str)| {
            resource == "leases" || matches!(verb, Verb::Compare | Verb::Watch)
        };
        let others: Vec<_> = counts.keys().filter(|asked| !only(asked)).collect();
        self.check.holds(
            others.is_empty(),
            &format!("asked: {counts:?}; beyond the Lease's, watches and comparisons: {others:?}"),
        );
        self.report(before).await;
    }

    async fn many_new(&mut self) {
        self.check
            .about(&format!("{NEW} new workloads of one Dataplane each"));
        let (began, before) = (Instant::now(), self.subject.cpu());
        self.server.cluster(|cluster| {
            (0..NEW).for_each(|number| cluster.add_proxy(&new_place("new", number)));
        });
        self.subject.whole(&self.server).await;
        let took = began.elapsed().as_secs_f64();
        let asked = self.server.asked_since(began);
        let writes = asked.iter().filter(|asked| asked.writes_workload()).count();
        let rate = most_in_a_second(asked.iter().filter(|asked| asked.writes_workload()));
        self.check.note(&format!(
            "{writes} writes, {rate} of them in one second at most"
        ));
        self.check.at_most(
            "all Workloads are there, with their numbers",
            took,
            NEW_WITHIN,
            "s",
        );
        self.report(before).await;
    }

    async fn away(&mut self) {
        self.check.about(&format!(
            "the API server is away for {} s, and {CHANGED} Workloads are to change",
            AWAY.as_secs()
        ));
        // Its log says each kind of thing once a minute: what was said before is over.
        sleep(Duration::from_secs(6)).await;
        let (lines, before) = (self.subject.log_lines(), self.subject.cpu());
        self.server.go_away();
        sleep(AWAY).await;
        self.server.cluster(change_some);
        self.server.come_back();
        let back = Instant::now();
        self.subject.whole(&self.server).await;
        let took = back.elapsed().as_secs_f64();
        self.check
            .at_most("all Workloads are right again", took, WHOLE_WITHIN, "s");
        let asked = self.server.asked_since(back);
        let starts = most_in_a_second(asked.iter().filter(|asked| asked.starts()));
        self.check.at_most(
            "lists and watches begun in one second",
            starts as f64,
            STARTS,
            "",
        );
        let said = self.subject.log_lines() - lines;
        self.check
            .at_most("lines in the log", said as f64, LINES, "");
        print!("{}", self.subject.log_since(lines));
        self.report(before).await;
    }

    /// Ends all watches, and waits until all is listed anew.
    async fn relist(&self) {
        let began = Instant::now();
        self.server.cluster(Cluster::compact);
        // Of six kinds, Pods are not read.
        while self.asked(began, Verb::Watch) < 5 {
            let _ = self.subject.metrics().await;
            sleep(Duration::from_millis(250)).await;
        }
        self.subject.settled().await;
    }

    fn asked(&self, since: Instant, verb: Verb) -> usize {
        let asked = self.server.asked_since(since);
        asked.iter().filter(|asked| asked.verb == verb).count()
    }

    /// Memory, CPU since then, and polls so far.
    async fn report(&mut self, before: Duration) {
        let page = self.subject.metrics().await;
        let cpu = self.subject.cpu() - before;
        self.check.note(&format!("CPU: {:.2} s", cpu.as_secs_f64()));
        let (count, [median, most]) = self.subject.scrapes();
        self.check.note(&format!(
            "{count} scrapes so far: median {median:.1} ms, longest {most:.1} ms"
        ));
        self.check
            .at_most("resident at most", self.subject.peak(), MEMORY, "MB");
        let polls = page.longest_polls();
        let (longest, _) = polls
            .first()
            .cloned()
            .unwrap_or((f64::INFINITY, String::new()));
        let what = format!("the longest poll so far, {}", of_tasks(&polls));
        self.check.at_most(&what, longest, POLL, "ms");
    }
}

/// The tasks with the longest polls.
fn of_tasks(polls: &[(f64, String)]) -> String {
    let longest = polls.iter().take(4);
    let longest: Vec<_> = longest
        .map(|(millis, task)| format!("{task} {millis:.1}"))
        .collect();
    longest.join(", ")
}

/// The one Dataplane of a workload that was not there before.
fn new_place(stem: &str, number: usize) -> GeneratedObject {
    // Not in the namespaces that were lost.
    let namespace = NAMESPACES - 1 - number % (NAMESPACES / 2);
    GeneratedObject {
        namespace: generated::namespace(namespace),
        workload: format!("{stem}-{number}"),
        mesh: MESHES[namespace % MESHES.len()],
        number: NAMESPACES * WORKLOADS_EACH * PODS_EACH + number,
    }
}

/// Dataplanes of so many Workloads fail, come and go.
fn change_some(cluster: &mut Cluster) {
    let half = NAMESPACES * WORKLOADS_EACH / 2;
    for workload in 0..CHANGED - COME - GO {
        let pod = generated::pods()
            .nth((half + workload) * PODS_EACH)
            .unwrap();
        cluster.fail_proxy(&pod);
    }
    for number in 0..COME {
        cluster.add_proxy(&new_place("late", number));
    }
    let last = generated::pods().skip((2 * half - GO) * PODS_EACH);
    last.for_each(|pod| cluster.remove_proxy(&pod));
}
