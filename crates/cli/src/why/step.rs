//! The one next step. Pure.

use jiff::{SignedDuration, Timestamp};
use vendorbridge::circuit::Gate;
use vendorbridge::ledger::{EntityStanding, Status};
use vendorbridge::{EntityKey, ErrorKind};

use crate::next::Next;

/// The waker runs once a minute: what is due for longer than this is not woken.
pub(crate) const OVERDUE: SignedDuration = SignedDuration::from_mins(5);

/// `replay` asks the source, which does not have everything.
const CARRIED: &str = "If only its events have its state, let the source send its next event instead.";

/// What to do about it; `None` if all is well.
pub(super) fn next(
    stack: &str,
    entity: &EntityKey,
    standing: &EntityStanding,
    now: Timestamp,
) -> Option<Next> {
    let (vendor, key) = (standing.vendor.vendor.as_str(), entity.as_str());
    let doctor = |reason| Next::command(reason, stack, &["doctor", "--vendor", vendor]);
    // The ledger does not say whether the source can be asked for it.
    let replay = |reason: &str| {
        let reason = format!("{reason} {CARRIED}");
        Next::command(&reason, stack, &["replay", vendor, "--entity", key])
    };
    let Some(record) = &standing.entity else {
        return Some(doctor("see whether its type is routed to the vendor."));
    };
    if let Some(parked) = &record.parked {
        return Some(match standing.vendor.gate(now) {
            Gate::Paused | Gate::Open { .. } | Gate::Probe => shut(stack, standing, now),
            Gate::Closed if now.duration_since(parked.wake_at) > OVERDUE => {
                doctor("it is overdue: see whether the waker runs.")
            }
            Gate::Closed => {
                let reason = "nothing: it is tried again by itself. See how the tries went.";
                Next::command(reason, stack, &["timeline", vendor, key])
            }
        });
    }
    let has_field = record.error.as_ref().is_some_and(|error| error.pointer.is_some());
    Some(match record.status {
        Status::Rejected if has_field => replay(
            "correct the field at the source. Its next event is tried by itself; if there is none, send it again.",
        ),
        Status::Rejected => replay("remove the cause, at the source or at the vendor, then send it again."),
        Status::Dead => replay("once the cause is gone, send it again."),
        Status::Excluded => replay("nothing, if the rule is right. If the rule has changed, send it again."),
        _ if record.unsure => replay("send it again: that settles what is uncertain."),
        _ => return None,
    })
}

/// The vendor is not called.
fn shut(stack: &str, standing: &EntityStanding, now: Timestamp) -> Next {
    let vendor = standing.vendor.vendor.as_str();
    if standing.vendor.pause_at(now).is_some() {
        let reason = "resume the vendor once it may be called; what waits is sent within a minute or two.";
        return Next::command(reason, stack, &["vendor", "resume", vendor]);
    }
    let kind = standing.vendor.circuit.as_ref().map(|circuit| circuit.kind);
    let reason = if kind == Some(ErrorKind::Deauthorized) {
        "put a valid credential into the vendor's secret, then let probes go at once."
    } else {
        "nothing: probes go by themselves. If you know that the vendor is well again, let them go at once."
    };
    Next::command(reason, stack, &["vendor", "probe", vendor])
}
