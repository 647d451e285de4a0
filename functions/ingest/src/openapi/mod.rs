//! What the API is, for programs: the OpenAPI document and the events' schemas. Pure.
//!
//! `base.json` describes paths and answers; the events come from the shapes' files, so that the document says what is checked.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use serde_json::{Value, json};

use crate::lines::{EVENTS, Shape, ShapeError, Shapes};

const BASE: &str = include_str!("base.json");
const METHODS: [&str; 8] = [
    "get", "put", "post", "delete", "options", "head", "patch", "trace",
];

/// The OpenAPI 3.1 document. Put together when it is first asked for.
///
/// # Errors
/// [`ShapeError`] if a file cannot be used. Never with what is shipped: a test reads it.
pub fn document() -> Result<&'static Value, ShapeError> {
    static DOCUMENT: OnceLock<Result<Value, ShapeError>> = OnceLock::new();
    let document = DOCUMENT.get_or_init(|| build(Shapes::shipped()?));
    document.as_ref().map_err(Clone::clone)
}

/// Method and path of each route that the document describes.
///
/// # Errors
/// As [`document`].
pub fn routes() -> Result<Vec<(String, String)>, ShapeError> {
    let paths = document()?["paths"].as_object().into_iter().flatten();
    let routes = paths.flat_map(|(path, item)| {
        let methods = METHODS.into_iter().filter(|method| item.get(method).is_some());
        methods.map(|method| (method.to_uppercase(), path.clone()))
    });
    Ok(routes.collect())
}

/// The answer to `GET /v1/schemas`: the events of a shape, and where their schemas are. `line`: the line that has the shape, if the
/// caller named one.
#[must_use]
pub fn schemas(shape: &Shape, line: Option<&str>) -> Value {
    let query = line.map_or_else(String::new, |line| format!("?line={line}"));
    let schema = |event| json!({ "event": event, "href": format!("/v1/schemas/{event}{query}") });
    json!({ "schemas": shape.events().map(schema).collect::<Vec<_>>() })
}

fn build(shapes: &Shapes) -> Result<Value, ShapeError> {
    let mut document: Value = serde_json::from_str(BASE).map_err(|error| ShapeError {
        file: "base.json".to_owned(),
        pointer: String::new(),
        expected: "JSON".to_owned(),
        found: error.to_string(),
    })?;
    document["info"]["version"] = json!(env!("CARGO_PKG_VERSION"));
    if let Some(components) = document["components"]["schemas"].as_object_mut() {
        components.insert("EventName".to_owned(), json!({ "enum": EVENTS }));
        components.insert("Event".to_owned(), event());
        for name in EVENTS {
            components.insert(format!("event.{name}"), of_event(name, shapes));
        }
        components.extend(shapes.all().flat_map(of_shape));
    }
    Ok(document)
}

/// One of the events: which one, its name says.
fn event() -> Value {
    let names: BTreeMap<_, _> = EVENTS
        .iter()
        .map(|name| (name, reference(&format!("event.{name}"))))
        .collect();
    let mapping: BTreeMap<_, _> = names
        .iter()
        .map(|(name, reference)| (name, &reference["$ref"]))
        .collect();
    json!({
        "oneOf": names.values().collect::<Vec<_>>(),
        "discriminator": { "propertyName": "event", "mapping": mapping },
    })
}

/// An event in the shape of any line.
fn of_event(name: &str, shapes: &Shapes) -> Value {
    let shapes = shapes
        .all()
        .filter(|shape| shape.events().any(|event| event == name));
    let data: Vec<_> = shapes
        .map(|shape| reference(&format!("{}.{name}", shape.name())))
        .collect();
    json!({
        "type": "object",
        "additionalProperties": false,
        "required": ["event", "data"],
        "properties": {
            "event": { "const": name },
            "id": reference("EventId"),
            "data": { "type": "object", "anyOf": data },
        },
    })
}

/// The schemas of a shape's events, and the definitions that they refer to.
fn of_shape(shape: &Shape) -> BTreeMap<String, Value> {
    let mut components = BTreeMap::new();
    for event in shape.events() {
        let Some((schema, definitions)) = shape.parts(event) else {
            continue;
        };
        let definitions = definitions.as_object().into_iter().flatten();
        let definitions = definitions.map(|(name, definition)| (name.as_str(), definition));
        for (name, schema) in definitions.chain([(event, schema)]) {
            let mut schema = schema.clone();
            refer(&mut schema, shape.name());
            components.insert(format!("{}.{name}", shape.name()), schema);
        }
    }
    components
}

/// Lets the references of a shape's schema lead to the document's components.
fn refer(schema: &mut Value, shape: &str) {
    match schema {
        Value::Object(members) => {
            for (name, value) in members {
                let definition = value.as_str().and_then(|text| text.strip_prefix("#/$defs/"));
                match definition.filter(|_| name == "$ref") {
                    Some(definition) => *value = json!(format!("#/components/schemas/{shape}.{definition}")),
                    None => refer(value, shape),
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| refer(item, shape)),
        _ => {}
    }
}

fn reference(name: &str) -> Value {
    json!({ "$ref": format!("#/components/schemas/{name}") })
}

#[cfg(test)]
mod tests;
