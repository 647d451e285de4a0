//! What is announced of a change.

use serde::Serialize;
use vendorbridge::bus::Event;

/// The EventBridge source.
pub const SOURCE: &str = "sapb1";
/// The detail type.
pub const DETAIL_TYPE: &str = "SapObjectChanged";

/// A change of an object in SAP Business One: which object, and what happened. What it holds is read there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct ObjectChanged {
    /// The company's database.
    pub(crate) company: String,
    /// `2` business partner, `13` invoice, `14` credit note, `24` incoming payment, and many more.
    pub(crate) object_type: String,
    /// What happened.
    pub(crate) transaction_type: TransactionType,
    /// The values of `keys`, separated by commas.
    pub(crate) key: String,
    /// Object type and key: `13/4711`.
    pub(crate) object: String,
    /// Nearly always one.
    pub(crate) keys: Vec<Key>,
    /// Who did it, where the sender says so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) user: Option<String>,
}

/// A column of an object's key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Key {
    /// Its name, such as `DocEntry`.
    pub(crate) name: String,
    /// Its value.
    pub(crate) value: String,
}

/// What happened to an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub(crate) enum TransactionType {
    /// Added.
    A,
    /// Updated.
    U,
    /// Deleted.
    D,
    /// Cancelled.
    C,
    /// Closed.
    L,
}

impl TransactionType {
    /// The type of this letter.
    pub(crate) fn of(text: &str) -> Option<Self> {
        match text {
            "A" => Some(Self::A),
            "U" => Some(Self::U),
            "D" => Some(Self::D),
            "C" => Some(Self::C),
            "L" => Some(Self::L),
            _ => None,
        }
    }
}

impl ObjectChanged {
    /// The event for the bus. Changes of one object are put in order.
    pub(crate) fn event(&self) -> Event {
        Event {
            key: format!("{}\n{}", self.company, self.object),
            source: SOURCE.to_owned(),
            detail_type: DETAIL_TYPE.to_owned(),
            detail: serde_json::json!(self).to_string(),
            time: None,
        }
    }
}
