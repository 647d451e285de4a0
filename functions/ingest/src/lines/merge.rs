//! A change onto the state: a merge patch, then a look at what came of it. Pure.

use jiff::Timestamp;
use serde_json::{Map, Value};

use super::change::{Change, ChangeKind, EntityType};
use super::violation::Violation;

/// A state has at most so many bytes of JSON: it has to fit into an item of the table and into a message.
pub const MAX_STATE_BYTES: usize = 200 * 1024;
/// A course has at most so many runs.
pub const MAX_RUNS: usize = 50;
/// A run has at most so many people.
pub const MAX_STAFF: usize = 30;

/// They make the course's key at course-discovery, which cannot be changed.
const KEY_OF_COURSE: [&str; 2] = ["organization", "number"];
const REQUIRED_OF_COURSE: [&str; 3] = ["/course/number", "/course/organization", "/course/title"];
const REQUIRED_OF_INSTRUCTOR: [&str; 3] = ["/given_name", "/position/title", "/position/organization"];
/// course-discovery takes what describes an external course only together
/// (<https://github.com/openedx/course-discovery>, `api/v1/views/courses.py`).
const METADATA_TOGETHER: [&str; 6] = [
    "facts",
    "certificate_info",
    "start_date",
    "end_date",
    "registration_deadline",
    "variant_id",
];
const REQUIRED_OF_RUN: [&str; 2] = ["start", "end"];

/// The state after a change; `state` is `None` if the entity is not known.
///
/// # Errors
/// All that is wrong with what came of it, with pointers into the caller's data.
pub fn merge(state: Option<Value>, change: &Change) -> Result<Value, Vec<Violation>> {
    let mut checks = Checks {
        change,
        violations: Vec::new(),
    };
    if state.is_none() && change.kind == ChangeKind::Updated {
        let entity = change.entity_type;
        let known = format!("a known {entity}: one that was created before");
        return Err(vec![checks.violation("/id", &known, "an unknown one")]);
    }
    let before = state.unwrap_or_default();
    checks.known_runs(&before);
    checks.key(&before);
    if !checks.violations.is_empty() {
        return Err(checks.violations);
    }
    let mut after = before;
    merge_patch(&mut after, &change.patch);
    checks.required(&after);
    checks.metadata(&after);
    checks.runs(&after);
    checks.size(&after);
    if checks.violations.is_empty() {
        Ok(after)
    } else {
        Err(checks.violations)
    }
}

/// <https://www.rfc-editor.org/rfc/rfc7396#section-2>, but for one thing: what is cleared stays as `null`. The vendor's function
/// has to clear it there, and what is only missing it leaves alone.
fn merge_patch(target: &mut Value, patch: &Value) {
    let Value::Object(patch) = patch else {
        target.clone_from(patch);
        return;
    };
    if !target.is_object() {
        *target = Value::Object(Map::new());
    }
    let Value::Object(members) = target else { return };
    for (name, value) in patch {
        merge_patch(members.entry(name).or_insert(Value::Null), value);
    }
}

struct Checks<'a> {
    change: &'a Change,
    violations: Vec<Violation>,
}

