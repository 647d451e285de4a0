//! "Sync now": asks for entities straight in one vendor's lanes, so that no other vendor gets anything.

use serde_json::json;
use vendorbridge::clock::{Clock, SystemClock};
use vendorbridge::lane::{LaneMessage, Lanes, Partitions, SqsLanes, lane, short_hash};
use vendorbridge::message::SYNC_REQUESTED;
use vendorbridge::{EntityKey, Error};

use crate::CliError;
use crate::publish::Draft;
use crate::session::Session;

/// The message group that rules send events in: the function hands them on to their lanes.
pub(crate) const INTAKE: &str = "intake";

/// The source of what the command sends.
pub const SOURCE: &str = "vendorbridge.cli";

/// The lanes of one vendor, as a run of a command uses them.
#[derive(Debug, Clone)]
pub struct VendorLanes {
    lanes: SqsLanes,
    /// Intake is in the first queue, whatever its name is hashed to.
    intake: SqsLanes,
    vendor: String,
    run: String,
}

impl VendorLanes {
    /// The lanes of `vendor`. `run` names the run of the command, such as `replay-1f2e…`: what it asks for twice within five
    /// minutes, the queue takes once.
    ///
    /// # Errors
    /// [`CliError::NoVendor`].
    pub fn open(session: &Session, vendor: &str, run: &str) -> Result<Self, CliError> {
        session.deployment.chosen(Some(vendor))?;
        let (queue, partitions) = session.deployment.queues(vendor)?;
        Ok(Self {
            lanes: SqsLanes::new(session.sqs(), queue.to_owned(), partitions),
            intake: SqsLanes::new(session.sqs(), queue.to_owned(), Partitions::ONE),
            vendor: vendor.to_owned(),
            run: run.to_owned(),
        })
    }

    /// Asks for these entities, each in its lane; with `force` whatever the ledger knows. Answers with those that the queue
    /// refused after retries.
    pub async fn sync_now(&self, entities: &[EntityKey], force: bool) -> Vec<Refused> {
        let messages: Vec<_> = entities
            .iter()
            .map(|entity| self.message(entity, force))
            .collect();
        self.send(&messages)
            .await
            .into_iter()
            .map(|(at, error)| Refused {
                entity: entities[at].clone(),
                error,
            })
            .collect()
    }

    /// Sends messages into entities' lanes as they are; answers with the positions of those that were refused.
    pub(crate) async fn send(&self, messages: &[LaneMessage]) -> Vec<(usize, Error)> {
        refused(self.lanes.send(messages).await)
    }

    /// Sends messages as rules do; answers with the positions of those that were refused.
    pub(crate) async fn send_to_intake(&self, messages: &[LaneMessage]) -> Vec<(usize, Error)> {
        refused(self.intake.send(messages).await)
    }

    /// An event of a file, with an id of this run.
    pub(crate) fn event(&self, draft: &Draft) -> LaneMessage {
        let id = self.id(&format!("{}\n{}", draft.file, draft.number));
        let body = json!({
            "version": "0",
            "id": id,
            "detail-type": draft.detail_type,
            "source": draft.source,
            "time": SystemClock.now(),
            "resources": draft.resources,
            "detail": draft.detail,
        });
        LaneMessage {
            group: INTAKE.to_owned(),
            deduplication_id: id,
            trace_header: None,
            body: body.to_string(),
        }
    }

    /// A message that was there before, in its group. Its body is as it was; the queue takes it as another one.
    pub(crate) fn again(&self, group: &str, message_id: &str, body: &str) -> LaneMessage {
        LaneMessage {
            group: group.to_owned(),
            deduplication_id: self.id(message_id),
            trace_header: None,
            body: body.to_owned(),
        }
    }

