//! The bench with a queue that delivers again what was left to it.

use std::collections::BTreeMap;

use proptest::test_runner::TestCaseError;
use serde_json::json;
use vendorbridge::lane::lane;
use vendorbridge::message::{Delivery, wake_body};
use vendorbridge::{EntityKey, ErrorKind, Verdict};
use vendorbridge_testkit::memory::Fault;

use super::plan::{Faults, IDS, MALFORMED, Place, Push, Spec, Trouble, What};
use crate::bench::{Bench, key, lock};

/// The bench with a memory of what the queue still has.
pub(crate) struct Desk {
    pub(crate) bench: Bench,
    /// The latest event of each entity.
    latest: BTreeMap<usize, String>,
    /// What the queue would deliver again.
    kept: Vec<Delivery>,
    /// Every message ever delivered.
    pub(crate) seen: Vec<Delivery>,
    versions: u64,
}

impl Desk {
    pub(crate) fn new() -> Self {
        let bench = Bench::new();
        for id in IDS {
            bench.set(id, "Ada", Some(1));
        }
        Self {
            bench,
            latest: BTreeMap::new(),
            kept: Vec::new(),
            seen: Vec::new(),
            versions: 1,
        }
    }

    pub(crate) fn apply(&mut self, faults: &Faults) {
        for (at, trouble) in &faults.entities {
            let entity = key(IDS[*at]);
            match trouble {
                Trouble::Read => self.bench.ledger.fail_for(entity.as_str(), Fault::Read),
                Trouble::Settle => self.bench.ledger.fail_for(entity.as_str(), Fault::Settle),
                Trouble::Record => self.bench.ledger.fail_for(entity.as_str(), Fault::Record),
                Trouble::Refused => self.bench.lanes.refuse(&lane(&entity)),
                Trouble::Push(push) => {
                    let verdict = match push {
                        Push::Retry => Verdict::Retry { after: None },
                        Push::Unknown => Verdict::Unknown,
                        Push::Permanent => Verdict::Permanent,
                    };
                    let failure = (ErrorKind::Refused, verdict);
                    lock(&self.bench.world)
                        .fail_push
                        .insert(IDS[*at].to_owned(), failure);
                }
            }
        }
        if faults.nameless {
            self.bench.ledger.fail_for("-", Fault::Record);
        }
        lock(&self.bench.world).accept_anyway = faults.accept_anyway;
    }

    pub(crate) fn heal(&mut self) {
        self.bench.ledger.heal();
        self.bench.lanes.accept();
        let mut world = lock(&self.bench.world);
        world.fail_push.clear();
        world.accept_anyway = false;
    }

    /// The messages of a batch: first what was left over for the same groups, as a FIFO queue does it.
    pub(crate) fn deliveries(&mut self, specs: &[Spec]) -> Vec<Delivery> {
        let mut deliveries: Vec<_> = std::mem::take(&mut self.kept);
        for delivery in &mut deliveries {
            delivery.receive_count += 1;
        }
        deliveries.extend(specs.iter().map(|spec| self.delivery(spec)));
        self.seen.extend(deliveries.iter().cloned());
        deliveries
    }

    fn delivery(&mut self, spec: &Spec) -> Delivery {
        let id = IDS[spec.entity];
        let group = match spec.place {
            Place::Lane => lane(&key(id)),
            Place::Intake => "intake".to_owned(),
            Place::Foreign(other) => lane(&key(IDS[other])),
        };
        let mut delivery = match &spec.what {
            What::Malformed(at) => self.bench.message(&group, MALFORMED[*at]),
            What::Wake => {
                let body = wake_body(&key(id), "wake", self.bench.now());
                self.bench.message(&group, &body)
            }
            What::Copy => match self.latest.get(&spec.entity).cloned() {
                Some(body) => self.bench.message(&group, &body),
                None => self.event(&group, spec.entity, false, false),
            },
            What::Event { version, changes } => self.event(&group, spec.entity, *version, *changes),
        };
        delivery.receive_count = spec.receive_count;
        delivery
    }

    fn event(&mut self, group: &str, entity: usize, version: bool, changes: bool) -> Delivery {
        let id = IDS[entity];
        if changes {
            self.versions += 1;
            self.bench
                .set(id, &format!("Ada {}", self.versions), Some(self.versions));
        }
        let current = lock(&self.bench.world).source[id].1;
        let delivery = self.bench.event_in(group, id, current.filter(|_| version));
        self.latest.insert(entity, delivery.body.clone());
        delivery
    }

    pub(crate) async fn deliver(&self, deliveries: &[Delivery], is_short_of_time: bool) -> Vec<String> {
        let seconds = if is_short_of_time { 15 } else { 900 };
        self.bench.deliver_before(deliveries, seconds).await
    }

    /// Remembers what was left to the queue.
    pub(crate) fn keep(&mut self, deliveries: &[Delivery], answer: &[String]) {
        let is_kept = |delivery: &&Delivery| answer.contains(&delivery.message_id);
        self.kept = deliveries.iter().filter(is_kept).cloned().collect();
    }

    /// Delivers what is left, what stands in the lanes and what the waker sends, until there is nothing.
    pub(crate) async fn drain(&mut self) {
        for _ in 0..40 {
            let mut deliveries = self.deliveries(&[]);
            for message in self.bench.lanes.take() {
                deliveries.push(self.bench.message(&message.group, &message.body));
            }
            let answer = self.deliver(&deliveries, false).await;
            self.keep(&deliveries, &answer);
            self.bench.advance(3700);
            self.bench.wake().await;
        }
        assert!(
            self.kept.is_empty() && self.bench.lanes.sent().is_empty(),
            "it never ends"
        );
    }
}

/// Runs a case.
pub(crate) fn run(case: impl Future<Output = Result<(), TestCaseError>>) -> Result<(), TestCaseError> {
    let runtime = tokio::runtime::Builder::new_current_thread().build();
    runtime.expect("a runtime").block_on(case)
}

/// The entity that a message names, and whether it is a wake. `None`: it cannot be understood.
pub(crate) fn names(delivery: &Delivery) -> Option<(EntityKey, bool)> {
    let body: serde_json::Value = serde_json::from_str(&delivery.body).ok()?;
    if body["detail-type"] == json!("RetryDue") {
        return Some((body["detail"]["entity"].as_str()?.parse().ok()?, true));
    }
    let id = body["detail"]["id"]
        .as_str()
        .filter(|_| body["detail-type"] == json!("PersonChanged"))?;
    Some((key(id), false))
}
