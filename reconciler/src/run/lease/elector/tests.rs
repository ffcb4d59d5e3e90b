//! Electors against a store in memory that is slow, loses answers, and writes late.

use std::sync::{Arc, Mutex, PoisonError};

use fastrand::Rng;
use jiff::SignedDuration;
use k8s_openapi::api::coordination::v1::Lease;
use proptest::prelude::*;
use rstest::rstest;
use tokio::{
    sync::oneshot,
    task::JoinHandle,
    time::{advance, sleep},
};

use super::*;
use crate::run::lease::Election;

fn timing() -> Timing {
    let seconds = Duration::from_secs;
    Timing::new(seconds(15), seconds(10), seconds(2)).unwrap()
}

/// An API server's part: a resourceVersion for each write, and a conflict where it is another.
#[derive(Clone)]
struct Shelf(Arc<Mutex<State>>);

struct State {
    lease: Option<Lease>,
    version: u64,
    rng: Rng,
    /// Of a hundred calls, how many go wrong.
    faults: u32,
    /// All do.
    down: bool,
    writes: usize,
}

/// How a call goes: the time until it takes effect, if it does, and then until the answer.
struct Course {
    effect: Option<Duration>,
    answer: Duration,
}

impl Shelf {
    fn new(seed: u64, faults: u32) -> Self {
        Self(Arc::new(Mutex::new(State {
            lease: None,
            version: 0,
            rng: Rng::with_seed(seed),
            faults,
            down: false,
            writes: 0,
        })))
    }

