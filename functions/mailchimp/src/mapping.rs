//! A customer's delivery preference as an audience member. Pure.

use md5::{Digest, Md5};
use serde::{Deserialize, Serialize};
use vendorbridge::vendor::{Field, Invalid};

use crate::config::StatusIfNew;

/// What the Infoservice says. Fields that Mailchimp does not need are not read.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Preference {
    pub(crate) customer_id: String,
    #[serde(default)]
    pub(crate) email: Option<String>,
    pub(crate) channel: Channel,
    #[serde(default)]
    pub(crate) first_name: Field<String>,
    #[serde(default)]
    pub(crate) last_name: Field<String>,
    #[serde(default)]
    pub(crate) language: Field<String>,
}

/// How a customer wants to get statements.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub(crate) enum Channel {
    Email,
    Paper,
    Both,
}

/// The body of `PUT /lists/{list_id}/members/{subscriber_hash}`
/// (<https://mailchimp.com/developer/marketing/api/list-members/add-or-update-list-member/>).
///
/// `status` is sent only to bring an archived member back: on any other it could resubscribe someone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Member {
    email_address: String,
    status_if_new: StatusIfNew,
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<StatusIfNew>,
    merge_fields: MergeFields,
    #[serde(skip_serializing_if = "Option::is_none")]
    language: Option<String>,
}

/// Merge fields are a string, a number or an address; `null` is refused. The empty string clears one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "UPPERCASE")]
struct MergeFields {
    /// Whose member this is: several customers may share an address, but a member can follow only one.
    custid: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    fname: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    lname: Option<String>,
    channel: Channel,
}

/// The body of `PATCH` on the same path: `status_if_new` has no place in an update of a member that exists.
#[derive(Debug, Serialize)]
pub(crate) struct MemberUpdate<'a> {
    email_address: &'a str,
    merge_fields: &'a MergeFields,
    #[serde(skip_serializing_if = "Option::is_none")]
    language: Option<&'a str>,
}

impl Member {
    /// The MD5 of the lower-case address: the member's id in an audience.
    pub(crate) fn subscriber_hash(&self) -> String {
        hex::encode(Md5::digest(self.email_address.to_lowercase()))
    }

    /// The same, for a member that is archived: `status_if_new` alone would leave it so.
    pub(crate) fn revived(&self) -> Self {
        Self {
            status: Some(self.status_if_new),
            ..self.clone()
        }
    }

    /// The customer whose member this is.
    pub(crate) fn owner(&self) -> &str {
        &self.merge_fields.custid
    }

    pub(crate) fn as_update(&self) -> MemberUpdate<'_> {
        MemberUpdate {
            email_address: &self.email_address,
            merge_fields: &self.merge_fields,
            language: self.language.as_deref(),
        }
    }
}

/// Maps a preference to a member.
pub(crate) fn member(preference: &Preference, status_if_new: StatusIfNew) -> Result<Member, Invalid> {
    Ok(Member {
        email_address: address(preference.email.as_deref())?.to_owned(),
        status_if_new,
        status: None,
        merge_fields: MergeFields {
            custid: preference.customer_id.clone(),
            fname: text(&preference.first_name),
            lname: text(&preference.last_name),
            channel: preference.channel,
        },
        // A language cannot be cleared: Mailchimp falls back to the audience's own.
        language: match &preference.language {
            Field::Set(language) => Some(language.clone()),
            Field::Leave | Field::Clear => None,
        },
    })
}

fn text(field: &Field<String>) -> Option<String> {
    match field {
        Field::Leave => None,
        Field::Clear => Some(String::new()),
        Field::Set(text) => Some(text.clone()),
    }
}

/// A cheap check; Mailchimp itself has the last word.
fn address(email: Option<&str>) -> Result<&str, Invalid> {
    let found = |what| Invalid::new("/email", format!("expected an e-mail address, found {what}"));
    let email = email.ok_or_else(|| found("none"))?;
    if email.is_empty() {
        return Err(found("an empty text"));
    }
    let mut parts = email.split('@');
    let usable = matches!((parts.next(), parts.next(), parts.next()), (Some(local), Some(domain), None)
        if !local.is_empty() && !domain.is_empty());
    if !usable || email.len() > 254 || email.chars().any(|c| c.is_whitespace() || c.is_control()) {
        return Err(found("a text of another form"));
    }
    Ok(email)
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use serde_json::json;

    use super::*;

    fn map(preference: serde_json::Value) -> Result<Member, Invalid> {
        member(
            &serde_json::from_value(preference).unwrap(),
            StatusIfNew::Transactional,
        )
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
