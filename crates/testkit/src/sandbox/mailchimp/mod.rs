//! The Mailchimp Marketing API, as far as list members go.
//!
//! Facts, unless said otherwise: the Marketing API description (mailchimp/mailchimp-marketing-cli,
//! `cli/mailchimp/openapi0.json`) and its older versions 3.0.55 and 3.0.85, and
//! <https://mailchimp.com/developer/marketing/docs/fundamentals/>.

mod address;
mod audience;
mod error;
mod member;
mod routes;
mod submission;

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex},
    time::Duration,
};

use axum::Router;
use serde_json::Value;

pub use self::member::{Member, MergeValue, PostalAddress, Status, Tag, subscriber_hash};
use self::{audience::Audience, error::Problem};
use super::{
    Faults, SandboxConfig,
    desk::{Desk, Rules, Shared},
    lock,
};

/// More than any member needs.
const BODY_LIMIT: usize = 1024 * 1024;

/// Mailchimp's handle; clones share the service.
#[derive(Clone)]
pub struct Mailchimp {
    api_key: Arc<str>,
    desk: Arc<Desk>,
    audience: Arc<Mutex<Audience>>,
}

/// What Mailchimp knows about an address that makes it refuse to take it. The texts are those that clients
/// saw (ibericode/mailchimp-for-wordpress#798 and #771, JustFixNYC/tenants2#1554).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mark {
    /// Unsubscribed before: "Member In Compliance State" for a write that would subscribe it.
    Unsubscribed,
    /// Bounced before: the same, and `pending` does not help.
    Cleaned,
    /// Deleted for good: "Forgotten Email Not Subscribed".
    Forgotten,
    /// "looks fake or invalid".
    LooksFake,
    /// "signed up to a lot of lists very recently".
    ManyLists,
}

/// A write that was accepted.
#[derive(Debug, Clone, PartialEq)]
pub struct Write {
    /// What it did.
    pub kind: WriteKind,
    /// The member as the write left it (for a deletion: as it was).
    pub member: Member,
}

/// What a write did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WriteKind {
    /// A new member.
    Created,
    /// An existing one, a change of address included.
    Updated,
    /// Off the list.
    Archived,
    /// Gone for good.
    Deleted,
}

impl Mailchimp {
    pub(super) fn new(config: &SandboxConfig, shared: &Arc<Shared>) -> Self {
        let audience = Audience::new(&config.lists, config.refuse_reserved_addresses);
        let audience = Arc::new(Mutex::new(audience));
        let known = audience.clone();
        let rules = Rules {
            service: "mailchimp",
            connections: Some(config.connections),
            body_limit: BODY_LIMIT,
            refuse: |status, detail| axum::response::IntoResponse::into_response(Problem::of(status, detail)),
            subjects: Box::new(move |path, body| subjects(&lock(&known), path, body)),
        };
        Self {
            api_key: config.api_key.as_str().into(),
            desk: Desk::new(rules, shared),
            audience,
        }
    }

    pub(super) fn router(&self) -> Router {
        routes::router(self.clone())
    }

    /// Who is on a list; archived members are not.
    #[must_use]
    pub fn members(&self, list_id: &str) -> Vec<Member> {
        self.collect(list_id, |member| member.status != Status::Archived)
    }

    /// Who was taken off a list and not put back.
    #[must_use]
    pub fn archived(&self, list_id: &str) -> Vec<Member> {
        self.collect(list_id, |member| member.status == Status::Archived)
    }

    /// A member by address, hash or contact id; archived ones too, as `GET` answers them.
    #[must_use]
    pub fn member(&self, list_id: &str, key: &str) -> Option<Member> {
        lock(&self.audience).list(list_id)?.find(key).cloned()
    }

    /// How many members of a list have this address, in upper or lower case.
    #[must_use]
    pub fn how_many_with_email(&self, list_id: &str, email: &str) -> usize {
        let email = email.to_lowercase();
        self.members(list_id)
            .iter()
            .filter(|member| member.email_address.to_lowercase() == email)
            .count()
    }

