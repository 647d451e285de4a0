//! What is asked for a page, and a page.

use serde::{Deserialize, Serialize};

use super::total;
use crate::{Error, ErrorKind, Stage};

/// What a source or a vendor is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PageRequest<'a> {
    /// The type of the entities.
    pub entity_type: &'a str,
    /// What the page before named as the next; nothing for the first page.
    pub page: Option<&'a str>,
    /// The most records; fewer may come.
    pub limit: u32,
    /// Whether the states are wanted where they come at no further cost.
    pub with_states: bool,
}

impl PageRequest<'_> {
    /// How many records the pages before had, where that names a page.
    ///
    /// # Errors
    /// If the page has another name.
    pub fn offset(&self, stage: Stage) -> Result<u64, Error> {
        self.page.map_or(Ok(0), str::parse).map_err(|_| self.wrong(stage))
    }

    /// That the page's name is none of those given out here.
    #[must_use]
    pub fn wrong(&self, stage: Stage) -> Error {
        let message = "expected the name of a page that an earlier page gave, found another text";
        Error::permanent(ErrorKind::Invalid, stage, message)
    }
}

/// Some of the records, and where to go on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Page<Record> {
    /// The records.
    pub records: Vec<Record>,
    /// Names the next page; absent if this is the last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
    /// How many more records there were whose ids cannot be an entity's: no event can name them.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub unnameable: u32,
    /// How many records there are in all, as far as whoever is asked says so, on this page or another; absent where it does not, or
    /// not in passing. For display only: records come and go, and some that are counted may be on no page.
    #[serde(default, deserialize_with = "total", skip_serializing_if = "Option::is_none")]
    pub total: Option<u64>,
}

impl<Record> Page<Record> {
    /// A page of these, and what names the next one.
    #[must_use]
    pub fn new(records: Vec<Record>, next: Option<String>) -> Self {
        Self {
            records,
            next,
            unnameable: 0,
            total: None,
        }
    }

    /// So many there are in all, if that was said.
    #[must_use]
    pub fn counted(self, total: Option<u64>) -> Self {
        Self { total, ..self }
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde's signature")]
fn is_zero(count: &u32) -> bool {
    *count == 0
}
