//! The customers of the Infoservice, for the [`Subject`](super::Subject)s that ask it.

use serde_json::{Value, json};

use super::{Change, State};
use crate::sandbox::Sandbox;
use crate::sandbox::infoservice::{Channel, NewPreference};

/// Makes the change: the state is the customer's channel.
pub fn change(sandbox: &Sandbox, change: &Change, email: &str) {
    match change.state {
        None => _ = sandbox.infoservice.remove(&change.id),
        Some(state) => {
            let preference = NewPreference {
                channel: channel(state),
                ..NewPreference::by_email(&change.id, email)
            };
            sandbox.infoservice.put(preference);
        }
    }
}

/// The event that announces it.
#[must_use]
pub fn event(change: &Change) -> Value {
    json!({
        "detail-type": "DeliveryPreferenceUpdated", "source": "infoservice", "detail": {"customerId": change.id},
    })
}

/// The state behind a channel's name at a vendor.
///
/// # Panics
/// If it is no channel's name.
#[must_use]
pub fn state(channel: &str) -> State {
    match channel {
        "EMAIL" => State::First,
        "PAPER" => State::Second,
        "BOTH" => State::Third,
        other => panic!("expected a channel, found `{other}`"),
    }
}

fn channel(state: State) -> Channel {
    match state {
        State::First => Channel::Email,
        State::Second => Channel::Paper,
        State::Third => Channel::Both,
    }
}

/// How it lists its customers, as a function's settings say it. Its list has whole states, whether or not they are taken from there.
#[must_use]
pub fn list(whole: bool) -> Value {
    json!({
        "path": "/customers?limit={limit}&after={page}", "records": "/customers", "id": "/customerId", "next": "/next",
        "total": "/total", "whole": whole,
    })
}
