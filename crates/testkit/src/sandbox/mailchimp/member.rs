//! A list member, in the documented shape of an answer (the part of it that a writer can influence).

use std::collections::BTreeMap;

use jiff::Timestamp;
use md5::{Digest, Md5};
use serde::{Deserialize, Serialize, Serializer};
use serde_json::Number;

/// A list member. Source: schema `ListMembers` of the Marketing API description.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Member {
    /// The MD5 of the lower-case address.
    pub id: String,
    /// The address as it was sent.
    pub email_address: String,
    /// Of the address, over all lists.
    pub unique_email_id: String,
    /// Of the contact; survives a change of address.
    pub contact_id: String,
    /// `FNAME` and `LNAME`.
    pub full_name: String,
    /// `html` or `text`.
    pub email_type: String,
    /// The subscription.
    pub status: Status,
    /// The values of the merge fields by tag.
    pub merge_fields: BTreeMap<String, MergeValue>,
    /// By interest id.
    pub interests: BTreeMap<String, bool>,
    /// The language, "" when it was never said.
    pub language: String,
    /// Whether this is a very important member.
    pub vip: bool,
    /// Where the member signed up from, "" when it was never said.
    pub ip_signup: String,
    /// When, "" when it was never said.
    pub timestamp_signup: String,
    /// Where the member confirmed from, "" when it was never said.
    pub ip_opt: String,
    /// When, "" when it was never said.
    pub timestamp_opt: String,
    /// The last accepted write.
    #[serde(serialize_with = "with_offset")]
    pub last_changed: Timestamp,
    /// How the member came to be here.
    pub source: &'static str,
    /// How many `tags` there are.
    pub tags_count: usize,
    /// The tags.
    pub tags: Vec<Tag>,
    /// The list.
    pub list_id: String,
}

impl Member {
    pub(super) fn new(
        list_id: &str,
        address: String,
        contact_id: String,
        status: Status,
        now: Timestamp,
    ) -> Self {
        let mut member = Self {
            id: String::new(),
            email_address: String::new(),
            unique_email_id: String::new(),
            contact_id,
            full_name: String::new(),
            email_type: "html".to_owned(),
            status,
            merge_fields: BTreeMap::new(),
            interests: BTreeMap::new(),
            language: String::new(),
            vip: false,
            ip_signup: String::new(),
            timestamp_signup: String::new(),
            ip_opt: String::new(),
            timestamp_opt: String::new(),
            last_changed: now,
            source: "API - Generic",
            tags_count: 0,
            tags: Vec::new(),
            list_id: list_id.to_owned(),
        };
        member.change_address(address);
        member
    }

    pub(super) fn change_address(&mut self, address: String) {
        self.id = subscriber_hash(&address);
        self.unique_email_id = self.id.chars().take(10).collect();
        self.email_address = address;
    }
}

/// A tag on a member.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Tag {
    /// The tag's id.
    pub id: u64,
    /// Its name.
    pub name: String,
}

/// A subscription's state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// Gets campaigns.
    Subscribed,
    /// Wants none.
    Unsubscribed,
    /// Bounced.
    Cleaned,
    /// Was asked, and has not confirmed.
    Pending,
    /// Never asked for campaigns, and can be sent what they asked for.
    Transactional,
    /// Taken off the list by `DELETE`. Only ever answered: a write cannot name it.
    Archived,
}

/// The value of a merge field: a string, a number or an address. Source: `merge_fields` of
/// `PUT /3.0/lists/{list_id}/members/{subscriber_hash}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum MergeValue {
    /// A text; "" clears the field.
    Text(String),
    /// A number.
    Number(Number),
    /// A postal address.
    Address(PostalAddress),
}

impl From<&str> for MergeValue {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

/// The address form of a merge field.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PostalAddress {
    /// Required.
    pub addr1: String,
    /// Optional.
    #[serde(default)]
    pub addr2: String,
    /// Required.
    pub city: String,
    /// Required.
    pub state: String,
    /// Required.
    pub zip: String,
    /// Optional.
    #[serde(default)]
    pub country: String,
}

/// The MD5 of the lower-case address: a member's `id`, and the path's `subscriber_hash`.
#[must_use]
pub fn subscriber_hash(email: &str) -> String {
    hex::encode(Md5::digest(email.to_lowercase().as_bytes()))
}

fn with_offset<S: Serializer>(time: &Timestamp, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(&time.strftime("%Y-%m-%dT%H:%M:%S+00:00"))
}
