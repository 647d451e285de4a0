//! What a person may ask a vendor function without a message: what it keeps, what it would send, what its source and its
//! vendor hold. An invocation whose payload is a [`Question`] instead of a batch is answered with an [`Answer`].
//!
//! Nothing is asked that changes anything, at the source, at the vendor or in the ledger; no answer holds a secret.

mod difference;
mod fields;
mod page;
mod total;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::EntityKey;
use crate::ledger::ErrorRecord;

pub(crate) use difference::Difference;
pub use fields::fields;
pub(crate) use fields::{canonical, leaves};
pub use page::{Page, PageRequest};
pub use total::{total, total_of};

/// The most entities of one [`Question::Preview`].
pub const MAX_PREVIEWS: usize = 25;
/// The most records of one page.
pub const MAX_PAGE: u32 = 500;

/// What an invocation asks: `{"ask": {"kind": "describe"}}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Asked {
    /// The question.
    pub ask: Question,
}

/// A question to a vendor function.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Question {
    /// What it keeps, and whether it reaches what it needs.
    Describe,
    /// What it would send for these entities now, and how that differs from what it sent last. The source is asked, the vendor is
    /// not called.
    Preview {
        /// At most [`MAX_PREVIEWS`].
        entities: Vec<EntityKey>,
    },
    /// A page of the source's entities of a type.
    SourcePage {
        /// The type, such as `customer`.
        #[serde(rename = "type")]
        entity_type: String,
        /// Where the page before ended; absent for the first.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        page: Option<String>,
        /// At most [`MAX_PAGE`] records; the source may give fewer.
        limit: u32,
        /// Whether the fields are wanted, not the keys alone.
        #[serde(default)]
        with_fields: bool,
    },
    /// A page of the vendor's records of a type.
    VendorPage {
        /// The type.
        #[serde(rename = "type")]
        entity_type: String,
        /// Where the page before ended; absent for the first.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        page: Option<String>,
        /// At most [`MAX_PAGE`] records; the vendor may give fewer.
        limit: u32,
    },
}

/// The answer to a [`Question`], of the same kind, or why there is none.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Answer {
    /// To [`Question::Describe`].
    Describe(Description),
    /// To [`Question::Preview`], in the order of the question.
    Preview {
        /// One for each entity.
        entities: Vec<Preview>,
    },
    /// To [`Question::SourcePage`].
    SourcePage(Page<SourceRecord>),
    /// To [`Question::VendorPage`].
    VendorPage(Page<VendorEntry>),
    /// The question cannot be answered.
    Failed {
        /// Why.
        error: ErrorRecord,
    },
}

/// What a vendor function keeps, and whether it reaches what it needs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Description {
    /// The vendor's name.
    pub vendor: String,
    /// The types of entities it keeps.
    pub entities: Vec<Kept>,
    /// What was tried.
    pub checks: Vec<Check>,
}

/// A type of entity that a vendor function keeps.
#[expect(
    clippy::struct_excessive_bools,
    reason = "four answers that do not depend on one another"
)]
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Kept {
    /// Its name.
    #[serde(rename = "type")]
    pub entity_type: String,
    /// Whether the source can be asked for one; else events carry the state.
    pub is_readable: bool,
    /// Whether [`Question::SourcePage`] can be answered.
    pub lists_source: bool,
    /// Whether [`Question::VendorPage`] can be answered.
    pub lists_vendor: bool,
    /// Whether the vendor may hold fields that a payload does not have: they are left alone there. Else what a payload does not
    /// have, the vendor is not to hold.
    #[serde(default)]
    pub leaves_alone: bool,
    /// What announces changes.
    pub announced_by: Vec<Announced>,
}

/// An event type that announces changes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Announced {
    /// The detail type; absent for any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail_type: Option<String>,
    /// The event's source; absent for any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
}

/// Something the function needs, and whether it has it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Check {
    /// What was tried: `ledger`, `secret`.
    pub name: String,
    /// What was expected and what was found instead; absent if all is well. Never a value of the secret.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub problem: Option<String>,
}

/// What would be sent for an entity.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Preview {
    /// The entity.
    pub entity: EntityKey,
    /// What a forced sync would do.
    pub would: Would,
    /// Why nothing can be sent; where it would fail before the vendor is called.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<ErrorRecord>,
    /// The rule that keeps the entity out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rule: Option<String>,
    /// What the ledger knows of what was sent last, and so how exact `changes` are.
    #[serde(default)]
    pub basis: Basis,
    /// Where what would be sent differs from what was sent last, in the order of the pointers. All fields where nothing was
    /// sent, or nothing is known of it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub changes: Vec<Change>,
    /// How many fields were sent last and would not be sent now, where the ledger does not know their names.
    #[serde(default)]
    pub left_out: usize,
}

/// What the ledger knows of what was sent last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Basis {
    /// Of the fields that were sent the ledger knows nothing, or there was nothing to compare.
    #[default]
    Unknown,
    /// Nothing was sent.
    Nothing,
    /// A hash of each field: a change has no value from before.
    Fields,
    /// A hash of each member of the payload: a change names the member, not the field in it.
    Members,
    /// The values.
    Values,
}

/// What a forced sync would do at the vendor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Would {
    /// Send something the ledger knows of no sending of before.
    Create,
    /// Send something else than last.
    Update,
    /// Send the same as last.
    Repeat,
    /// Remove what was sent.
    Remove,
    /// Nothing: it is not at the source, or not for this vendor, and was never sent.
    Nothing,
    /// Nothing: a rule keeps it out.
    Exclude,
    /// Fail before the vendor is called.
    Fail,
}

/// A field that differs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// Where, a JSON Pointer into the payload.
    pub pointer: String,
    /// What was sent last: absent if nothing was sent there, or the ledger keeps no values.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<Value>,
    /// Whether something was sent there last.
    pub was_sent: bool,
    /// What would be sent; absent if nothing would.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<Value>,
}

/// By JSON Pointer into the payload, a short hash of each field's canonical JSON.
pub type Fields = BTreeMap<String, String>;

/// An entity at the source.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SourceRecord {
    /// The entity.
    pub entity: EntityKey,
    /// Whether the vendor is to hold it; absent where the fields were not asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub is_wanted: Option<bool>,
    /// The rule that keeps it out, unless the vendor holds it already.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rule: Option<String>,
    /// The vendor's id of it, where that follows from the payload.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub link: Option<String>,
    /// What the vendor is to hold.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub fields: Fields,
    /// Why its state cannot be mapped.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<ErrorRecord>,
}

/// A record at the vendor.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct VendorEntry {
    /// The vendor's id, as the ledger's link has it.
    pub link: String,
    /// The entity, where the record itself says which it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub entity: Option<EntityKey>,
    /// What the vendor holds of the fields that a payload can have. A field that is not here is not held. One that a payload does not
    /// have may be here all the same, where such fields are left alone ([`Kept::leaves_alone`]).
    pub fields: Fields,
}
