use reqwest::Method;
use serde_json::{Value, json};
use vendorbridge_testkit::sandbox::{
    Fault, Sandbox, SandboxConfig,
    mailchimp::{Mark, Status},
};

use crate::{LIST, client, member, send, start, until};

const ONE: &str = "one@sandbox.test";

fn body() -> Value {
    json!({"email_address": ONE, "status_if_new": "transactional"})
}

#[tokio::test]
async fn both_ways_to_send_the_key_work_and_a_wrong_one_does_not() {
    let (sandbox, client) = (start().await, client());
    let url = format!("{}/lists/{LIST}/members/{ONE}", sandbox.mailchimp_url());
    let put = || client.put(&url).body(body().to_string());
    let key = &sandbox.config().api_key;

    assert_eq!(send(put().basic_auth("x", Some(key))).await.unwrap().status, 200);
    assert_eq!(send(put().basic_auth("", Some(key))).await.unwrap().status, 200);
    assert_eq!(send(put().bearer_auth(key)).await.unwrap().status, 200);
    for request in [put().basic_auth(key, Some("x")), put().bearer_auth("wrong-us21")] {
        let answer = send(request).await.unwrap();
        assert_eq!((answer.status, answer.title()), (401, "API Key Invalid"));
        assert!(
            answer
                .header("content-type")
                .starts_with("application/problem+json")
        );
    }
    assert_eq!(send(put()).await.unwrap().title(), "API Key Missing");
}

#[tokio::test]
async fn every_problem_has_its_five_members() {
    let (sandbox, client) = (start().await, client());
    let url = format!("{}/lists/nolist/members/{ONE}", sandbox.mailchimp_url());
    let put = client
        .put(url)
        .bearer_auth(&sandbox.config().api_key)
        .body(body().to_string());

    let answer = send(put).await.unwrap();

    assert_eq!((answer.status, answer.title()), (404, "Resource Not Found"));
    let mut members: Vec<_> = answer
        .body
        .as_object()
        .unwrap()
        .keys()
        .map(String::as_str)
        .collect();
    members.sort_unstable();
    assert_eq!(members, ["detail", "instance", "status", "title", "type"]);
}

#[tokio::test]
async fn wrong_fields_are_refused_by_name() {
    let (sandbox, client) = (start().await, client());
    let address = json!({"addr1": "Street 1", "city": "Lund", "state": "", "zip": "222 22"});
    let mut half = address.clone();
    half.as_object_mut().unwrap().remove("zip");
    let wrong = [
        ("email_address", json!(null), "email_address"),
        ("status_if_new", json!("archived"), "status_if_new"),
        ("status", json!("SUBSCRIBED"), "status"),
        ("merge_fields", json!({"A": null}), "merge_fields.A"),
        ("merge_fields", json!({"A": true}), "merge_fields.A"),
        ("merge_fields", json!({"A": ["x"]}), "merge_fields.A"),
        ("merge_fields", json!({"A": half}), "merge_fields.A"),
        ("merge_fields", json!([]), "merge_fields"),
        ("language", json!(null), "language"),
        ("vip", json!("yes"), "vip"),
        ("interests", json!({"i": 1}), "interests.i"),
        ("tags", json!(["a", {"name": "b"}]), "tags.item:1"),
        (
            "timestamp_signup",
            json!("2026-01-29T14:36:25.123Z"),
            "timestamp_signup",
        ),
        ("timestamp_opt", json!("2026-01-29"), "timestamp_opt"),
        ("timestamp_opt", json!("2026-01-29T14:36:25"), "timestamp_opt"),
        ("location", json!("Lund"), "location"),
    ];
    for (name, value, field) in wrong {
        let mut body = body();
        body[name] = value.clone();
        let answer = send(member(&client, &sandbox, Method::PUT, ONE).body(body.to_string()))
            .await
            .unwrap();
        assert_eq!(
            (answer.status, answer.title()),
            (400, "Invalid Resource"),
            "{name}: {value}"
        );
        assert_eq!(answer.body["errors"][0]["field"], json!(field), "{name}: {value}");
    }
    assert!(sandbox.mailchimp.members(LIST).is_empty());

    let mut good = body();
    good["merge_fields"] = json!({"A": "text", "B": 1.5, "C": address, "D": ""});
    good["timestamp_signup"] = json!("2026-01-29T14:36:25+01:00");
    good["timestamp_opt"] = json!("2026-01-29 14:36:25");
    good["ip_opt"] = json!("");
    good["langauge"] = json!("en");
    let answer = send(member(&client, &sandbox, Method::PUT, ONE).body(good.to_string()))
        .await
        .unwrap();
    assert_eq!(answer.status, 200, "{}", answer.body);
    assert_eq!(
        sandbox
            .mailchimp
            .unknown_properties()
            .into_iter()
            .collect::<Vec<_>>(),
        ["langauge"]
    );
}

