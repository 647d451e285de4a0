//! Lanes on SQS FIFO queues.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use aws_sdk_sqs::error::{DisplayErrorContext, ProvideErrorMetadata, SdkError};
use aws_sdk_sqs::types::{
    DeleteMessageBatchRequestEntry, MessageSystemAttributeNameForSends as SystemAttribute,
    MessageSystemAttributeValue as SystemAttributeValue, SendMessageBatchRequestEntry,
};
use futures::future::{BoxFuture, join_all};

use super::{LaneMessage, Lanes, Partitions, queue_of_partition};
use crate::{Error, ErrorKind, Stage};

/// `SendMessageBatch` takes at most ten entries (SQS quotas).
const MAX_ENTRIES: usize = 10;
/// And at most 1 MiB over all of them.
const MAX_BYTES: usize = 1024 * 1024;

/// Refused entries are sent again after these pauses; the SDK repeats whole requests only.
const RESEND_AFTER: [Duration; 2] = [Duration::from_millis(50), Duration::from_millis(200)];

/// Sends into one vendor's queues.
#[derive(Debug, Clone)]
pub struct SqsLanes {
    client: aws_sdk_sqs::Client,
    /// The queue of the first partition.
    queue_url: String,
    partitions: Partitions,
}

impl SqsLanes {
    /// Lanes of the queue at `queue_url` and, with more than one partition, of those named after it.
    #[must_use]
    pub fn new(client: aws_sdk_sqs::Client, queue_url: String, partitions: Partitions) -> Self {
        Self {
            client,
            queue_url,
            partitions,
        }
    }

    /// Sends the messages of one partition, and puts the answers where theirs belong.
    async fn send_to(&self, partition: u32, messages: &[LaneMessage]) -> Vec<Result<(), Error>> {
        let queue_url = &queue_of_partition(&self.queue_url, partition);
        let batches = batches(messages).map(|batch| self.send_batch_again(queue_url, batch));
        join_all(batches).await.into_iter().flatten().collect()
    }

    /// Sends a batch, and what of it was refused up to two more times: a message that is given back instead would hold
    /// its lane for the whole visibility timeout.
    async fn send_batch_again(&self, queue_url: &str, messages: &[LaneMessage]) -> Vec<Result<(), Error>> {
        let mut results = self.send_batch(queue_url, messages).await;
        for pause in RESEND_AFTER {
            let failed: Vec<usize> = (0..results.len()).filter(|at| results[*at].is_err()).collect();
            if failed.is_empty() {
                break;
            }
            tokio::time::sleep(pause).await;
            let again: Vec<_> = failed.iter().map(|at| messages[*at].clone()).collect();
            for (at, result) in failed.into_iter().zip(self.send_batch(queue_url, &again).await) {
                results[at] = result;
            }
        }
        results
    }

    async fn send_batch(&self, queue_url: &str, messages: &[LaneMessage]) -> Vec<Result<(), Error>> {
        let mut request = self.client.send_message_batch().queue_url(queue_url);
        for (index, message) in messages.iter().enumerate() {
            let entry = SendMessageBatchRequestEntry::builder()
                .id(index.to_string())
                .message_group_id(&message.group)
                .message_deduplication_id(&message.deduplication_id)
                .message_body(&message.body)
                .set_message_system_attributes(message.trace_header.as_deref().and_then(trace_attribute))
                .build();
            match entry {
                Ok(entry) => request = request.entries(entry),
                Err(error) => return failed(messages.len(), &error.to_string()),
            }
        }
        let answer = match request.send().await {
            Ok(answer) => answer,
            Err(error) => return (0..messages.len()).map(|_| Err(refused(&error))).collect(),
        };
        // An entry that the answer does not name was not confirmed: it counts as failed.
        let mut results = failed(messages.len(), "the queue's answer does not name this entry");
        for entry in answer.successful() {
            if let Some(result) = slot(&mut results, entry.id()) {
                *result = Ok(());
            }
        }
        for entry in answer.failed() {
            if let Some(result) = slot(&mut results, entry.id()) {
                let message = entry.message().unwrap_or("the queue refused the entry");
                *result = Err(unavailable(message).code(entry.code()));
            }
        }
        results
    }
}

impl SqsLanes {
    async fn delete_batch(&self, queue_url: &str, receipts: &[String]) -> Result<(), Error> {
        let mut request = self.client.delete_message_batch().queue_url(queue_url);
        for (index, receipt) in receipts.iter().enumerate() {
            let entry = DeleteMessageBatchRequestEntry::builder()
                .id(index.to_string())
                .receipt_handle(receipt);
            request = request.entries(entry.build().map_err(|error| unavailable(&error.to_string()))?);
        }
        let answer = request
            .send()
            .await
            .map_err(|error| unavailable(&DisplayErrorContext(error).to_string()))?;
        match answer.failed().first() {
            Some(entry) => {
                Err(unavailable(entry.message().unwrap_or("an entry was refused")).code(entry.code()))
            }
            None => Ok(()),
        }
    }
}

impl Lanes for SqsLanes {
    fn partitions(&self) -> Partitions {
        self.partitions
    }

