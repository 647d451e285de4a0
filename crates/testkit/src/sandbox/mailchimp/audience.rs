//! The lists and what a write does to them.
//!
//! Where the API description is silent the reading is named at the function; it is the one that a client must
//! be able to live with if the live API is that strict.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use jiff::Timestamp;

use super::{
    Mark, Write, WriteKind,
    address::{is_address, is_reserved},
    error::Problem,
    member::{Member, MergeValue, Status, Tag, subscriber_hash},
    submission::Submission,
};

/// All lists of the account.
#[derive(Default)]
pub(super) struct Audience {
    lists: BTreeMap<String, List>,
    pub(super) unknown_properties: BTreeSet<String>,
    pub(super) refuse_reserved: bool,
}

/// One list. Members are kept by the MD5 of their lower-case address.
#[derive(Default)]
pub(super) struct List {
    id: String,
    pub(super) members: BTreeMap<String, Member>,
    pub(super) marks: HashMap<String, Mark>,
    pub(super) writes: Vec<Write>,
    contacts: u64,
}

impl Audience {
    pub(super) fn new(lists: &[String], refuse_reserved: bool) -> Self {
        let list = |id: &String| {
            (
                id.clone(),
                List {
                    id: id.clone(),
                    ..List::default()
                },
            )
        };
        Self {
            lists: lists.iter().map(list).collect(),
            refuse_reserved,
            ..Self::default()
        }
    }

    pub(super) fn list(&self, id: &str) -> Option<&List> {
        self.lists.get(id)
    }

    pub(super) fn list_mut(&mut self, id: &str) -> Result<&mut List, Problem> {
        self.lists.get_mut(id).ok_or_else(Problem::not_found)
    }

    /// Add or update. The member is the path's; failing that the body's, so that a repeated change of address
    /// finds what the first one did.
    pub(super) fn put(
        &mut self,
        list_id: &str,
        key: &str,
        submission: Submission,
        now: Timestamp,
    ) -> Result<Member, Problem> {
        let refuse_reserved = self.refuse_reserved;
        self.unknown_properties.extend(submission.unknown.iter().cloned());
        let list = self.list_mut(list_id)?;
        let address = submission.email_address.clone().unwrap_or_default();
        let hash = subscriber_hash(&address);
        match list.find(key).map(|member| member.id.clone()) {
            Some(known) => list.update(&known, submission, refuse_reserved, now),
            None if list.members.contains_key(&hash) => list.update(&hash, submission, refuse_reserved, now),
            None => list.add(address, submission, refuse_reserved, now),
        }
    }

    /// Update an existing member. `status_if_new` and `tags` are not part of it and ignored.
    pub(super) fn patch(
        &mut self,
        list_id: &str,
        key: &str,
        submission: Submission,
        now: Timestamp,
    ) -> Result<Member, Problem> {
        let refuse_reserved = self.refuse_reserved;
        self.unknown_properties.extend(submission.unknown.iter().cloned());
        let list = self.list_mut(list_id)?;
        let known = list.find(key).ok_or_else(Problem::not_found)?.id.clone();
        list.update(
            &known,
            Submission {
                tags: Vec::new(),
                ..submission
            },
            refuse_reserved,
            now,
        )
    }
}

impl List {
    /// By hash, address or contact id; archived members too.
    pub(super) fn find(&self, key: &str) -> Option<&Member> {
        let by_address = || self.members.get(&subscriber_hash(key));
        let by_contact = || self.members.values().find(|member| member.contact_id == key);
        self.members.get(key).or_else(by_address).or_else(by_contact)
    }

    fn add(
        &mut self,
        address: String,
        submission: Submission,
        refuse_reserved: bool,
        now: Timestamp,
    ) -> Result<Member, Problem> {
        let status = submission
            .status
            .or(submission.status_if_new)
            .unwrap_or(Status::Subscribed);
        self.check_address(&address, refuse_reserved)?;
        self.check_compliance(&address, Some(status))?;
        self.contacts += 1;
        let contact_id = subscriber_hash(&format!("contact {} {}", self.id, self.contacts));
        let member = Member::new(&self.id, address, contact_id, status, now);
        Ok(self.write(WriteKind::Created, apply(member, submission), now))
    }

    /// `status_if_new` says nothing about a member that the list already knows, archived ones included: they
    /// come back with `status` only (seen by clients: mailchimp/mc-woocommerce#951,
    /// brandonseydel/MailChimp.Net#263).
    fn update(
        &mut self,
        known: &str,
        submission: Submission,
        refuse_reserved: bool,
        now: Timestamp,
    ) -> Result<Member, Problem> {
        let before = self.members.get(known).cloned().ok_or_else(Problem::not_found)?;
        let address = submission
            .email_address
            .clone()
            .unwrap_or_else(|| before.email_address.clone());
        let hash = subscriber_hash(&address);
        if hash != known {
            if self.members.contains_key(&hash) {
                return Err(Problem::member_exists(&address));
            }
            self.check_address(&address, refuse_reserved)?;
        }
        self.check_compliance(&address, submission.status)?;
        self.members.remove(known);
        let mut member = apply(before, submission);
        member.change_address(address);
        Ok(self.write(WriteKind::Updated, member, now))
    }

