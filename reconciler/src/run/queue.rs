//! What is to be looked at, and when. An item stands in it once, at the earliest time asked for, and
//! is never worked on twice at the same moment.

use std::{
    collections::{HashMap, HashSet},
    future::poll_fn,
    hash::Hash,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    task::Poll,
};

use tokio::{
    sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel},
    task::JoinSet,
    time::{Instant, sleep_until},
};
use tokio_util::time::{DelayQueue, delay_queue};

/// The way in. Clones lead to the same queue.
#[derive(Debug, Clone)]
pub(super) struct Queue<T> {
    requests: UnboundedSender<(T, Instant)>,
    depth: Arc<AtomicUsize>,
}

/// The way out; there is one.
#[derive(Debug)]
pub(super) struct Waiting<T> {
    requests: UnboundedReceiver<(T, Instant)>,
    delays: DelayQueue<T>,
    due: HashMap<T, (Instant, delay_queue::Key)>,
    running: HashSet<T>,
    /// Due, but still worked on.
    held: HashSet<T>,
    depth: Arc<AtomicUsize>,
}

/// An empty queue.
pub(super) fn queue<T: Hash + Eq + Clone>() -> (Queue<T>, Waiting<T>) {
    let (sender, receiver) = unbounded_channel();
    let depth = Arc::<AtomicUsize>::default();
    let queue = Queue {
        requests: sender,
        depth: depth.clone(),
    };
    let waiting = Waiting {
        requests: receiver,
        delays: DelayQueue::new(),
        due: HashMap::new(),
        running: HashSet::new(),
        held: HashSet::new(),
        depth,
    };
    (queue, waiting)
}

impl<T> Queue<T> {
    /// Look at this as soon as possible.
    pub(super) fn soon(&self, item: T) {
        self.at(item, Instant::now());
    }

    /// Look at this then, or earlier if that was asked for.
    pub(super) fn at(&self, item: T, when: Instant) {
        // Without a receiver the process is on its way out.
        let _ = self.requests.send((item, when));
    }

    /// How many items wait: for their time, or for a worker.
    pub(super) fn depth(&self) -> usize {
        self.depth.load(Ordering::Relaxed)
    }
}

impl<T: Hash + Eq + Clone + Send + 'static> Waiting<T> {
    /// Works on the items, on so many at a time, until `stop`; then on those that are due, until
    /// none is left or until the end of the grace that `stop` gives. What `work` answers is when to
    /// look at the item again.
    pub(super) async fn work<F>(
        mut self,
        workers: usize,
        work: impl Fn(T) -> F,
        stop: impl Future<Output = Instant>,
    ) where
        F: Future<Output = Option<Instant>> + Send + 'static,
    {
        let mut tasks = JoinSet::new();
        let mut names = HashMap::new();
        let mut stop = std::pin::pin!(stop);
        let mut end: Option<Instant> = None;
        loop {
            if end.is_some() && tasks.is_empty() && !self.has_due() {
                return;
            }
            tokio::select! {
                biased;
                Some(done) = tasks.join_next_with_id(), if !tasks.is_empty() => {
                    let (id, again) = match done {
                        Ok((id, again)) => (id, again),
                        Err(error) => (error.id(), None),
                    };
                    if let Some(item) = names.remove(&id) {
                        self.done(item, again);
                    }
                }
                Some((item, when)) = self.requests.recv() => self.add(item, when),
                item = next(&mut self.delays, &mut self.due), if tasks.len() < workers => {
                    if self.running.contains(&item) {
                        self.held.insert(item);
                    } else {
                        let task = tasks.spawn(work(item.clone()));
                        names.insert(task.id(), item.clone());
                        self.running.insert(item);
                    }
                    self.count();
                }
                grace = &mut stop, if end.is_none() => end = Some(grace),
                () = sleep_until(end.unwrap_or_else(Instant::now)), if end.is_some() => return,
            }
        }
    }

    fn add(&mut self, item: T, when: Instant) {
        if self.held.contains(&item) {
            return;
        }
        match self.due.get_mut(&item) {
            Some((earlier, _)) if *earlier <= when => {}
            Some((time, key)) => {
                *time = when;
                self.delays.reset_at(key, when);
            }
            None => {
                let key = self.delays.insert_at(item.clone(), when);
                self.due.insert(item, (when, key));
            }
        }
        self.count();
    }

    fn done(&mut self, item: T, again: Option<Instant>) {
        self.running.remove(&item);
        let again = if self.held.remove(&item) {
            Some(Instant::now())
        } else {
            again
        };
        if let Some(again) = again {
            self.add(item, again);
        }
        self.count();
    }

    /// What was asked for is due too, until it is read.
    fn has_due(&self) -> bool {
        let now = Instant::now();
        !self.requests.is_empty()
            || self.due.values().any(|(when, _)| *when <= now)
            || !self.held.is_empty()
    }

    fn count(&self) {
        let depth = self.due.len() + self.held.len();
        self.depth.store(depth, Ordering::Relaxed);
    }
}

