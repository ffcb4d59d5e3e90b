//! All 2,000 namespaces by name: by one watch of each kind where the grant allows it, and by one watch
//! of each kind and namespace where it does not.

use std::{
    path::Path,
    time::{Duration, Instant},
};

use tokio::time::sleep;

use crate::{
    check::Check,
    generated::{self, NAMESPACES},
    server::{Cluster, FakeApiServer, Verb},
    subject::Subject,
};

/// With the grant: CPU time until it is ready, in seconds; what may be resident, in megabytes; and when
/// it must be ready, in seconds.
const CPU: f64 = 5.0;
const MEMORY: f64 = 100.0;
const READY: f64 = 60.0;
/// Without, the same: half as much again as was measured when this was written.
const CPU_OF_MANY: f64 = 18.0;
const MEMORY_OF_MANY: f64 = 650.0;
const READY_OF_MANY: f64 = 180.0;

/// With a grant for the whole cluster.
pub(crate) async fn with_grant(check: &mut Check, program: &Path) {
    check.about("2,000 names in --namespace, with a grant for the whole cluster");
    let server = FakeApiServer::start(Cluster::generated());
    run(check, program, &server, 3, [CPU, MEMORY, READY]).await;
}

/// With grants in the namespaces alone.
pub(crate) async fn without_grant(check: &mut Check, program: &Path) {
    check.about("2,000 names in --namespace, with grants in these namespaces alone");
    let server = FakeApiServer::start(Cluster::generated()).without_cluster_grant();
    let bounds = [CPU_OF_MANY, MEMORY_OF_MANY, READY_OF_MANY];
    run(check, program, &server, 3 * NAMESPACES, bounds).await;
}

async fn run(
    check: &mut Check,
    program: &Path,
    server: &FakeApiServer,
    watches: usize,
    bounds: [f64; 3],
) {
    let names: Vec<_> = (0..NAMESPACES).map(generated::namespace).collect();
    let began = Instant::now();
    let subject = Subject::start(program, server, &names.join(","));
    subject.ready().await;
    let [cpu, memory, time] = bounds;
    check.at_most("ready after", subject.age().as_secs_f64(), time, "s");
    check.at_most("CPU until then", subject.cpu().as_secs_f64(), cpu, "s");
    let count = |verb| {
        let asked = server.asked_since(began);
        asked.iter().filter(|asked| asked.verb == verb).count()
    };
    while count(Verb::Watch) < watches {
        sleep(Duration::from_secs(1)).await;
    }
    subject.settled().await;
    check.note(&format!(
        "all is watched, and nothing left to do, after {:.1} s and {:.1} s of CPU",
        subject.age().as_secs_f64(),
        subject.cpu().as_secs_f64()
    ));
    check.at_most("resident at most", subject.peak(), memory, "MB");
    check.note(&format!(
        "{} lists, {} watches",
        count(Verb::List),
        count(Verb::Watch)
    ));
    for (millis, task) in subject.metrics().await.longest_polls().iter().take(3) {
        check.note(&format!("longest poll of {task}: {millis:.1} ms"));
    }
}
