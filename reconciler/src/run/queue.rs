//! The work queue: which items are reconciled, and when. An item is in the queue once, at the earliest
//! of the times it was added for, and is never processed twice at the same time.

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

/// The handle that adds items. Clones add to the same queue.
#[derive(Debug, Clone)]
pub(super) struct Queue<T> {
    requests: UnboundedSender<(T, Instant)>,
    depth: Arc<AtomicUsize>,
}

/// The part that holds the items and hands them to workers. There is one per queue.
#[derive(Debug)]
pub(super) struct Dispatcher<T> {
    requests: UnboundedReceiver<(T, Instant)>,
    delays: DelayQueue<T>,
    due: HashMap<T, (Instant, delay_queue::Key)>,
    processing: HashSet<T>,
    /// Due again, but still being processed.
    dirty: HashSet<T>,
    depth: Arc<AtomicUsize>,
}

/// An empty queue.
pub(super) fn queue<T: Hash + Eq + Clone>() -> (Queue<T>, Dispatcher<T>) {
    let (sender, receiver) = unbounded_channel();
    let depth = Arc::<AtomicUsize>::default();
    let queue = Queue {
        requests: sender,
        depth: depth.clone(),
    };
    let dispatcher = Dispatcher {
        requests: receiver,
        delays: DelayQueue::new(),
        due: HashMap::new(),
        processing: HashSet::new(),
        dirty: HashSet::new(),
        depth,
    };
    (queue, dispatcher)
}

impl<T> Queue<T> {
    /// Adds an item that is due now.
    pub(super) fn enqueue(&self, item: T) {
        self.enqueue_at(item, Instant::now());
    }

    /// Adds an item that is due at this time. If it is already in the queue, the earlier time counts.
    fn enqueue_at(&self, item: T, when: Instant) {
        // Without a receiver the process is about to end.
        let _ = self.requests.send((item, when));
    }

    /// How many items wait, for their time or for a worker.
    pub(super) fn depth(&self) -> usize {
        self.depth.load(Ordering::Relaxed)
    }
}

impl<T: Hash + Eq + Clone + Send + 'static> Dispatcher<T> {
    /// Reconciles items, at most `workers` at a time, until `stop` resolves. Then it reconciles the
    /// items that are due, until none is left or until the deadline that `stop` has given. `reconcile`
    /// returns when the item is due again, if it is.
    pub(super) async fn run<F>(
        mut self,
        workers: usize,
        reconcile: impl Fn(T) -> F,
        stop: impl Future<Output = Instant>,
    ) where
        F: Future<Output = Option<Instant>> + Send + 'static,
    {
        let mut tasks = JoinSet::new();
        let mut items = HashMap::new();
        let mut stop = std::pin::pin!(stop);
        let mut deadline: Option<Instant> = None;
        loop {
            if deadline.is_some() && tasks.is_empty() && !self.has_due() {
                return;
            }
            tokio::select! {
                biased;
                Some(finished) = tasks.join_next_with_id(), if !tasks.is_empty() => {
                    let (id, again) = match finished {
                        Ok((id, again)) => (id, again),
                        Err(error) => (error.id(), None),
                    };
                    if let Some(item) = items.remove(&id) {
                        self.finish(item, again);
                    }
                }
                Some((item, when)) = self.requests.recv() => self.add(item, when),
                item = next(&mut self.delays, &mut self.due), if tasks.len() < workers => {
                    if self.processing.contains(&item) {
                        self.dirty.insert(item);
                    } else {
                        let task = tasks.spawn(reconcile(item.clone()));
                        items.insert(task.id(), item.clone());
                        self.processing.insert(item);
                    }
                    self.update_depth();
                }
                given = &mut stop, if deadline.is_none() => deadline = Some(given),
                () = sleep_until(deadline.unwrap_or_else(Instant::now)), if deadline.is_some() => return,
            }
        }
    }

    fn add(&mut self, item: T, when: Instant) {
        if self.dirty.contains(&item) {
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
        self.update_depth();
    }

    fn finish(&mut self, item: T, again: Option<Instant>) {
        self.processing.remove(&item);
        let again = if self.dirty.remove(&item) {
            Some(Instant::now())
        } else {
            again
        };
        if let Some(again) = again {
            self.add(item, again);
        }
        self.update_depth();
    }

    /// Whether an item is due. An item that was added and not yet received counts as due.
    fn has_due(&self) -> bool {
        let now = Instant::now();
        !self.requests.is_empty()
            || self.due.values().any(|(when, _)| *when <= now)
            || !self.dirty.is_empty()
    }

    fn update_depth(&self) {
        let depth = self.due.len() + self.dirty.len();
        self.depth.store(depth, Ordering::Relaxed);
    }
}

