//! What invokes a vendor function: a batch of its queue, or a person's question.

use aws_lambda_events::event::sqs::{SqsBatchResponse, SqsMessage};
use jiff::Timestamp;
use lambda_runtime::Context;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use serde_json::value::RawValue;

use crate::engine::Batch;
use crate::lane::partition_of_queue;
use crate::message::Delivery;

/// A batch has `Records`, a question has `ask`. Read in one go: a batch is not parsed twice for the sake of questions.
#[derive(Deserialize)]
pub(super) struct Invocation {
    #[serde(rename = "Records", default)]
    pub(super) records: Option<Vec<SqsMessage>>,
    #[serde(default)]
    pub(super) ask: Option<Value>,
}

/// The answer to either.
#[derive(Serialize)]
#[serde(untagged)]
pub(super) enum Reply {
    Batch(SqsBatchResponse),
    Answer(Box<RawValue>),
}

/// An invocation that cannot be worked on.
#[derive(Debug, thiserror::Error)]
pub(super) enum Unusable {
    /// A message that the queue did not name: it cannot be acknowledged alone, so the whole batch is tried again.
    #[error("expected a message id with each SQS message, found one without")]
    Nameless,
    #[error("expected `Records` of a queue, or a question in `ask`, found neither")]
    Neither,
    #[error("expected an answer that is JSON, found another")]
    Answer,
}

impl From<Unusable> for lambda_runtime::Diagnostic {
    fn from(error: Unusable) -> Self {
        Self {
            error_type: format!("{error:?}"),
            error_message: error.to_string(),
        }
    }
}

pub(super) fn batch(records: Option<Vec<SqsMessage>>, context: &Context) -> Result<Batch, Unusable> {
    let records = records.ok_or(Unusable::Neither)?;
    // A mapping reads one queue, so all messages are from the same.
    let source = records.first();
    let source = source.and_then(|message| message.event_source_arn.as_deref());
    let partition = partition_of_queue(source.unwrap_or_default());
    let of_invocation = context
        .xray_trace_id
        .as_deref()
        .filter(|header| is_sampled(header));
    let deliveries = records
        .into_iter()
        .map(|message| delivery(message, of_invocation))
        .collect::<Result<_, _>>()?;
    Ok(Batch {
        deliveries,
        partition,
        deadline: deadline(context.deadline),
        request_id: context.request_id.clone(),
    })
}

/// Lambda names a trace with every invocation. It is one that somebody can look at only where X-Ray is active.
pub(super) fn is_sampled(header: &str) -> bool {
    header.split(';').any(|field| field.trim() == "Sampled=1")
}

/// `trace`: that of the invocation, for a message that came in none.
pub(super) fn delivery(message: SqsMessage, trace: Option<&str>) -> Result<Delivery, Unusable> {
    let attribute = |name: &str| message.attributes.get(name).cloned();
    let message_id = message.message_id.filter(|id| !id.is_empty());
    Ok(Delivery {
        group: attribute("MessageGroupId").unwrap_or_default(),
        trace_header: attribute("AWSTraceHeader").or_else(|| trace.map(str::to_owned)),
        // Without a count nothing is known of earlier deliveries: take no shortcut.
        receive_count: attribute("ApproximateReceiveCount")
            .and_then(|count| count.parse().ok())
            .unwrap_or(2),
        receipt: message.receipt_handle.unwrap_or_default(),
        message_id: message_id.ok_or(Unusable::Nameless)?,
        body: message.body.unwrap_or_default(),
    })
}

pub(super) fn deadline(epoch_millis: u64) -> Timestamp {
    i64::try_from(epoch_millis)
        .ok()
        .and_then(|millis| Timestamp::from_millisecond(millis).ok())
        .unwrap_or(Timestamp::MAX)
}
