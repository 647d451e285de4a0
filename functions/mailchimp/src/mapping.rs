//! What the sources say of somebody as an audience member. Pure.

mod customer;
mod listed;
mod user;

use md5::{Digest, Md5};
use serde::Serialize;
use serde::de::DeserializeOwned;
use vendorbridge::EntityKey;
use vendorbridge::vendor::{Field, Invalid};

use crate::config::StatusIfNew;

pub(crate) use customer::Preference;
pub(crate) use listed::{LISTED_FIELDS, Listed};
pub(crate) use user::{FIELDS as USER_FIELDS, User};

/// Somebody who becomes a member.
pub(crate) trait Person: DeserializeOwned + Send + 'static {
    /// The member that follows from what the source says.
    fn member(&self, status_if_new: StatusIfNew) -> Result<Member, Invalid>;

    /// The mark by which a member is known to be this entity's: the same as its [`Member::owner`].
    fn owner(entity: &EntityKey) -> &str;

    /// The entity of this type whose mark that is.
    fn entity(owner: &str) -> Option<EntityKey>;
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
    /// The status of an archived member that comes back.
    #[serde(skip)]
    status_if_back: StatusIfNew,
    merge_fields: MergeFields,
    #[serde(skip_serializing_if = "Option::is_none")]
    language: Option<String>,
}

/// Merge fields are a string, a number or an address; `null` is refused. The empty string clears one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "UPPERCASE")]
struct MergeFields {
    /// Whose member this is: several people may share an address, but a member can follow only one.
    custid: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    fname: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    lname: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    channel: Option<customer::Channel>,
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
            status: Some(self.status_if_back),
            ..self.clone()
        }
    }

    /// Whose member this is.
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
