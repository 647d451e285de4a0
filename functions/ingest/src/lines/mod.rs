//! Lines of business: from an event in a line's own shape to changes of the canonical state. Pure, and all of it data: what a line
//! sends is described by a file in `lines/`, and docs/LINES.md says how such a file is written.
//!
//! An event passes its JSON Schema → the shape's rules → the canonical definitions → [`merge`] with the state that is there.

mod apply;
mod change;
mod checked;
mod load;
mod merge;
mod origin;
mod reader;
mod row;
mod rule;
mod schema;
mod shape;
mod violation;

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

pub use change::{Change, ChangeKind, EntityType, LineTerms, Refused};
pub use load::{EVENTS, ShapeError};
pub use merge::{MAX_RUNS, MAX_STAFF, MAX_STATE_BYTES, merge};
pub use origin::Origin;
pub use shape::Shape;
pub use violation::{MAX_VIOLATIONS, Violation};

use checked::Patches;

/// The shape of a line that has none of its own.
pub const CANONICAL: &str = "canonical";

/// Name and text of each file in `lines/`.
const FILES: &[(&str, &str)] = include!(concat!(env!("OUT_DIR"), "/shapes.rs"));

/// The shapes that lines can have.
#[derive(Debug)]
pub struct Shapes(BTreeMap<String, Shape>);

impl Shapes {
    /// Those that are shipped. Read once; their schemas are compiled when an event is first seen.
    ///
    /// # Errors
    /// [`ShapeError`] names the file and the place in it. Never for what is shipped: a test reads them all.
    pub fn shipped() -> Result<&'static Self, ShapeError> {
        static SHIPPED: OnceLock<Result<Shapes, ShapeError>> = OnceLock::new();
        SHIPPED
            .get_or_init(|| Self::read(FILES))
            .as_ref()
            .map_err(Clone::clone)
    }

    /// The shapes of these files, by name and text. The one named [`CANONICAL`] says what the others may make.
    ///
    /// # Errors
    /// [`ShapeError`] names the first file that cannot be used, and the place in it.
    pub fn read(files: &[(&str, &str)]) -> Result<Self, ShapeError> {
        let shapes = files.iter().map(|(name, text)| load::shape(name, text));
        let shapes: Vec<_> = shapes.collect::<Result<_, _>>()?;
        let canonical = shapes.iter().find(|shape| shape.name() == CANONICAL);
        let canonical = canonical.ok_or_else(|| ShapeError {
            file: format!("{CANONICAL}.json"),
            pointer: String::new(),
            expected: "a file".to_owned(),
            found: "none".to_owned(),
        })?;
        let patches = Arc::new(Patches::new(canonical.definitions()));
        let named = |shape: Shape| (shape.name().to_owned(), shape.keeping_to(Arc::clone(&patches)));
        Ok(Self(shapes.into_iter().map(named).collect()))
    }

    /// A shape by its name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Shape> {
        self.0.get(name)
    }

    /// All of them, by name.
    pub fn all(&self) -> impl Iterator<Item = &Shape> {
        self.0.values()
    }
}

#[cfg(test)]
mod tests;
