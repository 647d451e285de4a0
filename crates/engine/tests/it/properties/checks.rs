//! What a batch's answer, the ledger and the lanes must say afterwards.

use std::collections::HashSet;

use proptest::prelude::*;
use vendorbridge::EntityKey;
use vendorbridge::lane::lane;
use vendorbridge::ledger::Status;
use vendorbridge::message::Delivery;

use super::desk::{Desk, names};
use super::plan::{Faults, IDS};
use crate::bench::{Bench, event_id, key, lock};

type Checked = Result<(), TestCaseError>;

/// Every id is one of the batch's, once, in the queue's order; a group is left out up to some message, not in between.
///
/// Lambda repeats a whole batch for an empty or unknown id, and would let a message overtake a returned one.
pub(crate) fn answer(deliveries: &[Delivery], answer: &[String]) -> Checked {
    prop_assert!(answer.iter().all(|id| !id.is_empty()));
    let given: HashSet<_> = answer.iter().collect();
    prop_assert_eq!(given.len(), answer.len(), "an id twice");
    let in_order: Vec<_> = deliveries
        .iter()
        .map(|delivery| &delivery.message_id)
        .filter(|id| given.contains(id))
        .collect();
    // Equal only if every id is known.
    prop_assert_eq!(in_order, answer.iter().collect::<Vec<_>>());
    let mut held = HashSet::new();
    for delivery in deliveries {
        let is_returned = given.contains(&delivery.message_id);
        prop_assert!(
            is_returned || !held.contains(&delivery.group),
            "{} overtakes",
            delivery.message_id
        );
        if is_returned {
            held.insert(&delivery.group);
        }
    }
    Ok(())
}

/// What is acknowledged, by the answer or ahead of it, has its outcome in the ledger or stands in its lane.
pub(crate) fn outcomes(desk: &Desk, deliveries: &[Delivery], answer: &[String]) -> Checked {
    let early = desk.bench.lanes.acknowledged();
    for delivery in deliveries {
        let is_acknowledged = !answer.contains(&delivery.message_id) || early.contains(&delivery.receipt);
        if is_acknowledged {
            let told = is_told(&desk.bench, delivery) || a_copy_waits(delivery, deliveries, answer);
            prop_assert!(told, "{} is acknowledged and has no outcome", delivery.message_id);
        }
    }
    Ok(())
}

/// A message goes back only for the sake of its own entity, or of one before it in its group.
pub(crate) fn nobody_else_waits(deliveries: &[Delivery], answer: &[String], faults: &Faults) -> Checked {
    let mut excused = HashSet::new();
    for delivery in deliveries {
        let entity = names(delivery).map(|(entity, _)| entity);
        if faults.excuse(entity.as_ref()) {
            excused.insert(&delivery.group);
        }
        let is_returned = answer.contains(&delivery.message_id);
        prop_assert!(
            !is_returned || excused.contains(&delivery.group),
            "{} waits",
            delivery.message_id
        );
    }
    Ok(())
}

/// Every event that was ever delivered has a status.
pub(crate) fn all_is_told(desk: &Desk) -> Checked {
    for delivery in &desk.seen {
        prop_assert!(is_told(&desk.bench, delivery), "{}", delivery.body);
        if let Some((_, false)) = names(delivery) {
            let status = desk.bench.ledger.status(&event_id(delivery));
            prop_assert!(
                status.is_some_and(|status| status != Status::Parked),
                "{:?}",
                status
            );
        }
    }
    Ok(())
}

/// Every entity that was announced stands at the vendor as it does at the source, unless it was rejected.
pub(crate) fn the_vendor_holds_the_truth(desk: &Desk) -> Checked {
    for id in IDS {
        let announced = desk
            .seen
            .iter()
            .filter_map(names)
            .any(|(entity, is_wake)| entity == key(id) && !is_wake);
        let record = desk.bench.ledger.entity(&key(id));
        if !announced || record.is_some_and(|record| record.status == Status::Rejected) {
            continue;
        }
        let truth = lock(&desk.bench.world).source[id].0["name"]
            .as_str()
            .map(str::to_owned);
        prop_assert_eq!(desk.bench.held(id), truth, "{}", id);
    }
    Ok(())
}

/// The same event stands in its lane in another message of the batch, which goes back: its outcome will be the event's.
fn a_copy_waits(delivery: &Delivery, deliveries: &[Delivery], answer: &[String]) -> bool {
    let Some((entity, false)) = names(delivery) else {
        return false;
    };
    let lane = lane(&entity);
    deliveries.iter().any(|copy| {
        let is_copy = copy.body == delivery.body && copy.message_id != delivery.message_id;
        is_copy && copy.group == lane && answer.contains(&copy.message_id)
    })
}

fn is_told(bench: &Bench, delivery: &Delivery) -> bool {
    let Some((entity, is_wake)) = names(delivery) else {
        let event_id = serde_json::from_str::<serde_json::Value>(&delivery.body)
            .ok()
            .and_then(|body| body["id"].as_str().map(str::to_owned))
            .unwrap_or_else(|| delivery.message_id.clone());
        return bench.ledger.status(&event_id) == Some(Status::Rejected);
    };
    stands_in_lane(bench, &entity, delivery)
        || if is_wake {
            is_over(bench, &entity)
        } else {
            has_outcome(bench, &entity, &event_id(delivery))
        }
}

fn stands_in_lane(bench: &Bench, entity: &EntityKey, delivery: &Delivery) -> bool {
    let lane = lane(entity);
    bench
        .lanes
        .sent()
        .iter()
        .any(|sent| sent.group == lane && sent.body == delivery.body)
}

/// The retry that a wake is for is not due: it was made, or it waits.
fn is_over(bench: &Bench, entity: &EntityKey) -> bool {
    let parked = bench.ledger.entity(entity).and_then(|record| record.parked);
    parked.is_none_or(|parked| parked.wake_at >= bench.now())
}

/// The event has a record that is true, or the entity record remembers it.
fn has_outcome(bench: &Bench, entity: &EntityKey, event_id: &str) -> bool {
    let record = bench.ledger.entity(entity);
    let Some(event) = bench.ledger.event(event_id) else {
        return record.is_some_and(|record| record.remembered(event_id).is_some());
    };
    let is_at_work = |by: &str| {
        let in_lane = bench
            .lanes
            .sent()
            .iter()
            .any(|sent| sent.group == lane(entity) && sent.deduplication_id == by);
        let waits = record
            .as_ref()
            .and_then(|record| record.parked.as_ref())
            .is_some_and(|parked| parked.event_id == by);
        in_lane || waits || bench.ledger.event(by).is_some()
    };
    event.entity == entity.as_str()
        && match (event.status, &event.by_event) {
            (Status::Coalesced, Some(by)) => is_at_work(by),
            (Status::Coalesced, None) => false,
            _ => true,
        }
}
