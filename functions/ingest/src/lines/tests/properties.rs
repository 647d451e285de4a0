//! Whatever is sent is read or refused.

use proptest::prelude::*;
use proptest::sample::{Index, select};
use serde_json::Map;

use super::*;

fn any_text() -> impl Strategy<Value = String> {
    let known = select(vec![
        "",
        "2026-03-20",
        "2026-03-20T00:00:00Z",
        "9999-12-31T23:59:59Z",
        "-1",
        "7–10",
        "ACME",
        "https://a.example",
        "aHR0cHM6Ly9h",
        "private",
        "00000000-0000-4000-8000-000000000001",
        "\0",
        "é",
        "1e400",
        "2026-13-45",
    ]);
    prop_oneof![3 => known.prop_map(str::to_owned), 1 => any::<String>()]
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        any_text().prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 40, 6, |inner| {
        let name = prop_oneof![select(names()), any::<String>()];
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            proptest::collection::vec((name, inner), 0..6)
                .prop_map(|members| Value::Object(members.into_iter().collect::<Map<_, _>>())),
        ]
    })
}

/// Names that the examples have.
fn names() -> Vec<String> {
    fn collect(value: &Value, names: &mut Vec<String>) {
        match value {
            Value::Object(members) => members.iter().for_each(|(name, value)| {
                names.push(name.clone());
                collect(value, names);
            }),
            Value::Array(items) => items.iter().for_each(|item| collect(item, names)),
            _ => {}
        }
    }
    let mut names = Vec::new();
    for example in Example::all() {
        collect(&example.data, &mut names);
    }
    names.sort();
    names.dedup();
    names
}

/// An example in which one value is another one, or gone.
fn broken_example() -> impl Strategy<Value = Example> {
    let change = (any::<Index>(), any::<Index>(), proptest::option::of(any_json()));
    change.prop_map(|(which, at, value)| {
        let mut examples = Example::all();
        let which = which.index(examples.len());
        let mut example = examples.swap_remove(which);
        let places = places(&example.data, "");
        let place = &places[at.index(places.len())];
        match (place.rsplit_once('/'), value) {
            (Some((parent, name)), None) => match example.data.pointer_mut(parent) {
                Some(Value::Object(members)) => drop(members.remove(name)),
                Some(other) => *other = Value::Null,
                None => {}
            },
            (_, value) => *example.data.pointer_mut(place).unwrap() = value.unwrap_or_default(),
        }
        example
    })
}

fn places(value: &Value, at: &str) -> Vec<String> {
    let mut all = vec![at.to_owned()];
    match value {
        Value::Object(members) => members
            .iter()
            .for_each(|(name, value)| all.extend(places(value, &format!("{at}/{name}")))),
        Value::Array(items) => (0..)
            .zip(items)
            .for_each(|(index, item): (usize, _)| all.extend(places(item, &format!("{at}/{index}")))),
        _ => {}
    }
    all
}

/// Changes can be merged into nothing and into themselves, and what is wrong is at a place of the data, or right below one.
fn holds(example: &Example) {
    let violations = match example.read() {
        Ok(changes) => {
            assert!(changes.is_sorted_by_key(|change| change.entity_type));
            let merged = changes.iter().map(|change| {
                let again = merge(None, change).and_then(|state| merge(Some(state), change));
                again.map(drop)
            });
            merged.filter_map(Result::err).flatten().collect()
        }
        Err(Refused::Invalid(violations)) => {
            assert!(!violations.is_empty());
            violations
        }
        Err(Refused::ReadOnly { row, csv }) => {
            let mut reader = csv::Reader::from_reader(csv.as_bytes());
            let read: Vec<BTreeMap<String, String>> = reader.deserialize().map(Result::unwrap).collect();
            assert_eq!(json!(read), json!([row]));
            return;
        }
        Err(Refused::UnknownEvent { .. }) => return,
        Err(Refused::Broken(error)) => panic!("{error}"),
    };
    for Violation { pointer, .. } in violations {
        let parent = pointer.rsplit_once('/').map_or("", |(parent, _)| parent);
        assert!(example.data.pointer(parent).is_some(), "{pointer}");
    }
}

proptest! {
    #[test]
    fn any_json_is_read_or_refused(data in any_json(), event in select(EVENTS.to_vec())) {
        for shape in Shapes::shipped().unwrap().all() {
            holds(&Example {
                shape: shape.name().to_owned(),
                event: event.to_owned(),
                organizations: [("ACME".to_owned(), "ACME".to_owned())].into(),
                data: data.clone(),
            });
        }
    }

    #[test]
    fn any_broken_example_is_read_or_refused(example in broken_example()) {
        holds(&example);
    }
}
