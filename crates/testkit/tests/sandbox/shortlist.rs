use reqwest::{Client, RequestBuilder};
use serde_json::{Value, json};
use vendorbridge_testkit::sandbox::{Sandbox, shortlist::NewShortlist};

use crate::{client, send, start};

const QUERY: &str =
    "query Q($id: ID!) { shortlist(id: $id) { id revision name items { sku price { amount } } } }";

fn ask(client: &Client, sandbox: &Sandbox, body: &Value) -> RequestBuilder {
    client
        .post(sandbox.shortlist_url())
        .bearer_auth(&sandbox.config().shortlist_token)
        .header(
            "accept",
            "application/graphql-response+json, application/json;q=0.9",
        )
        .header("content-type", "application/json")
        .body(body.to_string())
}

#[tokio::test]
async fn a_list_is_answered_as_asked_and_an_unknown_one_as_null() {
    let (sandbox, client) = (start().await, client());
    sandbox.shortlists.put(NewShortlist::of("s-1", &["lamp"]));
    sandbox.shortlists.put(NewShortlist::of("s-1", &["lamp", "sofa"]));
    let query = |id: &str| json!({"query": QUERY, "operationName": "Q", "variables": {"id": id}});

    let answer = send(ask(&client, &sandbox, &query("s-1"))).await.unwrap();
    assert_eq!(
        (answer.status, answer.header("content-type")),
        (200, "application/graphql-response+json")
    );
    let price = json!({"amount": "12.50"});
    assert_eq!(
        answer.body,
        json!({"data": {"shortlist": {
            "id": "s-1", "revision": 2, "name": null,
            "items": [{"sku": "lamp", "price": price}, {"sku": "sofa", "price": price}],
        }}})
    );

    let answer = send(ask(&client, &sandbox, &query("s-2"))).await.unwrap();
    assert_eq!(
        (answer.status, answer.body),
        (200, json!({"data": {"shortlist": null}}))
    );
    assert_eq!(sandbox.shortlists.reads_of("s-2"), 1);
}

#[tokio::test]
async fn a_query_that_does_not_fit_the_schema_is_not_executed() {
    let (sandbox, client) = (start().await, client());
    for query in [
        "{ shortlist(id: 1) { colour } }",
        "{ shortlist",
        "{ shortlist { id } }",
    ] {
        let answer = send(ask(&client, &sandbox, &json!({"query": query})))
            .await
            .unwrap();
        assert_eq!(answer.status, 400, "{query}");
        assert!(answer.body["errors"].is_array() && answer.body.get("data").is_none());
    }
}

#[tokio::test]
async fn a_field_that_fails_is_missing_with_an_error_beside_the_rest() {
    let (sandbox, client) = (start().await, client());
    sandbox.shortlists.put(NewShortlist::of("s-1", &["lamp", "sofa"]));
    sandbox.shortlists.without_prices(true);

    let query = json!({"query": QUERY, "variables": {"id": "s-1"}});
    let answer = send(ask(&client, &sandbox, &query)).await.unwrap();

    let items = &answer.body["data"]["shortlist"]["items"];
    // The server leaves it out where the specification has null.
    assert_eq!(
        (answer.status, items),
        (200, &json!([{"sku": "lamp"}, {"sku": "sofa"}]))
    );
    let paths: Vec<_> = answer.body["errors"]
        .as_array()
        .unwrap()
        .iter()
        .map(|error| (&error["path"], &error["extensions"]["code"]))
        .collect();
    let path = |index| json!(["shortlist", "items", index, "price"]);
    let code = json!("PRICES_UNAVAILABLE");
    assert_eq!(paths, [(&path(0), &code), (&path(1), &code)]);
}

#[tokio::test]
async fn a_hash_stands_for_a_query_that_was_sent_with_it() {
    let (sandbox, client) = (start().await, client());
    let hash = hex::encode(<sha2::Sha256 as sha2::Digest>::digest(QUERY));
    let extensions = json!({"persistedQuery": {"version": 1, "sha256Hash": hash}});
    let short = json!({"variables": {"id": "s-1"}, "extensions": extensions});
    let mut full = short.clone();
    full["query"] = json!(QUERY);

    let unknown = send(ask(&client, &sandbox, &short)).await.unwrap();
    assert_eq!(
        unknown.body["errors"][0]["extensions"]["code"],
        "PERSISTED_QUERY_NOT_FOUND"
    );
    for body in [&full, &short] {
        let answer = send(ask(&client, &sandbox, body)).await.unwrap();
        assert_eq!(answer.body, json!({"data": {"shortlist": null}}));
    }
    full["query"] = json!("{ __typename }");
    assert_eq!(send(ask(&client, &sandbox, &full)).await.unwrap().status, 400);
    assert_eq!(sandbox.shortlists.queries_in_full(), 2);
}

#[tokio::test]
async fn without_the_token_nobody_is_served() {
    let (sandbox, client) = (start().await, client());
    let request = client.post(sandbox.shortlist_url()).bearer_auth("wrong");
    let answer = send(request).await.unwrap();
    assert_eq!(answer.status, 401);
    assert_eq!(answer.body["errors"][0]["extensions"]["code"], "UNAUTHENTICATED");
}
