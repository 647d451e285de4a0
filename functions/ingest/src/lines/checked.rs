//! Schemas that are compiled when they are first needed: a start with one event pays for one.

use std::sync::OnceLock;

use jsonschema::Validator;
use serde_json::{Value, json};

use super::schema;
use super::violation::Violation;

/// What patches look like, by the canonical shape's definitions.
#[derive(Debug, Default)]
pub(super) struct Patches {
    pub(super) course: Checked,
    pub(super) instructor: Checked,
}

/// A schema that is compiled when it is first needed.
#[derive(Debug, Default)]
pub(super) struct Checked {
    pub(super) document: Value,
    validator: OnceLock<Result<Validator, String>>,
}

impl Checked {
    pub(super) fn new(document: Value) -> Self {
        let validator = OnceLock::new();
        Self { document, validator }
    }

    pub(super) fn violations(&self, value: &Value) -> Result<Vec<Violation>, String> {
        let compile = || schema::compile(&self.document).map_err(|error| error.to_string());
        match self.validator.get_or_init(compile) {
            Ok(validator) => Ok(schema::violations(validator, &self.document, value)),
            Err(error) => Err(error.clone()),
        }
    }
}

impl Patches {
    pub(super) fn new(definitions: &Value) -> Self {
        let course = json!({
            "properties": {
                "course": { "$ref": "#/$defs/course" },
                "runs": { "additionalProperties": { "$ref": "#/$defs/run" } },
            },
            "additionalProperties": false,
        });
        let instructor = json!({ "$ref": "#/$defs/instructor" });
        let document = |schema| Checked::new(schema::document("patch", &schema, definitions));
        Self {
            course: document(course),
            instructor: document(instructor),
        }
    }
}
