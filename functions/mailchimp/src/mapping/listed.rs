//! An audience member as Mailchimp lists it, in the form of what is sent.

use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::config::StatusIfNew;

/// What is asked for: of each member, and how many there are
/// (<https://mailchimp.com/developer/marketing/api/list-members/list-members-info/>).
pub(crate) const LISTED_FIELDS: &str =
    "total_items,members.id,members.email_address,members.status,members.merge_fields,members.language";

/// The merge fields that a [`Member`](super::Member) can have.
const MERGE_FIELDS: [&str; 4] = ["CUSTID", "FNAME", "LNAME", "CHANNEL"];

/// A member.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Listed {
    pub(crate) id: String,
    email_address: String,
    status: String,
    #[serde(default)]
    merge_fields: Map<String, Value>,
    #[serde(default)]
    language: String,
}

impl Listed {
    /// Whether it is a member: what was removed is archived.
    pub(crate) fn is_there(&self) -> bool {
        self.status != "archived"
    }

    /// Whose member it is; empty if nobody is known.
    pub(crate) fn owner(&self) -> &str {
        self.merge_fields
            .get("CUSTID")
            .and_then(Value::as_str)
            .unwrap_or_default()
    }

    /// What would have been sent for it. The status of a new member is not kept: it stands here as it would be sent now.
    pub(crate) fn payload(&self, status_if_new: StatusIfNew) -> Value {
        let ours = self.merge_fields.iter();
        let ours = ours.filter(|(name, _)| MERGE_FIELDS.contains(&name.as_str()));
        let merge_fields: Map<_, _> = ours.map(|(name, value)| (name.clone(), value.clone())).collect();
        let mut payload = json!({
            "email_address": self.email_address, "status_if_new": status_if_new, "merge_fields": merge_fields,
        });
        // It is empty where it was never said.
        if !self.language.is_empty() {
            payload["language"] = self.language.as_str().into();
        }
        payload
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_member_in_the_form_of_what_is_sent() {
        let listed: Listed = serde_json::from_value(json!({
            "id": "0f1e", "email_address": "ada@lovelace.example", "status": "unsubscribed", "language": "",
            "merge_fields": {"CUSTID": "c-1", "FNAME": "Ada", "LNAME": "", "BIRTHDAY": "12/10"},
        }))
        .unwrap();
        assert!(listed.is_there());
        assert_eq!(listed.owner(), "c-1");
        let expected = json!({
            "email_address": "ada@lovelace.example", "status_if_new": "pending",
            "merge_fields": {"CUSTID": "c-1", "FNAME": "Ada", "LNAME": ""},
        });
        assert_eq!(listed.payload(StatusIfNew::Pending), expected);
    }
}
