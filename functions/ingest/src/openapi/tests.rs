use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use jsonschema::Validator;
use rstest::rstest;

use super::*;

/// The schema of such documents (<https://spec.openapis.org/oas/3.1/schema/2022-10-07>).
const META: &str = include_str!("tests/openapi-3.1.schema.json");

fn walk<'a>(value: &'a Value, visit: &mut impl FnMut(&str, &'a Value)) {
    match value {
        Value::Object(members) => members.iter().for_each(|(name, value)| {
            visit(name, value);
            walk(value, visit);
        }),
        Value::Array(items) => items.iter().for_each(|item| walk(item, visit)),
        _ => {}
    }
}

/// A schema in the document, with everything that it refers to.
fn validator(schema: &Value) -> Validator {
    let mut schema = schema.clone();
    schema["components"] = document().unwrap()["components"].clone();
    let options = jsonschema::options().with_draft(jsonschema::Draft::Draft202012);
    options
        .should_validate_formats(true)
        .offline()
        .build(&schema)
        .unwrap()
}

#[test]
fn it_is_an_openapi_document() {
    let meta: Value = serde_json::from_str(META).unwrap();
    let meta = jsonschema::options().offline().build(&meta).unwrap();
    let errors: Vec<_> = meta
        .iter_errors(document().unwrap())
        .map(|error| format!("{}: {error}", error.instance_path()))
        .collect();
    assert!(errors.is_empty(), "{errors:#?}");
    let broken = meta.is_valid(&json!({ "openapi": "3.1.0", "info": { "title": "T" }, "paths": {} }));
    assert!(!broken);
}

#[test]
fn every_reference_leads_somewhere() {
    let document = document().unwrap();
    let mut count = 0;
    walk(document, &mut |name, value| {
        if let ("$ref", Some(reference)) = (name, value.as_str()) {
            let pointer = reference.strip_prefix('#').unwrap();
            assert!(document.pointer(pointer).is_some(), "{reference}");
            count += 1;
        }
    });
    assert!(count > 100, "{count}");
}

#[test]
fn every_component_is_used() {
    let document = document().unwrap();
    let mut used = BTreeSet::new();
    walk(document, &mut |name, value| {
        if name == "$ref"
            || value
                .as_str()
                .is_some_and(|text| text.starts_with("#/components/"))
        {
            used.extend(value.as_str().map(str::to_owned));
        }
    });
    for kind in ["schemas", "responses", "parameters", "headers"] {
        for name in document["components"][kind].as_object().unwrap().keys() {
            assert!(
                used.contains(&format!("#/components/{kind}/{name}")),
                "{kind}/{name}"
            );
        }
    }
}

#[test]
fn every_part_of_a_path_is_a_parameter() {
    for (path, item) in document().unwrap()["paths"].as_object().unwrap() {
        let templated: BTreeSet<_> = path
            .split('/')
            .filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'))
            .collect();
        let parameters = item["parameters"].as_array().into_iter().flatten();
        let declared: BTreeSet<_> = parameters
            .filter(|parameter| parameter["in"] == "path")
            .filter_map(|parameter| parameter["name"].as_str())
            .collect();
        assert_eq!(templated, declared, "{path}");
    }
}

#[test]
fn the_schemas_of_all_shapes_are_in_it() {
    let document = document().unwrap();
    let components = document["components"]["schemas"].as_object().unwrap();
    let base: Value = serde_json::from_str(BASE).unwrap();
    let mut expected = base["components"]["schemas"].as_object().unwrap().len() + EVENTS.len();
    for shape in Shapes::shipped().unwrap().all() {
        let event = shape.events().next().unwrap();
        let (_, definitions) = shape.parts(event).unwrap();
        expected += shape.events().count() + definitions.as_object().unwrap().len();
    }
    // None hides another one of the same name.
    assert_eq!(components.len(), expected);
    for name in components.keys() {
        validator(&reference(name));
    }
}

#[test]
fn the_routes_are_those_of_the_document() {
    let routes = routes().unwrap();
    let routes: Vec<_> = routes
        .iter()
        .map(|(method, path)| format!("{method} {path}"))
        .collect();
    let expected = [
        "POST /v1/events/sapb1",
        "GET /v1/events/{id}",
        "POST /v1/lines/{line}/events",
        "GET /v1/openapi.json",
        "GET /v1/schemas",
        "GET /v1/schemas/{event}",
    ];
    assert_eq!(routes, expected);
}

