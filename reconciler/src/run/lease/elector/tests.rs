//! Electors with a store in memory that is slow, loses answers, and performs writes late.

use std::sync::{Arc, Mutex, PoisonError};

use fastrand::Rng;
use http::{Request, Response};
use jiff::{SignedDuration, Timestamp};
use k8s_openapi::api::coordination::v1::Lease;
use kube::{Client, client::Body};
use proptest::prelude::*;
use rstest::rstest;
use tokio::{
    sync::oneshot,
    task::JoinHandle,
    time::{advance, sleep},
};

use tower::{BoxError, service_fn};

use super::*;
use crate::run::lease::Election;

fn timing() -> Timing {
    let seconds = Duration::from_secs;
    Timing::new(seconds(15), seconds(10), seconds(2)).unwrap()
}

/// Stores a Lease as the API server does: a new resourceVersion for each write, and a conflict for any
/// other version.
#[derive(Clone)]
struct FakeStore(Arc<Mutex<StoreState>>);

struct StoreState {
    lease: Option<Lease>,
    version: u64,
    rng: Rng,
    /// How many of a hundred requests go wrong.
    faults: u32,
    /// Why every request goes wrong, if it does.
    down: Option<String>,
    /// Every write finds the Lease changed.
    conflicts: bool,
    writes: usize,
}

/// What happens to a request: after which time it takes effect, if at all, and after which time the
/// answer comes.
struct Fate {
    effect: Option<Duration>,
    answer: Duration,
}

impl FakeStore {
    fn new(seed: u64, faults: u32) -> Self {
        Self(Arc::new(Mutex::new(StoreState {
            lease: None,
            version: 0,
            rng: Rng::with_seed(seed),
            faults,
            down: None,
            conflicts: false,
            writes: 0,
        })))
    }

