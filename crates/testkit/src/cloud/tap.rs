//! Another service on the bus: a queue and a rule that fills it, made beside the stack as that service would.

use std::sync::Mutex;

use aws_sdk_eventbridge::types::Target;
use aws_sdk_sqs::error::{DisplayErrorContext, SdkError};
use aws_sdk_sqs::types::QueueAttributeName;
use serde_json::{Value, json};

use super::{Aws, CloudError};
use crate::memory::lock;

/// A queue behind a rule.
#[derive(Debug)]
pub struct Tap {
    bus: String,
    rule: String,
    queue_url: String,
    received: Mutex<Vec<Value>>,
}

impl Tap {
    /// Takes what matches `pattern` from now on.
    ///
    /// # Errors
    /// If the queue or the rule cannot be made.
    pub async fn open(aws: &Aws, bus: &str, name: &str, pattern: &Value) -> Result<Self, CloudError> {
        let rule = format!("{bus}-{name}");
        let put = aws.eventbridge.put_rule().name(&rule).event_bus_name(bus);
        let put = put.event_pattern(pattern.to_string()).send().await;
        let rule_arn = put
            .map_err(|error| refused("PutRule", error))?
            .rule_arn
            .unwrap_or_default();
        let created = aws.sqs.create_queue().queue_name(&rule).send().await;
        let queue_url = created
            .map_err(|error| refused("CreateQueue", error))?
            .queue_url
            .unwrap_or_default();
        let attributes = aws
            .sqs
            .get_queue_attributes()
            .queue_url(&queue_url)
            .attribute_names(QueueAttributeName::QueueArn)
            .send()
            .await
            .map_err(|error| refused("GetQueueAttributes", error))?;
        let queue_arn = attributes
            .attributes()
            .and_then(|attributes| attributes.get(&QueueAttributeName::QueueArn))
            .cloned()
            .unwrap_or_default();
        let policy = json!({
            "Version": "2012-10-17",
            "Statement": [{
                "Effect": "Allow", "Principal": { "Service": "events.amazonaws.com" }, "Action": "sqs:SendMessage",
                "Resource": queue_arn, "Condition": { "ArnEquals": { "aws:SourceArn": rule_arn } },
            }],
        });
        aws.sqs
            .set_queue_attributes()
            .queue_url(&queue_url)
            .attributes(QueueAttributeName::Policy, policy.to_string())
            .send()
            .await
            .map_err(|error| refused("SetQueueAttributes", error))?;
        let target = Target::builder().id("queue").arn(queue_arn).build();
        let target = target.map_err(|error| CloudError::Aws {
            what: "PutTargets",
            reason: error.to_string(),
        })?;
        let put = aws
            .eventbridge
            .put_targets()
            .event_bus_name(bus)
            .rule(&rule)
            .targets(target);
        put.send().await.map_err(|error| refused("PutTargets", error))?;
        Ok(Self {
            bus: bus.to_owned(),
            rule,
            queue_url,
            received: Mutex::default(),
        })
    }

    /// What has arrived so far: whole envelopes, in the order in which they came out of the queue.
    ///
    /// # Errors
    /// If SQS refuses.
    pub async fn received(&self, aws: &Aws) -> Result<Vec<Value>, CloudError> {
        loop {
            let receive = aws
                .sqs
                .receive_message()
                .queue_url(&self.queue_url)
                .max_number_of_messages(10);
            let answer = receive
                .send()
                .await
                .map_err(|error| refused("ReceiveMessage", error))?;
            if answer.messages().is_empty() {
                return Ok(lock(&self.received).clone());
            }
            for message in answer.messages() {
                let body = message.body().and_then(|body| serde_json::from_str(body).ok());
                lock(&self.received).push(body.unwrap_or_default());
                let receipt = message.receipt_handle().unwrap_or_default();
                let delete = aws
                    .sqs
                    .delete_message()
                    .queue_url(&self.queue_url)
                    .receipt_handle(receipt);
                delete
                    .send()
                    .await
                    .map_err(|error| refused("DeleteMessage", error))?;
            }
        }
    }

    /// Removes rule and queue.
    ///
    /// # Errors
    /// If AWS refuses.
    pub async fn close(&self, aws: &Aws) -> Result<(), CloudError> {
        let targets = aws
            .eventbridge
            .remove_targets()
            .event_bus_name(&self.bus)
            .rule(&self.rule);
        targets
            .ids("queue")
            .send()
            .await
            .map_err(|error| refused("RemoveTargets", error))?;
        let rule = aws
            .eventbridge
            .delete_rule()
            .event_bus_name(&self.bus)
            .name(&self.rule);
        rule.send().await.map_err(|error| refused("DeleteRule", error))?;
        let queue = aws.sqs.delete_queue().queue_url(&self.queue_url);
        queue
            .send()
            .await
            .map(|_| ())
            .map_err(|error| refused("DeleteQueue", error))
    }
}

fn refused<E: std::error::Error + 'static>(what: &'static str, error: SdkError<E>) -> CloudError {
    CloudError::Aws {
        what,
        reason: DisplayErrorContext(error).to_string(),
    }
}
