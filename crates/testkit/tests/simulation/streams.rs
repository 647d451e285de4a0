//! Streams: many seeds lose nothing and keep the order, and a careless handler does not go unseen.

use std::sync::Arc;

use futures::future::BoxFuture;
use jiff::Timestamp;
use rstest::rstest;
use serde_json::{Value, json};
use vendorbridge::changes::{Bus, Changes, Event, Failures};
use vendorbridge_testkit::stream::{Handler, LEDGER, Outcome, StreamRule, StreamWorld, run, streams};

const SEEDS: u64 = 6_000;

struct Real(Changes);

impl Handler for Real {
    fn handle(&self, batch: Value, deadline: Timestamp) -> BoxFuture<'_, Result<Value, String>> {
        Handler::handle(&self.0, batch, deadline)
    }
}

/// The world is its own clock.
struct Clock(Arc<StreamWorld>);

impl vendorbridge::clock::Clock for Clock {
    fn now(&self) -> Timestamp {
        self.0.clock.now()
    }

    fn sleep(&self, duration: std::time::Duration) -> BoxFuture<'_, ()> {
        self.0.clock.sleep(duration)
    }
}

fn real(world: Arc<StreamWorld>) -> Box<dyn Handler> {
    Box::new(Real(Changes {
        ledger_table: LEDGER.to_owned(),
        streams: streams(),
        bus: Arc::clone(&world) as Arc<dyn Bus>,
        failures: Arc::clone(&world) as Arc<dyn Failures>,
        clock: Arc::new(Clock(world)),
    }))
}

fn play(seed: u64) -> Outcome {
    run(seed, &real)
}

#[test]
fn every_seed_loses_nothing_and_keeps_the_order() {
    type Count = fn(&Outcome) -> usize;
    let outcomes: Vec<_> = (0..SEEDS).map(play).collect();
    for outcome in &outcomes {
        if let Some(violation) = &outcome.violation {
            panic!("seed {}: {violation}", outcome.seed);
        }
    }
    // What no run has shows nothing.
    let seen: [(&str, Count); 5] = [
        ("published", |outcome| outcome.published),
        ("published again", |outcome| outcome.repeated),
        ("set aside", |outcome| outcome.kept),
        ("given up by the mapping", |outcome| outcome.discarded),
        ("delivered again", |outcome| outcome.again),
    ];
    for (what, count) in seen {
        let total: usize = outcomes.iter().map(count).sum();
        eprintln!("{what}: {total}");
        assert!(total > 100, "{what}: {total}");
    }
}

#[test]
fn the_same_seed_gives_the_same_run() {
    for seed in 0..50 {
        assert_eq!(format!("{:?}", play(seed)), format!("{:?}", play(seed)));
    }
}

/// How a handler can be wrong.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Carelessness {
    /// Failures are not reported.
    Swallows,
    /// The last failure is reported instead of the first.
    ReportsTheLast,
    /// Two changes of a key in one request, of which the first can be refused and the second taken.
    SharesRequests,
    /// An empty identifier.
    NamesNobody,
    /// What cannot be published stays in the way.
    SetsNothingAside,
    /// What time to live deletes is announced.
    TellsAll,
}

/// Ten to a request, whatever their keys; one try.
struct Careless(Arc<StreamWorld>, Carelessness);

impl Careless {
    async fn publish(&self, batch: &Value) -> Value {
        let mut failed = Vec::new();
        for records in batch["Records"].as_array().unwrap().chunks(10) {
            let mut events = Vec::new();
            for record in records {
                let sequence = record["dynamodb"]["SequenceNumber"].as_str().unwrap();
                let is_expired = record.get("userIdentity").is_some();
                match record["dynamodb"]["Keys"]["pk"]["S"].as_str() {
                    _ if is_expired && self.1 != Carelessness::TellsAll => {}
                    Some(key) => events.push(event(key, sequence)),
                    None if self.1 == Carelessness::SetsNothingAside => failed.push(sequence.to_owned()),
                    None => self.keep(record, &mut failed).await,
                }
            }
            let shares = self.1 == Carelessness::SharesRequests;
            let chunks = if shares {
                vec![events]
            } else {
                events.into_iter().map(|event| vec![event]).collect()
            };
            for events in chunks.iter().filter(|events| !events.is_empty()) {
                if !failed.is_empty() && !shares {
                    break;
                }
                let results = self.0.put(&events.iter().collect::<Vec<_>>()).await;
                for (at, event) in events.iter().enumerate() {
                    let result = results
                        .as_ref()
                        .map_or_else(|refusal| Err(refusal.clone()), |all| all[at].clone());
                    let Err(refusal) = result else { continue };
                    let detail: Value = serde_json::from_str(&event.detail).unwrap();
                    let sequence = detail["sequence"].as_str().unwrap();
                    let mut all = batch["Records"].as_array().unwrap().iter();
                    let record = all
                        .find(|record| record["dynamodb"]["SequenceNumber"] == sequence)
                        .unwrap();
                    if refusal.is_permanent && self.1 != Carelessness::SetsNothingAside {
                        self.keep(record, &mut failed).await;
                    } else {
                        failed.push(sequence.to_owned());
                    }
                }
            }
        }
        let named = match self.1 {
            Carelessness::Swallows => None,
            Carelessness::ReportsTheLast => failed.last().cloned(),
            Carelessness::NamesNobody => failed.first().map(|_| String::new()),
            _ => failed.first().cloned(),
        };
        let failures: Vec<_> = named
            .iter()
            .map(|name| json!({ "itemIdentifier": name }))
            .collect();
        json!({ "batchItemFailures": failures })
    }

    async fn keep(&self, record: &Value, failed: &mut Vec<String>) {
        if Failures::keep(&*self.0, &json!({ "record": record }).to_string())
            .await
            .is_err()
        {
            failed.push(record["dynamodb"]["SequenceNumber"].as_str().unwrap().to_owned());
        }
    }
}

fn event(key: &str, sequence: &str) -> Event {
    Event {
        key: key.to_owned(),
        source: "inventory".to_owned(),
        detail_type: "InventoryItemChanged".to_owned(),
        detail: json!({ "id": key, "sequence": sequence }).to_string(),
        time: None,
    }
}

impl Handler for Careless {
    fn handle(&self, batch: Value, _: Timestamp) -> BoxFuture<'_, Result<Value, String>> {
        Box::pin(async move { Ok(self.publish(&batch).await) })
    }
}

#[rstest]
#[case(Carelessness::Swallows, StreamRule::NothingLost)]
#[case(Carelessness::ReportsTheLast, StreamRule::NothingLost)]
#[case(Carelessness::SharesRequests, StreamRule::InOrder)]
#[case(Carelessness::NamesNobody, StreamRule::Answer)]
#[case(Carelessness::SetsNothingAside, StreamRule::NoBlocking)]
#[case(Carelessness::TellsAll, StreamRule::Nothing)]
fn a_careless_handler_is_found(#[case] carelessness: Carelessness, #[case] rule: StreamRule) {
    let careless = |world: Arc<StreamWorld>| Box::new(Careless(world, carelessness)) as Box<dyn Handler>;
    let found = (0..SEEDS).find_map(|seed| {
        let outcome = run(seed, &careless);
        outcome
            .violation
            .filter(|violation| violation.rule == rule)
            .map(|violation| (seed, violation))
    });
    let (seed, violation) = found.unwrap_or_else(|| panic!("{carelessness:?} goes unseen"));
    eprintln!("{carelessness:?}: seed {seed}: {violation}");
    assert_eq!(
        play(seed).violation,
        None,
        "the real one keeps the rule in the same run"
    );
}
