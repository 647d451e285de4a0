//! How full a vendor's queues are: one for each partition.

use aws_sdk_sqs::Client;
use aws_sdk_sqs::types::QueueAttributeName as Name;
use futures::future::join_all;
use serde::Serialize;
use vendorbridge::lane::queue_of_partition;

use crate::CliError;
use crate::deployment::Deployment;

/// What a partition's queue holds, as far as SQS knows: the numbers are approximate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Queue {
    pub(crate) name: String,
    /// Messages that wait.
    pub(crate) visible: u64,
    /// Messages that a function works on, or that wait for their visibility timeout.
    pub(crate) in_flight: u64,
}

/// Looks into each partition of a vendor.
///
/// # Errors
/// If the stack names no queue of the vendor, or one cannot be read.
pub(crate) async fn read(
    sqs: &Client,
    deployment: &Deployment,
    vendor: &str,
) -> Result<Vec<Queue>, CliError> {
    let (first, partitions) = deployment.queues(vendor)?;
    let urls = (0..partitions.count()).map(|partition| queue_of_partition(first, partition));
    let reading = urls.map(async |url| depth(sqs, &url).await);
    join_all(reading).await.into_iter().collect()
}

/// Looks into one queue.
///
/// # Errors
/// If it cannot be read.
pub(crate) async fn depth(sqs: &Client, url: &str) -> Result<Queue, CliError> {
    let answer = sqs
        .get_queue_attributes()
        .queue_url(url)
        .attribute_names(Name::ApproximateNumberOfMessages)
        .attribute_names(Name::ApproximateNumberOfMessagesNotVisible)
        .send()
        .await
        .map_err(|error| CliError::of_sdk("reading the vendor's queue", &error))?;
    let number = |name: &Name| -> u64 {
        let attributes = answer.attributes();
        let value = attributes.and_then(|attributes| attributes.get(name));
        value.and_then(|value| value.parse().ok()).unwrap_or(0)
    };
    Ok(Queue {
        name: url.rsplit('/').next().unwrap_or(url).to_owned(),
        visible: number(&Name::ApproximateNumberOfMessages),
        in_flight: number(&Name::ApproximateNumberOfMessagesNotVisible),
    })
}

impl Queue {
    /// All that it holds.
    pub(crate) fn messages(&self) -> u64 {
        self.visible + self.in_flight
    }

    /// In words, for a line of the report.
    pub(crate) fn words(&self) -> String {
        match (self.visible, self.in_flight) {
            (0, 0) => format!("{}: empty", self.name),
            (visible, in_flight) => format!("{}: {visible} waiting, {in_flight} in flight", self.name),
        }
    }
}