/// The next item whose time has come.
async fn next<T: Hash + Eq>(
    delays: &mut DelayQueue<T>,
    due: &mut HashMap<T, (Instant, delay_queue::Key)>,
) -> T {
    poll_fn(|context| match delays.poll_expired(context) {
        Poll::Ready(Some(expired)) => {
            let item = expired.into_inner();
            due.remove(&item);
            Poll::Ready(item)
        }
        // Empty: whatever is added wakes the loop around us.
        Poll::Ready(None) | Poll::Pending => Poll::Pending,
    })
    .await
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{collections::BTreeSet, future::pending, sync::Mutex, time::Duration};

    /// What was begun and ended, with the seconds since the start.
    type Log = Arc<Mutex<Vec<(&'static str, &'static str, u64)>>>;

    async fn run(
        workers: usize,
        takes: Duration,
        again: Option<Duration>,
        stop: impl Future<Output = Instant>,
        ask: impl FnOnce(&Queue<&'static str>),
    ) -> Vec<(&'static str, &'static str, u64)> {
        let (queue, waiting) = queue();
        let start = Instant::now();
        let log = Log::default();
        ask(&queue);
        let (times, first) = (log.clone(), Arc::new(Mutex::new(HashSet::new())));
        let work = move |item| {
            let (log, first) = (times.clone(), first.clone());
            async move {
                let note = |what| {
                    let seconds = start.elapsed().as_secs();
                    log.lock().unwrap().push((item, what, seconds));
                };
                note("begun");
                tokio::time::sleep(takes).await;
                note("ended");
                let again = again.filter(|_| first.lock().unwrap().insert(item));
                again.map(|again| Instant::now() + again)
            }
        };
        waiting.work(workers, work, stop).await;
        let log = log.lock().unwrap();
        log.clone()
    }

    fn seconds(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    async fn stop_after(time: u64, grace: u64) -> Instant {
        tokio::time::sleep(seconds(time)).await;
        Instant::now() + seconds(grace)
    }

    #[tokio::test(start_paused = true)]
    async fn an_item_stands_in_it_once_at_the_earliest_time() {
        let log = run(2, seconds(0), None, stop_after(60, 0), |queue| {
            let now = Instant::now();
            queue.at("a", now + seconds(20));
            queue.at("a", now + seconds(10));
            queue.at("a", now + seconds(30));
        })
        .await;
        assert_eq!(log, [("a", "begun", 10), ("a", "ended", 10)]);
    }

    #[tokio::test(start_paused = true)]
    async fn an_item_is_never_worked_on_twice_at_a_time() {
        let log = run(2, seconds(5), None, stop_after(60, 0), |queue| {
            let now = Instant::now();
            queue.soon("a");
            queue.at("b", now + seconds(1));
            let queue = queue.clone();
            tokio::spawn(async move {
                tokio::time::sleep(seconds(2)).await;
                queue.soon("a");
                queue.soon("a");
            });
        })
        .await;
        let of_a: Vec<_> = log.into_iter().filter(|entry| entry.0 == "a").collect();
        let twice = [("begun", 0), ("ended", 5), ("begun", 5), ("ended", 10)];
        assert_eq!(of_a, twice.map(|(what, when)| ("a", what, when)));
    }

    #[tokio::test(start_paused = true)]
    async fn no_more_than_so_many_at_a_time() {
        let log = run(1, seconds(5), None, stop_after(60, 0), |queue| {
            queue.soon("a");
            queue.soon("b");
        })
        .await;
        let begun: Vec<_> = log.iter().filter(|entry| entry.1 == "begun").collect();
        assert_eq!(
            begun.iter().map(|entry| entry.2).collect::<Vec<_>>(),
            [0, 5]
        );
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_answered_is_looked_at_again() {
        let log = run(
            1,
            seconds(0),
            Some(seconds(7)),
            stop_after(60, 0),
            |queue| {
                queue.soon("a");
            },
        )
        .await;
        let begun: Vec<_> = log.iter().filter(|entry| entry.1 == "begun").collect();
        assert_eq!(
            begun.iter().map(|entry| entry.2).collect::<Vec<_>>(),
            [0, 7]
        );
    }

    #[tokio::test(start_paused = true)]
    async fn at_the_end_only_what_is_due_is_worked_on() {
        let log = run(1, seconds(3), None, stop_after(1, 100), |queue| {
            queue.soon("a");
            queue.soon("b");
            queue.at("c", Instant::now() + seconds(50));
        })
        .await;
        let ended: Vec<_> = log.iter().filter(|entry| entry.1 == "ended").collect();
        let names: BTreeSet<_> = ended.iter().map(|entry| entry.0).collect();
        assert_eq!(names, BTreeSet::from(["a", "b"]));
        assert_eq!(
            ended.iter().map(|entry| entry.2).collect::<Vec<_>>(),
            [3, 6]
        );
    }

    #[tokio::test(start_paused = true)]
    async fn at_the_end_what_work_asks_for_is_worked_on() {
        let (queue, waiting) = queue();
        let log = Arc::new(Mutex::new(Vec::new()));
        queue.soon("create");
        let worked_on = log.clone();
        let work = move |item| {
            let (queue, log) = (queue.clone(), worked_on.clone());
            async move {
                tokio::time::sleep(seconds(3)).await;
                log.lock().unwrap().push(item);
                if item == "create" {
                    queue.soon("count");
                }
                None
            }
        };
        waiting.work(1, work, stop_after(1, 100)).await;
        assert_eq!(*log.lock().unwrap(), ["create", "count"]);
    }

    #[tokio::test(start_paused = true)]
    async fn the_grace_has_an_end() {
        let start = Instant::now();
        let log = run(1, seconds(30), None, stop_after(1, 10), |queue| {
            queue.soon("a")
        })
        .await;
        assert_eq!(log, [("a", "begun", 0)]);
        assert_eq!(start.elapsed(), seconds(11));
    }

    #[tokio::test(start_paused = true)]
    async fn depth_counts_what_waits() {
        let (queue, waiting) = queue();
        for (item, after) in [("a", 100), ("b", 200), ("b", 300)] {
            queue.at(item, Instant::now() + seconds(after));
        }
        let work = waiting.work(1, |_| async { None }, pending());
        tokio::select! {
            () = work => {}
            () = tokio::time::sleep(seconds(150)) => {}
        }
        assert_eq!(queue.depth(), 1);
    }
}
