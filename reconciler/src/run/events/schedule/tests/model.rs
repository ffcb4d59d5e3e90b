//! The schedule against a cluster that remembers what was said: whatever happens, each episode is
//! announced once, and nothing is lost.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;

/// What happens.
#[derive(Debug, Clone)]
enum Step {
    /// An item gets a conflict in these meshes, or none.
    Change(usize, Option<usize>),
    Wait(u64),
    /// What comes of the next events.
    Faults(Vec<Fault>),
    /// The leader changes.
    TakeOver,
}

#[derive(Debug, Clone, Copy)]
enum Fault {
    /// It is not done.
    Failed,
    /// It is done, and the answer is lost.
    Lost,
    Refused,
    Forbidden,
    Rejected,
}

const MESHES: [&[&str]; 3] = [&["a", "b"], &["a", "c"], &["a", "b", "c"]];
const ITEMS: usize = 4;

fn item(number: usize) -> WorkItem {
    match number {
        0 => WorkItem::Namespace("shop".into()),
        _ => WorkItem::Workload(Key {
            namespace: if number == 1 { "till" } else { "shop" }.into(),
            workload: format!("w{number}"),
        }),
    }
}

fn condition(number: usize, meshes: usize) -> Condition {
    let meshes = MESHES[meshes].iter().map(|&mesh| mesh.to_owned()).collect();
    match number {
        0 => Condition::Split { meshes },
        _ => Condition::Conflict { meshes },
    }
}

/// The events of a cluster, and who says them.
struct World {
    now: Instant,
    schedule: Schedule,
    truth: [Option<Condition>; ITEMS],
    /// What was said about each item, in this order: when, and an announcement or an end.
    said: BTreeMap<WorkItem, Vec<(Instant, Option<Announcement>)>>,
    faults: Vec<Fault>,
    attempts: i64,
    /// When events were tried, done or not.
    tried: Vec<Instant>,
    pace: TokenBucket,
}

impl World {
    fn new() -> Self {
        let now = Instant::now();
        let mut world = Self {
            now,
            schedule: Schedule::new(true),
            truth: [const { None }; ITEMS],
            said: BTreeMap::new(),
            faults: Vec::new(),
            attempts: 0,
            tried: Vec::new(),
            pace: TokenBucket::new(1.0, 3, now),
        };
        world.take_over();
        world
    }

    /// Another replica, or this one anew, knows nothing but what the events say.
    fn take_over(&mut self) {
        let recalled = self.said.iter().map(|(about, said)| {
            let (at, standing) = said.last().unwrap();
            (about.clone(), (standing.clone(), *at + REPEAT_INTERVAL))
        });
        let recalled = recalled.collect();
        begin_term(&mut self.schedule, recalled, self.now);
        // Items without a condition are often not known, since nothing refers to them.
        for number in 0..ITEMS {
            if self.truth[number].is_some() {
                self.observe(number);
            }
        }
    }

    fn observe(&mut self, number: usize) {
        let condition = self.truth[number].clone();
        self.schedule.observe(item(number), condition, self.now);
    }

    fn step(&mut self, step: Step) {
        match step {
            Step::Change(number, meshes) => {
                self.truth[number] = meshes.map(|meshes| condition(number, meshes));
                self.observe(number);
            }
            Step::Wait(seconds) => {
                for _ in 0..seconds {
                    self.now += Duration::from_secs(1);
                    self.publish();
                }
            }
            Step::Faults(faults) => self.faults.extend(faults),
            Step::TakeOver => self.take_over(),
        }
    }

    fn publish(&mut self) {
        for about in self.schedule.ask_for(self.now) {
            let number = (0..ITEMS).find(|number| item(*number) == about).unwrap();
            self.observe(number);
        }
        while self.pace.next(self.now) <= self.now
            && let Some(due) = self.schedule.due(self.now)
        {
            self.pace.take(self.now).unwrap();
            self.tried.push(self.now);
            let outcome = self.send(&due);
            self.schedule.conclude(&due, &outcome, self.now);
        }
    }

    fn send(&mut self, due: &DueEvent) -> Outcome {
        let until = self.now + Duration::from_secs(5);
        let is_done = due
            .attempt
            .as_ref()
            .is_some_and(|attempt| attempt.since.as_second() < 0);
        self.attempts += 1;
        // A negative time marks an attempt that was done.
        let attempt = |at| Attempt::new(jiff::Timestamp::from_second(at).unwrap());
        let fault = (!self.faults.is_empty()).then(|| self.faults.remove(0));
        if let Some(Fault::Failed | Fault::Lost) = fault {
            let does = matches!(fault, Some(Fault::Lost)) && !is_done;
            if does {
                self.say(due);
            }
            let mark = if does || is_done {
                -self.attempts
            } else {
                self.attempts
            };
            self.schedule.attempting(due, attempt(mark));
            return Outcome::Unanswered { until };
        }
        self.schedule.attempting(due, attempt(self.attempts));
        match fault {
            Some(Fault::Refused) if !is_done => Outcome::Refused,
            Some(Fault::Forbidden) if !is_done => Outcome::Forbidden,
            Some(Fault::Rejected) if !is_done => Outcome::Rejected,
            _ => {
                if !is_done {
                    self.say(due);
                }
                Outcome::Sent
            }
        }
    }

    fn say(&mut self, due: &DueEvent) {
        let announcement = Announcement::of(&due.message);
        let said = self.said.entry(due.about.clone()).or_default();
        match (said.last(), &announcement) {
            (None, None) | (Some((_, None)), None) => panic!("an end of nothing: {due:?}"),
            (Some((at, Some(last))), Some(new)) if last == new => {
                let age = self.now - *at;
                assert!(
                    age >= REPEAT_INTERVAL,
                    "announced twice, after {age:?}: {due:?}"
                );
            }
            _ => {}
        }
        said.push((self.now, announcement));
    }

    /// What is said last about each item is true.
    fn check(&self) {
        for number in 0..ITEMS {
            let about = item(number);
            let said = self.said.get(&about).and_then(|said| said.last());
            let standing = said.and_then(|(_, standing)| standing.clone());
            let observed = self.truth[number].as_ref();
            let expected = observed.map(|condition| condition.announcement(&about));
            assert_eq!(standing, expected, "{about:?}");
        }
    }
}

fn step() -> impl Strategy<Value = Step> {
    let fault = prop_oneof![
        Just(Fault::Failed),
        Just(Fault::Lost),
        Just(Fault::Refused),
        Just(Fault::Forbidden),
        Just(Fault::Rejected),
    ];
    prop_oneof![
        4 => (0..ITEMS, prop::option::of(0..MESHES.len())).prop_map(|(item, to)| Step::Change(item, to)),
        4 => prop_oneof![0..5u64, 0..100u64, 500..700u64].prop_map(Step::Wait),
        2 => prop::collection::vec(fault, 1..4).prop_map(Step::Faults),
        1 => Just(Step::TakeOver),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn each_episode_is_announced_once_and_nothing_is_lost(
        seed: u64,
        steps in prop::collection::vec(step(), 0..40),
    ) {
        fastrand::seed(seed);
        let mut world = World::new();
        for step in steps {
            world.step(step);
        }
        world.faults.clear();
        // The longest backoff, and the rate of one change in a minute.
        world.step(Step::Wait(15 * 60 + 5 * 60));
        world.check();
        for (first, at) in world.tried.iter().enumerate() {
            let within = world.tried[first..].iter().take_while(|time| **time - *at < Duration::from_secs(10));
            prop_assert!(within.count() <= 3 + 10);
        }
    }
}