    /// Archives. 404 for an unknown member; 405 for one that is archived already, which is what clients
    /// recorded (title "Method Not Allowed", `Allow: GET, PUT`) and the description leaves open.
    pub(super) fn archive(&mut self, key: &str, now: Timestamp) -> Result<(), Problem> {
        let mut member = self.find(key).cloned().ok_or_else(Problem::not_found)?;
        if member.status == Status::Archived {
            return Err(Problem::not_removable());
        }
        member.status = Status::Archived;
        self.write(WriteKind::Archived, member, now);
        Ok(())
    }

    /// Deletes for good: the address cannot be added again.
    pub(super) fn delete_permanently(&mut self, key: &str, now: Timestamp) -> Result<(), Problem> {
        let member = self.find(key).cloned().ok_or_else(Problem::not_found)?;
        self.marks.insert(member.id.clone(), Mark::Forgotten);
        let member = self.write(WriteKind::Deleted, member, now);
        self.members.remove(&member.id);
        Ok(())
    }

    /// What a test says about an address; a member that is there follows.
    pub(super) fn mark(&mut self, address: &str, mark: Mark) {
        let hash = subscriber_hash(address);
        match (mark, self.members.get_mut(&hash)) {
            (Mark::Unsubscribed, Some(member)) => member.status = Status::Unsubscribed,
            (Mark::Cleaned, Some(member)) => member.status = Status::Cleaned,
            (Mark::Forgotten, _) => drop(self.members.remove(&hash)),
            _ => {}
        }
        self.marks.insert(hash, mark);
    }

    fn write(&mut self, kind: WriteKind, mut member: Member, now: Timestamp) -> Member {
        member.last_changed = now;
        self.writes.push(Write {
            kind,
            member: member.clone(),
        });
        self.members.insert(member.id.clone(), member.clone());
        member
    }

    /// Whether an address may come onto the list.
    fn check_address(&self, address: &str, refuse_reserved: bool) -> Result<(), Problem> {
        if !is_address(address) {
            return Err(Problem::invalid_address("Please provide a valid email address."));
        }
        let fake = || {
            Problem::invalid_address(format!(
                "{address} looks fake or invalid, please enter a real email address."
            ))
        };
        match self.marks.get(&subscriber_hash(address)) {
            Some(Mark::Forgotten) => Err(Problem::forgotten(address)),
            Some(Mark::LooksFake) => Err(fake()),
            Some(Mark::ManyLists) => Err(Problem::invalid_address(format!(
                "{address} has signed up to a lot of lists very recently; we're not allowing more signups for now."
            ))),
            _ if refuse_reserved && is_reserved(address) => Err(fake()),
            _ => Ok(()),
        }
    }

    /// An address that unsubscribed or bounced "cannot be subscribed": neither with campaigns nor without
    /// (`transactional`, the strict reading). `pending` asks the person again, which only a bounce forbids. A
    /// write that leaves the status alone is fine.
    fn check_compliance(&self, address: &str, status: Option<Status>) -> Result<(), Problem> {
        let refused = match self.marks.get(&subscriber_hash(address)) {
            Some(Mark::Unsubscribed) => matches!(status, Some(Status::Subscribed | Status::Transactional)),
            Some(Mark::Cleaned) => {
                matches!(
                    status,
                    Some(Status::Subscribed | Status::Transactional | Status::Pending)
                )
            }
            _ => false,
        };
        if refused {
            Err(Problem::compliance(address))
        } else {
            Ok(())
        }
    }
}

/// Sets what is said and leaves the rest alone.
fn apply(mut member: Member, said: Submission) -> Member {
    fn set<T>(field: &mut T, said: Option<T>) {
        if let Some(value) = said {
            *field = value;
        }
    }
    set(&mut member.email_type, said.email_type);
    set(&mut member.status, said.status);
    set(&mut member.language, said.language);
    set(&mut member.vip, said.vip);
    set(&mut member.ip_signup, said.ip_signup);
    set(&mut member.ip_opt, said.ip_opt);
    set(&mut member.timestamp_signup, said.timestamp_signup);
    set(&mut member.timestamp_opt, said.timestamp_opt);
    member.merge_fields.extend(said.merge_fields);
    member.interests.extend(said.interests);
    for name in said.tags {
        if !member.tags.iter().any(|tag| tag.name == name) {
            member.tags.push(Tag {
                id: member.tags.len() as u64 + 1,
                name,
            });
        }
    }
    member.tags_count = member.tags.len();
    let name = |tag| match member.merge_fields.get(tag) {
        Some(MergeValue::Text(text)) => text.as_str(),
        _ => "",
    };
    let full_name = format!("{} {}", name("FNAME"), name("LNAME"));
    full_name.trim().clone_into(&mut member.full_name);
    member
}
