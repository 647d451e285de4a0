//! What becomes of the examples.

use super::*;

#[test]
fn examples_become() {
    insta::glob!("../../../lines", "*/examples/*.json", |path| {
        let became = match Example::of(path).read() {
            Ok(changes) => changes.iter().map(shown).collect(),
            Err(Refused::UnknownEvent { known }) => json!({ "unknown_event": { "known": known } }),
            Err(Refused::Invalid(violations)) => json!({ "invalid": violations }),
            Err(Refused::ReadOnly { row, csv }) => json!({ "read_only": { "row": row, "csv": csv } }),
            Err(Refused::Broken(error)) => panic!("{error}"),
        };
        insta::assert_json_snapshot!(became);
    });
}

fn shown(change: &Change) -> Value {
    json!({
        "entity_type": change.entity_type,
        "id": change.id,
        "kind": change.kind,
        "known_runs": change.known_runs,
        "patch": change.patch,
        "origin": change.origin,
    })
}

#[test]
fn every_shape_has_an_example_of_each_event() {
    let examples = Example::all();
    for shape in Shapes::shipped().unwrap().all() {
        for event in shape.events() {
            let has_one = examples
                .iter()
                .any(|example| example.shape == shape.name() && example.event == event);
            assert!(
                has_one,
                "no example of {event} in lines/{}/examples",
                shape.name()
            );
        }
    }
}

#[test]
fn every_schema_compiles() {
    for shape in Shapes::shipped().unwrap().all() {
        for event in shape.events() {
            jsonschema::draft202012::meta::validate(shape.schema(event).unwrap()).unwrap();
            let read = shape.read(event, &LineTerms::default(), &json!({}));
            assert!(
                matches!(read, Err(Refused::Invalid(_))),
                "{} {event}: {read:?}",
                shape.name()
            );
        }
    }
}

#[test]
fn the_canonical_shape_knows_every_event() {
    let known: Vec<_> = shape(CANONICAL).events().collect();
    assert_eq!(known, EVENTS);
}

/// Whatever course-discovery says of a part of the state, the caller can be told which part of its data that is.
#[test]
fn every_part_of_a_patch_came_from_somewhere() {
    for example in Example::all() {
        for change in example.read().unwrap_or_default() {
            let mut patch = change.patch.clone();
            patch.as_object_mut().unwrap().remove("line");
            for leaf in leaves(&patch) {
                let origin = change.origin.of(&leaf);
                let origin = origin.unwrap_or_else(|| {
                    panic!("{} {}: {leaf} came from nowhere", example.shape, example.event)
                });
                assert!(
                    example.data.pointer(&origin).is_some(),
                    "{leaf} came from {origin}, which is not there"
                );
                assert_ne!(origin, "", "{leaf} came from anywhere");
            }
            let json = serde_json::to_string(&change.origin).unwrap();
            assert_eq!(serde_json::from_str::<Origin>(&json).unwrap(), change.origin);
        }
    }
}

fn leaves(value: &Value) -> Vec<String> {
    let below = |name: &str, value: &Value| -> Vec<String> {
        let name = name.replace('~', "~0").replace('/', "~1");
        leaves(value)
            .into_iter()
            .map(|leaf| format!("/{name}{leaf}"))
            .collect()
    };
    match value {
        Value::Object(members) => members
            .iter()
            .flat_map(|(name, value)| below(name, value))
            .collect(),
        Value::Array(items) => (0..)
            .zip(items)
            .flat_map(|(at, item)| below(&usize::to_string(&at), item))
            .collect(),
        _ => vec![String::new()],
    }
}

#[rstest::rstest]
#[case("/course/title", Some("/altName"))]
#[case("/course/title/more", Some("/altName"))]
#[case("/course/organization", Some("/universityAbbreviation"))]
#[case("/course/faq", Some("/faqs/0"))]
#[case("/course/metadata/facts/1/heading", Some("/stats/stat2"))]
#[case("/course/metadata/facts/7", Some(""))]
#[case(
    "/runs/00000000-0000-4000-8000-000000000002/end",
    Some("/futureVariants/0/endDate")
)]
#[case("/runs/00000000-0000-4000-8000-000000000002/staff", Some("/futureVariants/0"))]
#[case("/runs/00000000-0000-4000-8000-000000000002/min_effort", Some("/effort"))]
#[case("/runs/00000000-0000-4000-8000-000000000009/end", None)]
#[case("/elsewhere", None)]
#[case("", None)]
fn a_place_of_the_state_is_told_as_one_of_the_data(#[case] state: &str, #[case] data: Option<&str>) {
    let examples = Example::all();
    let mut of_shape = examples
        .iter()
        .filter(|example| example.shape == "executive-education");
    let product = of_shape
        .find(|example| example.event == "product.created" && example.read().is_ok())
        .unwrap();
    let changes = product.read().unwrap();
    assert_eq!(changes[0].origin.of(state).as_deref(), data);
}

#[rstest::rstest]
#[case("/runs/r-1/staff/0", Some("/staff/0"))]
#[case("/runs/r-1/pacing", Some(""))]
#[case("/runs/r-1/id", Some("/id"))]
#[case("/id", Some("/course"))]
#[case("/course/title", None)]
fn what_is_copied_is_told_to_the_last_member(#[case] state: &str, #[case] data: Option<&str>) {
    let run = json!({ "id": "r-1", "course": "1", "staff": ["p-1"] });
    let changes = canonical("course-run.updated", &run).unwrap();
    assert_eq!(changes[0].origin.of(state).as_deref(), data);
}