impl Checks<'_> {
    /// A violation at the place that a place of the state came from.
    fn violation(&self, pointer: &str, expected: &str, found: impl Into<String>) -> Violation {
        let pointer = self.change.origin.of(pointer).unwrap_or_default();
        Violation::new(pointer, expected, found)
    }

    fn wrong(&mut self, pointer: &str, expected: &str, found: impl Into<String>) {
        let violation = self.violation(pointer, expected, found);
        self.violations.push(violation);
    }

    fn known_runs(&mut self, before: &Value) {
        for run in &self.change.known_runs {
            if before.pointer("/runs").and_then(|runs| runs.get(run)).is_none() {
                let known = "a known run of this course: one that was created before";
                self.wrong(&format!("/runs/{run}/id"), known, "an unknown one");
            }
        }
    }

    fn key(&mut self, before: &Value) {
        for name in KEY_OF_COURSE {
            let pointer = format!("/course/{name}");
            let (Some(is), Some(sent)) = (before.pointer(&pointer), self.change.patch.pointer(&pointer))
            else {
                continue;
            };
            if is != sent {
                let expected =
                    format!("the `{name}` that the course was created with: it is a part of its key");
                self.wrong(&pointer, &expected, "another one");
            }
        }
    }

    fn required(&mut self, after: &Value) {
        let required = match self.change.entity_type {
            EntityType::Course => REQUIRED_OF_COURSE,
            EntityType::Instructor => REQUIRED_OF_INSTRUCTOR,
        };
        for pointer in required {
            if after.pointer(pointer).is_none_or(Value::is_null) {
                let name = pointer.rsplit('/').next().unwrap_or_default();
                self.wrong(pointer, &format!("`{name}`"), "nothing");
            }
        }
    }

    fn metadata(&mut self, after: &Value) {
        let metadata = after.pointer("/course/metadata").and_then(Value::as_object);
        let is_sent = self.change.patch.pointer("/course/metadata").is_some();
        let Some(metadata) = metadata.filter(|_| is_sent) else {
            return;
        };
        let is_there = |name: &str| metadata.get(name).is_some_and(|value| !value.is_null());
        for name in METADATA_TOGETHER.iter().filter(|name| !is_there(name)) {
            let expected = format!("`{name}`, as there is other metadata");
            self.wrong(&format!("/course/metadata/{name}"), &expected, "nothing");
        }
    }

    /// Looks at the runs that the change brings something of.
    fn runs(&mut self, after: &Value) {
        let change = self.change;
        let all = after.get("runs").and_then(Value::as_object);
        let sent = change.patch.get("runs").and_then(Value::as_object);
        let sent = sent.into_iter().flatten().map(|(id, _)| id);
        let count = all.map_or(0, Map::len);
        if let Some(last) = sent.clone().next_back().filter(|_| count > MAX_RUNS) {
            let expected = format!("a course of at most {MAX_RUNS} runs");
            self.wrong(&format!("/runs/{last}/id"), &expected, count.to_string());
        }
        for id in sent {
            if let Some(run) = all.and_then(|runs| runs.get(id)) {
                self.run(&format!("/runs/{id}"), run);
            }
        }
    }

    fn run(&mut self, at: &str, run: &Value) {
        for name in REQUIRED_OF_RUN {
            if run.get(name).is_none_or(Value::is_null) {
                self.wrong(&format!("{at}/{name}"), &format!("`{name}`"), "nothing");
            }
        }
        let time = |name| run.get(name).and_then(Value::as_str)?.parse::<Timestamp>().ok();
        if let (Some(start), Some(end)) = (time("start"), time("end"))
            && start > end
        {
            let wrong_end = ("end", "an end that is not before the start", "one before it");
            self.either(
                at,
                wrong_end,
                ("start", "a start that is not after the end", "one after it"),
            );
        }
        // course-discovery refuses the others (<https://github.com/openedx/course-discovery>, `api/serializers.py`).
        let hours = |name| run.get(name).and_then(Value::as_u64);
        match (hours("min_effort"), hours("max_effort")) {
            (Some(min), Some(max)) if min >= max => {
                let wrong_max = ("max_effort", "more hours than the least effort has", "not more");
                self.either(
                    at,
                    wrong_max,
                    ("min_effort", "fewer hours than the most effort has", "not fewer"),
                );
            }
            (Some(_), None) => {
                let wrong_max = (
                    "max_effort",
                    "the most effort, as there is a least one",
                    "nothing",
                );
                self.either(
                    at,
                    wrong_max,
                    ("min_effort", "none, as there is no most effort", "one"),
                );
            }
            _ => {}
        }
        let staff = run.get("staff").and_then(Value::as_array).map_or(0, Vec::len);
        if staff > MAX_STAFF {
            self.wrong(
                &format!("{at}/staff"),
                &format!("at most {MAX_STAFF} people"),
                staff.to_string(),
            );
        }
    }

    /// Of two members that do not fit, the one that was sent is wrong: the first if both were.
    fn either(&mut self, at: &str, first: (&str, &str, &str), second: (&str, &str, &str)) {
        let is_sent = |name: &str| self.change.patch.pointer(&format!("{at}/{name}")).is_some();
        let (name, expected, found) = if is_sent(first.0) || !is_sent(second.0) {
            first
        } else {
            second
        };
        self.wrong(&format!("{at}/{name}"), expected, found);
    }

    fn size(&mut self, after: &Value) {
        let bytes = serde_json::to_vec(after).map_or(usize::MAX, |json| json.len());
        if bytes > MAX_STATE_BYTES {
            let entity = self.change.entity_type;
            let expected = format!("data that leaves the {entity} at most {MAX_STATE_BYTES} bytes of JSON");
            self.violations
                .push(Violation::new("", expected, format!("{bytes} bytes")));
        }
    }
}

#[cfg(test)]
mod tests;