    fn state<T>(&self, with: impl FnOnce(&mut State) -> T) -> T {
        with(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn holder(&self) -> Option<String> {
        self.state(|state| state.lease.clone()?.spec?.holder_identity)
    }

    fn transitions(&self) -> Option<i32> {
        self.state(|state| state.lease.clone()?.spec?.lease_transitions)
    }

    fn course(&self) -> Course {
        self.state(|state| {
            let mut milliseconds = |range| Duration::from_millis(state.rng.u64(range));
            let (soon, late) = (milliseconds(0..50), milliseconds(0..20_000));
            if state.down {
                return Course {
                    effect: None,
                    answer: soon,
                };
            }
            if state.rng.u32(0..100) >= state.faults {
                return Course {
                    effect: Some(soon),
                    answer: soon,
                };
            }
            match state.rng.u32(0..4) {
                // Refused or lost on the way.
                0 => Course {
                    effect: None,
                    answer: soon,
                },
                // Done, and the answer is lost.
                1 => Course {
                    effect: Some(soon),
                    answer: FOR_EVER,
                },
                // Done long after everybody has given up.
                2 => Course {
                    effect: Some(late),
                    answer: soon,
                },
                _ => Course {
                    effect: Some(soon),
                    answer: late,
                },
            }
        })
    }

    /// A write takes effect although its caller has gone.
    async fn write(&self, lease: &Lease, create: bool) -> Result<Lease, Fault> {
        let Course { effect, answer } = self.course();
        let lost = Err(Fault::Failed(Failure::new("lost")));
        let Some(effect) = effect else {
            sleep(answer).await;
            return lost;
        };
        let (shelf, lease) = (self.clone(), lease.clone());
        let done = tokio::spawn(async move {
            sleep(effect).await;
            shelf.state(|state| state.write(lease, create))
        });
        let done = done.await.unwrap_or(lost);
        sleep(answer).await;
        done
    }
}

const FOR_EVER: Duration = Duration::from_secs(1_000_000);

impl State {
    fn touch(&mut self) {
        if let Some(lease) = &mut self.lease {
            self.version += 1;
            lease.metadata.resource_version = Some(self.version.to_string());
        }
    }

    fn write(&mut self, mut lease: Lease, create: bool) -> Result<Lease, Fault> {
        let version = |lease: &Lease| lease.metadata.resource_version.clone();
        let stale = match &self.lease {
            Some(there) => create || version(there) != version(&lease),
            None => !create,
        };
        if stale {
            return Err(Fault::Stale);
        }
        self.version += 1;
        self.writes += 1;
        lease.metadata.resource_version = Some(self.version.to_string());
        self.lease = Some(lease.clone());
        Ok(lease)
    }
}

impl Store for Shelf {
    async fn read(&self) -> Result<Option<Lease>, Fault> {
        let Course { effect, answer } = self.course();
        if effect.is_none() {
            sleep(answer).await;
            return Err(Fault::Failed(Failure::new("lost")));
        }
        let lease = self.state(|state| state.lease.clone());
        sleep(answer).await;
        Ok(lease)
    }

    async fn create(&self, lease: &Lease) -> Result<Lease, Fault> {
        self.write(lease, true).await
    }

    async fn replace(&self, lease: &Lease) -> Result<Lease, Fault> {
        self.write(lease, false).await
    }
}

fn elector(shelf: &Shelf, name: &str) -> Elector<Shelf> {
    Elector::new(shelf.clone(), name.to_owned(), timing())
}

async fn leads(election: &Election, expected: bool) {
    let mut leadership = election.leadership();
    leadership
        .wait_for(|leadership| leadership.holds() == expected)
        .await
        .unwrap();
}

#[tokio::test(start_paused = true)]
async fn the_first_leads_and_renews() {
    let shelf = Shelf::new(0, 0);
    let election = Election::spawn(elector(&shelf, "a"));
    leads(&election, true).await;
    sleep(Duration::from_secs(100)).await;
    assert!(election.leadership().borrow().holds());
    let renewals = shelf.state(|state| state.writes);
    assert!((45..=51).contains(&renewals), "{renewals}");
    assert_eq!(shelf.transitions(), Some(0));
}

#[tokio::test(start_paused = true)]
async fn a_release_hands_over_at_once() {
    let shelf = Shelf::new(0, 0);
    let first = Election::spawn(elector(&shelf, "a"));
    leads(&first, true).await;
    let second = Election::spawn(elector(&shelf, "b"));
    sleep(Duration::from_secs(30)).await;
    assert!(!second.leadership().borrow().holds());

    first.release().await;
    assert_eq!(shelf.holder().as_deref(), Some(""));
    let released = Instant::now();
    leads(&second, true).await;
    assert!(released.elapsed() < Duration::from_secs(4));
    assert_eq!(shelf.transitions(), Some(1));
}

#[tokio::test(start_paused = true)]
async fn a_killed_leader_is_replaced_when_its_lease_has_run_out() {
    let shelf = Shelf::new(0, 0);
    let first = tokio::spawn(elector(&shelf, "a").run(std::future::pending()));
    sleep(Duration::from_secs(5)).await;
    let second = Election::spawn(elector(&shelf, "b"));
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
    let shelf = Shelf::new(0, 0);
    let skewed = move || Timestamp::now() + SignedDuration::from_secs(skew);
    let first = Election::spawn(elector(&shelf, "a").with_wall_clock(skewed));
    leads(&first, true).await;
    let second = Election::spawn(elector(&shelf, "b"));
    sleep(Duration::from_secs(60)).await;
    assert!(first.leadership().borrow().holds());
    assert!(!second.leadership().borrow().holds());
}

#[tokio::test(start_paused = true)]
async fn a_leader_out_of_reach_of_the_api_server_stops_in_time() {
    let shelf = Shelf::new(0, 0);
    let election = Election::spawn(elector(&shelf, "a"));
    leads(&election, true).await;
    shelf.state(|state| state.down = true);
    let begun = Instant::now();
    let mut leadership = election.leadership();
    leadership.mark_unchanged();
    leadership.changed().await.unwrap();
    assert_eq!(leadership.borrow().until(), None);
    assert!(begun.elapsed() <= Duration::from_secs(10));

    shelf.state(|state| state.down = false);
    leads(&election, true).await;
    assert_eq!(shelf.transitions(), Some(0), "nobody else has led");
}

#[tokio::test(start_paused = true)]
async fn a_starved_elector_leads_no_longer_than_its_deadline() {
    let shelf = Shelf::new(0, 0);
    let election = Election::spawn(elector(&shelf, "a"));
    leads(&election, true).await;
    let leadership = election.leadership();
    // Nothing of it runs while the clock moves.
    advance(Duration::from_secs(11)).await;
    assert!(!leadership.borrow().holds());
}

#[tokio::test(start_paused = true)]
async fn the_hook_hears_each_turn() {
    let shelf = Shelf::new(0, 0);
    let heard = Arc::new(Mutex::new(Vec::new()));
    let hook = {
        let heard = heard.clone();
        move |leads| heard.lock().unwrap().push(leads)
    };
    let election = Election::spawn(elector(&shelf, "a").with_hook(hook));
    leads(&election, true).await;
    sleep(Duration::from_secs(20)).await;
    election.release().await;
    assert_eq!(*heard.lock().unwrap(), [true, false]);
}

/// What befalls one of them.
#[derive(Debug, Clone, Copy)]
enum Blow {
    /// It ends without a word; another starts in its place.
    Kill,
    /// It ends in order; another starts in its place.
    Stop,
    /// The Lease is touched by hand.
    Touch,
}

struct Replica {
    leadership: watch::Receiver<Leadership>,
    stop: oneshot::Sender<()>,
    task: JoinHandle<()>,
}

impl Replica {
    fn start(shelf: &Shelf, number: usize) -> Self {
        let skew = SignedDuration::from_secs([0, 60, -60][number % 3]);
        let elector =
            elector(shelf, &number.to_string()).with_wall_clock(move || Timestamp::now() + skew);
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

/// Never two leaders; and one, once the store is well again.
async fn simulate(shelf: Shelf, replicas: usize, mut blows: Vec<(u64, usize, Blow)>) {
    const TICK: Duration = Duration::from_millis(50);
    blows.sort_by_key(|(second, ..)| *second);
    let mut blows = blows.into_iter().peekable();
    let mut born = replicas;
    let mut alive: Vec<_> = (0..replicas).map(|n| Replica::start(&shelf, n)).collect();
    let begun = Instant::now();
    let check = |alive: &[Replica]| {
        let leaders = alive.iter().filter(|replica| replica.leads()).count();
        assert!(leaders <= 1, "{leaders} lead at {:?}", begun.elapsed());
        leaders
    };
    while begun.elapsed() < Duration::from_secs(120) {
        sleep(TICK).await;
        check(&alive);
        while let Some((_, index, blow)) =
            blows.next_if(|(second, ..)| begun.elapsed().as_secs() >= *second)
        {
            let place = index % replicas;
            let next = Replica::start(&shelf, born);
            match blow {
                Blow::Touch => {
                    next.task.abort();
                    shelf.state(State::touch);
                    continue;
                }
                Blow::Kill => std::mem::replace(&mut alive[place], next).task.abort(),
                Blow::Stop => {
                    let last = std::mem::replace(&mut alive[place], next);
                    last.stop.send(()).unwrap();
                    last.task.await.unwrap();
                    assert!(!last.leadership.borrow().holds());
                }
            }
            born += 1;
        }
    }
    shelf.state(|state| state.faults = 0);
    // What is still on its way, one lease, and what remains of a call and a pause.
    let (well, patience) = (Instant::now(), Duration::from_secs(20 + 15 + 10));
    while check(&alive) == 0 {
        assert!(well.elapsed() < patience, "nobody leads");
        sleep(TICK).await;
    }
}

fn blows() -> impl Strategy<Value = Vec<(u64, usize, Blow)>> {
    let blow = prop_oneof![Just(Blow::Kill), Just(Blow::Stop), Just(Blow::Touch)];
    prop::collection::vec((0..120u64, 0..4usize, blow), 0..12)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn never_two_leaders_and_always_one_in_the_end(
        seed: u64,
        replicas in 2..5usize,
        faults in 0..90u32,
        blows in blows(),
    ) {
        tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            .build()
            .unwrap()
            .block_on(simulate(Shelf::new(seed, faults), replicas, blows));
    }
}
