//! Products.

use rstest::rstest;
use serde_json::json;

use super::super::*;
use crate::config::Settings;

fn settings() -> Settings {
    let settings = json!({
        "url": "https://discovery.example", "auth": {"kind": "none"}, "course_type": "course-type",
        "run_type": "run-type", "product_source": "acme-source",
    });
    serde_json::from_value(settings).unwrap()
}

fn course(state: Value) -> Result<Course, Invalid> {
    let state: CourseState = serde_json::from_value(state).unwrap();
    state.course(&settings())
}

fn least() -> Value {
    json!({"line": "acme", "id": "1", "course": {"number": "DM", "organization": "ACME", "title": " Digital Marketing "}})
}

fn with(pointer: &str, value: Value) -> Value {
    let mut state = least();
    let (parent, name) = pointer.rsplit_once('/').unwrap();
    let parent = state.pointer_mut(parent).unwrap().as_object_mut().unwrap();
    parent.insert(name.to_owned(), value);
    state
}

#[test]
fn the_least_that_a_product_is() {
    insta::assert_json_snapshot!(course(least()).unwrap(), @r#"
    {
      "key": "ACME+DM",
      "create": {
        "number": "DM",
        "org": "ACME",
        "prices": {},
        "product_source": "acme-source",
        "title": "Digital Marketing",
        "type": "course-type"
      },
      "metadata": {
        "title": "Digital Marketing"
      },
      "runs": []
    }
    "#);
}

/// Everything that a line may say, as the sample has it.
fn sample() -> Course {
    let sample = include_str!("../../../../../events/line-state-changed.json");
    let sample: Value = serde_json::from_str(sample).unwrap();
    course(sample["detail"]["state"].clone()).unwrap()
}

#[test]
fn a_full_course() {
    let mapped = sample();
    insta::assert_json_snapshot!((&mapped.key, &mapped.create, &mapped.metadata), @r#"
    [
      "ACME+DM",
      {
        "number": "DM",
        "org": "ACME",
        "prices": {
          "verified": "2450.00"
        },
        "product_source": "acme",
        "title": "Digital Marketing Strategy",
        "type": "2f6e3c52-0000-4000-8000-000000000001"
      },
      {
        "additional_metadata": {
          "certificate_info": {
            "blurb": "Text",
            "heading": "Certificate"
          },
          "end_date": "2026-05-28T00:00:00Z",
          "external_course_marketing_type": "short_course",
          "external_identifier": "12345678",
          "external_url": "https://lob.example/lp/dm",
          "facts": [
            {
              "blurb": "<p>a</p>",
              "heading": "90%"
            }
          ],
          "lead_capture_form_url": "https://lob.example/lead?id=1",
          "organic_url": "https://lob.example/o/dm",
          "product_meta": {
            "description": "SEO text",
            "keywords": [
              "a",
              "b"
            ],
            "title": "SEO"
          },
          "product_status": "published",
          "registration_deadline": "2026-03-15T00:00:00Z",
          "start_date": "2026-03-20T00:00:00Z",
          "variant_id": "00000000-0000-4000-8000-000000000001"
        },
        "card_image_url": "https://cdn.example/card.jpg",
        "faq": "<p>Q: A</p>",
        "full_description": "<p>A long text</p>",
        "learner_testimonials": "<p>Good</p>",
        "level_type": "introductory",
        "outcome": "<p>Skills</p>",
        "prerequisites_raw": "<p>None</p>",
        "prices": {
          "verified": "2450.00"
        },
        "short_description": "A short text",
        "subjects": [
          "business-management"
        ],
        "syllabus_raw": "<p>Module 0</p>",
        "title": "Digital Marketing Strategy",
        "type": "2f6e3c52-0000-4000-8000-000000000001",
        "video": {
          "src": "https://video.example/dm"
        }
      }
    ]
    "#);
}

#[test]
fn a_full_run() {
    insta::assert_json_snapshot!(sample().runs, @r#"
    [
      {
        "id": "2026-03",
        "external_key": "acme:2026-03",
        "create": {
          "course": "ACME+DM",
          "end": "2026-05-28T00:00:00Z",
          "external_key": "acme:2026-03",
          "pacing_type": "instructor_paced",
          "prices": {
            "verified": "2450.00"
          },
          "run_type": "2f6e3c52-0000-4000-8000-000000000002",
          "start": "2026-03-20T00:00:00Z",
          "variant_id": "00000000-0000-4000-8000-000000000001"
        },
        "details": {
          "end": "2026-05-28T00:00:00Z",
          "enrollment_end": "2026-03-15T00:00:00Z",
          "fixed_price_usd": "2100.00",
          "max_effort": 10,
          "min_effort": 7,
          "pacing_type": "instructor_paced",
          "restriction_type": "custom-b2c",
          "run_type": "2f6e3c52-0000-4000-8000-000000000002",
          "start": "2026-03-20T00:00:00Z",
          "variant_id": "00000000-0000-4000-8000-000000000001",
          "weeks_to_complete": 10
        },
        "staff": [
          {
            "instructor": "instructor/acme:p-1",
            "pointer": "/runs/2026-03/staff/0"
          },
          {
            "instructor": "instructor/acme:p-2",
            "pointer": "/runs/2026-03/staff/1"
          }
        ],
        "publish": true
      }
    ]
    "#);
}

#[test]
fn what_is_not_said_is_left_alone_and_null_clears() {
    let mut state = least();
    for member in [
        "faq",
        "subjects",
        "level_type",
        "image_url",
        "prices",
        "type",
        "metadata",
    ] {
        state["course"][member] = Value::Null;
    }
    state["runs"] = json!({
        "r-1": {"start": "2026-03-20T00:00:00Z", "end": "2026-05-28T00:00:00Z", "staff": null, "pacing": null, "max_effort": null, "publish": null},
        "r-2": null,
    });
    let mapped = course(state).unwrap();
    insta::assert_json_snapshot!((&mapped.metadata, &mapped.runs), @r#"
    [
      {
        "card_image_url": null,
        "faq": "",
        "level_type": null,
        "subjects": [],
        "title": "Digital Marketing"
      },
      [
        {
          "id": "r-1",
          "external_key": "acme:r-1",
          "create": {
            "course": "ACME+DM",
            "end": "2026-05-28T00:00:00Z",
            "external_key": "acme:r-1",
            "run_type": "run-type",
            "start": "2026-03-20T00:00:00Z"
          },
          "details": {
            "end": "2026-05-28T00:00:00Z",
            "max_effort": null,
            "pacing_type": null,
            "start": "2026-03-20T00:00:00Z"
          },
          "staff": [],
          "publish": false
        }
      ]
    ]
    "#);
}

#[test]
fn a_price_is_set_and_never_cleared() {
    let mapped = course(with("/course/prices", json!({"verified": "10", "audit": null}))).unwrap();
    assert_eq!(mapped.metadata["prices"], json!({"verified": "10"}));
    assert_eq!(mapped.create["prices"], json!({"verified": "10"}));
}

fn metadata() -> Value {
    json!({
        "facts": [], "certificate_info": {"heading": "", "blurb": ""}, "start_date": "2026-03-20T00:00:00Z",
        "end_date": "2026-05-28T00:00:00Z", "registration_deadline": "2026-03-15T00:00:00Z", "variant_id": "v",
    })
}

#[rstest]
#[case("facts")]
#[case("certificate_info")]
#[case("start_date")]
#[case("end_date")]
#[case("registration_deadline")]
#[case("variant_id")]
fn metadata_stands_together_or_is_refused_by_name(#[case] name: &str) {
    let whole = with("/course/metadata", metadata());
    assert_eq!(course(whole).unwrap().metadata["additional_metadata"], metadata());
    let (mut without, mut null) = (metadata(), metadata());
    without.as_object_mut().unwrap().remove(name);
    null[name] = Value::Null;
    for less in [without, null] {
        let invalid = course(with("/course/metadata", less)).unwrap_err();
        assert_eq!(invalid.pointer, format!("/course/metadata/{name}"));
        assert!(invalid.message.ends_with("together, found none"), "{invalid}");
    }
}

#[rstest]
#[case(with("/course/number", json!("D+M")), "/course/number", "expected letters, digits, `.`, `_` and `-`, found another text")]
#[case(with("/course/organization", json!("")), "/course/organization", "expected letters, digits, `.`, `_` and `-`, found another text")]
#[case(with("/course/title", json!(" ")), "/course/title", "expected a text, found an empty one")]
#[case(
    with("/course/video_url", Value::Null),
    "/course/video_url",
    "expected a URL, found null: course-discovery takes no video away"
)]
#[case(with("/course/prices", json!({"ver/ified": 2450})), "/course/prices/ver~1ified", "expected an amount such as `2450.00` as a text, found something else")]
#[case(with("/course/prices", json!({"verified": "1.234"})), "/course/prices/verified", "expected an amount such as `2450.00` as a text, found something else")]
#[case(with("/runs", json!({"a/b": {"start": "x", "end": "y"}})), "/runs/a~1b", "expected an id of letters, digits, `.`, `_` and `-`, found another text")]
#[case(with("/runs", json!({"r": {"start": "", "end": "y"}})), "/runs/r/start", "expected a text, found an empty one")]
#[case(with("/runs", json!({"r": {"start": "x", "end": "y", "staff": ["p-1", "p 2"]}})), "/runs/r/staff/1", "expected the id of an instructor, found another text")]
fn a_product_that_cannot_be_mapped(#[case] state: Value, #[case] pointer: &str, #[case] message: &str) {
    assert_eq!(course(state).unwrap_err(), Invalid::new(pointer, message));
}
