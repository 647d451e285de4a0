//! An Auth0 user as an audience member.

use serde::Deserialize;
use vendorbridge::EntityKey;
use vendorbridge::vendor::{Field, Invalid};

use super::{Member, MergeFields, Person, address, text};
use crate::config::StatusIfNew;

/// The fields of a user that are used, of an event's `data.object` as of the Management API's answer
/// (<https://auth0.com/docs/api/management/v2/users/get-users-by-id>): the others are neither kept nor asked for.
pub(crate) const FIELDS: [&str; 5] = ["user_id", "email", "given_name", "family_name", "updated_at"];

/// What Auth0 says. It owns the address and the name, and no more: subscription, language, tags and interests are Mailchimp's,
/// whatever `user_metadata` holds.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct User {
    #[serde(rename = "user_id")]
    id: String,
    /// Users of a phone, for example, have none.
    #[serde(default)]
    email: Option<String>,
    #[serde(default)]
    given_name: Field<String>,
    #[serde(default)]
    family_name: Field<String>,
}

impl Person for User {
    fn member(&self, status_if_new: StatusIfNew) -> Result<Member, Invalid> {
        Ok(Member {
            email_address: address(self.email.as_deref())?.to_owned(),
            status_if_new,
            status: None,
            // Whoever was archived may have opted out before: this subscribes nobody.
            status_if_back: StatusIfNew::Transactional,
            merge_fields: MergeFields {
                // A customer's mark is the bare id, so the two are never taken for one another.
                custid: format!("user/{}", self.id),
                fname: text(&self.given_name),
                lname: text(&self.family_name),
                channel: None,
            },
            language: None,
        })
    }

    fn owner(entity: &EntityKey) -> &str {
        entity.as_str()
    }

    fn entity(owner: &str) -> Option<EntityKey> {
        let entity: EntityKey = owner.parse().ok()?;
        (entity.entity_type() == "user").then_some(entity)
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use serde_json::{Value, json};

    use super::*;

    fn map(user: Value) -> Result<Member, Invalid> {
        let user: User = serde_json::from_value(user).unwrap();
        user.member(StatusIfNew::Subscribed)
    }

    #[test]
    fn the_users_of_the_sample_events() {
        let member = |event: &str| {
            let event: Value = serde_json::from_str(event).unwrap();
            map(event["detail"]["data"]["object"].clone())
        };
        let created = member(include_str!("../../../../events/user-created.json")).unwrap();
        insta::assert_json_snapshot!(created, @r#"
        {
          "email_address": "Urist.McVankab@freddiesjokes.com",
          "status_if_new": "subscribed",
          "merge_fields": {
            "CUSTID": "user/auth0|679fb1b1e809445f129bc18d",
            "FNAME": "Urist",
            "LNAME": "McVankab"
          }
        }
        "#);
        let without = member(include_str!("../../../../events/user-created.no-email.json")).unwrap_err();
        assert_eq!(
            without.to_string(),
            "/email: expected an e-mail address, found none"
        );
    }

    #[test]
    fn the_mark_is_the_entitys_key() {
        let entity = EntityKey::new("user", "auth0|1").unwrap();
        let member = map(json!({"user_id": "auth0|1", "email": "a@b.example"})).unwrap();
        assert_eq!(member.owner(), User::owner(&entity));
    }

    #[test]
    fn an_archived_member_comes_back_without_a_subscription() {
        let member = map(json!({"user_id": "auth0|1", "email": "a@b.example"})).unwrap();
        insta::assert_json_snapshot!(member.revived(), @r#"
        {
          "email_address": "a@b.example",
          "status_if_new": "subscribed",
          "status": "transactional",
          "merge_fields": {
            "CUSTID": "user/auth0|1"
          }
        }
        "#);
    }

    #[rstest]
    #[case(json!({"given_name": "Urist"}), json!({"CUSTID": "user/auth0|1", "FNAME": "Urist"}))]
    #[case(json!({"given_name": null}), json!({"CUSTID": "user/auth0|1", "FNAME": ""}))]
    #[case(json!({"family_name": ""}), json!({"CUSTID": "user/auth0|1", "LNAME": ""}))]
    #[case(json!({"name": "a@b.example", "nickname": "a"}), json!({"CUSTID": "user/auth0|1"}))]
    #[case(json!({"user_metadata": {"language": "en", "marketing_opt_in": true}}), json!({"CUSTID": "user/auth0|1"}))]
    fn only_what_auth0_owns_is_said(#[case] user: Value, #[case] merge_fields: Value) {
        let mut said = json!({"user_id": "auth0|1", "email": "a@b.example"});
        said.as_object_mut()
            .unwrap()
            .extend(user.as_object().unwrap().clone());
        let member = serde_json::to_value(map(said).unwrap()).unwrap();
        let expected = json!({
            "email_address": "a@b.example", "status_if_new": "subscribed", "merge_fields": merge_fields,
        });
        assert_eq!(member, expected);
    }
}
