//! A source that can say which entities it has.

use serde_json::Value;

use crate::{Error, ErrorKind, Stage};

/// An entity that a source named.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// Its id.
    pub id: String,
    /// Its state, where the list has it.
    pub state: Option<Value>,
}

/// That a source cannot be listed; `help` says what to set, or where to look instead.
pub(crate) fn not_listable(help: &str) -> Error {
    let message = format!("expected a source that can be listed, found one that cannot: {help}");
    Error::permanent(ErrorKind::Invalid, Stage::Source, message)
}
