use reqwest::Method;
use rstest::rstest;
use serde_json::{Value, json};

use super::{Api, parts, person};
use crate::start;

#[tokio::test]
async fn the_same_person_twice_is_two_people() {
    let sandbox = start().await;
    let api = Api::open(&sandbox).await;

    let first = api.person("Ada", "Lovelace").await;
    let second = api.person("Ada", "Lovelace").await;

    assert_ne!(first, second);
    assert_eq!(sandbox.discovery.how_many_people_named("Ada Lovelace"), 2);
    for (uuid, slug) in [(first, "ada-lovelace"), (second, "ada-lovelace-2")] {
        let found = api.get(&format!("people/?slug={slug}")).await;
        assert_eq!(found.body["count"], 1);
        assert_eq!(found.body["results"][0]["uuid"], uuid.as_str());
        assert_eq!(api.get(&format!("people/{uuid}/")).await.body["slug"], slug);
    }
    assert_eq!(api.get("people/?slug=ada").await.body["count"], 0);
    // There is no other filter.
    assert_eq!(api.get("people/?given_name=Grace").await.body["count"], 2);
}

#[tokio::test]
async fn what_is_not_listed_is_deleted() {
    let sandbox = start().await;
    let api = Api::open(&sandbox).await;
    let mut said = person("Ada", "Lovelace");
    said["bio"] = json!("Wrote the first program.");
    said["urls_detailed"] = json!([{"type": "blog", "title": "Blog", "url": "https://ada.example"}]);
    said["areas_of_expertise"] = json!([{"value": "Engines"}, {"value": "Bernoulli numbers"}]);
    let made = api.post("people/", &said).await.body;
    let uuid = made["uuid"].as_str().unwrap();
    assert_eq!(
        parts(&made, &json!({"bio": 0, "given_name": 0})),
        parts(&said, &json!({"bio": 0, "given_name": 0}))
    );
    assert_eq!(made["position"]["title"], "Professor");
    assert_eq!(made["urls"]["blog"], "https://ada.example");
    let engines = made["areas_of_expertise"][0]["id"].as_u64().unwrap();

    let change = json!({
        "position": {"title": "Countess", "organization_override": "Ockham"}, "bio": null,
        "areas_of_expertise": [{"id": engines, "value": "Analytical engines"}, {"id": null, "value": "Poetry"}],
    });
    let changed = api.patch(&format!("people/{uuid}/"), &change).await;

    assert_eq!(changed.status, 200);
    let person = sandbox.discovery.person(uuid).unwrap();
    assert_eq!(
        (person.urls, person.bio, person.given_name.as_str()),
        (vec![], None, "Ada")
    );
    assert_eq!(person.position.organization.as_deref(), Some("Ockham"));
    let areas = person.areas_of_expertise;
    let values: Vec<_> = areas.iter().map(|area| area.value.as_str()).collect();
    assert_eq!(values, ["Analytical engines", "Poetry"]);
    assert_eq!(areas[0].id, engines);
    assert_ne!(areas[1].id, engines);
}

#[rstest]
#[case::no_position(json!({"bio": "x"}))]
#[case::url_without_id(json!({
    "position": {"title": "x"}, "urls_detailed": [{"type": "blog", "title": "x", "url": "https://x.example"}],
}))]
#[case::area_without_id(json!({"position": {"title": "x"}, "areas_of_expertise": [{"value": "x"}]}))]
#[tokio::test]
async fn a_careless_change_of_a_person_fails(#[case] change: Value) {
    let sandbox = start().await;
    let api = Api::open(&sandbox).await;
    let uuid = api.person("Ada", "Lovelace").await;
    let before = sandbox.discovery.people();

    let (status, page) = api.text(Method::PATCH, &format!("people/{uuid}/"), &change).await;

    assert_eq!(status, 500);
    assert!(page.starts_with("<!doctype html>"));
    assert_eq!(sandbox.discovery.people(), before);
}

#[rstest]
#[case::no_position(json!({"given_name": "Ada", "family_name": "Lovelace"}), json!("Failed to add person data."))]
#[case::incomplete_url(
    json!({"given_name": "Ada", "position": {"title": "x"}, "urls_detailed": [{"type": "blog"}]}),
    json!("Failed to add person data.")
)]
#[case::no_name(
    json!({"position": {"title": "x"}}), json!({"given_name": ["This field is required."]})
)]
#[case::blank_name(
    json!({"given_name": " ", "position": {"title": "x"}}), json!({"given_name": ["This field may not be blank."]})
)]
#[case::no_title(
    json!({"given_name": "Ada", "position": {}}), json!({"position": ["title: This field is required."]})
)]
#[case::two_at_once(
    json!({"bio": [], "position": {"title": "x"}}),
    json!({"given_name": ["This field is required."], "bio": ["Not a valid string."]})
)]
#[tokio::test]
async fn a_person_is_not_made(#[case] said: Value, #[case] answer: Value) {
    let sandbox = start().await;
    let api = Api::open(&sandbox).await;

    let refused = api.post("people/", &said).await;

    assert_eq!((refused.status, refused.body), (400, answer));
    assert_eq!(sandbox.discovery.people(), []);
}

#[tokio::test]
async fn who_is_deleted_is_on_no_staff() {
    let sandbox = start().await;
    let api = Api::open(&sandbox).await;
    let uuid = sandbox.discovery.add_person("Ada", "Lovelace");
    let run = api
        .run(&sandbox.discovery.add_course("ACME", "DM", "Marketing"))
        .await;
    api.patch(&format!("course_runs/{run}/"), &json!({"staff": [uuid]}))
        .await;
    let path = format!("people/{uuid}/");

    let deleted = api.write(Method::DELETE, &path, &Value::Null).await;

    assert_eq!((deleted.status, deleted.body), (204, Value::Null));
    assert_eq!(sandbox.discovery.run(&run).unwrap().staff, [""; 0]);
    for method in [Method::GET, Method::PATCH, Method::DELETE] {
        let again = api.write(method, &path, &person("Ada", "Lovelace")).await;
        assert_eq!((again.status, again.body), (404, json!({"detail": "Not found."})));
    }
}

#[tokio::test]
async fn a_list_comes_in_pages() {
    let sandbox = start().await;
    let api = Api::open(&sandbox).await;
    for _ in 0..23 {
        let _ = sandbox.discovery.add_person("Ada", "Lovelace");
    }

    let first = api.get("people/").await.body;
    assert_eq!((&first["count"], &first["previous"]), (&23.into(), &Value::Null));
    assert_eq!(first["results"].as_array().unwrap().len(), 20);
    let next = first["next"].as_str().unwrap();
    let base = format!("{}/api/v1/", sandbox.discovery_url());
    let second = api.get(next.strip_prefix(&base).unwrap()).await.body;
    assert_eq!(second["results"].as_array().unwrap().len(), 3);
    assert_eq!(second["next"], Value::Null);
    assert_eq!(second["previous"], format!("{base}people/?page=1"));
    let middle = api.get("people/?limit=2&offset=20").await.body;
    assert_eq!(middle["results"].as_array().unwrap().len(), 2);
    assert_eq!(middle["next"], format!("{base}people/?limit=2&offset=22"));
}
