//! What is asked for a page.

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
