//! Random batches: who stands where, what is wrong with whom, and what the queue keeps in between.

use std::collections::{BTreeMap, BTreeSet};

use proptest::collection::{btree_set, vec};
use proptest::prelude::*;
use serde_json::json;
use vendorbridge::lane::lane;
use vendorbridge::message::{Delivery, wake_body};
use vendorbridge::{EntityKey, ErrorKind, Verdict};
use vendorbridge_testkit::memory::Fault;

use crate::bench::{Bench, key, lock};

/// Entities, so few that they meet. The last one's lane is a hash.
pub(crate) const IDS: [&str; 4] = ["1", "2", "3", "ä"];
const MALFORMED: [&str; 5] = [
    "{{{",
    "[]",
    "",
    r#"{"id":"bad","detail-type":"PersonChanged","source":"people","time":"2026-01-29T14:00:00Z","detail":{}}"#,
    r#"{"id":"odd","detail-type":"Other","source":"people","time":"2026-01-29T14:00:00Z","detail":{"id":"1"}}"#,
];

/// Where a message stands.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Place {
    Lane,
    Intake,
    /// In the lane of the entity with this number.
    Foreign(usize),
}

#[derive(Debug, Clone)]
pub(crate) enum What {
    Event {
        version: bool,
        changes: bool,
    },
    /// The latest event of the entity once more, in a message of its own.
    Copy,
    Wake,
    Malformed(usize),
}

#[derive(Debug, Clone)]
pub(crate) struct Spec {
    entity: usize,
    place: Place,
    what: What,
    receive_count: u32,
}

/// What is wrong with one entity.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Trouble {
    Read,
    Settle,
    Record,
    /// The queue takes nothing into its lane.
    Refused,
    Push(Push),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Push {
    Retry,
    Unknown,
    Permanent,
}

#[derive(Debug, Clone, Default)]
pub(crate) struct Faults {
    entities: BTreeSet<(usize, Trouble)>,
    /// Events that name no entity cannot be recorded.
    nameless: bool,
    /// A push that fails happens all the same.
    accept_anyway: bool,
}

impl Faults {
    /// Whether the messages of this entity, or of none, may be left to the queue.
    pub(crate) fn excuse(&self, entity: Option<&EntityKey>) -> bool {
        let Some(entity) = entity else {
            return self.nameless;
        };
        let mut troubles = self.entities.iter().filter(|(at, _)| key(IDS[*at]) == *entity);
        troubles.any(|(_, trouble)| !matches!(trouble, Trouble::Push(_)))
    }
}

/// One batch, and what is wrong while it is worked on.
#[derive(Debug, Clone)]
pub(crate) struct Plan {
    pub(crate) faults: Faults,
    pub(crate) messages: Vec<Spec>,
    /// Seconds until the next one.
    pub(crate) pause: u64,
    pub(crate) is_short_of_time: bool,
}

/// Up to three batches of up to ten messages.
pub(crate) fn batches() -> impl Strategy<Value = Vec<Plan>> {
    let trouble = prop_oneof![
        Just(Trouble::Read),
        Just(Trouble::Settle),
        Just(Trouble::Record),
        Just(Trouble::Refused),
        prop_oneof![Just(Push::Retry), Just(Push::Unknown), Just(Push::Permanent)].prop_map(Trouble::Push),
    ];
    let faults = (
        btree_set((0..IDS.len(), trouble), 0..4),
        prop::bool::weighted(0.1),
        any::<bool>(),
    );
    let faults = faults.prop_map(|(entities, nameless, accept_anyway)| Faults {
        entities,
        nameless,
        accept_anyway,
    });
    let pause = prop_oneof![Just(0), 0..10_u64, 0..4000_u64];
    let plan = (faults, vec(spec(), 0..=10), pause, prop::bool::weighted(0.05));
    let plan = plan.prop_map(|(faults, messages, pause, is_short_of_time)| Plan {
        faults,
        messages,
        pause,
        is_short_of_time,
    });
    vec(plan, 1..=3)
}

fn spec() -> impl Strategy<Value = Spec> {
    let place = prop_oneof![
        4 => Just(Place::Lane),
        3 => Just(Place::Intake),
        1 => (0..IDS.len()).prop_map(Place::Foreign),
    ];
    let what = prop_oneof![
        6 => (any::<bool>(), any::<bool>()).prop_map(|(version, changes)| What::Event { version, changes }),
        1 => Just(What::Copy),
        1 => Just(What::Wake),
        1 => (0..MALFORMED.len()).prop_map(What::Malformed),
    ];
    let receive_count = prop_oneof![4 => Just(1_u32), 1 => 2..4_u32];
    (0..IDS.len(), place, what, receive_count).prop_map(|(entity, place, what, receive_count)| Spec {
        entity,
        place,
        what,
        receive_count,
    })
}

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
