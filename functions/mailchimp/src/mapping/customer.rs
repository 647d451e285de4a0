//! A customer's delivery preference as an audience member.

use serde::{Deserialize, Serialize};
use vendorbridge::EntityKey;
use vendorbridge::vendor::{Field, Invalid};

use super::{Member, MergeFields, Person, address, text};
use crate::config::StatusIfNew;

/// What the Infoservice says. Fields that Mailchimp does not need are not read.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Preference {
    customer_id: String,
    #[serde(default)]
    email: Option<String>,
    channel: Channel,
    #[serde(default)]
    first_name: Field<String>,
    #[serde(default)]
    last_name: Field<String>,
    #[serde(default)]
    language: Field<String>,
}

/// How a customer wants to get statements.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub(crate) enum Channel {
    Email,
    Paper,
    Both,
}

impl Person for Preference {
    fn member(&self, status_if_new: StatusIfNew) -> Result<Member, Invalid> {
        Ok(Member {
            email_address: address(self.email.as_deref())?.to_owned(),
            status_if_new,
            status: None,
            status_if_back: status_if_new,
            merge_fields: MergeFields {
                custid: self.customer_id.clone(),
                fname: text(&self.first_name),
                lname: text(&self.last_name),
                channel: Some(self.channel),
            },
            // A language cannot be cleared: Mailchimp falls back to the audience's own.
            language: match &self.language {
                Field::Set(language) => Some(language.clone()),
                Field::Leave | Field::Clear => None,
            },
        })
    }

    fn owner(entity: &EntityKey) -> &str {
        entity.id()
    }

    fn entity(owner: &str) -> Option<EntityKey> {
        // A user's mark is its key.
        let is_user = owner.starts_with("user/");
        EntityKey::new("customer", owner).ok().filter(|_| !is_user)
    }
}

#[cfg(test)]
mod tests {
    use md5::{Digest, Md5};
    use rstest::rstest;
    use serde_json::json;

    use super::*;

    fn map(preference: serde_json::Value) -> Result<Member, Invalid> {
        let preference: Preference = serde_json::from_value(preference).unwrap();
        preference.member(StatusIfNew::Transactional)
    }

    #[test]
    fn a_full_preference() {
        let mapped = map(json!({
            "customerId": "c-4711", "version": 12, "channel": "EMAIL", "email": "Ada@Lovelace.example",
            "firstName": "Ada", "lastName": "Lovelace", "language": "en",
            "address": {"line1": "Street 1", "city": "London", "postalCode": "N1", "country": "GB"},
            "updatedAt": "2026-01-29T14:36:25Z",
        }))
        .unwrap();
        insta::assert_json_snapshot!(mapped, @r#"
        {
          "email_address": "Ada@Lovelace.example",
          "status_if_new": "transactional",
          "merge_fields": {
            "CUSTID": "c-4711",
            "FNAME": "Ada",
            "LNAME": "Lovelace",
            "CHANNEL": "EMAIL"
          },
          "language": "en"
        }
        "#);
        // md5("ada@lovelace.example")
        assert_eq!(
            mapped.subscriber_hash(),
            hex::encode(Md5::digest("ada@lovelace.example"))
        );
    }

    #[test]
    fn unknown_leaves_alone_and_null_clears() {
        let mapped =
            map(json!({"customerId": "c-1", "channel": "PAPER", "email": "a@b.example", "lastName": null}))
                .unwrap();
        insta::assert_json_snapshot!(mapped, @r#"
        {
          "email_address": "a@b.example",
          "status_if_new": "transactional",
          "merge_fields": {
            "CUSTID": "c-1",
            "LNAME": "",
            "CHANNEL": "PAPER"
          }
        }
        "#);
        insta::assert_json_snapshot!(mapped.as_update(), @r#"
        {
          "email_address": "a@b.example",
          "merge_fields": {
            "CUSTID": "c-1",
            "LNAME": "",
            "CHANNEL": "PAPER"
          }
        }
        "#);
    }

    #[rstest]
    #[case(json!(null), "found none")]
    #[case(json!(""), "found an empty text")]
    #[case(json!("ada"), "found a text of another form")]
    #[case(json!("a@b@c"), "found a text of another form")]
    #[case(json!("a b@c.example"), "found a text of another form")]
    #[case(json!("@c.example"), "found a text of another form")]
    fn an_unusable_address_is_named_and_not_quoted(#[case] email: serde_json::Value, #[case] found: &str) {
        let invalid = map(json!({"customerId": "c-1", "channel": "BOTH", "email": email})).unwrap_err();
        assert_eq!(invalid.pointer, "/email");
        assert_eq!(invalid.message, format!("expected an e-mail address, {found}"));
    }
}
