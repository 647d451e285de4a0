use reqwest::Method;
use serde_json::json;
use vendorbridge_testkit::sandbox::{
    Clock, Sandbox, SandboxConfig,
    infoservice::{Address, Channel, NewPreference},
};

use crate::{client, send, source, start};

#[tokio::test]
async fn a_preference_is_answered_as_the_contract_has_it() {
    let clock = Clock::from_fn(|| "2026-01-29T14:36:25.789Z".parse().unwrap());
    let sandbox = Sandbox::start(SandboxConfig {
        clock,
        ..SandboxConfig::default()
    })
    .await
    .unwrap();
    let address = Address {
        line1: "Street 1".into(),
        city: "Lund".into(),
        postal_code: "222 22".into(),
        country: "SE".into(),
    };
    let preference = NewPreference::by_email("c-4711", "first@sandbox.test");
    assert_eq!(sandbox.infoservice.put(preference.clone()), 1);
    let paper = NewPreference {
        channel: Channel::Paper,
        email: None,
        address: Some(address),
        ..preference
    };
    assert_eq!(sandbox.infoservice.put(paper), 2);

    let answer = send(source(&client(), &sandbox, Method::GET, "c-4711"))
        .await
        .unwrap();

    assert_eq!((answer.status, answer.header("etag")), (200, "\"2\""));
    assert_eq!(
        answer.body,
        json!({
            "customerId": "c-4711", "version": 2, "channel": "PAPER", "email": null,
            "firstName": "First", "lastName": "Last", "language": "en",
            "address": {"line1": "Street 1", "city": "Lund", "postalCode": "222 22", "country": "SE"},
            "updatedAt": "2026-01-29T14:36:25Z",
        })
    );
    assert_eq!(
        serde_json::to_value(sandbox.infoservice.get("c-4711")).unwrap(),
        answer.body
    );
}

#[tokio::test]
async fn without_the_token_there_is_nothing_to_see() {
    let (sandbox, client) = (start().await, client());
    sandbox
        .infoservice
        .put(NewPreference::by_email("c-1", "one@sandbox.test"));
    let url = format!("{}/customers/c-1/delivery-preference", sandbox.source_url());

    for request in [client.get(&url), client.get(&url).bearer_auth("wrong")] {
        let answer = send(request).await.unwrap();
        assert_eq!(
            (answer.status, answer.header("content-type")),
            (401, "application/problem+json")
        );
        assert_eq!(answer.header("www-authenticate"), "Bearer");
    }
    assert_eq!((sandbox.infoservice.calls(), sandbox.infoservice.reads()), (2, 0));
}

#[tokio::test]
async fn an_unknown_customer_is_not_found_and_counted() {
    let (sandbox, client) = (start().await, client());

    let answer = send(source(&client, &sandbox, Method::GET, "nobody"))
        .await
        .unwrap();

    assert_eq!(
        (answer.status, answer.body),
        (404, json!({"title": "Not Found", "status": 404}))
    );
    assert_eq!(sandbox.infoservice.reads_of("nobody"), 1);
}

#[tokio::test]
async fn what_was_read_can_be_put_back_changed() {
    let (sandbox, client) = (start().await, client());
    sandbox
        .infoservice
        .put(NewPreference::by_email("c-1", "one@sandbox.test"));
    let mut body = send(source(&client, &sandbox, Method::GET, "c-1"))
        .await
        .unwrap()
        .body;
    body["channel"] = json!("BOTH");

    let answer = send(source(&client, &sandbox, Method::PUT, "c-1").body(body.to_string()))
        .await
        .unwrap();

    assert_eq!((answer.status, answer.header("etag")), (200, "\"2\""));
    let now = sandbox.infoservice.get("c-1").unwrap();
    assert_eq!((now.version, now.channel), (2, Channel::Both));
}

#[tokio::test]
async fn a_wrong_preference_is_refused() {
    let (sandbox, client) = (start().await, client());
    let good = json!({"channel": "EMAIL", "firstName": "F", "lastName": "L", "language": "en"});
    let wrong = [
        ("channel", json!("FAX")),
        ("language", json!(1)),
        ("colour", json!("red")),
    ];
    for (field, value) in wrong.into_iter().chain([("customerId", json!("c-2"))]) {
        let mut body = good.clone();
        body[field] = value;
        let answer = send(source(&client, &sandbox, Method::PUT, "c-1").body(body.to_string()))
            .await
            .unwrap();
        assert_eq!(answer.status, 400, "{field}");
    }
    assert!(sandbox.infoservice.all().is_empty());
}

#[tokio::test]
async fn versions_go_on_after_a_removal() {
    let (sandbox, client) = (start().await, client());
    let preference = NewPreference::by_email("c-1", "one@sandbox.test");
    sandbox.infoservice.put(preference.clone());

    assert_eq!(
        send(source(&client, &sandbox, Method::DELETE, "c-1"))
            .await
            .unwrap()
            .status,
        204
    );
    assert_eq!(
        send(source(&client, &sandbox, Method::GET, "c-1"))
            .await
            .unwrap()
            .status,
        404
    );

    assert!(!sandbox.infoservice.remove("c-1"));
    assert_eq!(sandbox.infoservice.put(preference), 2);
}