/// The next item that is due.
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
        // Empty: an added item wakes the loop that waits for this.
        Poll::Ready(None) | Poll::Pending => Poll::Pending,
    })
    .await
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{collections::BTreeSet, future::pending, sync::Mutex, time::Duration};

    /// Which items began and ended, with the seconds since the start.
    type History = Arc<Mutex<Vec<(&'static str, &'static str, u64)>>>;

    async fn run(
        workers: usize,
        takes: Duration,
        again: Option<Duration>,
        stop: impl Future<Output = Instant>,
        ask: impl FnOnce(&Queue<&'static str>),
    ) -> Vec<(&'static str, &'static str, u64)> {
        let (queue, dispatcher) = queue();
        let start = Instant::now();
        let log = History::default();
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
        dispatcher.run(workers, work, stop).await;
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
    async fn an_item_is_in_the_queue_once_at_the_earliest_time() {
        let log = run(2, seconds(0), None, stop_after(60, 0), |queue| {
            let now = Instant::now();
            queue.enqueue_at("a", now + seconds(20));
            queue.enqueue_at("a", now + seconds(10));
            queue.enqueue_at("a", now + seconds(30));
        })
        .await;
        assert_eq!(log, [("a", "begun", 10), ("a", "ended", 10)]);
    }

    #[tokio::test(start_paused = true)]
    async fn an_item_is_never_processed_twice_at_the_same_time() {
        let log = run(2, seconds(5), None, stop_after(60, 0), |queue| {
            let now = Instant::now();
            queue.enqueue("a");
            queue.enqueue_at("b", now + seconds(1));
            let queue = queue.clone();
            tokio::spawn(async move {
                tokio::time::sleep(seconds(2)).await;
                queue.enqueue("a");
                queue.enqueue("a");
            });
        })
        .await;
        let of_a: Vec<_> = log.into_iter().filter(|entry| entry.0 == "a").collect();
        let twice = [("begun", 0), ("ended", 5), ("begun", 5), ("ended", 10)];
        assert_eq!(of_a, twice.map(|(what, when)| ("a", what, when)));
    }

    #[tokio::test(start_paused = true)]
    async fn no_more_items_than_workers_are_processed() {
        let log = run(1, seconds(5), None, stop_after(60, 0), |queue| {
            queue.enqueue("a");
            queue.enqueue("b");
        })
        .await;
        let begun: Vec<_> = log.iter().filter(|entry| entry.1 == "begun").collect();
        assert_eq!(
            begun.iter().map(|entry| entry.2).collect::<Vec<_>>(),
            [0, 5]
        );
    }

    #[tokio::test(start_paused = true)]
    async fn an_item_is_requeued_at_the_time_that_reconcile_answers() {
        let log = run(
            1,
            seconds(0),
            Some(seconds(7)),
            stop_after(60, 0),
            |queue| {
                queue.enqueue("a");
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
    async fn at_the_end_only_due_items_are_processed() {
        let log = run(1, seconds(3), None, stop_after(1, 100), |queue| {
            queue.enqueue("a");
            queue.enqueue("b");
            queue.enqueue_at("c", Instant::now() + seconds(50));
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
    async fn at_the_end_items_that_reconcile_adds_are_processed() {
        let (queue, dispatcher) = queue();
        let log = Arc::new(Mutex::new(Vec::new()));
        queue.enqueue("create");
        let processed = log.clone();
        let work = move |item| {
            let (queue, log) = (queue.clone(), processed.clone());
            async move {
                tokio::time::sleep(seconds(3)).await;
                log.lock().unwrap().push(item);
                if item == "create" {
                    queue.enqueue("count");
                }
                None
            }
        };
        dispatcher.run(1, work, stop_after(1, 100)).await;
        assert_eq!(*log.lock().unwrap(), ["create", "count"]);
    }

    #[tokio::test(start_paused = true)]
    async fn nothing_is_processed_after_the_deadline() {
        let start = Instant::now();
        let log = run(1, seconds(30), None, stop_after(1, 10), |queue| {
            queue.enqueue("a")
        })
        .await;
        assert_eq!(log, [("a", "begun", 0)]);
        assert_eq!(start.elapsed(), seconds(11));
    }

    #[tokio::test(start_paused = true)]
    async fn depth_counts_waiting_items() {
        let (queue, dispatcher) = queue();
        for (item, after) in [("a", 100), ("b", 200), ("b", 300)] {
            queue.enqueue_at(item, Instant::now() + seconds(after));
        }
        let work = dispatcher.run(1, |_| async { None }, pending());
        tokio::select! {
            () = work => {}
            () = tokio::time::sleep(seconds(150)) => {}
        }
        assert_eq!(queue.depth(), 1);
    }
}
