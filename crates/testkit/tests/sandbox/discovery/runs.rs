use rstest::rstest;
use serde_json::{Value, json};
use vendorbridge_testkit::sandbox::discovery::Status;

use super::{Api, parts, run};
use crate::start;

#[tokio::test]
async fn a_run_is_made_staffed_reviewed_and_published() {
    let sandbox = start().await;
    let api = Api::open(&sandbox).await;
    let person = api.person("Ada", "Lovelace").await;
    let course = api.course("DM").await;
    let key = api.run(&course).await;
    assert_eq!(key, "course-v1:ACME+DM+1T2026");
    let path = format!("course_runs/{key}/");

    let staffed = api.patch(&path, &json!({"staff": [person]})).await;
    assert_eq!(staffed.body["staff"][0]["uuid"], person.as_str());
    let sent = api.patch(&path, &json!({"draft": false})).await;
    assert_eq!(
        (sent.status, &sent.body["status"]),
        (200, &"review_by_legal".into())
    );
    for change in [
        json!({"weeks_to_complete": 3}),
        json!({"draft": false}),
        json!({}),
    ] {
        let refused = api.patch(&path, &change).await;
        let text = "Course run is in review. Editing disabled.";
        assert_eq!((refused.status, refused.body), (403, text.into()));
    }
    assert_eq!(api.get(&path).await.status, 404);

    assert!(sandbox.discovery.finish_review(&key));

    assert_eq!(api.get(&path).await.body["status"], "published");
    assert_eq!(
        api.get("courses/ACME+DM/").await.body["course_run_keys"],
        json!([key])
    );
    assert_eq!(
        api.patch(&path, &json!({"weeks_to_complete": 3})).await.status,
        200
    );
    let run = sandbox.discovery.run(&key).unwrap();
    assert_eq!((run.status, run.weeks_to_complete), (Status::Published, Some(3)));
    assert_eq!(
        sandbox.discovery.official_run(&key).unwrap().weeks_to_complete,
        None
    );
    api.patch(&path, &json!({"draft": false})).await;
    let official = sandbox.discovery.official_run(&key).unwrap();
    assert_eq!(
        (official.status, official.weeks_to_complete),
        (Status::Published, Some(3))
    );
}

#[tokio::test]
async fn the_same_run_twice_is_two_runs() {
    let sandbox = start().await;
    let api = Api::open(&sandbox).await;
    let course = api.course("DM").await;
    let mut keys = Vec::new();
    for _ in 0..3 {
        keys.push(api.run(&course).await);
    }
    let terms = ["1T2026", "1T2026a", "1T2026b"];
    assert_eq!(keys, terms.map(|term| format!("course-v1:ACME+DM+{term}")));
    assert_eq!(sandbox.discovery.runs_of(&course).len(), 3);
    // Any run whose key has the number in it takes part.
    let shorter = api.run(&api.course("D").await).await;
    assert_eq!(shorter, "course-v1:ACME+D+1T2026c");
    let longer = api.run(&api.course("DM2").await).await;
    assert_eq!(longer, "course-v1:ACME+DM2+1T2026");

    let list = api
        .get("course_runs/?editable=1&keys=course-v1%3AACME%2BDM%2B1T2026,course-v1:ACME%2BDM%2B1T2026b")
        .await;
    assert_eq!(list.body["count"], 2);
    assert_eq!(api.get("course_runs/").await.body["count"], 0);
    let path = format!("course_runs/{}/", keys[1]);
    assert_eq!(api.get(&path).await.status, 404);
    assert_eq!(
        api.get(&format!("{path}?editable=1")).await.body["key"],
        keys[1].as_str()
    );
}

#[rstest]
#[case("2026-01-01T00:00:00Z", "1T2026")]
#[case("2026-04-30", "1T2026")]
#[case("2026-05-01T00:00:00", "2T2026")]
#[case("2027-09-01T00:00:00+02:00", "2T2027")]
#[case("2027-12-31T23:00:00Z", "3T2027")]
#[tokio::test]
async fn the_key_is_made_from_the_start(#[case] start_at: &str, #[case] term: &str) {
    let sandbox = start().await;
    let api = Api::open(&sandbox).await;
    let mut said = run(&api.course("DM").await);
    (said["start"], said["end"], said["term"]) = (start_at.into(), "2030-01-01".into(), "mine".into());

    let made = api.post("course_runs/", &said).await;

    assert_eq!(made.body["key"], format!("course-v1:ACME+DM+{term}"));
}

