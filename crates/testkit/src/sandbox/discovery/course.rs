//! Courses.

use std::collections::{BTreeMap, BTreeSet};

use rust_decimal::Decimal;
use serde_json::{Map, Value, json};

use super::{
    metadata,
    said::{Said, Wrong, amount_or_null, object, text, text_or_null, texts},
};

/// Texts that are kept as they come.
const TEXTS: [&str; 9] = [
    "short_description",
    "full_description",
    "outcome",
    "syllabus_raw",
    "prerequisites_raw",
    "learner_testimonials",
    "faq",
    "additional_information",
    "organization_short_code_override",
];

/// A course as the application holds it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Course {
    /// `<organisation>+<number>`.
    pub key: String,
    /// Made by the application.
    pub uuid: String,
    /// The key of the organisation that made it.
    pub organization: String,
    /// Its number.
    pub number: String,
    /// What it is called.
    pub title: String,
    /// The uuid of its type.
    pub course_type: String,
    /// The slug of its source.
    pub product_source: String,
    /// What each mode costs.
    pub prices: BTreeMap<String, Decimal>,
    /// `short_description`, `syllabus_raw` and so on, those that were sent.
    pub texts: BTreeMap<String, String>,
    /// Its level.
    pub level_type: Option<String>,
    /// The slugs of its subjects.
    pub subjects: Vec<String>,
    /// The address of its video.
    pub video: Option<String>,
    /// The address of the image on its card.
    pub card_image_url: Option<String>,
    /// Whether an image was sent: base64 behind `data:image/`.
    pub has_image: bool,
    /// What only external courses have; see [`Discovery::add_course_type`](super::Discovery::add_course_type).
    pub additional_metadata: Option<Map<String, Value>>,
}

/// What courses are checked against.
pub(super) struct Known<'a> {
    pub(super) types: &'a BTreeMap<String, String>,
    pub(super) sources: &'a BTreeSet<String>,
    pub(super) subjects: &'a BTreeSet<String>,
    pub(super) levels: &'a BTreeSet<String>,
}

impl Known<'_> {
    /// The slugs of the application's two external course types.
    fn is_external(&self, course_type: &str) -> bool {
        let slug = self.types.get(course_type).map(String::as_str);
        matches!(slug, Some("executive-education-2u" | "bootcamp-2u"))
    }
}

impl Course {
    pub(super) fn new(organization: &str, number: &str) -> Self {
        Self {
            key: format!("{organization}+{number}"),
            uuid: String::new(),
            organization: organization.to_owned(),
            number: number.to_owned(),
            title: String::new(),
            course_type: String::new(),
            product_source: String::new(),
            prices: BTreeMap::new(),
            texts: BTreeMap::new(),
            level_type: None,
            subjects: Vec::new(),
            video: None,
            card_image_url: None,
            has_image: false,
            additional_metadata: None,
        }
    }

    /// What `POST courses/` takes: what it does not name is left for a PATCH.
    pub(super) fn fill(&mut self, said: &mut Said<'_>) {
        said.set("title", text, &mut self.title);
        said.set("prices", prices, &mut self.prices);
        said.know(&[
            "number",
            "org",
            "type",
            "product_source",
            "course_run",
            "url_slug",
            "collaborators",
        ]);
        said.know(&["draft", "key", "partner"]);
    }

    /// What `PATCH courses/{key}/` says.
    pub(super) fn change(&mut self, said: &mut Said<'_>, known: &Known<'_>) {
        said.set("title", text, &mut self.title);
        if let Some(prices) = said.take("prices", prices) {
            self.prices.extend(prices);
        }
        let one_of = |value: &Value, all: &dyn Fn(&str) -> bool| {
            let name = text(value)?;
            let is_one = all(&name);
            is_one.then_some(name.clone()).ok_or_else(|| unknown(&name))
        };
        let of_type = |value: &Value| one_of(value, &|uuid| known.types.contains_key(uuid));
        said.set("type", of_type, &mut self.course_type);
        let source = |value: &Value| one_of(value, &|slug| known.sources.contains(slug));
        said.set("product_source", source, &mut self.product_source);
        let level = |value: &Value| match value {
            Value::Null => Ok(None),
            value => {
                let is_one = |name: &str| known.levels.iter().any(|level| level.eq_ignore_ascii_case(name));
                one_of(value, &is_one).map(Some)
            }
        };
        said.set("level_type", level, &mut self.level_type);
        let subjects = |value: &Value| {
            let slugs = texts(value)?;
            match slugs.iter().find(|slug| !known.subjects.contains(*slug)) {
                Some(slug) => Err(unknown(slug)),
                None => Ok(slugs),
            }
        };
        said.set("subjects", subjects, &mut self.subjects);
        for name in TEXTS {
            match said.take(name, text_or_null) {
                Some(Some(text)) => self.texts.insert(name.to_owned(), text),
                Some(None) => self.texts.remove(name),
                None => None,
            };
        }
        said.set("card_image_url", text_or_null, &mut self.card_image_url);
        let video = |value: &Value| object(value)?.get("src").map_or(Ok(None), text_or_null);
        if let Some(Some(address)) = said.take("video", video) {
            self.video = Some(address);
        }
        if let Some(Some(image)) = said.take("image", text_or_null) {
            // Anything else is ignored.
            self.has_image |= image.starts_with("data:image") && image.contains(";base64,");
        }
        if let Some(metadata) = said.take("additional_metadata", metadata::read)
            && known.is_external(&self.course_type)
        {
            self.additional_metadata.get_or_insert_default().extend(metadata);
        }
        said.know(&[
            "draft",
            "key",
            "uuid",
            "url_slug",
            "collaborators",
            "topics",
            "location_restriction",
        ]);
    }

    pub(super) fn to_json(&self, draft: bool, runs: &[Value]) -> Value {
        let text = |name: &str| self.texts.get(name).cloned().unwrap_or_default();
        let prices = self.prices.iter().map(|(mode, price)| {
            json!({
                "mode": mode, "price": format!("{price:.2}"), "currency": "USD", "sku": null, "expires": null,
            })
        });
        let subjects = self
            .subjects
            .iter()
            .map(|slug| json!({"slug": slug, "name": slug}));
        let mut course = json!({
            "key": self.key, "uuid": self.uuid, "title": self.title, "draft": draft, "type": self.course_type,
            "course_runs": runs, "course_run_keys": runs.iter().map(|run| &run["key"]).collect::<Vec<_>>(),
            "canonical_course_run_key": runs.first().map(|run| &run["key"]),
            "entitlements": prices.collect::<Vec<_>>(),
            "owners": [{"key": self.organization, "name": self.organization}],
            "product_source": {"slug": self.product_source, "name": self.product_source},
            "level_type": self.level_type, "subjects": subjects.collect::<Vec<_>>(),
            "video": self.video.as_ref().map(|address| json!({"src": address})),
            "card_image_url": self.card_image_url, "additional_metadata": self.additional_metadata, "editable": true,
            "url_slug": self.title.to_lowercase().replace(' ', "-"),
        });
        if let Some(course) = course.as_object_mut() {
            course.extend(TEXTS.map(|name| (name.to_owned(), text(name).into())));
        }
        course
    }
}

fn prices(value: &Value) -> Result<BTreeMap<String, Decimal>, Wrong> {
    let mut prices = BTreeMap::new();
    for (mode, price) in object(value)? {
        if let Some(price) = amount_or_null(price)? {
            prices.insert(mode.clone(), price);
        }
    }
    Ok(prices)
}

fn unknown(name: &str) -> String {
    format!("Object with slug={name} does not exist.")
}
