//! A shape: what the events of a line look like, and what they change.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, OnceLock};

use serde_json::{Value, json};

use super::CANONICAL;
use super::apply::Reading;
use super::change::{Change, ChangeKind, EntityType, LineTerms, Refused};
use super::checked::{Checked, Patches};
use super::load::ShapeError;
use super::origin::{Origin, Source};
use super::row;
use super::rule::{Each, Path, Rule};
use super::schema;
use super::violation::{self, MAX_VIOLATIONS, Violation};

/// What the events of a line look like.
#[derive(Debug)]
pub struct Shape {
    name: String,
    title: String,
    definitions: Value,
    events: BTreeMap<String, Event>,
    /// What every patch has to keep to.
    patches: Arc<Patches>,
}

/// An event of a shape.
#[derive(Debug)]
pub(super) struct Event {
    schema: Value,
    checked: OnceLock<Checked>,
    action: Action,
}

/// What an event does.
#[derive(Debug, Clone)]
pub(super) enum Action {
    /// It changes entities.
    Changes(Vec<ChangeRule>),
    /// It is refused with a row for an import: its columns.
    Row(Vec<(String, Rule)>),
}

/// How a change is read.
#[derive(Debug, Clone)]
pub(super) struct ChangeRule {
    pub(super) entity: EntityType,
    pub(super) kind: ChangeKind,
    /// Whether its runs may be new.
    pub(super) runs: ChangeKind,
    pub(super) each: Option<Each>,
    pub(super) id: Path,
    pub(super) state: Rule,
}

impl Event {
    pub(super) fn new(schema: Value, action: Action) -> Self {
        let checked = OnceLock::new();
        Self {
            schema,
            checked,
            action,
        }
    }
}

impl Shape {
    pub(super) fn new(
        name: String,
        title: String,
        definitions: Value,
        events: BTreeMap<String, Event>,
    ) -> Self {
        let patches = Arc::default();
        Self {
            name,
            title,
            definitions,
            events,
            patches,
        }
    }

    pub(super) fn definitions(&self) -> &Value {
        &self.definitions
    }

    pub(super) fn keeping_to(self, patches: Arc<Patches>) -> Self {
        Self { patches, ..self }
    }

    /// Its name: that of its file.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What it is, in a line.
    #[must_use]
    pub fn title(&self) -> &str {
        &self.title
    }

    /// The events that it knows.
    pub fn events(&self) -> impl Iterator<Item = &str> {
        self.events.keys().map(String::as_str)
    }

    /// The JSON Schema (draft 2020-12) of an event's data.
    #[must_use]
    pub fn schema(&self, event: &str) -> Option<&Value> {
        self.events
            .get(event)
            .map(|known| &self.checked(event, known).document)
    }

    /// The event's own schema and the definitions that it may refer to.
    pub(crate) fn parts(&self, event: &str) -> Option<(&Value, &Value)> {
        self.events
            .get(event)
            .map(|event| (&event.schema, &self.definitions))
    }

