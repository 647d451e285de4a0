//! A course's runs.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use vendorbridge::EntityKey;
use vendorbridge::vendor::{Field, Invalid};

use super::{Body, escaped, is_plain, or, required};

/// The vendor's names of a run's fields.
pub(crate) const RUN_FIELDS: &[(&str, &str)] = &[
    ("course", ""),
    ("external_key", ""),
    ("draft", "publish"),
    ("run_type", "type"),
    ("pacing_type", "pacing"),
    ("restriction_type", "restriction"),
];

/// What a line says of a run.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct RunState {
    start: String,
    end: String,
    #[serde(default, rename = "type")]
    run_type: Field<String>,
    #[serde(default)]
    pacing: Field<String>,
    #[serde(default)]
    min_effort: Field<u32>,
    #[serde(default)]
    max_effort: Field<u32>,
    #[serde(default)]
    weeks_to_complete: Field<u32>,
    #[serde(default)]
    enrollment_end: Field<String>,
    #[serde(default)]
    variant_id: Field<String>,
    #[serde(default)]
    fixed_price_usd: Field<String>,
    #[serde(default)]
    restriction: Field<String>,
    #[serde(default)]
    staff: Field<Vec<String>>,
    #[serde(default)]
    publish: Option<bool>,
}

/// What course-discovery is to hold of a run.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Run {
    /// The line's id.
    pub(crate) id: String,
    /// `<line>:<run id>`: by what it is found again.
    pub(crate) external_key: String,
    /// What it is created with.
    pub(crate) create: Value,
    /// What is written when it is there, but for the staff, whose ids course-discovery gives.
    pub(crate) details: Value,
    /// `None` leaves them alone.
    pub(crate) staff: Option<Vec<Member>>,
    pub(crate) publish: bool,
}

/// Somebody on a run's staff.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub(crate) struct Member {
    pub(crate) instructor: EntityKey,
    /// Where the state names them.
    pub(crate) pointer: String,
}

impl Run {
    /// Where the state has it.
    pub(crate) fn pointer(&self) -> String {
        format!("/runs/{}", escaped(&self.id))
    }
}

/// What a run takes from its course.
pub(super) struct Parent<'a> {
    pub(super) line: &'a str,
    /// The course's key.
    pub(super) key: &'a str,
    pub(super) prices: Option<&'a Map<String, Value>>,
    /// The type of runs that name none.
    pub(super) run_type: &'a str,
}

impl RunState {
    pub(super) fn run(&self, id: &str, course: &Parent<'_>) -> Result<Run, Invalid> {
        let at = format!("/runs/{}", escaped(id));
        if !is_plain(id) {
            return Err(Invalid::new(
                at,
                "expected an id of letters, digits, `.`, `_` and `-`, found another text",
            ));
        }
        let external_key = format!("{}:{id}", course.line);
        let mut details = Body::default();
        details.set("start", required(&format!("{at}/start"), &self.start)?);
        details.set("end", required(&format!("{at}/end"), &self.end)?);
        if let Field::Set(run_type) = &self.run_type {
            details.set("run_type", run_type.as_str());
        }
        details.put("pacing_type", &self.pacing, Value::Null);
        details.put("min_effort", &self.min_effort, Value::Null);
        details.put("max_effort", &self.max_effort, Value::Null);
        details.put("weeks_to_complete", &self.weeks_to_complete, Value::Null);
        details.put("enrollment_end", &self.enrollment_end, Value::Null);
        details.put("variant_id", &self.variant_id, Value::Null);
        details.put("fixed_price_usd", &self.fixed_price_usd, Value::Null);
        details.put("restriction_type", &self.restriction, Value::Null);
        let mut create = Body::default();
        create.set("course", course.key);
        create.set("external_key", external_key.as_str());
        create.set("start", self.start.trim());
        create.set("end", self.end.trim());
        create.set("run_type", or(&self.run_type, course.run_type));
        if let Field::Set(pacing) = &self.pacing {
            create.set("pacing_type", pacing.as_str());
        }
        // Taken from nobody later.
        if let Field::Set(variant_id) = &self.variant_id {
            create.set("variant_id", variant_id.as_str());
        }
        // Seats get their prices when the run is created.
        if let Some(prices) = course.prices {
            create.set("prices", prices.clone());
        }
        Ok(Run {
            staff: self.staff(&at, course.line)?,
            id: id.to_owned(),
            external_key,
            create: create.0.into(),
            details: details.0.into(),
            publish: self.publish.unwrap_or(false),
        })
    }

    fn staff(&self, at: &str, line: &str) -> Result<Option<Vec<Member>>, Invalid> {
        let ids = match &self.staff {
            Field::Leave => return Ok(None),
            Field::Clear => &[],
            Field::Set(ids) => ids.as_slice(),
        };
        let member = |(n, id): (usize, &String)| {
            let pointer = format!("{at}/staff/{n}");
            let instructor = EntityKey::new("instructor", &format!("{line}:{id}"));
            match instructor {
                Ok(instructor) if is_plain(id) => Ok(Member { instructor, pointer }),
                _ => {
                    let message = "expected the id of an instructor, found another text";
                    Err(Invalid::new(pointer, message))
                }
            }
        };
        ids.iter()
            .enumerate()
            .map(member)
            .collect::<Result<_, _>>()
            .map(Some)
    }
}
