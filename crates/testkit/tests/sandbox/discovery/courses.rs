use reqwest::Method;
use rstest::rstest;
use serde_json::{Value, json};
use vendorbridge_testkit::sandbox::discovery::{COURSE_TYPE, RUN_TYPE, Status};

use super::{Api, course, parts};
use crate::{dec, start};

#[tokio::test]
async fn a_draft_is_seen_by_those_who_ask_for_it() {
    let sandbox = start().await;
    let api = Api::open(&sandbox).await;

    let key = api.course("DM").await;

    assert_eq!(key, "ACME+DM");
    let hidden = api.get("courses/ACME+DM/").await;
    assert_eq!(
        (hidden.status, hidden.body),
        (404, json!({"detail": "Not found."}))
    );
    let draft = api.get("courses/ACME+DM/?editable=1").await;
    assert_eq!((draft.status, &draft.body["draft"]), (200, &true.into()));
    let uuid = draft.body["uuid"].as_str().unwrap();
    assert_eq!(
        api.get(&format!("courses/{uuid}/?editable=1")).await.body["key"],
        key.as_str()
    );
    for (query, count) in [
        ("keys=ACME%2BDM,ACME%2BX&editable=1", 1),
        ("keys=ACME+DM&editable=1", 0),
        ("keys=ACME%2BDM&editable=0", 0),
        ("keys=ACME%2BDM", 0),
        ("editable=true", 1),
    ] {
        let found = api.get(&format!("courses/?{query}")).await;
        assert_eq!(found.body["count"], count, "{query}");
    }
}

#[tokio::test]
async fn a_course_comes_with_its_run_or_not_at_all() {
    let sandbox = start().await;
    let api = Api::open(&sandbox).await;
    let mut said = course("DM");
    said["course_run"] = json!({
        "start": "2026-09-20", "end": "2026-11-28T00:00:00", "run_type": "00000000-0000-0000-0000-000000000000",
    });

    let refused = api.post("courses/", &said).await;
    assert_eq!(refused.status, 400);
    assert!(refused.body.as_str().unwrap().starts_with("Failed to set data: "));
    assert_eq!(sandbox.discovery.courses(), []);

    said["course_run"]["run_type"] = RUN_TYPE.into();
    let made = api.post("courses/", &said).await;
    assert_eq!(made.status, 201);
    assert_eq!(made.body["course_runs"][0]["key"], "course-v1:ACME+DM+3T2026");
    assert_eq!(made.body["course_runs"][0]["start"], "2026-09-20T00:00:00Z");
    assert_eq!(
        sandbox.discovery.course("ACME+DM").unwrap().prices["verified"],
        dec("2450")
    );
}

#[rstest]
#[case::no_title("title", Value::Null, "Incorrect data sent. Missing value for: [title].")]
#[case::no_number("number", Value::Null, "Incorrect data sent. Missing value for: [number].")]
#[case::organization("org", "X".into(), "Incorrect data sent. Organization [X] does not exist.")]
#[case::course_type("type", "X".into(), "Incorrect data sent. Course Type [X] does not exist.")]
#[case::source("product_source", "X".into(), "Incorrect data sent. Product Source [X] does not exist.")]
#[case::space("number", "D M".into(), "Failed to set data: Special characters not allowed in Course Number.")]
#[case::plus("number", "D+M".into(), "Failed to set data: Special characters not allowed in Course Number.")]
#[case::umlaut("number", "Dü".into(), "Failed to set data: Special characters not allowed in Course Number.")]
#[tokio::test]
async fn a_course_is_not_made(#[case] name: &str, #[case] value: Value, #[case] text: &str) {
    let sandbox = start().await;
    let api = Api::open(&sandbox).await;
    let mut said = course("DM");
    said[name] = value;

    let refused = api.post("courses/", &said).await;

    assert_eq!((refused.status, refused.body), (400, text.into()));
    assert_eq!(sandbox.discovery.courses(), []);
}

