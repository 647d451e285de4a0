//! A payload by its fields.

use serde_json::{Map, Number, Value};

use super::Fields;
use crate::lane::short_hash;

/// A short hash of each field, by its JSON Pointer.
///
/// A field is what is no object and no list, or a list of such, or an empty object or list. `null` counts as absent, and `1` and
/// `1.0` are the same number: a vendor may write either.
#[must_use]
pub fn fields(payload: &Value) -> Fields {
    let hashed = |(pointer, leaf): (String, &Value)| (pointer, short_hash(&canonical(leaf)));
    leaves(payload).into_iter().map(hashed).collect()
}

/// The fields' values, in the payload's order.
pub(crate) fn leaves(payload: &Value) -> Vec<(String, &Value)> {
    let mut found = Vec::new();
    walk(payload, String::new(), &mut found);
    found
}

fn walk<'v>(value: &'v Value, pointer: String, found: &mut Vec<(String, &'v Value)>) {
    match value {
        Value::Null => {}
        Value::Object(members) if !members.values().all(Value::is_null) => {
            for (name, member) in members {
                let name = name.replace('~', "~0").replace('/', "~1");
                walk(member, format!("{pointer}/{name}"), found);
            }
        }
        Value::Array(items) if items.iter().any(|item| item.is_object() || item.is_array()) => {
            for (at, item) in items.iter().enumerate() {
                walk(item, format!("{pointer}/{at}"), found);
            }
        }
        leaf => found.push((pointer, leaf)),
    }
}

/// A field's one form as JSON: whole numbers without a fraction.
pub(crate) fn canonical(value: &Value) -> String {
    plain(value).to_string()
}

fn plain(value: &Value) -> Value {
    match value {
        Value::Number(number) => Value::Number(whole(number).unwrap_or_else(|| number.clone())),
        Value::Array(items) => items.iter().map(plain).collect(),
        // Of objects only those are fields that have nothing in them, or `null` alone.
        Value::Object(_) => Value::Object(Map::new()),
        other => other.clone(),
    }
}

/// A number with a fraction of zero, where that can be left out without losing a digit.
fn whole(number: &Number) -> Option<Number> {
    let float = number.as_f64().filter(|_| number.is_f64())?;
    let is_exact = float.fract() == 0.0 && float.abs() < 9e15;
    #[expect(clippy::cast_possible_truncation, reason = "a whole number below 2^53")]
    is_exact.then(|| Number::from(float as i64))
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use serde_json::json;

    use super::*;

    #[rstest]
    #[case(json!({"a": 1, "b": {"c": "x", "d": null}}), &["/a", "/b/c"])]
    #[case(json!({"tags": ["a", "b"], "rows": [{"x": 1}, 2]}), &["/rows/0/x", "/rows/1", "/tags"])]
    #[case(json!({"none": [], "nothing": {}, "only": {"null": null}}), &["/none", "/nothing", "/only"])]
    #[case(json!({"a/b": {"c~d": true}}), &["/a~1b/c~0d"])]
    #[case(json!("text"), &[""])]
    #[case(json!(null), &[])]
    fn what_a_field_is(#[case] payload: Value, #[case] pointers: &[&str]) {
        let found = fields(&payload);
        assert_eq!(found.keys().map(String::as_str).collect::<Vec<_>>(), pointers);
        for pointer in pointers {
            assert!(payload.pointer(pointer).is_some(), "{pointer}");
        }
    }

    #[rstest]
    #[case(json!({"price": 199}), json!({"price": 199.0}), true)]
    #[case(json!({"prices": [1, -0.0]}), json!({"prices": [1.0, 0]}), true)]
    #[case(json!({"price": 199}), json!({"price": 199.5}), false)]
    #[case(json!({"price": 199}), json!({"price": "199"}), false)]
    #[case(json!({"price": null}), json!({}), true)]
    #[case(json!({"a": {"b": null}}), json!({"a": {}}), true)]
    #[case(json!({"a": {}}), json!({}), false)]
    #[case(json!({"tags": ["a", "b"]}), json!({"tags": ["b", "a"]}), false)]
    #[case(json!({"tags": []}), json!({}), false)]
    fn what_is_the_same(#[case] one: Value, #[case] other: Value, #[case] is_same: bool) {
        assert_eq!(fields(&one) == fields(&other), is_same);
    }
}
