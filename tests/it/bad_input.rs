//! Bad messages are recorded and acknowledged; their neighbours do not notice.

use std::time::Duration;

use aws_sdk_sqs::types::SendMessageBatchRequestEntry;
use serde_json::json;
use vendorbridge::clock::{Clock, SystemClock};
use vendorbridge::ledger::Status;
use vendorbridge_testkit::cloud::{World, until};
use vendorbridge_tests::{LIST, change};

use crate::stage;

const WITHIN: Duration = Duration::from_mins(1);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nine_good_and_one_bad_sync_nine() {
    let world = stage::world("bad-input", |_| {}).await;
    let since = SystemClock.now();
    let mut bodies: Vec<_> = (0..9)
        .map(|customer| event(&json!(format!("c-{customer}"))))
        .collect();
    for customer in 0..9 {
        change(&world, customer, customer);
    }
    bodies.insert(4, "this is no JSON".to_owned());
    send(&world, &bodies).await;
    let rejected = rejections(&world, since, 1).await;
    assert!(
        rejected[0]
            .error
            .as_ref()
            .unwrap()
            .message
            .contains("expected JSON")
    );
    until("nine members", WITHIN, async || {
        Ok((world.sandbox.mailchimp.members(LIST).len() == 9).then_some(()))
    })
    .await
    .unwrap();

    let bad = [
        r#"{"no":"envelope"}"#.to_owned(),
        event(&json!(null)),
        event(&json!("x".repeat(513))),
        event(&json!("c-1")).replace("DeliveryPreferenceUpdated", "SomethingElse"),
    ];
    let ids = send(&world, &bad).await;
    let rejected = rejections(&world, since, 1 + bad.len()).await;
    for (id, reason) in ids
        .iter()
        .zip(["`id`", "found none", "513 bytes", "unknown event type"])
    {
        let record = rejected
            .iter()
            .find(|record| record.message_id == *id)
            .expect("a record by message id");
        let message = &record.error.as_ref().unwrap().message;
        assert!(message.contains(reason), "expected {reason}, found {message}");
    }
    until("an empty queue", WITHIN, async || {
        Ok((world.queue_depth("QueueUrlmailchimp").await? == 0).then_some(()))
    })
    .await
    .unwrap();
    assert_eq!(world.queue_depth("DeadLetterQueueUrlmailchimp").await.unwrap(), 0);
    stage::end(world).await;
}

fn event(customer_id: &serde_json::Value) -> String {
    json!({
        "version": "0", "id": format!("e-{}", fastrand::Rng::new().u64(..)), "source": "infoservice",
        "detail-type": "DeliveryPreferenceUpdated", "account": "123456789012", "region": "us-east-1", "resources": [],
        "time": SystemClock.now(), "detail": {"customerId": customer_id},
    })
    .to_string()
}

async fn rejections(
    world: &World,
    since: jiff::Timestamp,
    count: usize,
) -> Vec<vendorbridge::ledger::EventRecord> {
    until("the rejections", WITHIN, async || {
        let mut events = world.events_since("mailchimp", since).await?;
        events.retain(|event| event.status == Status::Rejected);
        Ok((events.len() == count).then_some(events))
    })
    .await
    .unwrap()
}

/// Puts messages straight into Mailchimp's intake lane; answers with their message ids.
async fn send(world: &World, bodies: &[String]) -> Vec<String> {
    let entries = bodies.iter().enumerate().map(|(at, body)| {
        SendMessageBatchRequestEntry::builder()
            .id(at.to_string())
            .message_group_id("intake")
            .message_body(body)
            .build()
            .unwrap()
    });
    let answer = world
        .aws
        .sqs
        .send_message_batch()
        .queue_url(world.stack.output("QueueUrlmailchimp").unwrap())
        .set_entries(Some(entries.collect()))
        .send()
        .await
        .unwrap();
    assert!(answer.failed().is_empty(), "{:?}", answer.failed());
    let mut sent: Vec<_> = answer.successful().to_vec();
    sent.sort_by_key(|entry| entry.id().parse::<usize>().unwrap());
    sent.into_iter()
        .map(|entry| entry.message_id().to_owned())
        .collect()
}
