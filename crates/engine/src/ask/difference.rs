//! What would be sent, beside what was sent last.

use serde_json::Value;

use super::fields::{canonical, leaves};
use super::{Basis, Change};
use crate::ledger::{Mark, Said, Sent, members};

/// How two payloads differ.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Difference {
    pub(crate) basis: Basis,
    pub(crate) changes: Vec<Change>,
    pub(crate) left_out: usize,
}

impl Difference {
    /// All that a payload holds.
    pub(crate) fn whole(payload: &Value, basis: Basis) -> Self {
        let new = |(pointer, leaf): (String, &Value)| change(pointer, None, false, Some(leaf));
        Self {
            basis,
            changes: leaves(payload).into_iter().map(new).collect(),
            left_out: 0,
        }
    }

    /// How a payload differs from what was sent last.
    pub(crate) fn between(sent: Option<&Sent>, payload: &Value) -> Self {
        match sent.and_then(Sent::said) {
            None => Self::whole(payload, Basis::Unknown),
            Some(Said::Fields(marks)) => {
                let fields = leaves(payload).into_iter();
                let fields = fields
                    .map(|(pointer, leaf)| (pointer, canonical(leaf), leaf))
                    .collect();
                Self::by_marks(Basis::Fields, marks, fields)
            }
            Some(Said::Members(marks)) => {
                let members = payload.as_object().map(members).unwrap_or_default();
                Self::by_marks(Basis::Members, marks, members)
            }
            Some(Said::Values(before)) => Self::by_values(&before, payload),
        }
    }

    /// Two places may share a mark of two bytes: what is the same is taken out first.
    fn by_marks(basis: Basis, mut sent: Vec<Mark>, now: Vec<(String, String, &Value)>) -> Self {
        let mut take = |is_it: &dyn Fn(Mark) -> bool| {
            let at = sent.iter().position(|mark| is_it(*mark));
            at.map(|at| sent.swap_remove(at)).is_some()
        };
        let other: Vec<_> = now
            .into_iter()
            .map(|(pointer, text, value)| (Mark::of(&pointer, &text), pointer, value))
            .filter(|(mark, ..)| !take(&|sent| sent == *mark))
            .collect();
        let changes = other.into_iter().map(|(mark, pointer, value)| {
            let was_sent = take(&|sent| sent.is_beside(mark));
            change(pointer, None, was_sent, Some(value))
        });
        let changes = changes.collect();
        Self {
            basis,
            changes,
            left_out: sent.len(),
        }
    }

    fn by_values(before: &Value, now: &Value) -> Self {
        let mut changes = Vec::new();
        let mut sent = leaves(before);
        for (pointer, leaf) in leaves(now) {
            let at = sent.iter().position(|(place, _)| *place == pointer);
            let was = at.map(|at| sent.swap_remove(at).1);
            if was.is_none_or(|was| canonical(was) != canonical(leaf)) {
                changes.push(change(pointer, was, was.is_some(), Some(leaf)));
            }
        }
        let gone = sent
            .into_iter()
            .map(|(pointer, was)| change(pointer, Some(was), true, None));
        changes.extend(gone);
        changes.sort_by(|one, other| one.pointer.cmp(&other.pointer));
        Self {
            basis: Basis::Values,
            changes,
            left_out: 0,
        }
    }
}

fn change(pointer: String, before: Option<&Value>, was_sent: bool, after: Option<&Value>) -> Change {
    Change {
        pointer,
        before: before.cloned(),
        was_sent,
        after: after.cloned(),
    }
}

#[cfg(test)]
mod tests;