#[tokio::test]
async fn put_needs_both_required_fields_and_json() {
    let (sandbox, client) = (start().await, client());
    let put = |body: &'static str| send(member(&client, &sandbox, Method::PUT, ONE).body(body));

    let answer = put("{}").await.unwrap();
    let message = answer.body["errors"][0]["message"].as_str().unwrap();
    assert_eq!(
        (answer.status, message),
        (
            400,
            "Required fields were not provided: email_address, status_if_new"
        )
    );
    let answer = put("[]").await.unwrap();
    assert_eq!((answer.status, answer.title()), (400, "Invalid Resource"));
    let answer = put("{").await.unwrap();
    assert_eq!((answer.status, answer.title()), (400, "JSON Parse Error"));
    let answer = put(r#"{"email_address":"one","status_if_new":"subscribed"}"#)
        .await
        .unwrap();
    assert_eq!(
        answer.body["detail"],
        json!("Please provide a valid email address.")
    );
}

#[tokio::test]
async fn a_marked_address_is_refused_in_the_documented_words() {
    let (sandbox, client) = (start().await, client());
    let marks = [
        (Mark::Unsubscribed, "Member In Compliance State"),
        (Mark::Cleaned, "Member In Compliance State"),
        (Mark::Forgotten, "Forgotten Email Not Subscribed"),
        (Mark::LooksFake, "Invalid Resource"),
        (Mark::ManyLists, "Invalid Resource"),
    ];
    for (mark, title) in marks {
        sandbox.mailchimp.mark(LIST, ONE, mark);
        let answer = send(member(&client, &sandbox, Method::PUT, ONE).body(body().to_string()))
            .await
            .unwrap();
        assert_eq!((answer.status, answer.title()), (400, title), "{mark:?}");
        assert!(
            answer.body["detail"].as_str().unwrap().starts_with(ONE),
            "{mark:?}"
        );
    }
    sandbox.mailchimp.unmark(LIST, ONE);
    assert_eq!(
        send(member(&client, &sandbox, Method::PUT, ONE).body(body().to_string()))
            .await
            .unwrap()
            .status,
        200
    );
}

#[tokio::test]
async fn an_unsubscribed_member_is_updated_but_not_subscribed() {
    let (sandbox, client) = (start().await, client());
    let put = |body: &Value| send(member(&client, &sandbox, Method::PUT, ONE).body(body.to_string()));
    put(&body()).await.unwrap();
    sandbox.mailchimp.mark(LIST, ONE, Mark::Unsubscribed);
    let mut subscribe = body();
    subscribe["status"] = json!("subscribed");
    let mut ask = body();
    ask["status"] = json!("pending");

    assert_eq!(put(&body()).await.unwrap().status, 200);
    assert_eq!(
        put(&subscribe).await.unwrap().title(),
        "Member In Compliance State"
    );
    assert_eq!(
        sandbox.mailchimp.member(LIST, ONE).unwrap().status,
        Status::Unsubscribed
    );
    assert_eq!(put(&ask).await.unwrap().body["status"], json!("pending"));
}

#[tokio::test]
async fn reserved_addresses_look_fake_when_asked_for() {
    let (sandbox, client) = (start().await, client());
    let body = json!({"email_address": "one@mail.example.com", "status_if_new": "subscribed"}).to_string();
    let put = || send(member(&client, &sandbox, Method::PUT, "one@mail.example.com").body(body.clone()));

    sandbox.mailchimp.refuse_reserved_addresses(true);
    let answer = put().await.unwrap();
    assert!(
        answer.body["detail"]
            .as_str()
            .unwrap()
            .contains("looks fake or invalid")
    );
    sandbox.mailchimp.refuse_reserved_addresses(false);
    assert_eq!(put().await.unwrap().status, 200);
}

#[tokio::test]
async fn the_eleventh_request_at_a_time_is_too_many() {
    let sandbox = Sandbox::start(SandboxConfig::default()).await.unwrap();
    let client = client();
    sandbox
        .mailchimp
        .faults()
        .always_for("slow@sandbox.test", Fault::Timeout);
    let held: Vec<_> = (0..10)
        .map(|_| tokio::spawn(send(member(&client, &sandbox, Method::GET, "slow@sandbox.test"))))
        .collect();
    until(async || sandbox.mailchimp.max_concurrent() == 10).await;

    let answer = send(member(&client, &sandbox, Method::GET, ONE)).await.unwrap();
    assert_eq!((answer.status, answer.title()), (429, "Too Many Requests"));
    assert_eq!(answer.header("retry-after"), "");

    // Clients that go away make room.
    for request in held {
        request.abort();
    }
    until(async || {
        send(member(&client, &sandbox, Method::GET, ONE))
            .await
            .unwrap()
            .status
            == 404
    })
    .await;
    assert_eq!(sandbox.mailchimp.max_concurrent(), 11);
}
