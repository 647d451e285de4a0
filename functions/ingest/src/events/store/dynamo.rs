//! Requests and wanted states in the ledger's table.
//!
//! | item | pk | sk |
//! |---|---|---|
//! | request | `ingest#<line>#<id>` | `request` |
//! | count of a caller's calls | `ingest#calls#<hash>#<window>` | `count` |
//! | wanted state | `line#<entity>` | `state` |
//! | claim on a key of the vendor | `line#key#<key>` | `claim` |

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::error::{DisplayErrorContext, ProvideErrorMetadata, SdkError};
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::types::{AttributeValue, CancellationReason, Put, TransactWriteItem};
use futures::future::BoxFuture;
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use vendorbridge::ledger::{EventRecord, Reader, Status};
use vendorbridge::{EntityKey, Error, ErrorKind, Stage};

use super::keys::{Item, expires, key, number, request_pk, state_pk};
use super::{Acceptance, Outcome, Replacement, Request, Store, Wanted};
use crate::events::VENDOR;

/// How long a count outlives its window: time to live deletes late anyway.
const COUNTS_LIVE: SignedDuration = SignedDuration::from_hours(1);
/// Attributes of a wanted state that are not its own members.
const OURS: [&str; 3] = ["pk", "sk", "revision"];

/// The ledger's table.
#[derive(Debug, Clone)]
pub struct DynamoStore {
    client: Client,
    table: String,
    reader: Reader,
    request_ttl: SignedDuration,
}

impl DynamoStore {
    /// Items in `table`; requests are kept for so many days, as events are.
    #[must_use]
    pub fn new(client: Client, table: String, ttl_days: u32) -> Self {
        Self {
            reader: Reader::new(client.clone(), table.clone()),
            client,
            table,
            request_ttl: SignedDuration::from_hours(24 * i64::from(ttl_days)),
        }
    }

    async fn get(&self, pk: String, sk: &str) -> Result<Option<Item>, Error> {
        let answer = self
            .client
            .get_item()
            .table_name(&self.table)
            .key("pk", AttributeValue::S(pk))
            .key("sk", AttributeValue::S(sk.to_owned()))
            .consistent_read(true)
            .send()
            .await
            .map_err(|error| failed(&error))?;
        Ok(answer.item)
    }

    fn put(&self, item: Item) -> aws_sdk_dynamodb::types::builders::PutBuilder {
        Put::builder().table_name(&self.table).set_item(Some(item))
    }

    fn request_item(&self, request: &Request) -> Result<Item, Error> {
        let mut item: Item = serde_dynamo::to_item(request).map_err(unreadable)?;
        item.extend(key(request_pk(&request.line, &request.id), "request"));
        let expires = expires(request.at, self.request_ttl);
        item.insert("expires_at".to_owned(), expires);
        Ok(item)
    }

    /// The writes of an acceptance, each with the replacement whose claim it is.
    fn writes(
        &self,
        request: &Request,
        replacements: &[Replacement],
    ) -> Result<Vec<(TransactWriteItem, Option<usize>)>, Error> {
        let built = |put: aws_sdk_dynamodb::types::builders::PutBuilder| {
            let put = put.build().map_err(unreadable)?;
            Ok::<_, Error>(TransactWriteItem::builder().put(put).build())
        };
        let absent = "attribute_not_exists(pk)";
        let request = self.put(self.request_item(request)?).condition_expression(absent);
        let mut writes = vec![(built(request)?, None)];
        for (at, replacement) in replacements.iter().enumerate() {
            let mut item: Item = serde_dynamo::to_item(&replacement.wanted.state).map_err(unreadable)?;
            item.extend(key(state_pk(&replacement.entity), "state"));
            let revision = replacement.wanted.revision;
            item.insert("revision".to_owned(), number(revision));
            let state = self.put(item);
            let state = match revision {
                0 | 1 => state.condition_expression(absent),
                _ => state
                    .condition_expression("revision = :before")
                    .expression_attribute_values(":before", number(revision - 1)),
            };
            writes.push((built(state)?, None));
            if let Some(claim) = &replacement.claim {
                let owner = AttributeValue::S(replacement.entity.to_string());
                let mut item = key(format!("line#key#{claim}"), "claim");
                item.insert("owner".to_owned(), owner.clone());
                let claim = self
                    .put(item)
                    .condition_expression("attribute_not_exists(pk) OR #owner = :owner")
                    .expression_attribute_names("#owner", "owner")
                    .expression_attribute_values(":owner", owner);
                writes.push((built(claim)?, Some(at)));
            }
        }
        Ok(writes)
    }

