//! Waiting for conditions.

use std::time::Duration;

use super::CloudError;

/// Asks again and again until there is an answer, or the time is up.
///
/// # Errors
/// What `ask` failed with, or [`CloudError::Late`].
pub async fn until<T, F>(what: &str, within: Duration, mut ask: impl FnMut() -> F) -> Result<T, CloudError>
where
    F: Future<Output = Result<Option<T>, CloudError>>,
{
    let waiting = async {
        loop {
            if let Some(answer) = ask().await? {
                return Ok(answer);
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    };
    match tokio::time::timeout(within, waiting).await {
        Ok(result) => result,
        Err(_) => Err(CloudError::Late {
            what: what.to_owned(),
            seconds: within.as_secs(),
        }),
    }
}
