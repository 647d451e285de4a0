//! Reads a shape's file, and says where it cannot be used.

mod at;
mod rules;

use std::collections::BTreeMap;

use serde_json::Value;

use super::change::{ChangeKind, EntityType};
use super::rule::Rule;
use super::shape::{Action, ChangeRule, Event, Shape};

use at::{At, File};

/// All events that a shape can know.
pub const EVENTS: [&str; 9] = [
    "course-run.created",
    "course-run.updated",
    "course.created",
    "course.updated",
    "degree.created",
    "degree.updated",
    "instructor.created",
    "instructor.updated",
    "product.created",
];

/// What makes a shape's file unusable.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{file}, `{pointer}`: expected {expected}, found {found}")]
pub struct ShapeError {
    /// The file.
    pub file: String,
    /// The place in the file, as a JSON Pointer.
    pub pointer: String,
    /// What should be there.
    pub expected: String,
    /// What is there.
    pub found: String,
}

/// The shape that a file describes.
pub(super) fn shape(name: &str, text: &str) -> Result<Shape, ShapeError> {
    let file_name = format!("{name}.json");
    let failed = |expected: &str, found: String| ShapeError {
        file: file_name.clone(),
        pointer: String::new(),
        expected: expected.to_owned(),
        found,
    };
    let value: Value = serde_json::from_str(text).map_err(|error| failed("JSON", error.to_string()))?;
    let file = File {
        name: &file_name,
        rules: value.get("rules"),
        definitions: value.get("$defs"),
    };
    let root = At {
        file: &file,
        pointer: String::new(),
        value: &value,
        is_in_item: false,
    };
    root.members(&["title", "events"], &["$defs", "rules"])?;
    let title = root.member("title")?.text()?.to_owned();
    let mut events = BTreeMap::new();
    let all = root.member("events")?;
    for (event, _) in all.object()? {
        let at = all.member(event)?;
        if !EVENTS.contains(&event.as_str()) {
            return Err(at.failed(&format!("an event of {}", EVENTS.join(", ")), event.clone()));
        }
        // The name of another event: the same as that.
        let at = match at.value.as_str() {
            Some(other) => all.member(other)?,
            None => at,
        };
        events.insert(event.clone(), at.event()?);
    }
    for (rule, _) in file.rules.and_then(Value::as_object).into_iter().flatten() {
        At {
            is_in_item: true,
            ..root.member("rules")?.member(rule)?
        }
        .rule(&mut vec![rule])?;
    }
    let definitions = value.get("$defs").cloned().unwrap_or_default();
    Ok(Shape::new(name.to_owned(), title, definitions, events))
}

impl At<'_> {
    fn event(&self) -> Result<Event, ShapeError> {
        let action = if self.has("row") {
            self.members(&["schema", "row"], &[])?;
            let columns = self.member("row")?.items()?;
            Action::Row(columns.iter().map(Self::column).collect::<Result<_, _>>()?)
        } else {
            self.members(&["schema", "changes"], &[])?;
            let changes = self.member("changes")?.items()?;
            Action::Changes(changes.iter().map(Self::change).collect::<Result<_, _>>()?)
        };
        let schema = self.member("schema")?;
        schema.object()?;
        schema.references()?;
        Ok(Event::new(schema.value.clone(), action))
    }

    /// All `$ref`s of a schema lead into the file's `$defs`.
    fn references(&self) -> Result<(), ShapeError> {
        match self.value {
            Value::Object(members) => {
                for (name, value) in members {
                    let at = self.below(name, value);
                    if name != "$ref" {
                        at.references()?;
                        continue;
                    }
                    let definition = at.text()?.strip_prefix("#/$defs/");
                    let definitions = self.file.definitions;
                    let known = definition.and_then(|name| definitions.and_then(|all| all.get(name)));
                    known.ok_or_else(|| at.wrong("`#/$defs/` and the name of one of this file's `$defs`"))?;
                }
                Ok(())
            }
            Value::Array(_) => self.items()?.iter().try_for_each(Self::references),
            _ => Ok(()),
        }
    }

    fn column(&self) -> Result<(String, Rule), ShapeError> {
        let [name, rule] = &*self.items()? else {
            return Err(self.wrong("a column's name and its rule"));
        };
        Ok((name.text()?.to_owned(), rule.rule(&mut Vec::new())?))
    }

    fn change(&self) -> Result<ChangeRule, ShapeError> {
        self.members(&["entity", "kind", "id", "state"], &["each", "runs"])?;
        let entity = match self.member("entity")?.text()? {
            "course" => EntityType::Course,
            "instructor" => EntityType::Instructor,
            _ => return Err(self.member("entity")?.wrong("`course` or `instructor`")),
        };
        let each = if self.has("each") {
            Some(self.each()?)
        } else {
            None
        };
        let inner = Self {
            is_in_item: each.is_some(),
            ..self.clone()
        };
        Ok(ChangeRule {
            entity,
            kind: self.member("kind")?.kind()?,
            runs: if self.has("runs") {
                self.member("runs")?.kind()?
            } else {
                ChangeKind::Created
            },
            each,
            id: inner.member("id")?.path()?,
            state: inner.member("state")?.rule(&mut Vec::new())?,
        })
    }

    fn kind(&self) -> Result<ChangeKind, ShapeError> {
        match self.text()? {
            "created" => Ok(ChangeKind::Created),
            "updated" => Ok(ChangeKind::Updated),
            _ => Err(self.wrong("`created` or `updated`")),
        }
    }
}

#[cfg(test)]
mod tests;
