//! JSON Schemas: put together, compiled when they are first needed, and their errors in our words.

use std::collections::BTreeSet;

use jsonschema::error::ValidationErrorKind;
use jsonschema::{Draft, PatternOptions, ValidationError, Validator};
use serde_json::{Map, Value, json};

use super::violation::{MAX_VIOLATIONS, Violation, below, described, word};

const DIALECT: &str = "https://json-schema.org/draft/2020-12/schema";
const DEFINITIONS: &str = "#/$defs/";

/// A schema that stands for itself: with the definitions that it refers to, and no others.
pub(super) fn document(title: &str, schema: &Value, definitions: &Value) -> Value {
    let mut names = BTreeSet::new();
    references(schema, definitions, &mut names);
    let used = names.into_iter().filter_map(|name| {
        let definition = definitions.get(&name)?.clone();
        Some((name, definition))
    });
    let mut document = Map::new();
    document.insert("$schema".to_owned(), json!(DIALECT));
    document.insert("title".to_owned(), json!(title));
    document.insert("$defs".to_owned(), Value::Object(used.collect()));
    document.extend(schema.as_object().cloned().unwrap_or_default());
    Value::Object(document)
}

fn references(schema: &Value, definitions: &Value, names: &mut BTreeSet<String>) {
    match schema {
        Value::Object(members) => {
            let name = members.get("$ref").and_then(Value::as_str);
            if let Some(name) = name.and_then(|name| name.strip_prefix(DEFINITIONS))
                && names.insert(name.to_owned())
                && let Some(definition) = definitions.get(name)
            {
                references(definition, definitions, names);
            }
            members
                .values()
                .for_each(|value| references(value, definitions, names));
        }
        Value::Array(items) => items.iter().for_each(|item| references(item, definitions, names)),
        _ => {}
    }
}

/// Compiles a document. Nothing is fetched, and patterns take time linear in the text.
pub(super) fn compile(document: &Value) -> Result<Validator, ValidationError<'static>> {
    jsonschema::options()
        .with_draft(Draft::Draft202012)
        .should_validate_formats(true)
        .should_ignore_unknown_formats(false)
        .with_pattern_options(PatternOptions::regex())
        .offline()
        .build(document)
}

/// All that is wrong with a value, in the order of the pointers.
pub(super) fn violations(validator: &Validator, document: &Value, value: &Value) -> Vec<Violation> {
    let errors = validator.iter_errors(value);
    let mut violations: Vec<_> = errors
        .flat_map(|error| told(&error, document))
        .take(MAX_VIOLATIONS)
        .collect();
    violations.sort();
    violations.dedup();
    violations
}

fn told(error: &ValidationError<'_>, document: &Value) -> Vec<Violation> {
    let pointer = error.instance_path().as_str();
    let value = &**error.instance();
    match error.kind() {
        ValidationErrorKind::AdditionalProperties { unexpected } => {
            let one = |name: &String| {
                let found = value.get(name).map_or_else(String::new, described);
                Violation::new(below(pointer, name), "no such member", found)
            };
            unexpected.iter().map(one).collect()
        }
        ValidationErrorKind::Required { property } => {
            let name = property.as_str().unwrap_or_default();
            vec![Violation::new(
                below(pointer, name),
                format!("`{name}`"),
                "nothing",
            )]
        }
        ValidationErrorKind::PropertyNames { error } => {
            vec![Violation::new(pointer, expected(error, document), "another name")]
        }
        ValidationErrorKind::FalseSchema => {
            vec![Violation::new(pointer, "no such member", described(value))]
        }
        kind => {
            let found = match kind {
                ValidationErrorKind::Enum { .. } | ValidationErrorKind::Constant { .. } => word(value),
                ValidationErrorKind::Maximum { .. } | ValidationErrorKind::Minimum { .. } => {
                    value.to_string()
                }
                _ => described(value),
            };
            vec![Violation::new(pointer, expected(error, document), found)]
        }
    }
}

/// What the schema's keyword asks for. Its `description` says it better, where there is one.
fn expected(error: &ValidationError<'_>, document: &Value) -> String {
    let path = error.schema_path().as_str();
    let (parent, keyword) = path.rsplit_once('/').unwrap_or_default();
    let schema = document.pointer(parent).unwrap_or(&Value::Null);
    let limit = &schema[keyword];
    let is_nullable = schema["type"]
        .as_array()
        .is_some_and(|types| types.contains(&Value::Null) || types.iter().any(|name| name == "null"));
    let or_null = if is_nullable { " or null" } else { "" };
    match (keyword, schema["description"].as_str()) {
        ("minLength", _) if limit == 1 => "a text that is not empty".to_owned(),
        ("minLength", _) => format!("a text of at least {limit} characters"),
        ("maxLength", _) => format!("a text of at most {limit} characters"),
        ("minItems", _) => format!("a list of at least {limit}"),
        ("maxItems", _) => format!("a list of at most {limit}"),
        ("minProperties", _) => format!("an object of at least {limit}"),
        ("maxProperties", _) => format!("an object of at most {limit}"),
        ("minimum", _) => format!("at least {limit}"),
        ("maximum", _) => format!("at most {limit}"),
        ("uniqueItems", _) => "a list without repetitions".to_owned(),
        (_, Some(description)) => format!("{description}{or_null}"),
        ("enum", None) => {
            let words = limit.as_array().into_iter().flatten();
            let words: Vec<_> = words
                .map(|word| {
                    word.as_str()
                        .map_or_else(|| word.to_string(), |word| format!("`{word}`"))
                })
                .collect();
            format!("one of {}", words.join(", "))
        }
        ("const", None) => limit
            .as_str()
            .map_or_else(|| limit.to_string(), |word| format!("`{word}`")),
        ("format", None) => format!("a text with the format `{}`", limit.as_str().unwrap_or_default()),
        ("pattern", None) => format!("a text that matches {}", limit.as_str().unwrap_or_default()),
        ("type", None) => match limit {
            Value::Array(names) => names.iter().map(typed).collect::<Vec<_>>().join(" or "),
            name => typed(name).to_owned(),
        },
        _ => format!("what `{keyword}` in the event's schema asks for"),
    }
}

fn typed(name: &Value) -> &'static str {
    match name.as_str() {
        Some("string") => "a text",
        Some("integer") => "a whole number",
        Some("number") => "a number",
        Some("boolean") => "true or false",
        Some("object") => "an object",
        Some("array") => "a list",
        Some("null") => "null",
        _ => "another type",
    }
}