/// What the application does to reruns: what was sent of these is overwritten.
#[tokio::test]
async fn a_second_run_takes_effort_and_staff_from_the_first() {
    let sandbox = start().await;
    let api = Api::open(&sandbox).await;
    let person = api.person("Ada", "Lovelace").await;
    let mut said = run(&api.course("DM").await);
    let effort = json!({"min_effort": 7, "max_effort": 10, "weeks_to_complete": 10});
    for (name, value) in effort.as_object().unwrap() {
        said[name] = value.clone();
    }
    said["external_key"] = "acme:1".into();
    said["variant_id"] = "00000000-0000-4000-8000-000000000001".into();
    let first = api.post("course_runs/", &said).await.body;
    assert_eq!(parts(&first, &said), {
        let mut same = said.clone();
        same["course"] = first["course"].clone();
        same
    });
    let key = first["key"].as_str().unwrap();
    api.patch(&format!("course_runs/{key}/"), &json!({"staff": [person]}))
        .await;

    (said["min_effort"], said["max_effort"], said["external_key"]) = (1.into(), 2.into(), "acme:2".into());
    let second = api.post("course_runs/", &said).await.body;

    assert_eq!(parts(&second, &effort), effort);
    assert_eq!(second["staff"][0]["uuid"], person.as_str());
    assert_eq!(second["external_key"], "acme:2");
}

#[rstest]
#[case::no_course("course", Value::Null, json!({"course": ["This field is required."]}))]
#[case::unknown_course(
    "course", "ACME+X".into(), json!("Failed to set course run data: Course matching query does not exist.")
)]
#[case::no_start("start", Value::Null, json!({"start": ["This field may not be null."]}))]
#[case::unknown_type(
    "run_type", "x".into(), json!({"run_type": ["Object with uuid=x does not exist."]})
)]
#[case::backwards(
    "end", "2026-01-01".into(), json!({"start": ["Start date cannot be after the End date"]})
)]
#[case::effort(
    "max_effort", 3.into(), json!({"min_effort": ["Minimum effort and Maximum effort cannot be the same"]})
)]
#[case::pacing("pacing_type", "fast".into(), json!({"pacing_type": ["\"fast\" is not a valid choice."]}))]
#[case::staff("staff", json!(["nobody"]), json!({"staff": ["Object with uuid=nobody does not exist."]}))]
#[tokio::test]
async fn a_run_is_not_made(#[case] name: &str, #[case] value: Value, #[case] answer: Value) {
    let sandbox = start().await;
    let api = Api::open(&sandbox).await;
    let mut said = run(&api.course("DM").await);
    said["min_effort"] = 3.into();
    said[name] = value;

    let refused = api.post("course_runs/", &said).await;

    assert_eq!((refused.status, refused.body), (400, answer));
    assert_eq!(sandbox.discovery.runs(), []);
}

#[rstest]
#[case("start")]
#[case("end")]
#[case("run_type")]
#[tokio::test]
async fn a_run_needs_its_dates_and_its_type(#[case] missing: &str) {
    let sandbox = start().await;
    let api = Api::open(&sandbox).await;
    let mut said = run(&api.course("DM").await);
    said.as_object_mut().unwrap().remove(missing);

    let refused = api.post("course_runs/", &said).await;

    assert_eq!(
        (refused.status, &refused.body[missing]),
        (400, &json!(["This field is required."]))
    );
}

#[tokio::test]
async fn a_change_of_a_run_is_refused_or_ignored() {
    let sandbox = start().await;
    let api = Api::open(&sandbox).await;
    let course = api.course("DM").await;
    let key = api.run(&course).await;
    let path = format!("course_runs/{key}/");
    let before = sandbox.discovery.runs();

    for (change, answer) in [
        (
            json!({"staff": ["nobody"]}),
            json!({"staff": ["Object with uuid=nobody does not exist."]}),
        ),
        (
            json!({"course": "ACME+X"}),
            json!({"course": ["Course cannot be changed for an existing course run"]}),
        ),
        (json!({"ofac_comment": "x"}), json!("Invalid parameter")),
    ] {
        let refused = api.patch(&path, &change).await;
        assert_eq!((refused.status, refused.body), (400, answer));
    }
    for ignored in [
        json!({"variant_id": "x"}),
        json!({"status": "published"}),
        json!({"key": "x"}),
    ] {
        assert_eq!(api.patch(&path, &ignored).await.status, 200);
    }
    assert_eq!(sandbox.discovery.runs(), before);
    assert_eq!(api.patch("course_runs/x/", &json!({})).await.status, 404);

    api.patch(&path, &json!({"draft": false})).await;
    // What is wrong is said before that it is in review.
    assert_eq!(api.patch(&path, &json!({"staff": ["nobody"]})).await.status, 400);
    sandbox.discovery.set_status(&key, Status::InternalReview);
    assert_eq!(api.patch(&path, &json!({"staff": []})).await.status, 403);
    sandbox.discovery.set_status(&key, Status::Reviewed);
    api.patch(&path, &json!({"weeks_to_complete": 3})).await;
    assert_eq!(sandbox.discovery.run(&key).unwrap().status, Status::Unpublished);
}