    /// The accepted writes of the contact that has, or once had, this address, hash or contact id; oldest
    /// first.
    #[must_use]
    pub fn history(&self, list_id: &str, key: &str) -> Vec<Write> {
        let audience = lock(&self.audience);
        let Some(list) = audience.list(list_id) else {
            return Vec::new();
        };
        let hash = subscriber_hash(key);
        let is_named = |member: &Member| member.id == hash || member.id == key || member.contact_id == key;
        let contacts: BTreeSet<_> = list
            .writes
            .iter()
            .filter(|write| is_named(&write.member))
            .map(|write| &write.member.contact_id)
            .collect();
        list.writes
            .iter()
            .filter(|write| contacts.contains(&write.member.contact_id))
            .cloned()
            .collect()
    }

    /// The accepted writes of a whole list, oldest first.
    #[must_use]
    pub fn writes(&self, list_id: &str) -> Vec<Write> {
        lock(&self.audience)
            .list(list_id)
            .map(|list| list.writes.clone())
            .unwrap_or_default()
    }

    /// Says something about an address. A member that has it becomes unsubscribed or cleaned, or is gone.
    pub fn mark(&self, list_id: &str, email: &str, mark: Mark) {
        if let Ok(list) = lock(&self.audience).list_mut(list_id) {
            list.mark(email, mark);
        }
    }

    /// Takes back [`mark`](Self::mark).
    pub fn unmark(&self, list_id: &str, email: &str) {
        if let Ok(list) = lock(&self.audience).list_mut(list_id) {
            list.marks.remove(&subscriber_hash(email));
        }
    }

    /// Whether reserved addresses such as `@example.com` "look fake" from now on.
    pub fn refuse_reserved_addresses(&self, refuse: bool) {
        lock(&self.audience).refuse_reserved = refuse;
    }

    /// Top-level properties that were sent and that the API does not know: ignored, and most likely misspelt.
    #[must_use]
    pub fn unknown_properties(&self) -> BTreeSet<String> {
        lock(&self.audience).unknown_properties.clone()
    }

    /// Its fault plan.
    #[must_use]
    pub fn faults(&self) -> &Faults {
        &self.desk.faults
    }

    /// Requests received, refused and broken ones included.
    #[must_use]
    pub fn calls(&self) -> u64 {
        self.desk.calls()
    }

    /// [`calls`](Self::calls) about one member: by hash or by address.
    #[must_use]
    pub fn calls_for(&self, hash_or_email: &str) -> u64 {
        self.desk.calls_for(hash_or_email)
    }

    /// The most requests that were there at a time, those refused for it included.
    #[must_use]
    pub fn max_concurrent(&self) -> usize {
        self.desk.max_concurrent()
    }

    /// Every request from now on takes at least this long.
    pub fn latency(&self, latency: Duration) {
        self.desk.set_latency(latency);
    }

    fn collect(&self, list_id: &str, wanted: impl Fn(&Member) -> bool) -> Vec<Member> {
        let audience = lock(&self.audience);
        audience
            .list(list_id)
            .into_iter()
            .flat_map(|list| list.members.values())
            .filter(|m| wanted(m))
            .cloned()
            .collect()
    }
}

/// The path's key, the address behind it, and the address in the body.
fn subjects(audience: &Audience, path: &[&str], body: &[u8]) -> Vec<String> {
    let &[list_id, key, ..] = path else {
        return Vec::new();
    };
    let member = audience.list(list_id).and_then(|list| list.find(key));
    let behind = member
        .into_iter()
        .flat_map(|member| [member.id.clone(), member.contact_id.clone()]);
    let body: Option<Value> = serde_json::from_slice(body).ok();
    let sent = body.as_ref().and_then(|body| body.get("email_address")?.as_str());
    std::iter::once(key.to_owned())
        .chain(behind)
        .chain(sent.map(str::to_owned))
        .collect()
}
