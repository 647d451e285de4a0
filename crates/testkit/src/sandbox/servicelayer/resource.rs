//! Which record a path names.

use super::{Kind, error::Refusal};

/// One record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Resource {
    Partner(String),
    Document(Kind, i64),
}

impl Resource {
    /// `BusinessPartners('O''Neil')`, `Invoices(1)`: texts in single quotes that are doubled inside, numbers bare.
    pub(super) fn parse(segment: &str) -> Result<Self, Refusal> {
        let (collection, key) = segment
            .strip_suffix(')')
            .and_then(|segment| segment.split_once('('))
            .ok_or_else(Refusal::no_such_resource)?;
        let bad = || Refusal::bad_key(collection);
        if collection == "BusinessPartners" {
            return text(key).map(Self::Partner).ok_or_else(bad);
        }
        let kind = Kind::ALL
            .into_iter()
            .find(|kind| kind.collection() == collection)
            .ok_or_else(Refusal::no_such_resource)?;
        let is_number = !key.is_empty() && key.bytes().all(|byte| byte.is_ascii_digit());
        let entry = is_number.then(|| key.parse().ok()).flatten().ok_or_else(bad)?;
        Ok(Self::Document(kind, entry))
    }

    pub(super) fn subject(&self) -> String {
        match self {
            Self::Partner(code) => code.clone(),
            Self::Document(kind, entry) => kind.subject(*entry),
        }
    }

    pub(super) fn collection(&self) -> &'static str {
        match self {
            Self::Partner(_) => "BusinessPartners",
            Self::Document(kind, _) => kind.collection(),
        }
    }

    /// The name of its type, as errors say it.
    pub(super) fn entity(&self) -> &'static str {
        match self {
            Self::Partner(_) => "BusinessPartner",
            Self::Document(kind, _) => kind.entity(),
        }
    }
}

fn text(key: &str) -> Option<String> {
    let inside = key.strip_prefix('\'')?.strip_suffix('\'')?;
    let lone_quote = inside.replace("''", "").contains('\'');
    (!inside.is_empty() && !lone_quote).then(|| inside.replace("''", "'"))
}
