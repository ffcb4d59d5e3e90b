//! Answers that do not come, come late, or say no.

use std::{
    collections::VecDeque,
    io::{self, Write},
    sync::{Arc, Mutex},
};

use tracing::subscriber::DefaultGuard;

use super::*;

/// What is logged on this thread.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    fn capture() -> (Self, DefaultGuard) {
        let log = Self::default();
        let writer = log.clone();
        let subscriber = tracing_subscriber::fmt()
            .with_writer(move || writer.clone())
            .with_ansi(false)
            .finish();
        (log, tracing::subscriber::set_default(subscriber))
    }

    fn lines(&self) -> Vec<String> {
        let text = String::from_utf8(self.0.lock().unwrap().clone()).unwrap();
        text.lines().map(str::to_owned).collect()
    }
}

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[rstest]
#[case::silent(true, 8)]
#[case::busy(false, 12)]
#[tokio::test(start_paused = true)]
async fn l22_the_api_server_is_away_for_a_minute(#[case] silent: bool, #[case] requests: usize) {
    let (log, _guard) = Log::capture();
    let fake = FakeApiServer::default();
    let running = RunningPublisher::leading(&fake);
    fake.until(|state| !state.lists.is_empty()).await;
    fake.state(|state| match silent {
        true => state.away = true,
        false => state.script = vec![(503, status(503, "ServiceUnavailable")); 1_000].into(),
    });
    for number in 0..100 {
        running.conflict(&format!("w{number}"));
    }
    tokio::time::sleep(Duration::from_secs(60)).await;
    let asked = fake.state(|state| {
        (state.away, state.script) = (false, VecDeque::new());
        state.requests.len()
    });
    assert!((4..=requests).contains(&asked), "{asked}");
    tokio::time::sleep(Duration::from_secs(90)).await;
    let events = fake.state(|state| state.events.len());
    assert_eq!(events, 100, "all are sent, each once");
    assert!(fake.said().iter().all(|(_, count)| *count == 1));
    assert!((1..=2).contains(&log.lines().len()), "{:?}", log.lines());
}

#[tokio::test(start_paused = true)]
async fn the_api_server_says_how_long_to_wait() {
    let fake = FakeApiServer::default();
    let mut busy = status(429, "TooManyRequests");
    busy["details"] = json!({ "retryAfterSeconds": 300 });
    fake.state(|state| state.script = [(429, busy)].into());
    let running = RunningPublisher::leading(&fake);
    running.conflict("cart");
    running.conflict("till");
    let begun = Instant::now();
    fake.asked(1).await;
    running
        .recorder
        .observe(about("cart"), Some(conflict_in(&["a", "c"])));
    fake.asked(2).await;
    assert_eq!(begun.elapsed().as_secs(), 300);
    fake.asked(2).await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(
        fake.state(|state| state.events.len()),
        2,
        "the change alone is said"
    );
}

/// The request is done and its answer is lost.
#[rstest]
#[case::of_the_first(false, 1)]
#[case::of_a_repetition(true, 2)]
#[tokio::test(start_paused = true)]
async fn nothing_is_said_twice_because_an_answer_is_lost(
    #[case] repetition: bool,
    #[case] count: i64,
) {
    let fake = FakeApiServer::default();
    let running = RunningPublisher::leading(&fake);
    if repetition {
        running.conflict("cart");
        fake.asked(1).await;
        tokio::time::sleep(REPEAT_INTERVAL - Duration::from_secs(10)).await;
        // The answer to the PATCH.
        fake.state(|state| state.lost = 1);
    } else {
        fake.state(|state| state.lost = 1);
        running.conflict("cart");
    }
    tokio::time::sleep(Duration::from_secs(120)).await;
    assert_eq!(fake.said(), [("MultipleMeshesDetected".to_owned(), count)]);
    let published = running.stop().await;
    assert_eq!(published, (count.unsigned_abs(), 0));
}