    fn state<T>(&self, with: impl FnOnce(&mut StoreState) -> T) -> T {
        with(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn holder(&self) -> Option<String> {
        self.state(|state| state.lease.clone()?.spec?.holder_identity)
    }

    fn transitions(&self) -> Option<i32> {
        self.state(|state| state.lease.clone()?.spec?.lease_transitions)
    }

    fn fate(&self) -> Fate {
        self.state(|state| {
            let mut milliseconds = |range| Duration::from_millis(state.rng.u64(range));
            let (soon, late) = (milliseconds(0..50), milliseconds(0..20_000));
            if state.down.is_some() {
                return Fate {
                    effect: None,
                    answer: soon,
                };
            }
            if state.rng.u32(0..100) >= state.faults {
                return Fate {
                    effect: Some(soon),
                    answer: soon,
                };
            }
            match state.rng.u32(0..4) {
                // Refused, or lost before it took effect.
                0 => Fate {
                    effect: None,
                    answer: soon,
                },
                // Done, but the answer is lost.
                1 => Fate {
                    effect: Some(soon),
                    answer: FOREVER,
                },
                // Done long after the caller has given up.
                2 => Fate {
                    effect: Some(late),
                    answer: soon,
                },
                _ => Fate {
                    effect: Some(soon),
                    answer: late,
                },
            }
        })
    }

    fn lost<T>(&self) -> Result<T, LeaseError> {
        let why = self.state(|state| state.down.clone());
        let why = why.unwrap_or_else(|| "lost".to_owned());
        Err(LeaseError::Failed(Failure::new(why)))
    }

    /// A write takes effect even if its caller has given up.
    async fn write(&self, lease: &Lease, create: bool) -> Result<Lease, LeaseError> {
        let Fate { effect, answer } = self.fate();
        let lost = self.lost();
        let Some(effect) = effect else {
            sleep(answer).await;
            return lost;
        };
        let (store, lease) = (self.clone(), lease.clone());
        let done = tokio::spawn(async move {
            sleep(effect).await;
            store.state(|state| state.write(lease, create))
        });
        let done = done.await.unwrap_or(lost);
        sleep(answer).await;
        done
    }
}

const FOREVER: Duration = Duration::from_secs(1_000_000);

impl StoreState {
    fn touch(&mut self) {
        if let Some(lease) = &mut self.lease {
            self.version += 1;
            lease.metadata.resource_version = Some(self.version.to_string());
        }
    }

    fn write(&mut self, mut lease: Lease, create: bool) -> Result<Lease, LeaseError> {
        let version = |lease: &Lease| lease.metadata.resource_version.clone();
        let stale = match &self.lease {
            Some(there) => create || version(there) != version(&lease),
            None => !create,
        };
        if stale || self.conflicts {
            return Err(LeaseError::Stale);
        }
        self.version += 1;
        self.writes += 1;
        if create {
            lease.metadata.uid = Some(self.version.to_string());
        }
        lease.metadata.resource_version = Some(self.version.to_string());
        self.lease = Some(lease.clone());
        Ok(lease)
    }
}

impl LeaseStore for FakeStore {
    async fn read(&self) -> Result<Option<Lease>, LeaseError> {
        let Fate { effect, answer } = self.fate();
        if effect.is_none() {
            sleep(answer).await;
            return self.lost();
        }
        let lease = self.state(|state| state.lease.clone());
        sleep(answer).await;
        Ok(lease)
    }

    async fn create(&self, lease: &Lease) -> Result<Lease, LeaseError> {
        self.write(lease, true).await
    }

    async fn replace(&self, lease: &Lease) -> Result<Lease, LeaseError> {
        self.write(lease, false).await
    }
}

fn elector(store: &FakeStore, name: &str) -> Elector<FakeStore> {
    skewed_elector(store, name, SignedDuration::ZERO)
}

/// An elector whose wall clock stands still, at a time that is wrong by this much.
fn skewed_elector(store: &FakeStore, name: &str, skew: SignedDuration) -> Elector<FakeStore> {
    let wall_clock: WallClock = Arc::new(move || Timestamp::UNIX_EPOCH + skew);
    Elector::new(store.clone(), name, timing(), wall_clock)
}

async fn leads(election: &Election, expected: bool) {
    let mut leadership = election.leadership();
    leadership
        .wait_for(|leadership| leadership.holds() == expected)
        .await
        .unwrap();
}

#[tokio::test(start_paused = true)]
async fn the_first_leads_after_one_duration_and_renews() {
    let store = FakeStore::new(0, 0);
    let begun = Instant::now();
    let election = Election::start(elector(&store, "a"));
    leads(&election, true).await;
    let waited = begun.elapsed().as_secs_f64();
    assert!((15.37..15.5).contains(&waited), "{waited}");
    let before = store.state(|state| state.writes);
    sleep(Duration::from_secs(100)).await;
    assert!(election.leadership().borrow().holds());
    let renewals = store.state(|state| state.writes) - before;
    assert!((45..=51).contains(&renewals), "{renewals}");
    assert_eq!(store.transitions(), Some(0));
}

/// Somebody deletes the Lease. Whoever makes it anew leads only when the leader of the old one has
/// stopped, even if that one does not notice.
#[tokio::test(start_paused = true)]
async fn a_deleted_lease_is_made_anew_and_waited_for() {
    let store = FakeStore::new(0, 0);
    let first = Election::start(elector(&store, "a"));
    leads(&first, true).await;
    store.state(|state| state.lease = None);
    let deleted = Instant::now();
    let second = Election::start(elector(&store, "b"));
    tokio::select! {
        biased;
        () = leads(&second, true) => {}
        () = async {
            leads(&first, false).await;
            leads(&first, true).await;
        } => {}
    }
    let waited = deleted.elapsed().as_secs_f64();
    assert!((15.37..19.0).contains(&waited), "{waited}");
}

#[rstest]
#[case::answered(false, 0.0)]
#[case::given_up(true, 5.125)]
#[tokio::test(start_paused = true)]
async fn a_release_waits_for_writes_that_may_still_take_effect(
    #[case] hangs: bool,
    #[case] expected: f64,
) {
    let server = service_fn(move |_: Request<Body>| async move {
        if hangs {
            std::future::pending::<()>().await;
        }
        Ok::<_, BoxError>(Response::new(Body::empty()))
    });
    let store = FakeStore::new(0, 0);
    let election = Election::start(elector(&store, "a"));
    let client = election.note_writes(Client::new(server, "default"));
    leads(&election, true).await;
    let write = client.request_text(Request::post("/").body(Vec::new()).unwrap());
    let _ = tokio::time::timeout(Duration::from_secs(1), write).await;

    let begun = Instant::now();
    let leadership = election.leadership();
    election.release().await;
    assert!(!leadership.borrow().holds());
    let waited = begun.elapsed().as_secs_f64();
    assert!((expected..expected + 0.2).contains(&waited), "{waited}");
    assert_eq!(store.holder().as_deref(), Some(""));
}

/// What is logged in this thread until the rest is dropped.
fn log() -> (Arc<Mutex<Vec<u8>>>, impl Sized) {
    // With one subscriber alone, whether a line is wanted is decided, for all threads, in the one that
    // comes to it first. That may be another test's, which has none.
    let another = tracing::Dispatch::new(tracing_subscriber::registry());
    let written = Arc::<Mutex<Vec<u8>>>::default();
    let lines = tracing_subscriber::fmt()
        .with_writer(LogWriter(written.clone()))
        .with_ansi(false)
        .finish();
    let guard = tracing::subscriber::set_default(lines);
    (written, (guard, another))
}

#[derive(Clone)]
struct LogWriter(Arc<Mutex<Vec<u8>>>);

impl std::io::Write for LogWriter {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl tracing_subscriber::fmt::MakeWriter<'_> for LogWriter {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        self.clone()
    }
}

#[tokio::test(start_paused = true)]
async fn an_api_server_that_is_away_for_a_minute_is_four_lines() {
    let (written, _guard) = log();
    let store = FakeStore::new(0, 0);
    let election = Election::start(elector(&store, "a"));
    leads(&election, true).await;
    written.lock().unwrap().clear();
    // It fails in several ways.
    for second in 0..60 {
        store.state(|state| state.down = Some(format!("reason {}", second / 20)));
        sleep(Duration::from_secs(1)).await;
    }
    store.state(|state| state.down = None);
    leads(&election, true).await;
    let written = String::from_utf8(written.lock().unwrap().clone()).unwrap();
    let expected = [
        "the lease cannot be read or written failure=reason 0",
        "this replica no longer leads",
        "the lease can be read and written again, after",
        "this replica leads",
    ];
    let lines: Vec<_> = written.lines().collect();
    assert_eq!(lines.len(), expected.len(), "{written}");
    for (line, expected) in lines.iter().zip(expected) {
        assert!(line.contains(expected), "{written}");
    }
}

/// An API server that fails for a moment every few seconds is said once a minute, with a count; the last
/// time, which lasts, too.
#[tokio::test(start_paused = true)]
async fn l22_an_api_server_that_comes_and_goes_is_said_once_a_minute() {
    let (written, _guard) = log();
    let store = FakeStore::new(0, 0);
    let election = Election::start(elector(&store, "a"));
    leads(&election, true).await;
    written.lock().unwrap().clear();
    for _ in 0..12 {
        store.state(|state| state.down = Some("reason".to_owned()));
        sleep(Duration::from_secs(3)).await;
        store.state(|state| state.down = None);
        sleep(Duration::from_secs(7)).await;
    }
    store.state(|state| state.down = Some("reason".to_owned()));
    sleep(Duration::from_secs(90)).await;
    let written = String::from_utf8(written.lock().unwrap().clone()).unwrap();
    let lines = |text: &str| written.lines().filter(|line| line.contains(text)).count();
    assert_eq!(lines("cannot be read or written"), 3, "{written}");
    assert_eq!(lines("(6 times since this was last said)"), 2, "{written}");
    assert_eq!(lines("can be read and written again"), 2, "{written}");
}

/// What is logged in this time.
async fn logged(written: &Mutex<Vec<u8>>, seconds: u64) -> String {
    written.lock().unwrap().clear();
    sleep(Duration::from_secs(seconds)).await;
    String::from_utf8(written.lock().unwrap().clone()).unwrap()
}

#[tokio::test(start_paused = true)]
async fn l22_conflicts_without_end_are_said_once_a_minute() {
    const LINE: &str = "the lease cannot be written: ";
    let (written, _guard) = log();
    let store = FakeStore::new(0, 0);
    let first = Election::start(elector(&store, "a"));
    leads(&first, true).await;
    first.release().await;
    store.state(|state| state.conflicts = true);
    let second = Election::start(elector(&store, "b"));
    let log = logged(&written, 150).await;
    assert_eq!(log.matches(LINE).count(), 3, "{log}");
    assert!(
        log.contains("written: 5 times in a row the API server"),
        "{log}"
    );
    assert_eq!(log.lines().count(), 3, "{log}");
    store.state(|state| state.conflicts = false);
    leads(&second, true).await;
    let log = logged(&written, 150).await;
    assert!(!log.contains(LINE), "{log}");
}

/// A race for the Lease is none of that.
#[tokio::test(start_paused = true)]
async fn conflicts_of_replicas_are_not_said() {
    let (written, _guard) = log();
    let store = FakeStore::new(0, 0);
    let elections = ["a", "b", "c", "d", "e", "f", "g"];
    for election in elections.map(|name| Election::start(elector(&store, name))) {
        sleep(Duration::from_secs(20)).await;
        election.release().await;
    }
    let log = String::from_utf8(written.lock().unwrap().clone()).unwrap();
    assert!(log.contains("this replica leads"), "{log}");
    assert!(!log.contains("in a row"), "{log}");
}

#[tokio::test(start_paused = true)]
async fn that_the_lease_is_new_is_said_once() {
    const LINE: &str = "the lease is new: this replica holds it, and leads in ";
    let (written, _guard) = log();
    let store = FakeStore::new(0, 0);
    let election = Election::start(elector(&store, "a"));
    leads(&election, true).await;
    let made = String::from_utf8(written.lock().unwrap().clone()).unwrap();
    assert_eq!(made.matches(LINE).count(), 1, "{made}");
    // Another takes it, and does not renew it.
    store.state(|state| {
        let lease = state.lease.as_mut().unwrap();
        lease.spec.as_mut().unwrap().holder_identity = Some("b".to_owned());
        state.touch();
    });
    let again = logged(&written, 60).await;
    assert!(election.leadership().borrow().holds());
    assert!(again.contains("this replica leads"), "{again}");
    assert!(!again.contains(LINE), "{again}");
}

/// What somebody may write into the Lease, where nobody is there to hold it.
#[rstest]
#[case::by_nobody_for_68_years(None, 18)]
#[case::by_one_that_is_gone_for_68_years(Some("gone"), 157)]
#[tokio::test(start_paused = true)]
async fn no_duration_keeps_everybody_from_leading(
    #[case] holder: Option<&str>,
    #[case] seconds: u64,
) {
    let store = FakeStore::new(0, 0);
    store.state(|state| {
        let mut lease = Lease::default();
        let spec = lease.spec.get_or_insert_default();
        spec.holder_identity = holder.map(str::to_owned);
        spec.lease_duration_seconds = Some(i32::MAX);
        state.lease = Some(lease);
        state.touch();
    });
    let begun = Instant::now();
    let election = Election::start(elector(&store, "a"));
    leads(&election, true).await;
    assert!(begun.elapsed() < Duration::from_secs(seconds));
}

#[tokio::test(start_paused = true)]
async fn a_release_hands_over_at_once() {
    let store = FakeStore::new(0, 0);
    let first = Election::start(elector(&store, "a"));
    leads(&first, true).await;
    let second = Election::start(elector(&store, "b"));
    sleep(Duration::from_secs(30)).await;
    assert!(!second.leadership().borrow().holds());

    first.release().await;
    assert_eq!(store.holder().as_deref(), Some(""));
    let released = Instant::now();
    leads(&second, true).await;
    assert!(released.elapsed() < Duration::from_secs(4));
    assert_eq!(store.transitions(), Some(1));
}

#[tokio::test(start_paused = true)]
async fn a_killed_leader_is_replaced_when_its_lease_has_run_out() {
    let store = FakeStore::new(0, 0);
    let first = tokio::spawn(elector(&store, "a").run(std::future::pending()));
    sleep(Duration::from_secs(5)).await;
    let second = Election::start(elector(&store, "b"));
    sleep(Duration::from_secs(5)).await;
    first.abort();
    let killed = Instant::now();
    leads(&second, true).await;
    let elapsed = killed.elapsed().as_secs();
    assert!((11..=19).contains(&elapsed), "{elapsed}");
}

#[rstest]
#[case::behind(-60)]
#[case::ahead(60)]
#[tokio::test(start_paused = true)]
async fn a_wall_clock_wrong_by_a_minute_changes_nothing(#[case] skew: i64) {
    let store = FakeStore::new(0, 0);
    let skew = SignedDuration::from_secs(skew);
    let first = Election::start(skewed_elector(&store, "a", skew));
    leads(&first, true).await;
    let second = Election::start(elector(&store, "b"));
    sleep(Duration::from_secs(60)).await;
    assert!(first.leadership().borrow().holds());
    assert!(!second.leadership().borrow().holds());
}

#[tokio::test(start_paused = true)]
async fn a_leader_out_of_reach_of_the_api_server_stops_in_time() {
    let store = FakeStore::new(0, 0);
    let election = Election::start(elector(&store, "a"));
    leads(&election, true).await;
    store.state(|state| state.down = Some("down".to_owned()));
    let begun = Instant::now();
    let mut leadership = election.leadership();
    drop(leadership.borrow_and_update());
    leadership.changed().await.unwrap();
    assert_eq!(leadership.borrow().deadline(), None);
    assert!(begun.elapsed() <= Duration::from_secs(10));

    store.state(|state| state.down = None);
    leads(&election, true).await;
    assert_eq!(store.transitions(), Some(0), "nobody else has led");
}

#[tokio::test(start_paused = true)]
async fn a_starved_elector_leads_no_longer_than_its_deadline() {
    let store = FakeStore::new(0, 0);
    let election = Election::start(elector(&store, "a"));
    leads(&election, true).await;
    let leadership = election.leadership();
    // Nothing of it runs while the clock moves.
    advance(Duration::from_secs(11)).await;
    assert!(!leadership.borrow().holds());
}

#[tokio::test(start_paused = true)]
async fn receivers_are_woken_at_the_start_and_at_the_end_only() {
    let store = FakeStore::new(0, 0);
    let election = Election::start(elector(&store, "a"));
    let mut leadership = election.leadership();
    let seen = tokio::spawn(async move {
        let mut seen = Vec::new();
        while leadership.changed().await.is_ok() {
            seen.push(leadership.borrow_and_update().holds());
        }
        seen
    });
    leads(&election, true).await;
    sleep(Duration::from_secs(20)).await;
    election.release().await;
    assert_eq!(seen.await.unwrap(), [true, false]);
}

/// What happens to a replica.
#[derive(Debug, Clone, Copy)]
enum Disruption {
    /// It is killed, and another starts in its place.
    Kill,
    /// It stops in order, and another starts in its place.
    Stop,
    /// Somebody changes the Lease's metadata.
    Touch,
    /// Somebody deletes the Lease.
    Delete,
}

struct TestReplica {
    leadership: ordered_watch::Receiver<Leadership>,
    stop: oneshot::Sender<()>,
    task: JoinHandle<()>,
}

impl TestReplica {
    fn start(store: &FakeStore, number: usize) -> Self {
        let skew = SignedDuration::from_secs([0, 60, -60][number % 3]);
        let elector = skewed_elector(store, &number.to_string(), skew);
        let (stop, stopped) = oneshot::channel();
        Self {
            leadership: elector.leadership(),
            stop,
            task: tokio::spawn(elector.run(async {
                stopped.await.ok();
            })),
        }
    }

