//! What makes two pushes the same push: the idempotency key.

use sha2::{Digest, Sha256};

use super::attempt::Work;
use crate::EntityKey;
use crate::ledger::Tried;

/// What stands for the payload of a removal.
pub(super) const REMOVED: &str = "removed";

/// This push, or its first try if it is a repeat: of the one that was tried last and is not settled, or of the settled one
/// if this is the very next delivery of the message that settled it. Between the two nobody can have pushed anything.
pub(super) fn tried(work: &Work<'_>, hash: &str) -> Tried {
    let record = &work.record;
    if let Some(before) = record.tried.as_ref().filter(|before| before.hash == hash) {
        return before.clone();
    }
    let before = work.leader.receive_count.saturating_sub(1);
    let settled_by_us = record.pushed_by.as_ref() == Some(&delivery_mark(&work.leader.message_id, before));
    let is_settled = record.tried.is_none() && record.pushed_hash.as_deref().unwrap_or(REMOVED) == hash;
    Tried {
        hash: hash.to_owned(),
        revision: match record.pushed_revision {
            Some(revision) if is_settled && settled_by_us => revision,
            _ => record.revision,
        },
    }
}

/// The same for a repeat of the same push in the name of the same event, different for any other.
///
/// The event belongs to it: what an event pushed that was then set aside as a dead letter has left no trace in the record,
/// and a receiver that knows its key would drop the return to that payload.
pub(super) fn idempotency_key(vendor: &str, work: &Work<'_>, tried: &Tried) -> String {
    let Tried { hash, revision } = tried;
    digest(&format!(
        "{vendor}\n{}\n{}\n{hash}\n{revision}",
        work.entity, work.leader.event_id
    ))
}

/// The same for every try to undo this plan, and no push's.
pub(super) fn undo_key(vendor: &str, entity: &EntityKey, plan: &str) -> String {
    digest(&format!("undo\n{vendor}\n{entity}\n{plan}"))
}

/// Which delivery of which message settled a push: eight hexadecimal digits.
pub(super) fn delivery_mark(message_id: &str, receive_count: u32) -> String {
    let mut hash = crate::lane::short_hash(&format!("{message_id}\n{receive_count}"));
    hash.truncate(8);
    hash
}

pub(super) fn digest(text: &str) -> String {
    hex::encode(&Sha256::digest(text)[..16])
}

#[cfg(test)]
mod tests;