/// What the document says of an event's data is what is checked.
#[test]
fn examples_are_events_of_the_document() {
    let event = validator(&reference("Event"));
    let mut count = 0;
    for shape in Shapes::shipped().unwrap().all() {
        let folder = Path::new("lines").join(shape.name()).join("examples");
        for entry in fs::read_dir(folder).unwrap() {
            let text = fs::read_to_string(entry.unwrap().path()).unwrap();
            let example: Value = serde_json::from_str(&text).unwrap();
            let name = example["event"].as_str().unwrap();
            let is_right = shape.schema(name).is_some_and(|schema| {
                let options = jsonschema::options().should_validate_formats(true);
                options
                    .offline()
                    .build(schema)
                    .unwrap()
                    .is_valid(&example["data"])
            });
            let sent = json!({ "event": name, "id": "e-1", "data": example["data"] });
            assert_eq!(event.is_valid(&sent), is_right, "{name} of {}", shape.name());
            count += 1;
        }
    }
    assert!(count > 10, "{count}");
}

fn outcome(status: &str) -> Value {
    let step = json!({ "name": "course", "id": "ACME+DM", "at": "2026-01-29T14:36:26Z", "took_ms": 12 });
    let entity = json!({ "entity": "course/acme:1", "status": "SYNCED", "link": "ACME+DM", "steps": [step] });
    json!({ "id": "e-1", "line": "acme", "event": "course.created", "status": status, "href": "/v1/events/e-1", "entities": [entity] })
}

fn problem(status: u16, code: &str, more: &Value) -> Value {
    let mut problem =
        json!({ "type": "about:blank", "title": "T", "status": status, "code": code, "detail": "D" });
    for (name, value) in more.as_object().unwrap() {
        problem[name] = value.clone();
    }
    problem
}

fn failure() -> Value {
    json!({
        "id": "e-1", "href": "/v1/events/e-1", "done": [{ "name": "people" }], "not_done": ["run r-1"], "retry": { "will_be_retried": false },
        "point_of_failure": { "entity": "course/acme:1", "step": "course", "pointer": "/data/title", "vendor_status": 400, "vendor_message": "no" },
    })
}

fn with(mut value: Value, name: &str, member: Value) -> Value {
    value[name] = member;
    value
}

#[rstest]
#[case::done(200, outcome("done"), true)]
#[case::array(200, json!({ "outcomes": [with(outcome("done"), "http_status", json!(200))] }), true)]
#[case::array_without_statuses(200, json!({ "outcomes": [outcome("done")] }), false)]
#[case::unknown_status(200, outcome("lost"), false)]
#[case::more(200, with(outcome("done"), "secret", json!(1)), false)]
#[case::pending(202, outcome("pending"), true)]
#[case::mixed(207, json!({ "outcomes": [
    with(outcome("done"), "http_status", json!(200)),
    with(problem(422, "invalid", &json!({ "violations": [{ "index": 1, "pointer": "/data/id", "expected": "`id`", "found": "nothing" }] })), "http_status", json!(422)),
] }), true)]
#[case::invalid(422, problem(422, "invalid", &json!({ "violations": [{ "pointer": "", "expected": "an object", "found": "null" }] })), true)]
#[case::invalid_for_nothing(422, problem(422, "invalid", &json!({})), false)]
#[case::degree(422, problem(422, "degrees-are-read-only", &json!({ "row": { "title": "T" }, "csv": "title\r\nT\r\n" })), true)]
#[case::refused(422, problem(422, "refused-by-vendor", &failure()), true)]
#[case::other_code(422, problem(422, "other", &json!({})), false)]
#[case::failed(502, problem(502, "vendor-failed", &failure()), true)]
#[case::conflict(409, problem(409, "idempotency-mismatch", &json!({})), true)]
#[case::conflict_with_more(409, problem(409, "idempotency-mismatch", &json!({ "more": 1 })), false)]
#[case::other_status(409, problem(410, "idempotency-mismatch", &json!({})), false)]
#[case::not_my_line(403, problem(403, "not-your-line", &json!({})), true)]
#[case::too_often(429, problem(429, "too-many-requests", &json!({})), true)]
fn answers_are_described(#[case] status: u16, #[case] body: Value, #[case] is_right: bool) {
    let document = document().unwrap();
    let answer = &document["paths"]["/v1/lines/{line}/events"]["post"]["responses"][status.to_string()];
    let answer = answer["$ref"]
        .as_str()
        .map_or(answer, |reference| document.pointer(&reference[1..]).unwrap());
    let media_type = if status < 300 {
        "application/json"
    } else {
        "application/problem+json"
    };
    let validator = validator(&answer["content"][media_type]["schema"]);
    let errors: Vec<_> = validator
        .iter_errors(&body)
        .map(|error| error.to_string())
        .collect();
    assert_eq!(errors.is_empty(), is_right, "{errors:#?}");
}

#[test]
fn the_list_of_schemas_leads_to_them() {
    let shape = Shapes::shipped().unwrap().get("executive-education").unwrap();
    let expected = json!({ "schemas": [
        { "event": "course.updated", "href": "/v1/schemas/course.updated?line=acme" },
        { "event": "product.created", "href": "/v1/schemas/product.created?line=acme" },
    ] });
    assert_eq!(schemas(shape, Some("acme")), expected);
    assert_eq!(
        schemas(shape, None)["schemas"][0]["href"],
        "/v1/schemas/course.updated"
    );
}
