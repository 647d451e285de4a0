use reqwest::{Client, Method};
use serde_json::{Value, json};
use vendorbridge_testkit::sandbox::{
    Sandbox,
    mailchimp::{MergeValue, Status, WriteKind, subscriber_hash},
};

use crate::{Answer, LIST, client, member, send, start};

const ONE: &str = "One@Sandbox.test";

async fn put(client: &Client, sandbox: &Sandbox, key: &str, body: &Value) -> Answer {
    send(member(client, sandbox, Method::PUT, key).body(body.to_string()))
        .await
        .unwrap()
}

fn body(email: &str, first_name: &str) -> Value {
    json!({"email_address": email, "status_if_new": "transactional", "merge_fields": {"FNAME": first_name}})
}

#[tokio::test]
async fn put_adds_and_then_updates() {
    let (sandbox, client) = (start().await, client());
    let hash = subscriber_hash(ONE);
    assert_eq!(hash, "139502180ba82ce07a9adb0d10e45e6d");

    let added = put(&client, &sandbox, &hash, &body(ONE, "A")).await;
    let mut change = body(ONE, "B");
    change["status_if_new"] = json!("subscribed");
    change["merge_fields"]["POINTS"] = json!(7);
    change["tags"] = json!(["paperless"]);
    let updated = put(&client, &sandbox, &hash, &change).await;

    assert_eq!((added.status, updated.status), (200, 200));
    assert_eq!(added.body["id"], json!(hash));
    assert_eq!(added.body["list_id"], json!(LIST));
    assert_eq!(added.body["contact_id"], updated.body["contact_id"]);
    assert!(added.body["last_changed"].as_str().unwrap().ends_with("+00:00"));
    // `status_if_new` is for new ones only; fields that are not sent stay.
    assert_eq!(updated.body["status"], json!("transactional"));
    assert_eq!(updated.body["merge_fields"], json!({"FNAME": "B", "POINTS": 7}));
    assert_eq!(updated.body["tags"], json!([{"id": 1, "name": "paperless"}]));
    let read = send(member(&client, &sandbox, Method::GET, &hash)).await.unwrap();
    assert_eq!(read.body, updated.body);

    assert_eq!(sandbox.mailchimp.members(LIST).len(), 1);
    assert_eq!(sandbox.mailchimp.how_many_with_email(LIST, "one@sandbox.TEST"), 1);
    let history = sandbox.mailchimp.history(LIST, ONE);
    let names: Vec<_> = history
        .iter()
        .map(|write| (write.kind, write.member.merge_fields["FNAME"].clone()))
        .collect();
    assert_eq!(
        names,
        [(WriteKind::Created, "A".into()), (WriteKind::Updated, "B".into())] as [(_, MergeValue); 2]
    );
    assert_eq!(
        (
            sandbox.mailchimp.calls_for(&hash),
            sandbox.mailchimp.calls_for(ONE)
        ),
        (3, 3)
    );
}

#[tokio::test]
async fn status_changes_an_existing_member() {
    let (sandbox, client) = (start().await, client());
    let hash = subscriber_hash(ONE);
    put(&client, &sandbox, &hash, &body(ONE, "A")).await;
    let mut change = body(ONE, "A");
    change["status"] = json!("unsubscribed");

    put(&client, &sandbox, &hash, &change).await;

    assert_eq!(
        sandbox.mailchimp.member(LIST, ONE).unwrap().status,
        Status::Unsubscribed
    );
}

#[tokio::test]
async fn the_path_takes_hash_address_and_contact_id() {
    let (sandbox, client) = (start().await, client());
    let contact = put(&client, &sandbox, ONE, &body(ONE, "A")).await.body["contact_id"].clone();

    for key in [subscriber_hash(ONE).as_str(), ONE, contact.as_str().unwrap()] {
        assert_eq!(
            send(member(&client, &sandbox, Method::GET, key))
                .await
                .unwrap()
                .status,
            200,
            "{key}"
        );
    }
    let other = subscriber_hash("other@sandbox.test");
    let answer = send(member(&client, &sandbox, Method::GET, &other))
        .await
        .unwrap();
    assert_eq!((answer.status, answer.title()), (404, "Resource Not Found"));
}

