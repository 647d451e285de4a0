//! A dead letter, and where it belongs. Pure.

use vendorbridge::EntityKey;
use vendorbridge::lane::lane;
use vendorbridge::message::{Envelope, SYNC_REQUESTED};

use crate::lanes::INTAKE;

/// A message of a dead-letter queue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Letter {
    pub(super) message_id: String,
    pub(super) receipt: String,
    /// The message group that it died in.
    pub(super) group: String,
    pub(super) body: String,
    /// The run of `redrive` that put it back, if one did.
    pub(super) returned_by: Option<String>,
}

/// What is to be done with a letter that was chosen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Way {
    /// The entity is asked for anew, whatever the ledger knows.
    SyncNow(EntityKey),
    /// The message itself goes back to where it died.
    AsItIs,
    /// No function can read it, and none will.
    Unreadable(String),
}

impl Letter {
    /// The entity that it is about, as far as that can be told without knowing what announces it: by its lane, or by the detail
    /// of a message of our own.
    pub(super) fn entity(&self) -> Option<EntityKey> {
        if let Ok(entity) = self.group.parse::<EntityKey>()
            && lane(&entity) == self.group
        {
            return Some(entity);
        }
        let envelope = Envelope::parse(&self.body).ok()?;
        let entity: EntityKey = envelope.detail.get("entity")?.as_str()?.parse().ok()?;
        let is_ours = envelope.detail_type == SYNC_REQUESTED || lane(&entity) == self.group;
        is_ours.then_some(entity)
    }

    /// Whether it is about one of these. A hashed lane tells that, too.
    pub(super) fn is_about(&self, entities: &[EntityKey]) -> bool {
        let entity = self.entity();
        entities
            .iter()
            .any(|wanted| entity.as_ref() == Some(wanted) || lane(wanted) == self.group)
    }

    /// Where it goes. `reads` says whether a type's entities can be asked of the source; where they cannot, the message is the only
    /// one that has the state.
    pub(super) fn way(&self, reads: impl Fn(&str) -> bool) -> Way {
        if let Err(malformed) = Envelope::parse(&self.body) {
            return Way::Unreadable(malformed.reason);
        }
        match self.entity() {
            Some(entity) if reads(entity.entity_type()) => Way::SyncNow(entity),
            _ => Way::AsItIs,
        }
    }

    /// Whether it died before it was handed on to its lane.
    pub(super) fn is_intake(&self) -> bool {
        self.group == INTAKE
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use serde_json::{Value, json};

    use super::*;

    const HASHED: &str = "sha256:cf1b5d3e47e603aa558f48c8cc0608cea7c40de74890f76913ec200dc79ae665";

    fn event(detail_type: &str, detail: &Value) -> String {
        json!({
            "id": "e-1", "detail-type": detail_type, "source": "s", "time": "2026-01-29T14:36:26Z", "detail": detail,
        })
        .to_string()
    }

    fn letter(group: &str, body: &str) -> Letter {
        Letter {
            message_id: "m-1".into(),
            receipt: "r-1".into(),
            group: group.into(),
            body: body.into(),
            returned_by: None,
        }
    }

    #[rstest]
    #[case::a_lane_is_a_key("customer/1", event("Changed", &json!({})), Some("customer/1"))]
    #[case::whatever_the_body("customer/1", "no JSON".into(), Some("customer/1"))]
    #[case::a_request_in_intake("intake", event("SyncRequested", &json!({"entity": "customer/2"})), Some("customer/2"))]
    #[case::an_event_in_intake("intake", event("Changed", &json!({"customer_id": "c-1"})), None)]
    #[case::a_foreign_detail("intake", event("Changed", &json!({"entity": "customer/2"})), None)]
    #[case::a_hashed_lane(HASHED, event("RetryDue", &json!({"entity": "customer/å"})), Some("customer/å"))]
    #[case::another_ones_hash(HASHED, event("RetryDue", &json!({"entity": "customer/ä"})), None)]
    fn the_entity_is_told_or_not(#[case] group: &str, #[case] body: String, #[case] expected: Option<&str>) {
        let entity = letter(group, &body).entity();
        assert_eq!(entity.as_ref().map(EntityKey::as_str), expected);
    }

    #[test]
    fn a_hashed_lane_is_found_by_its_entity() {
        let letter = letter(HASHED, &event("Changed", &json!({})));
        assert!(letter.is_about(&["customer/å".parse().unwrap()]));
        assert!(!letter.is_about(&["customer/ä".parse().unwrap()]));
    }

    #[rstest]
    #[case::readable("customer/1", event("Changed", &json!({})), Way::SyncNow("customer/1".parse().unwrap()))]
    #[case::carried("order/1", event("Changed", &json!({})), Way::AsItIs)]
    #[case::intake("intake", event("Changed", &json!({})), Way::AsItIs)]
    fn a_letter_goes_where_it_belongs(#[case] group: &str, #[case] body: String, #[case] expected: Way) {
        assert_eq!(letter(group, &body).way(|kind| kind == "customer"), expected);
    }

    #[rstest]
    fn what_nobody_can_read_stays(#[values("", "no JSON", "{}", r#"{"id": 1}"#)] body: &str) {
        let way = letter("customer/1", body).way(|_| true);
        assert!(matches!(way, Way::Unreadable(_)), "{way:?}");
    }
}