    fn send<'a>(&'a self, messages: &'a [LaneMessage]) -> BoxFuture<'a, Vec<Result<(), Error>>> {
        Box::pin(async move {
            if self.partitions == Partitions::ONE {
                return self.send_to(0, messages).await;
            }
            let shares = shares(messages, self.partitions);
            let sending = shares.iter().map(async |(partition, positions)| {
                let share: Vec<_> = positions.iter().map(|at| messages[*at].clone()).collect();
                self.send_to(*partition, &share).await
            });
            let answers = join_all(sending).await;
            let mut results = failed(messages.len(), "the message was not sent");
            for ((_, positions), answers) in shares.iter().zip(answers) {
                for (at, answer) in positions.iter().zip(answers) {
                    results[*at] = answer;
                }
            }
            results
        })
    }

    fn acknowledge<'a>(&'a self, partition: u32, receipts: &'a [String]) -> BoxFuture<'a, Result<(), Error>> {
        Box::pin(async move {
            let queue_url = &queue_of_partition(&self.queue_url, partition);
            let batches = receipts
                .chunks(MAX_ENTRIES)
                .map(|batch| self.delete_batch(queue_url, batch));
            join_all(batches).await.into_iter().collect()
        })
    }
}

/// The one system attribute that a sender may set. SQS does not count it as a part of the message's size.
fn trace_attribute(header: &str) -> Option<HashMap<SystemAttribute, SystemAttributeValue>> {
    let value = SystemAttributeValue::builder()
        .data_type("String")
        .string_value(header);
    Some([(SystemAttribute::AwsTraceHeader, value.build().ok()?)].into())
}

/// The messages of each partition, by their positions, in their order.
fn shares(messages: &[LaneMessage], partitions: Partitions) -> BTreeMap<u32, Vec<usize>> {
    let mut shares: BTreeMap<u32, Vec<usize>> = BTreeMap::new();
    for (at, message) in messages.iter().enumerate() {
        let partition = partitions.of_group(&message.group);
        shares.entry(partition).or_default().push(at);
    }
    shares
}

fn slot<'a>(results: &'a mut [Result<(), Error>], id: &str) -> Option<&'a mut Result<(), Error>> {
    results.get_mut(id.parse::<usize>().ok()?)
}

fn failed(count: usize, message: &str) -> Vec<Result<(), Error>> {
    (0..count).map(|_| Err(unavailable(message))).collect()
}

fn refused<E>(error: &SdkError<E>) -> Error
where
    E: std::error::Error + ProvideErrorMetadata + 'static,
{
    unavailable(&DisplayErrorContext(error).to_string()).code(error.code().unwrap_or("no answer"))
}

fn unavailable(message: &str) -> Error {
    Error::retry(ErrorKind::Unavailable, Stage::Intake, message)
}

/// Cuts a run of messages into what one request may carry.
fn batches(messages: &[LaneMessage]) -> impl Iterator<Item = &[LaneMessage]> {
    let mut rest = messages;
    std::iter::from_fn(move || {
        let mut bytes = 0;
        let fitting = rest
            .iter()
            .take(MAX_ENTRIES)
            .take_while(|message| {
                bytes += message.body.len();
                bytes <= MAX_BYTES
            })
            .count();
        // A single message over the limit goes alone; the queue refuses it and says so.
        let (batch, behind) = rest.split_at(fitting.max(1).min(rest.len()));
        rest = behind;
        (!batch.is_empty()).then_some(batch)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(bytes: usize) -> LaneMessage {
        LaneMessage {
            group: "a/1".into(),
            trace_header: None,
            deduplication_id: "1".into(),
            body: "x".repeat(bytes),
        }
    }

    fn sizes(messages: &[LaneMessage]) -> Vec<usize> {
        batches(messages).map(<[_]>::len).collect()
    }

    #[test]
    fn each_partition_gets_its_messages_in_their_order() {
        let of = |group: &str| LaneMessage {
            group: group.into(),
            ..message(1)
        };
        // By the first bytes of their groups' SHA-256: a/1 and a/3 in one partition of two, a/2 in the other.
        let groups = ["a/1", "a/2", "a/1", "a/3"];
        let two = Partitions::try_from(2).unwrap();
        let partitions = groups.map(|group| two.of_group(group));
        assert!(
            partitions.contains(&0) && partitions.contains(&1),
            "{partitions:?}"
        );
        let messages = groups.map(of);
        for (partition, positions) in shares(&messages, two) {
            let expected: Vec<_> = (0..4).filter(|at| partitions[*at] == partition).collect();
            assert_eq!(positions, expected);
        }
    }

    #[test]
    fn ten_entries_and_one_mebibyte_a_request() {
        assert_eq!(sizes(&[]), Vec::<usize>::new());
        assert_eq!(sizes(&vec![message(1); 23]), [10, 10, 3]);
        assert_eq!(sizes(&vec![message(400 * 1024); 5]), [2, 2, 1]);
        assert_eq!(
            sizes(&[message(1), message(2 * 1024 * 1024), message(1)]),
            [1, 1, 1]
        );
    }
}