#[tokio::test]
async fn everything_that_is_missing_is_told_at_once() {
    let sandbox = start().await;
    let api = Api::open(&sandbox).await;

    let refused = api.post("courses/", &json!({"title": "x", "number": "DM"})).await;

    let text = refused.body.as_str().unwrap();
    for part in ["[org]", "[type]", "[product_source]"] {
        assert!(text.contains(&format!("Missing value for: {part}.")), "{text}");
    }
}

#[tokio::test]
async fn the_same_course_twice_is_refused() {
    let sandbox = start().await;
    let api = Api::open(&sandbox).await;
    let key = api.course("DM").await;
    let mut again = course("DM");
    again["title"] = "Another".into();

    let draft = api.post("courses/", &again).await;
    assert_eq!(draft.status, 400);
    assert!(draft.body.is_string());
    let run = api.run(&key).await;
    sandbox.discovery.finish_review(&run);
    let official = api.post("courses/", &again).await;
    let text = "Failed to set data: A course with key [ACME+DM] already exists.";
    assert_eq!((official.status, official.body), (400, text.into()));

    sandbox.discovery.add_organization("Other");
    again["org"] = "Other".into();
    assert_eq!(api.post("courses/", &again).await.body["key"], "Other+DM");
    assert_eq!(sandbox.discovery.course(&key).unwrap().title, "Digital Marketing");
}

/// What an external course has besides, complete.
fn metadata() -> Value {
    json!({
        "facts": [{"heading": "90%", "blurb": "<p>a</p>"}], "certificate_info": {"heading": "Certificate", "blurb": "x"},
        "start_date": "2026-03-20T00:00:00Z", "end_date": "2026-05-28T00:00:00Z",
        "registration_deadline": "2026-03-15T00:00:00Z", "variant_id": "00000000-0000-4000-8000-000000000001",
        "external_identifier": "12345678", "external_course_marketing_type": "short_course",
    })
}

/// The same, but for one member.
fn changed_metadata(name: &str, value: Value) -> Value {
    let mut all = metadata();
    all[name] = value;
    json!({"additional_metadata": all})
}

#[tokio::test]
async fn a_course_is_changed() {
    let sandbox = start().await;
    let api = Api::open(&sandbox).await;
    api.course("DM").await;
    let change = json!({
        "title": "Strategy", "short_description": "Short", "level_type": "introductory", "subjects": ["marketing"],
        "prices": {"audit": 0}, "card_image_url": "https://image.example", "video": {"src": "https://video.example"}, "image": "data:image/png;base64,AA==",
        "additional_metadata": metadata(), "short_descriptoin": "x",
    });

    let changed = api.patch("courses/ACME+DM/", &change).await;

    assert_eq!(changed.status, 200, "{}", changed.body);
    let same = json!({"title": 0, "short_description": 0, "level_type": 0, "video": 0, "card_image_url": 0, "additional_metadata": 0});
    assert_eq!(parts(&changed.body, &same), parts(&change, &same));
    assert_eq!(changed.body["subjects"][0]["slug"], "marketing");
    let course = sandbox.discovery.course("ACME+DM").unwrap();
    assert_eq!(
        course.prices,
        [("audit", "0"), ("verified", "2450")]
            .map(|(mode, price)| (mode.to_owned(), dec(price)))
            .into()
    );
    assert!(course.has_image);
    assert_eq!(
        sandbox.discovery.unknown_properties(),
        ["short_descriptoin".to_owned()].into()
    );
    assert_eq!(sandbox.discovery.official_course("ACME+DM"), None);

    let cleared =
        json!({"level_type": null, "short_description": null, "card_image_url": null, "subjects": []});
    assert_eq!(api.patch("courses/ACME+DM/", &cleared).await.status, 200);
    let course = sandbox.discovery.course("ACME+DM").unwrap();
    assert_eq!(
        (course.level_type, course.card_image_url, course.subjects),
        (None, None, vec![])
    );
    assert_eq!(course.texts, [].into());
}