    fn checked<'a>(&self, name: &str, event: &'a Event) -> &'a Checked {
        let document = || Checked::new(schema::document(name, &event.schema, &self.definitions));
        event.checked.get_or_init(document)
    }

    /// What an event changes: people first.
    ///
    /// # Errors
    /// [`Refused`]: the event is unknown, its data is wrong, or it can only be imported.
    pub fn read(&self, event: &str, line: &LineTerms, data: &Value) -> Result<Vec<Change>, Refused> {
        let known = self.events.get(event).ok_or_else(|| Refused::UnknownEvent {
            known: self.events().map(str::to_owned).collect(),
        })?;
        let mut too_large = Vec::new();
        violation::too_large(data, "", &mut too_large);
        if !too_large.is_empty() {
            return refuse(too_large, Vec::new()).map(|()| Vec::new());
        }
        let broken = |error| self.broken(event, error);
        let violations = self.checked(event, known).violations(data).map_err(broken)?;
        let mut reading = Reading::new(data, line);
        match &known.action {
            Action::Row(columns) => {
                let row = row::read(columns, &mut reading);
                refuse(violations, reading.violations)?;
                Err(row)
            }
            Action::Changes(rules) => {
                let mut changes = Vec::new();
                for rule in rules {
                    read(rule, &mut reading, &mut changes);
                }
                let mut found = reading.violations;
                for change in &mut changes {
                    // The canonical shape's own schemas are made of the same definitions.
                    if self.name != CANONICAL {
                        found.extend(self.patch_violations(change).map_err(broken)?);
                    }
                    name(change, line);
                }
                refuse(violations, found)?;
                changes.sort_by_key(|change| change.entity_type);
                Ok(changes)
            }
        }
    }

    /// What a mapping made has to be what the canonical shape allows, whatever the shape's own schema lets through.
    fn patch_violations(&self, change: &Change) -> Result<Vec<Violation>, String> {
        let checked = match change.entity_type {
            EntityType::Course => &self.patches.course,
            EntityType::Instructor => &self.patches.instructor,
        };
        let mut violations = checked.violations(&change.patch)?;
        for violation in &mut violations {
            violation.pointer = change.origin.of(&violation.pointer).unwrap_or_default();
        }
        Ok(violations)
    }

    fn broken(&self, event: &str, error: String) -> Refused {
        Refused::Broken(ShapeError {
            file: format!("{}.json", self.name),
            pointer: format!("/events/{event}/schema"),
            expected: "a JSON Schema".to_owned(),
            found: error,
        })
    }
}

/// All that is wrong, if anything is: what the schema says, and what was found while reading where the schema had nothing to say.
fn refuse(of_schema: Vec<Violation>, of_reading: Vec<Violation>) -> Result<(), Refused> {
    let holds = |outer: &str, inner: &str| {
        let rest = inner.strip_prefix(outer);
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    };
    let is_told = |pointer: &str| {
        let mut told = of_schema.iter().map(|violation| violation.pointer.as_str());
        told.any(|told| holds(told, pointer) || holds(pointer, told))
    };
    let more: Vec<_> = of_reading
        .into_iter()
        .filter(|violation| !is_told(&violation.pointer))
        .collect();
    let mut violations = [of_schema, more].concat();
    violations.sort();
    violations.dedup();
    violations.truncate(MAX_VIOLATIONS);
    if violations.is_empty() {
        return Ok(());
    }
    Err(Refused::Invalid(violations))
}

fn read(rule: &ChangeRule, reading: &mut Reading<'_>, changes: &mut Vec<Change>) {
    let places = match &rule.each {
        Some(each) => reading.items(each, &reading.whole()),
        None => vec![reading.whole()],
    };
    let mut ids = BTreeSet::new();
    for place in places {
        let Some((id, pointer)) = reading.id(&rule.id, &place) else {
            continue;
        };
        if !ids.insert(id.clone()) {
            let violation = Violation::new(pointer, "an id of its own", "one that an item before it has");
            reading.violations.push(violation);
            continue;
        }
        let made = reading.apply(&rule.state, &place);
        let (patch, mut source) = made.unwrap_or_else(|| (json!({}), Source::made(&place.pointer)));
        let mut known_runs = BTreeSet::new();
        if let Source::Object { at, members } = &mut source {
            // What the event says nothing of did not come from it.
            if rule.entity == EntityType::Course {
                *at = None;
            }
            members.insert("id".to_owned(), Source::made(&pointer));
            if let (ChangeKind::Updated, Some(Source::Object { members: runs, .. })) =
                (rule.runs, members.get("runs"))
            {
                known_runs = runs.keys().cloned().collect();
            }
        }
        changes.push(Change {
            entity_type: rule.entity,
            id,
            kind: rule.kind,
            patch,
            origin: Origin::new(source),
            known_runs,
        });
    }
}

/// A state names its line and its id.
fn name(change: &mut Change, line: &LineTerms) {
    if let Value::Object(patch) = &mut change.patch {
        patch.insert("line".to_owned(), Value::String(line.name.clone()));
        patch.insert("id".to_owned(), Value::String(change.id.clone()));
    }
}
