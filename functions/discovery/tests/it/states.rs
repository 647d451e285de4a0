//! What lines say: states, and the events that carry them.

use serde_json::{Value, json};

/// An event that carries a state.
pub(crate) fn event(entity_type: &str, id: &str, revision: u64, state: &Value) -> Value {
    json!({
        "detail-type": "LineStateChanged", "source": "lines",
        "detail": {"type": entity_type, "key": id, "revision": revision, "state": state},
    })
}

/// The least of an instructor.
pub(crate) fn instructor(id: &str, given_name: &str, title: &str) -> Value {
    json!({
        "line": "acme", "id": id, "given_name": given_name, "family_name": "Lovelace",
        "position": {"title": title, "organization": "ACME"},
    })
}

/// A course with one run.
pub(crate) fn plain(id: &str, title: &str) -> Value {
    json!({
        "line": "acme", "id": id,
        "course": {"number": format!("DM{id}"), "organization": "ACME", "title": title, "prices": {"verified": "2450.00"}},
        "runs": {"r-1": {"start": "2026-03-20T00:00:00Z", "end": "2026-05-28T00:00:00Z"}},
    })
}

/// A product with everything.
pub(crate) fn whole(id: &str, title: &str) -> Value {
    let mut product = plain(id, title);
    let course = json!({
        "short_description": "A short text", "full_description": "<p>A long text</p>", "outcome": "Skills", "faq": "Q: A",
        "syllabus_raw": "Module 0", "prerequisites_raw": "None", "learner_testimonials": "Good",
        "video_url": "https://video.example/dm", "level_type": "Introductory", "subjects": ["marketing"],
        "metadata": {
            "external_identifier": "12345678", "external_url": "https://lob.example/lp/dm",
            "certificate_info": {"heading": "Certificate", "blurb": "Text"}, "facts": [{"heading": "90%", "blurb": "a"}],
            "start_date": "2026-03-20T00:00:00Z", "end_date": "2026-05-28T00:00:00Z",
            "registration_deadline": "2026-03-15T00:00:00Z", "variant_id": "00000000-0000-4000-8000-000000000001",
            "product_status": "published",
        },
    });
    let run = json!({
        "pacing": "instructor_paced", "min_effort": 7, "max_effort": 10, "weeks_to_complete": 10,
        "enrollment_end": "2026-03-15T00:00:00Z", "variant_id": "00000000-0000-4000-8000-000000000001",
        "fixed_price_usd": "2100.00", "restriction": "custom-b2c", "staff": ["p-1", "p-2"], "publish": true,
    });
    product["course"]
        .as_object_mut()
        .unwrap()
        .extend(course.as_object().unwrap().clone());
    product["runs"]["r-1"]
        .as_object_mut()
        .unwrap()
        .extend(run.as_object().unwrap().clone());
    product["runs"]["r-2"] =
        json!({"start": "2026-03-20T00:00:00Z", "end": "2026-05-28T00:00:00Z", "staff": ["p-2"]});
    product
}
