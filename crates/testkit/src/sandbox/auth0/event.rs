//! What a tenant publishes through its EventBridge partner source: events of an event stream
//! (<https://auth0.com/docs/customize/events/events-best-practices>, <https://auth0.com/docs/events/user/user.created>) and the
//! older entries of a log stream (<https://auth0.com/docs/customize/log-streams/amazon-eventbridge>).

use jiff::Timestamp;
use serde_json::{Value, json};

use super::User;

/// The tenant's partner source, without the stream's kind.
const PARTNER: &str = "aws.partner/auth0.com/acme-2308531e-1ba0-4824-a5de-5fa1d5928ea4";

/// What happened to a user.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// `user.created`.
    Created,
    /// `user.updated`.
    Updated,
    /// `user.deleted`.
    Deleted,
}

impl Change {
    fn kind(self) -> &'static str {
        match self {
            Self::Created => "user.created",
            Self::Updated => "user.updated",
            Self::Deleted => "user.deleted",
        }
    }
}

/// An event of the event stream as EventBridge delivers it: a `CloudEvent` that carries the user.
#[must_use]
pub fn event(change: Change, user: &User, id: &str, time: Timestamp) -> Value {
    let detail = json!({
        "specversion": "1.0", "type": change.kind(), "source": "urn:auth0:acme.eu", "id": format!("evt_{id}"),
        "time": format!("{time:.3}"), "a0tenant": "acme", "a0stream": "est_8SfwXrtm8nVcjzzNCFFH1L",
        "data": {
            "object": user,
            "context": {"tenant": {"tenant_id": "ten_1234567890abcdef"}},
        },
    });
    envelope(change.kind(), "auth0.events", id, time, &detail)
}

/// An entry of the log stream: the user signed up. It carries too little of the profile to be synced from.
#[must_use]
pub fn sign_up(user: &User, id: &str, time: Timestamp) -> Value {
    let detail = json!({
        "log_id": id,
        "data": {
            "date": format!("{time:.3}"), "type": "ss", "description": "", "client_name": "shop",
            "connection": "Username-Password-Authentication", "log_id": id,
            "user_id": user.user_id, "user_name": user.email,
            "details": {"body": {"email": user.email, "tenant": "acme", "transaction": {}}},
        },
    });
    envelope("Auth0 log", "auth0.logs", id, time, &detail)
}

fn envelope(detail_type: &str, stream: &str, id: &str, time: Timestamp, detail: &Value) -> Value {
    json!({
        "version": "0", "id": id, "detail-type": detail_type, "source": format!("{PARTNER}/{stream}"),
        "account": "123456789012", "time": format!("{time:.0}"), "region": "eu-west-1", "resources": [],
        "detail": detail,
    })
}
