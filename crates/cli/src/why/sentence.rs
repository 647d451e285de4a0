//! A finding in a sentence or two.

use vendorbridge::EntityKey;

use super::finding::Finding;
use crate::failure::Failure;
use crate::output::time;

/// What a finding means.
pub(super) fn of(finding: &Finding, vendor: &str, entity: &EntityKey) -> String {
    match finding {
        Finding::NeverSeen => format!(
            "{vendor} never got an event about it: nothing was announced, or no rule routes `{}` to {vendor}.",
            entity.entity_type()
        ),
        Finding::AtVendor {
            read_at,
            settled_at,
            link,
            version,
        } => {
            let read = some(*read_at, |at| format!(" at {}", time(at)));
            let version = some(version.as_ref(), |version| format!(", version {version}"));
            let at = time(*settled_at);
            format!(
                "{vendor} holds{} what the source held when it was read{read}{version}; settled at {at}.",
                as_link(link.as_ref())
            )
        }
        Finding::Removed { since } => {
            let since = time(*since);
            format!("The source no longer has it, and neither has {vendor}, since {since}.")
        }
        Finding::Excluded { since, rule } => {
            let rule = some(rule.as_ref(), |rule| format!(" `{rule}`"));
            format!("A rule{rule} keeps it from {vendor} since {}.", time(*since))
        }
        Finding::Rejected {
            since,
            attempts,
            error,
        } => format!(
            "It is refused for good since {}, at try {attempts}: nothing is tried again before its next event. {}",
            time(*since),
            failed(error.as_ref())
        ),
        Finding::UsedUp {
            since,
            attempts,
            error,
        } => format!(
            "Its retries are used up since {}, {}: nothing is tried again before its next event. {}",
            time(*since),
            tries(*attempts),
            failed(error.as_ref())
        ),
        Finding::Paused { since, until, reason } => {
            let until = until.map_or("until it is resumed".to_owned(), |at| {
                format!("until {}", time(at))
            });
            let reason = reason.as_ref();
            let reason = reason.map_or("no reason given".to_owned(), |reason| {
                format!("because: {reason}")
            });
            format!(
                "{vendor} is paused since {} {until}, {reason}. Nothing is sent to it.",
                time(*since)
            )
        }
        Finding::Completed { steps } => format!("Completed and not done again: {}.", steps.join(", ")),
        Finding::HoldsEarlier { read_at, link } => {
            let read = some(*read_at, |at| format!(", read at {}", time(at)));
            format!("{vendor} holds an earlier state{}{read}.", as_link(link.as_ref()))
        }
        Finding::HoldsNothing => format!("As far as the ledger knows, {vendor} holds nothing of it."),
        Finding::Covered {
            event_id, read_at, ..
        } => {
            let read = some(*read_at, |at| format!(" at {}", time(at)));
            format!(
                "The event {event_id} is covered: the source was read{read}, which saw its change already."
            )
        }
        Finding::Coalesced {
            event_id, by_event, ..
        } => {
            let by = by_event.as_ref();
            let by = by.map_or("Another event".to_owned(), |by| format!("The event {by}"));
            format!("{by} does the work of the event {event_id} too.")
        }
        Finding::LastEvent {
            event_id,
            event_time,
            status,
            settled_at,
        } => format!(
            "The latest event is {event_id}, sent at {}: {status} at {}.",
            time(*event_time),
            time(*settled_at)
        ),
        Finding::Parked { .. } => parked(finding),
        Finding::CircuitOpen { .. } => circuit(finding, vendor),
        Finding::InDoubt { .. } => doubt(finding),
    }
}

fn parked(finding: &Finding) -> String {
    let Finding::Parked {
        since,
        until,
        is_due,
        attempts,
        event_id,
        detail_type,
        error,
        ..
    } = finding
    else {
        return String::new();
    };
    let was = if *is_due { "was" } else { "is" };
    format!(
        "It waits since {}, {}; the next try {was} due at {}, for the event {event_id} ({detail_type}). {}",
        time(*since),
        tries(*attempts),
        time(*until),
        failed(Some(error))
    )
}

fn circuit(finding: &Finding, vendor: &str) -> String {
    let Finding::CircuitOpen {
        since,
        probes_from,
        probes_are_due,
        times,
        reason,
        ..
    } = finding
    else {
        return String::new();
    };
    let probes = if *probes_are_due {
        "probes may go now".to_owned()
    } else {
        format!("probes go from {}", time(*probes_from))
    };
    let times = if *times > 1 {
        format!(", {times} times in a row")
    } else {
        String::new()
    };
    let since = time(*since);
    format!("The circuit of {vendor} is open since {since}{times}, because: {reason}; {probes}.")
}

fn doubt(finding: &Finding) -> String {
    let Finding::InDoubt {
        is_unsure,
        is_tried,
        reserved_until,
        begun,
        effects,
    } = finding
    else {
        return String::new();
    };
    let mut doubts = Vec::new();
    if *is_unsure {
        doubts.push("what the vendor holds is uncertain".to_owned());
    }
    if *is_tried {
        doubts.push("a push was tried whose outcome is not known".to_owned());
    }
    if let Some(until) = reserved_until {
        doubts.push(format!(
            "a create may happen, or have happened, until {}",
            time(*until)
        ));
    }
    if !begun.is_empty() {
        doubts.push(format!("steps may have happened: {}", begun.join(", ")));
    }
    if !effects.is_empty() {
        let effects = effects.join(", ");
        doubts.push(format!(
            "calls that happen only once may have happened: {effects}"
        ));
    }
    format!(
        "In doubt: {}. The next sync takes no shortcut, and looks before it does something twice.",
        doubts.join("; ")
    )
}

fn failed(error: Option<&Failure>) -> String {
    error.map_or("The ledger does not say why.".to_owned(), |error| {
        format!("It failed at {}", error.words())
    })
}

fn tries(attempts: u32) -> String {
    match attempts {
        0 => "without a try of its own".to_owned(),
        1 => "after 1 failed try".to_owned(),
        tries => format!("after {tries} failed tries"),
    }
}

fn as_link(link: Option<&String>) -> String {
    some(link, |link| format!(" as {link}"))
}

fn some<T>(value: Option<T>, words: impl FnOnce(T) -> String) -> String {
    value.map_or_else(String::new, words)
}
