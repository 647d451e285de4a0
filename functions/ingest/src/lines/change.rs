//! What an event changes.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::load::ShapeError;
use super::origin::Origin;
use super::violation::Violation;

/// What a line may do, of the configuration.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LineTerms {
    /// The line's name.
    pub name: String,
    /// The line's names of organisations, and the keys that course-discovery has for them. No others can be written.
    pub organizations: BTreeMap<String, String>,
}

/// What a change is about; people come first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum EntityType {
    /// A person who teaches.
    Instructor,
    /// A course with its runs.
    Course,
}

/// Whether an entity may be new.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ChangeKind {
    /// It is new, or is changed if it is not.
    Created,
    /// It is there already.
    Updated,
}

/// A change of one entity.
#[derive(Debug, Clone, PartialEq)]
pub struct Change {
    /// What it is about.
    pub entity_type: EntityType,
    /// The line's id of it.
    pub id: String,
    /// Whether it may be new.
    pub kind: ChangeKind,
    /// A merge patch (<https://www.rfc-editor.org/rfc/rfc7396>) onto the state.
    pub patch: Value,
    /// Where in the caller's data the patch's parts came from.
    pub origin: Origin,
    /// Runs that must be there already.
    pub known_runs: BTreeSet<String>,
}

/// Why an event changes nothing.
#[derive(Debug, Clone, PartialEq)]
pub enum Refused {
    /// The line's shape does not know such an event.
    UnknownEvent {
        /// The events that it knows.
        known: Vec<String>,
    },
    /// The data is not what it should be: all that is wrong with it, at most [`super::MAX_VIOLATIONS`].
    Invalid(Vec<Violation>),
    /// The data is right, but course-discovery can only import it
    /// (<https://github.com/openedx/course-discovery>, `import_degree_data`).
    ReadOnly {
        /// The import's columns and their texts.
        row: Value,
        /// The same with a header, as CSV (<https://www.rfc-editor.org/rfc/rfc4180>).
        csv: String,
    },
    /// The shape cannot be used. Never one that is shipped: a test compiles them all.
    Broken(ShapeError),
}

impl EntityType {
    /// As in an entity's key.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Instructor => "instructor",
            Self::Course => "course",
        }
    }
}

impl fmt::Display for EntityType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
