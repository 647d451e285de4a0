//! A vendor's dead-letter queue.

use aws_sdk_sqs::Client;
use aws_sdk_sqs::types::{
    Message, MessageAttributeValue, MessageSystemAttributeName as SystemName, QueueAttributeName as Name,
};
use futures::stream::{self, StreamExt};
use vendorbridge::lane::short_hash;

use super::letter::Letter;
use crate::CliError;
use crate::session::Session;

/// Marks what was put back, so that the same run knows it when it comes round.
const RETURNED_BY: &str = "VendorbridgeReturnedBy";
/// `ReceiveMessage` gives at most ten.
const AT_ONCE: i32 = 10;
/// For so long nobody else gets what we look at, in seconds.
const VISIBILITY: i32 = 60;
/// And for so long what stays in hand until the end, in seconds: what is killed keeps it from others that long.
const HELD: i32 = 15 * 60;
/// How long a receive waits for a message, in seconds: a short poll asks only some of SQS's servers.
const WAIT: i32 = 2;

/// Changes of visibility made at once.
const SIDE_BY_SIDE: usize = 10;

/// The dead letters of a vendor.
pub(super) struct DeadLetters {
    client: Client,
    url: String,
    run: String,
}

impl DeadLetters {
    /// The queue that the stack names.
    ///
    /// # Errors
    /// [`CliError::NoVendor`].
    pub(super) fn open(session: &Session, vendor: &str, run: &str) -> Result<Self, CliError> {
        let url = session
            .deployment
            .outputs
            .get(&format!("DeadLetterQueueUrl{vendor}"));
        let url = url.ok_or_else(|| CliError::NoVendor {
            found: vendor.to_owned(),
            known: session.deployment.vendors.join(", "),
        })?;
        Ok(Self {
            client: session.sqs(),
            url: url.clone(),
            run: run.to_owned(),
        })
    }

    /// About how many there are.
    ///
    /// # Errors
    /// If the queue cannot be read.
    pub(super) async fn count(&self) -> Result<u64, CliError> {
        let answer = self
            .client
            .get_queue_attributes()
            .queue_url(&self.url)
            .attribute_names(Name::ApproximateNumberOfMessages)
            .attribute_names(Name::ApproximateNumberOfMessagesNotVisible)
            .send()
            .await
            .map_err(|error| CliError::of_sdk("counting the dead letters", &error))?;
        let counts = answer
            .attributes()
            .into_iter()
            .flat_map(|attributes| attributes.values());
        Ok(counts.filter_map(|count| count.parse::<u64>().ok()).sum())
    }

    /// Some of them; none if there are no more that are not in hand.
    ///
    /// # Errors
    /// If the queue cannot be read.
    pub(super) async fn some(&self) -> Result<Vec<Letter>, CliError> {
        let answer = self
            .client
            .receive_message()
            .queue_url(&self.url)
            .max_number_of_messages(AT_ONCE)
            .visibility_timeout(VISIBILITY)
            .wait_time_seconds(WAIT)
            .message_system_attribute_names(SystemName::MessageGroupId)
            .message_attribute_names(RETURNED_BY)
            .send()
            .await
            .map_err(|error| CliError::of_sdk("receiving dead letters", &error))?;
        Ok(answer.messages().iter().filter_map(letter).collect())
    }

    /// Puts letters at the queue's end: at the head of their groups they would hide what is behind them. Answers with their new ids.
    ///
    /// # Errors
    /// If the queue does not take one. It is then still where it was.
    pub(super) async fn put_back(&self, letters: &[Letter]) -> Result<Vec<String>, CliError> {
        let mut ids = Vec::with_capacity(letters.len());
        for letter in letters {
            let id = format!("{}-{}", self.run, short_hash(&letter.receipt));
            let mark = MessageAttributeValue::builder()
                .data_type("String")
                .string_value(&self.run);
            let mark = mark.build().map_err(|error| CliError::Call {
                action: "putting a dead letter back",
                message: error.to_string(),
            })?;
            let sent = self
                .client
                .send_message()
                .queue_url(&self.url)
                .message_group_id(&letter.group)
                .message_deduplication_id(id)
                .message_body(&letter.body)
                .message_attributes(RETURNED_BY, mark)
                .send()
                .await
                .map_err(|error| CliError::of_sdk("putting a dead letter back", &error))?;
            ids.extend(sent.message_id);
            self.delete(letter).await?;
        }
        Ok(ids)
    }

    /// It is taken care of.
    ///
    /// # Errors
    /// If the queue refuses it: the letter appears again.
    pub(super) async fn delete(&self, letter: &Letter) -> Result<(), CliError> {
        self.client
            .delete_message()
            .queue_url(&self.url)
            .receipt_handle(&letter.receipt)
            .send()
            .await
            .map(|_| ())
            .map_err(|error| CliError::of_sdk("deleting a dead letter", &error))
    }

    /// Keeps letters in hand. Who may not do that gets them again sooner: that is no failure.
    pub(super) async fn hold(&self, letters: &[Letter]) {
        self.hide(letters.iter(), HELD).await;
    }

    /// Lets go of letters at once. Who may not do that waits until the visibility timeout is over: that is no failure.
    pub(super) async fn let_go(&self, letters: impl Iterator<Item = &Letter>) {
        self.hide(letters, 0).await;
    }

    async fn hide(&self, letters: impl Iterator<Item = &Letter>, seconds: i32) {
        let changes = letters.map(|letter| {
            let change = self.client.change_message_visibility().queue_url(&self.url);
            let change = change.receipt_handle(&letter.receipt).visibility_timeout(seconds);
            async move { _ = change.send().await }
        });
        stream::iter(changes)
            .buffer_unordered(SIDE_BY_SIDE)
            .collect::<()>()
            .await;
    }

    /// Whether this run has put the letter back.
    pub(super) fn knows(&self, letter: &Letter) -> bool {
        letter.returned_by.as_ref() == Some(&self.run)
    }
}

/// A message without id or receipt cannot be taken care of.
fn letter(message: &Message) -> Option<Letter> {
    let group = message
        .attributes()
        .and_then(|attributes| attributes.get(&SystemName::MessageGroupId));
    let mark = message
        .message_attributes()
        .and_then(|attributes| attributes.get(RETURNED_BY));
    Some(Letter {
        message_id: message.message_id()?.to_owned(),
        receipt: message.receipt_handle()?.to_owned(),
        group: group.cloned().unwrap_or_default(),
        body: message.body().unwrap_or_default().to_owned(),
        returned_by: mark.and_then(|mark| mark.string_value()).map(str::to_owned),
    })
}