    fn leads(&self) -> bool {
        self.leadership.borrow().holds()
    }
}

/// There are never two leaders, and there is one once the store works again.
async fn simulate(
    store: FakeStore,
    replicas: usize,
    mut disruptions: Vec<(u64, usize, Disruption)>,
) {
    const TICK: Duration = Duration::from_millis(50);
    disruptions.sort_by_key(|(second, ..)| *second);
    let mut disruptions = disruptions.into_iter().peekable();
    let mut started = replicas;
    let mut alive: Vec<_> = (0..replicas)
        .map(|n| TestReplica::start(&store, n))
        .collect();
    let begun = Instant::now();
    let check = |alive: &[TestReplica]| {
        let leaders = alive.iter().filter(|replica| replica.leads()).count();
        assert!(leaders <= 1, "{leaders} lead at {:?}", begun.elapsed());
        leaders
    };
    while begun.elapsed() < Duration::from_secs(120) {
        sleep(TICK).await;
        check(&alive);
        while let Some((_, index, disruption)) =
            disruptions.next_if(|(second, ..)| begun.elapsed().as_secs() >= *second)
        {
            let place = index % replicas;
            let next = TestReplica::start(&store, started);
            match disruption {
                Disruption::Touch | Disruption::Delete => {
                    next.task.abort();
                    store.state(|state| match disruption {
                        Disruption::Touch => state.touch(),
                        _ => state.lease = None,
                    });
                    continue;
                }
                Disruption::Kill => std::mem::replace(&mut alive[place], next).task.abort(),
                Disruption::Stop => {
                    let last = std::mem::replace(&mut alive[place], next);
                    last.stop.send(()).unwrap();
                    last.task.await.unwrap();
                    assert!(!last.leadership.borrow().holds());
                }
            }
            started += 1;
        }
    }
    store.state(|state| state.faults = 0);
    // The time of a late write, which may make a Lease for one that is gone; until that has expired;
    // and the rest of a request and a pause.
    let (mended, patience) = (Instant::now(), Duration::from_secs(20 + 16 + 10));
    while check(&alive) == 0 {
        assert!(mended.elapsed() < patience, "nobody leads");
        sleep(TICK).await;
    }
}

fn disruptions() -> impl Strategy<Value = Vec<(u64, usize, Disruption)>> {
    let disruption = prop_oneof![
        Just(Disruption::Kill),
        Just(Disruption::Stop),
        Just(Disruption::Touch),
        Just(Disruption::Delete)
    ];
    prop::collection::vec((0..120u64, 0..4usize, disruption), 0..12)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn never_two_leaders_and_always_one_in_the_end(
        seed: u64,
        replicas in 2..5usize,
        faults in 0..90u32,
        disruptions in disruptions(),
    ) {
        tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            .build()
            .unwrap()
            .block_on(simulate(FakeStore::new(seed, faults), replicas, disruptions));
    }
}