#[tokio::test(start_paused = true)]
async fn nothing_is_said_twice_because_the_process_ends() {
    let fake = FakeApiServer::default();
    let running = RunningPublisher::leading(&fake);
    fake.state(|state| state.lost = 1);
    running.conflict("cart");
    fake.asked(1).await;
    assert_eq!(running.stop().await, (1, 0));
    assert_eq!(fake.verbs(), ["POST", "POST", "GET"]);
    assert_eq!(fake.said(), [("MultipleMeshesDetected".to_owned(), 1)]);
}

#[rstest]
#[case::failing(500, "InternalError")]
#[case::refused(400, "BadRequest")]
#[case::forbidden(403, "Forbidden")]
#[case::rejected(422, "Invalid")]
#[tokio::test(start_paused = true)]
async fn one_event_that_always_fails_does_not_keep_the_others(
    #[case] code: u16,
    #[case] reason: &str,
) {
    let (log, _guard) = Log::capture();
    let fake = FakeApiServer::default();
    fake.state(|state| state.refused = Some(("cart".into(), (code, status(code, reason)))));
    let running = RunningPublisher::leading(&fake);
    running.conflict("cart");
    for number in 0..50 {
        running.conflict(&format!("w{number}"));
    }
    tokio::time::sleep(Duration::from_secs(59)).await;
    assert_eq!(fake.state(|state| state.events.len()), 50);
    assert_eq!(log.lines().len(), 1, "{:?}", log.lines());
    tokio::time::sleep(REPEAT_INTERVAL).await;
    fake.state(|state| state.refused = None);
    tokio::time::sleep(REPEAT_INTERVAL * 2).await;
    assert_eq!(
        fake.state(|state| state.events.len()),
        51,
        "and it is not lost"
    );
}

/// What lasts is said again, and what is new is said, while those of a namespace fail each time.
#[rstest]
#[case::failing(500, "InternalError")]
#[case::refused(400, "BadRequest")]
#[tokio::test(start_paused = true)]
async fn events_that_always_fail_do_not_keep_the_repetitions(
    #[case] code: u16,
    #[case] reason: &str,
) {
    let (_log, _guard) = Log::capture();
    let fake = FakeApiServer::default();
    fake.state(|state| state.refused = Some(("cart".into(), (code, status(code, reason)))));
    let running = RunningPublisher::leading(&fake);
    for number in 0..100 {
        running.conflict_elsewhere(&format!("cart{number}"));
    }
    running.conflict("web");
    tokio::time::sleep(REPEAT_INTERVAL * 2 + Duration::from_secs(120)).await;
    let detected = "MultipleMeshesDetected".to_owned();
    assert_eq!(fake.said(), [(detected.clone(), 3)]);
    running.conflict("api");
    tokio::time::sleep(Duration::from_secs(120)).await;
    assert_eq!(fake.said(), [(detected.clone(), 3), (detected, 1)]);
}

#[tokio::test(start_paused = true)]
async fn a_missing_grant_is_tried_ever_more_slowly() {
    let (log, _guard) = Log::capture();
    let fake = FakeApiServer::default();
    let refused = (403, status(403, "Forbidden"));
    fake.state(|state| state.script = vec![refused; 10_000].into());
    let running = RunningPublisher::leading(&fake);
    for number in 0..300 {
        running.conflict(&format!("w{number}"));
    }
    tokio::time::sleep(Duration::from_secs(3_600)).await;
    let tried = fake.state(|state| {
        state.script.clear();
        state.requests.len()
    });
    assert!((10..=20).contains(&tried), "{tried}");
    assert!(log.lines().len() <= tried);
    tokio::time::sleep(Duration::from_secs(15 * 60 + 120)).await;
    assert_eq!(fake.state(|state| state.events.len()), 300);
}

#[tokio::test(start_paused = true)]
async fn that_events_cannot_be_listed_is_said_once() {
    let (log, _guard) = Log::capture();
    let fake = FakeApiServer::default();
    fake.state(|state| state.no_lists = Some((403, status(403, "Forbidden"))));
    let running = RunningPublisher::leading(&fake);
    running.conflict("cart");
    tokio::time::sleep(REPEAT_INTERVAL).await;
    assert_eq!(fake.state(|state| state.events.len()), 1);
    let [line] = &log.lines()[..] else {
        panic!("{:?}", log.lines());
    };
    assert!(line.contains("cannot list events.events.k8s.io"), "{line}");
}
