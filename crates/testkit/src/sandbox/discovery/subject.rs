//! What a request is about, for faults and counts.

use serde_json::Value;

use super::catalog::Catalog;

/// A request's operation, its purpose, and the records it is about. The method is told by the body: only a GET and a DELETE
/// have none.
pub(super) fn of(catalog: &Catalog, path: &[&str], body: &[u8]) -> Vec<String> {
    let Some((&resource, key)) = path.split_first() else {
        return Vec::new();
    };
    let key = key.first().copied();
    let method = match key {
        _ if body.is_empty() => "GET",
        None => "POST",
        Some(_) => "PATCH",
    };
    let said: Value = serde_json::from_slice(body).unwrap_or_default();
    let text = |name: &str| said[name].as_str().map(str::to_owned);
    let mut subjects = vec![format!("{method} {resource}")];
    subjects.extend(key.map(str::to_owned));
    match (resource, key) {
        ("people", Some(uuid)) => subjects.extend(catalog.person(uuid).map(super::Person::name)),
        ("people", None) => {
            let name = [text("given_name"), text("family_name")];
            subjects.push(name.into_iter().flatten().collect::<Vec<_>>().join(" "));
        }
        ("courses", None) => {
            let pair = text("org").zip(text("number"));
            subjects.extend(pair.map(|(org, number)| format!("{org}+{number}")));
        }
        ("course_runs", None) => {
            subjects.extend([text("course"), text("external_key")].into_iter().flatten());
        }
        ("course_runs", Some(key)) => {
            subjects.extend(catalog.run(key).and_then(|run| run.draft.external_key.clone()));
        }
        _ => {}
    }
    if method == "PATCH" {
        let purposes = [
            ("metadata", said.get("additional_metadata").is_some()),
            ("staff", said.get("staff").is_some()),
            ("publish", said["draft"] == Value::Bool(false)),
        ];
        let purposes = purposes.into_iter().filter(|(_, is_it)| *is_it);
        subjects.extend(purposes.map(|(purpose, _)| purpose.to_owned()));
    }
    subjects
}
