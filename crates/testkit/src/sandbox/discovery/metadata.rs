//! `additional_metadata`: what an external course has besides.

use serde_json::{Map, Value};

use super::said::{Wrong, moment, object, text, text_or_blank};

/// Measured: these come together or not at all.
const TOGETHER: [&str; 6] = [
    "facts",
    "certificate_info",
    "start_date",
    "end_date",
    "registration_deadline",
    "variant_id",
];
/// What else is kept; other properties are ignored.
const OTHERS: [&str; 8] = [
    "external_identifier",
    "external_url",
    "lead_capture_form_url",
    "organic_url",
    "course_term_override",
    "product_status",
    "product_meta",
    "external_course_marketing_type",
];

/// What is to be kept. Dates come back as UTC.
pub(super) fn read(value: &Value) -> Result<Map<String, Value>, Wrong> {
    let said = object(value)?;
    if let Some(missing) = TOGETHER.iter().find(|name| !said.contains_key(**name)) {
        return Err(format!("{missing}: This field is required."));
    }
    let mut kept = Map::new();
    for name in TOGETHER.iter().chain(&OTHERS) {
        if let Some(value) = said.get(*name) {
            kept.insert(
                (*name).to_owned(),
                one(name, value).map_err(|wrong| format!("{name}: {wrong}"))?,
            );
        }
    }
    Ok(kept)
}

fn one(name: &str, value: &Value) -> Result<Value, Wrong> {
    Ok(match name {
        "facts" => {
            let facts = value.as_array().ok_or("Expected a list of items.")?;
            facts
                .iter()
                .map(heading_and_blurb)
                .collect::<Result<Vec<_>, _>>()?
                .into()
        }
        "certificate_info" => heading_and_blurb(value)?,
        "start_date" | "end_date" | "registration_deadline" => moment(value)?.to_string().into(),
        "variant_id" => text(value)?.into(),
        "external_course_marketing_type" => {
            let kind = text(value)?;
            match kind.as_str() {
                "short_course" | "sprint" | "course_stack" => kind.into(),
                other => return Err(format!("\"{other}\" is not a valid choice.")),
            }
        }
        "product_meta" => object(value)?.clone().into(),
        _ if value.is_null() => Value::Null,
        _ => text_or_blank(value)?.into(),
    })
}

fn heading_and_blurb(value: &Value) -> Result<Value, Wrong> {
    let said = object(value)?;
    let mut kept = Map::new();
    for name in ["heading", "blurb"] {
        let said = said
            .get(name)
            .ok_or_else(|| format!("{name}: This field is required."))?;
        kept.insert(name.to_owned(), text_or_blank(said)?.into());
    }
    Ok(kept.into())
}
