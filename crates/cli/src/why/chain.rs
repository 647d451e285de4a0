//! From the ledger's records to the chain of causes: what decides comes first. Pure.

use jiff::Timestamp;
use vendorbridge::circuit::Gate;
use vendorbridge::ledger::{EntityRecord, EntityStanding, Status, VendorRecord};

use super::finding::Finding;
use crate::failure::Failure;

/// Everything that is known, in the order in which it decides.
pub(super) fn findings(standing: &EntityStanding, now: Timestamp) -> Vec<Finding> {
    let of_vendor = of_vendor(&standing.vendor, now);
    let Some(record) = &standing.entity else {
        return std::iter::once(Finding::NeverSeen).chain(of_vendor).collect();
    };
    let mut findings = vec![of_status(record, now)];
    findings.extend(of_vendor);
    findings.extend(completed(record));
    findings.extend(doubt(record));
    findings.extend(held(record));
    findings.extend(latest(record));
    findings
}

/// Whether what the source held when it was last read stands at the vendor.
pub(super) fn is_at_vendor(standing: &EntityStanding) -> bool {
    let record = standing.entity.as_ref();
    record.is_some_and(|record| !is_out(record) && record.is_settled())
}

fn is_out(record: &EntityRecord) -> bool {
    matches!(
        record.status,
        Status::Parked | Status::Rejected | Status::Dead | Status::Excluded
    )
}

fn of_status(record: &EntityRecord, now: Timestamp) -> Finding {
    let since = record.settled_at;
    let attempts = record.attempts;
    let error = record.error.clone().map(Failure::from);
    if let Some(parked) = &record.parked {
        return Finding::Parked {
            since: parked.since,
            until: parked.wake_at,
            is_due: parked.wake_at <= now,
            attempts,
            event_id: parked.event_id.clone(),
            event_time: parked.event_time,
            detail_type: parked.detail_type.clone(),
            error: parked.error.clone().into(),
        };
    }
    match record.status {
        Status::Rejected => Finding::Rejected {
            since,
            attempts,
            error,
        },
        Status::Dead => Finding::UsedUp {
            since,
            attempts,
            error,
        },
        Status::Deleted => Finding::Removed { since },
        Status::Excluded => Finding::Excluded {
            since,
            rule: record.rule.clone(),
        },
        Status::Synced | Status::Unchanged | Status::Covered | Status::Coalesced | Status::Parked => {
            Finding::AtVendor {
                read_at: record.read_at,
                settled_at: since,
                link: record.link.clone(),
                version: record.pushed_version.clone(),
            }
        }
    }
}

fn of_vendor(vendor: &VendorRecord, now: Timestamp) -> impl Iterator<Item = Finding> {
    let pause = vendor.pause_at(now).map(|pause| Finding::Paused {
        since: pause.since,
        until: pause.until,
        reason: pause.reason.clone(),
    });
    let circuit = vendor.circuit.as_ref().map(|circuit| Finding::CircuitOpen {
        since: circuit.since,
        probes_from: circuit
            .retry_at
            .max(circuit.probing_until.unwrap_or(circuit.retry_at)),
        probes_are_due: vendor.gate(now) == Gate::Probe,
        times: circuit.times,
        error: circuit.kind.name(),
        reason: circuit.reason.clone(),
    });
    pause.into_iter().chain(circuit)
}

fn completed(record: &EntityRecord) -> Option<Finding> {
    let steps = record.steps.iter().flat_map(|steps| &steps.done);
    let effects = record.effects.iter().filter(|effect| effect.until.is_none());
    let names = steps
        .map(|step| &step.name)
        .chain(effects.map(|effect| &effect.name));
    let steps: Vec<_> = names.cloned().collect();
    (!steps.is_empty()).then_some(Finding::Completed { steps })
}

fn doubt(record: &EntityRecord) -> Option<Finding> {
    let begun: Vec<_> = record
        .steps
        .iter()
        .flat_map(|steps| steps.begun.clone())
        .collect();
    let effects = record.effects.iter().filter(|effect| effect.until.is_some());
    let effects: Vec<_> = effects.map(|effect| effect.name.clone()).collect();
    let is_tried = record.tried.is_some() || !record.maybe_links.is_empty();
    let reserved_until = record.reservation.as_ref().map(|reserved| reserved.until);
    let is_begun = is_tried || reserved_until.is_some() || !begun.is_empty() || !effects.is_empty();
    (record.unsure || is_begun).then_some(Finding::InDoubt {
        is_unsure: record.unsure,
        is_tried,
        reserved_until,
        begun,
        effects,
    })
}

/// What stands at the vendor although the entity is not in step.
fn held(record: &EntityRecord) -> Option<Finding> {
    if !is_out(record) {
        return None;
    }
    if record.pushed_hash.is_some() {
        return Some(Finding::HoldsEarlier {
            read_at: record.read_at,
            link: record.link.clone(),
        });
    }
    // Where something may stand, the doubt says so.
    (!record.may_stand()).then_some(Finding::HoldsNothing)
}

fn latest(record: &EntityRecord) -> Vec<Finding> {
    let Some(last) = record.recent.last() else {
        return Vec::new();
    };
    let (event_id, event_time) = (last.event_id.clone(), last.time);
    let by_another = match last.status {
        Status::Covered => Some(Finding::Covered {
            event_id: event_id.clone(),
            event_time,
            read_at: record.read_at,
        }),
        Status::Coalesced => Some(Finding::Coalesced {
            event_id: event_id.clone(),
            event_time,
            by_event: record.parked.as_ref().map(|parked| parked.event_id.clone()),
        }),
        _ => None,
    };
    let event = Finding::LastEvent {
        event_id,
        event_time,
        status: last.status,
        settled_at: last.at,
    };
    std::iter::once(event).chain(by_another).collect()
}
