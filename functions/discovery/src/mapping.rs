//! What lines of business say of their products → what course-discovery is sent. Pure.
//!
//! A member that a line never sent is left alone, `null` clears it.

mod course;
mod instructor;
mod run;

use serde::Serialize;
use serde_json::{Map, Value};
use vendorbridge::vendor::{Field, Invalid};

pub(crate) use course::{COURSE_FIELDS, Course, CourseState};
pub(crate) use instructor::{Area, Identity, InstructorState, Link, PERSON_FIELDS, Person, Position};
pub(crate) use run::{Member, RUN_FIELDS, Run};

/// What is read of an instructor's state.
pub(crate) const INSTRUCTOR_MEMBERS: [&str; 7] = [
    "given_name",
    "family_name",
    "position",
    "bio",
    "major_works",
    "urls",
    "areas_of_expertise",
];

/// What is read of a product's state.
pub(crate) const COURSE_MEMBERS: [&str; 3] = ["line", "course", "runs"];

/// Characters of a line's own ids, and of organisations and course numbers: they become parts of keys.
fn is_plain(text: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-');
    !text.is_empty() && text.bytes().all(is_plain)
}

/// A text without the blanks around it, which course-discovery takes off, too.
fn required<'a>(pointer: &str, text: &'a str) -> Result<&'a str, Invalid> {
    let text = text.trim();
    if text.is_empty() {
        return Err(Invalid::new(pointer, "expected a text, found an empty one"));
    }
    Ok(text)
}

/// One segment of a JSON Pointer (RFC 6901).
fn escaped(segment: &str) -> String {
    segment.replace('~', "~0").replace('/', "~1")
}

fn or<'a>(field: &'a Field<String>, default: &'a str) -> &'a str {
    match field {
        Field::Set(text) => text,
        Field::Leave | Field::Clear => default,
    }
}

/// A body under construction.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[serde(transparent)]
struct Body(Map<String, Value>);

impl Body {
    fn set(&mut self, name: &str, value: impl Into<Value>) {
        self.0.insert(name.to_owned(), value.into());
    }

    /// Puts the field where it belongs, if the line said anything of it.
    fn put<T: Clone + Into<Value>>(&mut self, name: &str, field: &Field<T>, cleared: impl Into<Value>) {
        match field {
            Field::Leave => {}
            Field::Clear => self.set(name, cleared),
            Field::Set(value) => self.set(name, value.clone()),
        }
    }
}

#[cfg(test)]
mod tests;
