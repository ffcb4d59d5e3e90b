//! Waits for what must come about.

use std::time::Duration;

use tokio::time::{Instant, sleep, timeout_at};

use crate::Error;

/// How long something may take to come about.
pub const PATIENCE: Duration = Duration::from_secs(30);

const PAUSE: Duration = Duration::from_millis(50);

/// Asks again and again until the condition holds; `Err` says what is seen instead.
///
/// # Errors
/// When it does not hold in time: what was awaited, and what was seen last.
pub async fn eventually<T>(
    what: &str,
    condition: impl AsyncFnMut() -> Result<T, String>,
) -> Result<T, Error> {
    within(PATIENCE, what, condition).await
}

/// The same with another patience.
///
/// # Errors
/// As [`eventually`].
pub async fn within<T>(
    patience: Duration,
    what: &str,
    mut condition: impl AsyncFnMut() -> Result<T, String>,
) -> Result<T, Error> {
    let deadline = Instant::now() + patience;
    let mut seen = "nothing, the first question is not answered".to_owned();
    loop {
        match timeout_at(deadline, condition()).await {
            Ok(Ok(value)) => return Ok(value),
            Ok(Err(state)) => seen = state,
            Err(_) => break,
        }
        if Instant::now() + PAUSE > deadline {
            break;
        }
        sleep(PAUSE).await;
    }
    Err(Error::new(format!(
        "{what}: not within {} s; seen last: {seen}",
        patience.as_secs()
    )))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn it_waits_until_the_condition_holds() {
        let mut count = 0;
        let counted = eventually("three", async || {
            count += 1;
            if count == 3 {
                Ok(count)
            } else {
                Err(count.to_string())
            }
        });
        assert_eq!(counted.await.unwrap(), 3);
    }

    #[tokio::test]
    async fn it_says_what_was_seen_last() {
        let patience = Duration::from_millis(60);
        let waited = within::<()>(patience, "a pig flies", async || Err("it walks".into())).await;
        assert_eq!(
            waited.unwrap_err().to_string(),
            "a pig flies: not within 0 s; seen last: it walks"
        );
        let waited = within::<()>(patience, "an answer", std::future::pending).await;
        assert!(waited.unwrap_err().to_string().contains("not answered"));
    }
}