    /// The request for an entity.
    pub(crate) fn message(&self, entity: &EntityKey, force: bool) -> LaneMessage {
        let id = self.id(entity.as_str());
        let body = json!({
            "version": "0",
            "id": id,
            "detail-type": SYNC_REQUESTED,
            "source": SOURCE,
            "time": SystemClock.now(),
            "resources": [],
            "detail": { "entity": entity, "vendor": self.vendor, "force": force },
        });
        LaneMessage {
            group: lane(entity),
            deduplication_id: id,
            trace_header: None,
            body: body.to_string(),
        }
    }

    /// An id of this run for what `text` names.
    pub(crate) fn id(&self, text: &str) -> String {
        format!("{}-{}", self.run, short_hash(text))
    }
}

fn refused(answers: Vec<Result<(), Error>>) -> Vec<(usize, Error)> {
    let numbered = answers.into_iter().enumerate();
    numbered
        .filter_map(|(at, answer)| Some((at, answer.err()?)))
        .collect()
}

/// An entity that was not asked for.
#[derive(Debug)]
pub struct Refused {
    /// The entity.
    pub entity: EntityKey,
    /// What the queue said.
    pub error: Error,
}

/// A fresh id for a run: 12 hexadecimal digits.
#[must_use]
pub fn run_id(command: &str, random: &mut fastrand::Rng) -> String {
    format!("{command}-{:012x}", random.u64(..1 << 48))
}

#[cfg(test)]
mod tests {
    use aws_sdk_sqs::config::BehaviorVersion;
    use vendorbridge::message::Envelope;

    use super::*;

    fn lanes(run: &str) -> VendorLanes {
        let config = aws_sdk_sqs::Config::builder().behavior_version(BehaviorVersion::latest());
        let client = aws_sdk_sqs::Client::from_conf(config.build());
        let lanes = SqsLanes::new(client, "https://sqs/1/s-algolia.fifo".into(), Partitions::ONE);
        VendorLanes {
            intake: lanes.clone(),
            lanes,
            vendor: "algolia".into(),
            run: run.into(),
        }
    }

    #[test]
    fn a_request_is_for_one_vendor_and_in_the_entitys_lane() {
        let entity: EntityKey = "product/å".parse().unwrap();
        let message = lanes("replay-1").message(&entity, true);
        assert_eq!(message.group, lane(&entity));
        let envelope = Envelope::parse(&message.body).unwrap();
        assert_eq!(envelope.detail_type, SYNC_REQUESTED);
        assert_eq!(
            (envelope.source.as_str(), &envelope.id),
            (SOURCE, &message.deduplication_id)
        );
        let detail = json!({"entity": "product/å", "vendor": "algolia", "force": true});
        assert_eq!(envelope.detail, detail);
    }

    #[test]
    fn a_run_asks_for_an_entity_once() {
        let entity: EntityKey = "product/1".parse().unwrap();
        let id = |run: &str| lanes(run).message(&entity, true).deduplication_id;
        assert_eq!(id("replay-1"), id("replay-1"));
        assert_ne!(id("replay-1"), id("replay-2"));
        assert!(id("replay-1").len() <= 128, "the longest that SQS takes");
    }

    #[test]
    fn an_events_own_id_is_not_used_again() {
        let event = r#"{"id": "e-1", "source": "s", "detail-type": "Changed", "detail": {"a": 1}}"#;
        let drafts = crate::publish::parse("a.json", event.as_bytes()).unwrap();
        let message = lanes("replay-1").event(&drafts[0]);
        let envelope = Envelope::parse(&message.body).unwrap();
        assert_eq!(
            (message.group.as_str(), envelope.detail),
            (INTAKE, json!({"a": 1}))
        );
        assert_eq!(envelope.id, message.deduplication_id);
        assert_ne!(envelope.id, "e-1");
    }

    #[test]
    fn a_runs_id_names_its_command() {
        let id = run_id("backfill", &mut fastrand::Rng::with_seed(1));
        let random = id.strip_prefix("backfill-").unwrap();
        assert!(
            random.len() == 12 && random.bytes().all(|byte| byte.is_ascii_hexdigit()),
            "{id}"
        );
    }
}
