//! Where in the caller's data a part of the state came from.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::violation::unescaped;

/// For each part of the state that an event brought, the place in the caller's data that it came from: a failure at
/// `/course/title` of the state is told to the caller as one at `/altName`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Origin(Option<Source>);

/// Where one part came from. Short in JSON, as it is kept with every request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub(super) enum Source {
    /// One value: `"/altName"` if it was made from what is there, `"=/title"` if it is what is there, member by member.
    One(String),
    /// An object, put together.
    Object {
        /// What it is about as a whole.
        #[serde(rename = "@", default, skip_serializing_if = "Option::is_none")]
        at: Option<String>,
        /// Its members.
        #[serde(flatten)]
        members: BTreeMap<String, Self>,
    },
    /// A list, put together.
    List(Vec<Self>),
}

/// No pointer begins with it.
const COPIED: char = '=';

impl Source {
    pub(super) fn made(pointer: impl Into<String>) -> Self {
        Self::One(pointer.into())
    }

    pub(super) fn copied(pointer: &str) -> Self {
        Self::One(format!("{COPIED}{pointer}"))
    }
}

impl Origin {
    pub(super) fn new(source: Source) -> Self {
        Self(Some(source))
    }

    /// The pointer into the caller's data for a pointer into the state: of the longest part of it that is known. `None`: the event
    /// brought nothing of it.
    #[must_use]
    pub fn of(&self, state_pointer: &str) -> Option<String> {
        let mut source = self.0.as_ref()?;
        let mut known = None;
        let mut tokens = state_pointer.split('/').skip(1);
        loop {
            match source {
                Source::One(pointer) => {
                    let Some(copied) = pointer.strip_prefix(COPIED) else {
                        return Some(pointer.clone());
                    };
                    return Some(
                        tokens.fold(copied.to_owned(), |pointer, token| format!("{pointer}/{token}")),
                    );
                }
                Source::Object { at, members } => {
                    known = at.clone().or(known);
                    match tokens.next().and_then(|token| members.get(&unescaped(token))) {
                        Some(member) => source = member,
                        None => return known,
                    }
                }
                Source::List(items) => {
                    let at = tokens.next().and_then(|token| token.parse::<usize>().ok());
                    match at.and_then(|at| items.get(at)) {
                        Some(item) => source = item,
                        None => return known,
                    }
                }
            }
        }
    }
}
