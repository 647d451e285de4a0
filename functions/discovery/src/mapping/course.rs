//! A product: its course and the course's runs.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use vendorbridge::vendor::{Field, Invalid};

use super::run::{Parent, Run, RunState};
use super::{Body, escaped, is_plain, or, required};
use crate::config::Settings;

/// The vendor's names of a course's fields.
pub(crate) const COURSE_FIELDS: &[(&str, &str)] = &[
    ("org", "organization"),
    ("video", "video_url"),
    ("video/src", "video_url"),
    ("card_image_url", "image_url"),
    ("additional_metadata", "metadata"),
];

/// What the metadata of a course needs together, or not at all: course-discovery takes no part of them
/// (<https://github.com/openedx/course-discovery/blob/master/course_discovery/apps/api/serializers.py>).
const METADATA_TOGETHER: [&str; 6] = [
    "facts",
    "certificate_info",
    "start_date",
    "end_date",
    "registration_deadline",
    "variant_id",
];

const METADATA_BESIDES: [&str; 8] = [
    "external_identifier",
    "external_url",
    "lead_capture_form_url",
    "organic_url",
    "course_term_override",
    "product_status",
    "product_meta",
    "external_course_marketing_type",
];

/// What a line says of a product.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct CourseState {
    line: String,
    course: About,
    #[serde(default)]
    runs: BTreeMap<String, Option<RunState>>,
}

#[derive(Debug, Clone, Deserialize)]
struct About {
    number: String,
    organization: String,
    title: String,
    #[serde(default, rename = "type")]
    course_type: Field<String>,
    #[serde(default)]
    product_source: Field<String>,
    #[serde(default)]
    prices: Field<Map<String, Value>>,
    #[serde(default)]
    short_description: Field<String>,
    #[serde(default)]
    full_description: Field<String>,
    #[serde(default)]
    outcome: Field<String>,
    #[serde(default)]
    syllabus_raw: Field<String>,
    #[serde(default)]
    prerequisites_raw: Field<String>,
    #[serde(default)]
    learner_testimonials: Field<String>,
    #[serde(default)]
    faq: Field<String>,
    #[serde(default)]
    video_url: Field<String>,
    #[serde(default)]
    level_type: Field<String>,
    #[serde(default)]
    subjects: Field<Vec<String>>,
    #[serde(default)]
    image_url: Field<String>,
    #[serde(default)]
    metadata: Option<Map<String, Value>>,
}

/// What course-discovery is to hold of a product, part by part.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Course {
    /// `<organisation>+<number>`.
    pub(crate) key: String,
    /// What it is created with.
    pub(crate) create: Value,
    /// What is written when it is there.
    pub(crate) metadata: Value,
    /// In the order of their ids.
    pub(crate) runs: Vec<Run>,
}

impl CourseState {
    pub(crate) fn course(&self, settings: &Settings) -> Result<Course, Invalid> {
        let about = &self.course;
        let (organization, number) = (about.organization.as_str(), about.number.as_str());
        for (pointer, text) in [("/course/organization", organization), ("/course/number", number)] {
            if !is_plain(text) {
                let message = "expected letters, digits, `.`, `_` and `-`, found another text";
                return Err(Invalid::new(pointer, message));
            }
        }
        let title = required("/course/title", &about.title)?;
        let key = format!("{organization}+{number}");
        let mut create = Body::default();
        create.set("org", organization);
        create.set("number", number);
        create.set("title", title);
        create.set("type", or(&about.course_type, &settings.course_type));
        create.set(
            "product_source",
            or(&about.product_source, &settings.product_source),
        );
        let prices = about.prices()?;
        create.set("prices", prices.clone().unwrap_or_default());
        let parent = Parent {
            line: &self.line,
            key: &key,
            prices: prices.as_ref(),
            run_type: &settings.run_type,
        };
        let runs = self.runs.iter().filter_map(|(id, run)| Some((id, run.as_ref()?)));
        Ok(Course {
            create: create.0.into(),
            metadata: about.metadata(title)?,
            runs: runs
                .map(|(id, run)| run.run(id, &parent))
                .collect::<Result<_, _>>()?,
            key,
        })
    }
}

impl About {
    /// A price cannot be cleared: a mode that is for sale has one.
    fn prices(&self) -> Result<Option<Map<String, Value>>, Invalid> {
        let Field::Set(prices) = &self.prices else {
            return Ok(None);
        };
        let mut prices = prices.clone();
        prices.retain(|_, price| !price.is_null());
        for (mode, price) in &prices {
            let is_amount = |text: &str| {
                let (whole, cents) = text.split_once('.').unwrap_or((text, "0"));
                let is_number =
                    |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
                is_number(whole) && is_number(cents) && cents.len() <= 2
            };
            if !price.as_str().is_some_and(is_amount) {
                let pointer = format!("/course/prices/{}", escaped(mode));
                return Err(Invalid::new(
                    pointer,
                    "expected an amount such as `2450.00` as a text, found something else",
                ));
            }
        }
        Ok(Some(prices))
    }

    /// What `PATCH` is sent. Number and organisation make the key, and are what they are.
    fn metadata(&self, title: &str) -> Result<Value, Invalid> {
        let mut body = Body::default();
        body.set("title", title);
        if let Field::Set(course_type) = &self.course_type {
            body.set("type", course_type.as_str());
        }
        if let Some(prices) = self.prices()? {
            body.set("prices", prices);
        }
        body.put("short_description", &self.short_description, "");
        body.put("full_description", &self.full_description, "");
        body.put("outcome", &self.outcome, "");
        body.put("syllabus_raw", &self.syllabus_raw, "");
        body.put("prerequisites_raw", &self.prerequisites_raw, "");
        body.put("learner_testimonials", &self.learner_testimonials, "");
        body.put("faq", &self.faq, "");
        body.put("level_type", &self.level_type, Value::Null);
        body.put("subjects", &self.subjects, Value::Array(Vec::new()));
        body.put("card_image_url", &self.image_url, Value::Null);
        match &self.video_url {
            Field::Leave => {}
            Field::Set(url) => body.set("video", serde_json::json!({"src": url})),
            Field::Clear => {
                let message = "expected a URL, found null: course-discovery takes no video away";
                return Err(Invalid::new("/course/video_url", message));
            }
        }
        if let Some(metadata) = &self.metadata {
            body.set("additional_metadata", additional(metadata)?);
        }
        Ok(body.0.into())
    }
}

fn additional(metadata: &Map<String, Value>) -> Result<Map<String, Value>, Invalid> {
    let is_there = |name: &str| metadata.get(name).is_some_and(|value| !value.is_null());
    if let Some(name) = METADATA_TOGETHER.iter().find(|name| !is_there(name)) {
        let together = METADATA_TOGETHER.join("`, `");
        let message = format!("expected `{together}` together, found none");
        return Err(Invalid::new(format!("/course/metadata/{name}"), message));
    }
    let known = METADATA_TOGETHER.iter().chain(&METADATA_BESIDES);
    let kept = known.filter_map(|name| metadata.get_key_value(*name));
    Ok(kept.map(|(name, value)| (name.clone(), value.clone())).collect())
}