    async fn write(&self, request: &Request, replacements: &[Replacement]) -> Result<Acceptance, Error> {
        let (writes, claims): (Vec<_>, Vec<_>) = self.writes(request, replacements)?.into_iter().unzip();
        let answer = self
            .client
            .transact_write_items()
            .set_transact_items(Some(writes))
            .send()
            .await;
        let Err(error) = answer else {
            return Ok(Acceptance::Written);
        };
        let Some(TransactWriteItemsError::TransactionCanceledException(cancelled)) = error.as_service_error()
        else {
            return Err(failed(&error));
        };
        let refused: Vec<_> = codes(cancelled.cancellation_reasons()).collect();
        let is = |code: &str| refused.contains(&Some(code));
        if is("ConditionalCheckFailed") {
            // A request or state of somebody else's explains a claim, too: it is looked at first.
            let claim = refused
                .iter()
                .zip(&claims)
                .find_map(|(code, claim)| claim.filter(|_| code.is_some()));
            let is_overtaken = refused
                .iter()
                .zip(&claims)
                .any(|(code, claim)| code.is_some() && claim.is_none());
            return Ok(match claim {
                Some(at) if !is_overtaken => Acceptance::Claimed(at),
                _ => Acceptance::Overtaken,
            });
        }
        if is("TransactionConflict") {
            return Ok(Acceptance::Overtaken);
        }
        Err(failed(&error))
    }

    async fn add(&self, caller: &str, window: Timestamp, calls: u32, most: u32) -> Result<bool, Error> {
        let pk = format!(
            "ingest#calls#{}#{}",
            vendorbridge::lane::short_hash(caller),
            window.as_second()
        );
        let room = most.saturating_sub(calls);
        let answer = self
            .client
            .update_item()
            .table_name(&self.table)
            .set_key(Some(key(pk, "count")))
            .update_expression("ADD calls :calls SET expires_at = :expires")
            .condition_expression("attribute_not_exists(calls) OR calls <= :room")
            .expression_attribute_values(":calls", number(calls.into()))
            .expression_attribute_values(":room", number(room.into()))
            .expression_attribute_values(":expires", expires(window, COUNTS_LIVE))
            .send()
            .await;
        match answer {
            Ok(_) => Ok(true),
            Err(error) if error.code() == Some("ConditionalCheckFailedException") => Ok(false),
            Err(error) => Err(failed(&error)),
        }
    }

    async fn read_outcome(
        &self,
        entity: &EntityKey,
        at: Timestamp,
        event_id: &str,
    ) -> Result<Outcome, Error> {
        let event = self.reader.event(VENDOR, entity, at, event_id).await?;
        // Another event does, or did, the work: how that stands is said by the entity.
        let by_itself = |event: &EventRecord| !matches!(event.status, Status::Coalesced | Status::Covered);
        let entity = if event.as_ref().is_some_and(by_itself) {
            None
        } else {
            self.reader.entity(VENDOR, entity).await?
        };
        Ok(Outcome { event, entity })
    }
}

impl Store for DynamoStore {
    fn request<'a>(&'a self, line: &'a str, id: &'a str) -> BoxFuture<'a, Result<Option<Request>, Error>> {
        Box::pin(async move {
            let item = self.get(request_pk(line, id), "request").await?;
            item.map(|item| serde_dynamo::from_item(item).map_err(unreadable))
                .transpose()
        })
    }

    fn wanted<'a>(&'a self, entity: &'a EntityKey) -> BoxFuture<'a, Result<Option<Wanted>, Error>> {
        Box::pin(async move {
            let Some(mut item) = self.get(state_pk(entity), "state").await? else {
                return Ok(None);
            };
            let revision = item
                .get("revision")
                .and_then(|revision| revision.as_n().ok()?.parse().ok());
            for ours in OURS {
                item.remove(ours);
            }
            let state: Value = serde_dynamo::from_item(item).map_err(unreadable)?;
            let revision = revision.ok_or_else(|| broken("a wanted state has no revision"))?;
            Ok(Some(Wanted { revision, state }))
        })
    }

    fn accept<'a>(
        &'a self,
        request: &'a Request,
        replacements: &'a [Replacement],
    ) -> BoxFuture<'a, Result<Acceptance, Error>> {
        Box::pin(self.write(request, replacements))
    }

    fn count<'a>(
        &'a self,
        caller: &'a str,
        window: Timestamp,
        calls: u32,
        most: u32,
    ) -> BoxFuture<'a, Result<bool, Error>> {
        Box::pin(self.add(caller, window, calls, most))
    }

    fn outcome<'a>(
        &'a self,
        entity: &'a EntityKey,
        at: Timestamp,
        event_id: &'a str,
    ) -> BoxFuture<'a, Result<Outcome, Error>> {
        Box::pin(self.read_outcome(entity, at, event_id))
    }
}

/// Why each write was refused; `None` for those that were not.
fn codes(reasons: &[CancellationReason]) -> impl Iterator<Item = Option<&str>> {
    reasons
        .iter()
        .map(|reason| reason.code().filter(|code| *code != "None"))
}

fn unreadable(error: impl std::error::Error + Send + Sync + 'static) -> Error {
    broken("an item cannot be read or written").caused_by(error)
}

fn broken(message: &str) -> Error {
    Error::permanent(ErrorKind::Unexpected, Stage::Settle, message)
}

fn failed<E>(error: &SdkError<E>) -> Error
where
    E: std::error::Error + ProvideErrorMetadata + 'static,
{
    let message = DisplayErrorContext(error).to_string();
    let failure = Error::retry(ErrorKind::Unavailable, Stage::Settle, message);
    match error.code() {
        Some(code) => failure.code(code),
        None => failure,
    }
}