#[rstest]
#[case::nothing_of_it(json!({"additional_metadata": {"external_identifier": "1"}}))]
#[case::marketing_type(changed_metadata("external_course_marketing_type", "degree".into()))]
#[case::facts(changed_metadata("facts", json!([{"heading": "90%"}])))]
#[case::date(changed_metadata("end_date", "tomorrow".into()))]
#[case::not_even_its_variant(changed_metadata("variant_id", Value::Null))]
#[case::subject(json!({"subjects": ["alchemy"]}))]
#[case::level(json!({"level_type": "Grand master"}))]
#[case::price(json!({"prices": {"verified": "a lot"}}))]
#[case::blank_title(json!({"title": ""}))]
#[case::unknown_type(json!({"type": "00000000-0000-0000-0000-000000000000"}))]
#[tokio::test]
async fn a_course_is_not_changed(#[case] change: Value) {
    let sandbox = start().await;
    let api = Api::open(&sandbox).await;
    api.course("DM").await;
    let before = sandbox.discovery.courses();

    let refused = api.patch("courses/ACME+DM/", &change).await;

    assert_eq!(refused.status, 400);
    assert!(
        refused.body.as_str().unwrap().starts_with("Failed to set data: "),
        "{}",
        refused.body
    );
    assert_eq!(sandbox.discovery.courses(), before);
}

#[rstest]
#[case("facts")]
#[case("certificate_info")]
#[case("start_date")]
#[case("end_date")]
#[case("registration_deadline")]
#[case("variant_id")]
#[tokio::test]
async fn metadata_comes_whole_or_not_at_all(#[case] missing: &str) {
    let sandbox = start().await;
    let api = Api::open(&sandbox).await;
    api.course("DM").await;
    let mut said = metadata();
    said.as_object_mut().unwrap().remove(missing);

    let refused = api
        .patch("courses/ACME+DM/", &json!({"additional_metadata": said}))
        .await;

    assert_eq!(refused.status, 400);
    assert!(refused.body.as_str().unwrap().contains(missing));
    assert_eq!(
        sandbox.discovery.course("ACME+DM").unwrap().additional_metadata,
        None
    );
}

#[tokio::test]
async fn only_an_external_course_keeps_its_metadata() {
    let sandbox = start().await;
    let api = Api::open(&sandbox).await;
    let other = "11111111-1111-4111-8111-111111111111";
    sandbox.discovery.add_course_type(other, "verified-audit");
    let mut said = course("VA");
    said["type"] = other.into();
    assert_eq!(api.post("courses/", &said).await.status, 201);
    let change = json!({"additional_metadata": metadata()});

    assert_eq!(api.patch("courses/ACME+VA/", &change).await.status, 200);
    assert_eq!(
        sandbox.discovery.course("ACME+VA").unwrap().additional_metadata,
        None
    );
    let both = json!({"type": COURSE_TYPE, "additional_metadata": metadata()});
    assert_eq!(api.patch("courses/ACME+VA/", &both).await.status, 200);
    assert!(
        sandbox
            .discovery
            .course("ACME+VA")
            .unwrap()
            .additional_metadata
            .is_some()
    );
}

#[tokio::test]
async fn a_published_course_shows_what_goes_live() {
    let sandbox = start().await;
    let api = Api::open(&sandbox).await;
    let run = api.run(&api.course("DM").await).await;
    sandbox.discovery.finish_review(&run);
    let title = async |query: &str| api.get(&format!("courses/ACME+DM/{query}")).await.body["title"].clone();

    api.patch("courses/ACME+DM/", &json!({"title": "Second"})).await;
    assert_eq!(
        (title("").await, title("?editable=1").await),
        ("Digital Marketing".into(), "Second".into())
    );
    api.patch("courses/ACME+DM/", &json!({"title": "Third", "draft": false}))
        .await;
    assert_eq!(title("").await, "Third");

    // Who changes what was reviewed has it reviewed again.
    sandbox.discovery.set_status(&run, Status::Reviewed);
    api.patch("courses/ACME+DM/", &json!({"title": "Fourth"})).await;
    assert_eq!(sandbox.discovery.run(&run).unwrap().status, Status::Unpublished);
    let nobody = api
        .write(Method::PATCH, "courses/ACME+X/", &json!({"title": "x"}))
        .await;
    assert_eq!(
        (nobody.status, nobody.body),
        (404, json!({"detail": "Not found."}))
    );
}
