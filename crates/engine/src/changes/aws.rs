//! The failure queue, as AWS has it.

use aws_sdk_sqs::error::ProvideErrorMetadata;
use futures::future::BoxFuture;

use super::Failures;

/// An SQS queue for what cannot be published.
#[derive(Debug, Clone)]
pub struct FailureQueue {
    client: aws_sdk_sqs::Client,
    queue_url: String,
}

impl FailureQueue {
    /// The queue at this URL.
    #[must_use]
    pub fn new(client: aws_sdk_sqs::Client, queue_url: String) -> Self {
        Self { client, queue_url }
    }
}

impl Failures for FailureQueue {
    fn keep<'a>(&'a self, body: &'a str) -> BoxFuture<'a, Result<(), String>> {
        Box::pin(async move {
            let sent = self
                .client
                .send_message()
                .queue_url(&self.queue_url)
                .message_body(body)
                .send()
                .await;
            match sent {
                Ok(_) => Ok(()),
                Err(error) => Err(error.code().unwrap_or("no answer").to_owned()),
            }
        })
    }
}
