//! Records as answers show them.

use serde_json::Value;

use super::{Run, catalog::Catalog, error::Refusal};

/// The key of the course that is known by this key or uuid.
pub(super) fn course_key(catalog: &Catalog, name: &str) -> Result<String, Refusal> {
    let mut all = catalog.courses.values().map(|course| &course.draft);
    let found = all.find(|course| course.key == name || course.uuid == name);
    found
        .map(|course| course.key.clone())
        .ok_or_else(Refusal::not_found)
}

/// A course with its runs, drafts or official ones, by start.
pub(super) fn course(catalog: &Catalog, name: &str, editable: bool) -> Result<Value, Refusal> {
    let key = course_key(catalog, name)?;
    let course = catalog.courses.get(&key).and_then(|course| course.seen(editable));
    let course = course.ok_or_else(Refusal::not_found)?;
    let mut runs: Vec<_> = catalog.runs.iter().filter_map(|run| run.seen(editable)).collect();
    runs.retain(|run| run.course == key);
    runs.sort_by_key(|run| run.start);
    let runs: Vec<_> = runs
        .into_iter()
        .map(|run| shown(catalog, run, editable))
        .collect();
    Ok(course.to_json(editable, &runs))
}

/// A run, the draft or the official one.
pub(super) fn run(catalog: &Catalog, key: &str, editable: bool) -> Result<Value, Refusal> {
    let run = catalog.run(key).and_then(|run| run.seen(editable));
    run.map(|run| shown(catalog, run, editable))
        .ok_or_else(Refusal::not_found)
}

fn shown(catalog: &Catalog, run: &Run, draft: bool) -> Value {
    let staff = run.staff.iter().filter_map(|uuid| catalog.person(uuid));
    let staff: Vec<_> = staff.map(super::Person::to_json).collect();
    let course = catalog.courses.get(&run.course);
    let title = course.map_or("", |course| course.draft.title.as_str());
    run.to_json(draft, &staff, title)
}
