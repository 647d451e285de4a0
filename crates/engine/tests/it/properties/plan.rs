//! Random batches: who stands where, and what is wrong with whom.

use std::collections::BTreeSet;

use proptest::collection::{btree_set, vec};
use proptest::prelude::*;
use vendorbridge::EntityKey;

use crate::bench::key;

/// Entities, so few that they meet. The last one's lane is a hash.
pub(crate) const IDS: [&str; 4] = ["1", "2", "3", "ä"];
/// What nobody can understand.
pub(crate) const MALFORMED: [&str; 5] = [
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
    pub(crate) entity: usize,
    pub(crate) place: Place,
    pub(crate) what: What,
    pub(crate) receive_count: u32,
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
    pub(crate) entities: BTreeSet<(usize, Trouble)>,
    /// Events that name no entity cannot be recorded.
    pub(crate) nameless: bool,
    /// A push that fails happens all the same.
    pub(crate) accept_anyway: bool,
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