#[tokio::test]
async fn another_address_in_the_body_moves_the_member() {
    let (sandbox, client) = (start().await, client());
    let (old, new) = (subscriber_hash(ONE), subscriber_hash("new@sandbox.test"));
    let before = put(&client, &sandbox, &old, &body(ONE, "A")).await;

    let moved = put(&client, &sandbox, &old, &body("new@sandbox.test", "A")).await;
    // The old hash names nobody any more; the same request again finds the member by its address.
    let again = put(&client, &sandbox, &old, &body("new@sandbox.test", "B")).await;

    assert_eq!((moved.status, again.status), (200, 200));
    assert_eq!(
        (&moved.body["id"], &moved.body["contact_id"]),
        (&json!(new), &before.body["contact_id"])
    );
    assert_eq!(sandbox.mailchimp.members(LIST).len(), 1);
    assert_eq!(sandbox.mailchimp.history(LIST, ONE).len(), 3);
}

#[tokio::test]
async fn an_address_that_is_taken_cannot_be_moved_to() {
    let (sandbox, client) = (start().await, client());
    put(
        &client,
        &sandbox,
        "two@sandbox.test",
        &body("two@sandbox.test", "B"),
    )
    .await;
    put(&client, &sandbox, ONE, &body(ONE, "A")).await;

    let answer = put(&client, &sandbox, ONE, &body("two@sandbox.test", "A")).await;

    assert_eq!((answer.status, answer.title()), (400, "Member Exists"));
    assert_eq!(sandbox.mailchimp.members(LIST).len(), 2);
}

#[tokio::test]
async fn patch_updates_and_never_adds() {
    let (sandbox, client) = (start().await, client());
    let change = json!({"merge_fields": {"FNAME": "B"}, "tags": ["ignored"]}).to_string();
    let patch = || member(&client, &sandbox, Method::PATCH, ONE).body(change.clone());

    assert_eq!(send(patch()).await.unwrap().status, 404);
    put(&client, &sandbox, ONE, &body(ONE, "A")).await;
    assert_eq!(send(patch()).await.unwrap().status, 200);

    let member = sandbox.mailchimp.member(LIST, ONE).unwrap();
    assert_eq!(
        (&member.merge_fields["FNAME"], member.tags_count),
        (&"B".into(), 0)
    );
}

#[tokio::test]
async fn delete_archives_once() {
    let (sandbox, client) = (start().await, client());
    let delete = || member(&client, &sandbox, Method::DELETE, ONE);

    assert_eq!(send(delete()).await.unwrap().status, 404);
    put(&client, &sandbox, ONE, &body(ONE, "A")).await;
    assert_eq!(send(delete()).await.unwrap().status, 204);
    let again = send(delete()).await.unwrap();

    assert_eq!((again.status, again.title()), (405, "Method Not Allowed"));
    assert_eq!(
        (
            sandbox.mailchimp.members(LIST).len(),
            sandbox.mailchimp.archived(LIST).len()
        ),
        (0, 1)
    );
    let read = send(member(&client, &sandbox, Method::GET, ONE)).await.unwrap();
    assert_eq!(read.body["status"], json!("archived"));
}

#[tokio::test]
async fn only_status_brings_an_archived_member_back() {
    let (sandbox, client) = (start().await, client());
    put(&client, &sandbox, ONE, &body(ONE, "A")).await;
    send(member(&client, &sandbox, Method::DELETE, ONE))
        .await
        .unwrap();

    let still = put(&client, &sandbox, ONE, &body(ONE, "A")).await;
    let mut with_status = body(ONE, "A");
    with_status["status"] = json!("transactional");
    let back = put(&client, &sandbox, ONE, &with_status).await;

    assert_eq!(
        (&still.body["status"], &back.body["status"]),
        (&json!("archived"), &json!("transactional"))
    );
    assert_eq!(sandbox.mailchimp.members(LIST).len(), 1);
}

#[tokio::test]
async fn what_is_deleted_for_good_is_forgotten() {
    let (sandbox, client) = (start().await, client());
    put(&client, &sandbox, ONE, &body(ONE, "A")).await;

    let key = format!("{ONE}/actions/delete-permanent");
    assert_eq!(
        send(member(&client, &sandbox, Method::POST, &key))
            .await
            .unwrap()
            .status,
        204
    );
    let answer = put(&client, &sandbox, ONE, &body(ONE, "A")).await;

    assert_eq!(
        (answer.status, answer.title()),
        (400, "Forgotten Email Not Subscribed")
    );
    assert_eq!(
        sandbox.mailchimp.history(LIST, ONE).last().unwrap().kind,
        WriteKind::Deleted
    );
}
