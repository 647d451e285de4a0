//! A flood of requests, half of them invalid: the vendor gets no more calls than its budget, and the last state all the same.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use aws_sdk_dynamodb::types::AttributeValue;
use futures::StreamExt;
use futures::stream::iter;
use serde_json::{Value, json};
use vendorbridge::ledger::AttentionKind;
use vendorbridge_testkit::cloud::{LINE, LINE_ROLE, World, until};

use crate::stage;

const VENDOR: &str = "discovery";
const REQUESTS: usize = 2_000;
const PRODUCTS: usize = 40;
const AT_A_TIME: usize = 24;
/// `CallsPerSecond` and `MaximumConcurrency1` of the template.
const CALLS_PER_SECOND: usize = 5;
const PROCESSES: usize = 2;
const WITHIN: Duration = Duration::from_mins(10);

/// Every second one says what no product may say.
fn event(number: usize) -> Value {
    let id = number / 2 % PRODUCTS;
    let title = if number.is_multiple_of(2) {
        json!(format!("Title {number}"))
    } else {
        json!({"en": "Title"})
    };
    json!({
        "event": "course.created", "id": format!("e-{number}"),
        "data": {"id": id.to_string(), "number": format!("F{id}"), "organization": "ACME", "title": title, "prices": {}},
    })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_flood_reaches_the_vendor_at_its_own_pace() {
    let world = stage::world("flood", |options| {
        options.park_base_seconds = 1;
        options.vendors = vec![VENDOR.to_owned()];
        options.ingest = true;
        options.calls_per_10_seconds = Some(10_000);
    })
    .await;
    let caller = world.line_caller(LINE_ROLE).await.unwrap();
    let began = Instant::now();
    let statuses = iter(0..REQUESTS).map(|number| {
        let (world, caller) = (&world, &caller);
        async move {
            let answer = world
                .send_line(caller, LINE, &[("prefer", "respond-async")], &event(number))
                .await;
            answer.unwrap().status.as_u16()
        }
    });
    let statuses: Vec<u16> = statuses.buffered(AT_A_TIME).collect().await;
    let sent_within = began.elapsed();
    let mut by_status = BTreeMap::new();
    for (number, status) in statuses.iter().enumerate() {
        let expected: &[u16] = if number.is_multiple_of(2) {
            &[200, 202]
        } else {
            &[422]
        };
        assert!(expected.contains(status), "{number}: {status}");
        *by_status.entry(*status).or_insert(0) += 1;
    }
    until("an end of all work", WITHIN, async || {
        world.wake(VENDOR).await?;
        let queued = world.queue_depth("QueueUrldiscovery").await?;
        let waiting = world
            .ledger()
            .attention_count(VENDOR, AttentionKind::Wake)
            .await?;
        Ok((queued == 0 && waiting == 0).then_some(()))
    })
    .await
    .unwrap();
    let discovery = &world.sandbox.discovery;
    eprintln!(
        "figures: {REQUESTS} requests in {sent_within:.1?}: {by_status:?}; {} calls of the vendor in {:.1?}, at most {} in a second",
        discovery.calls(),
        began.elapsed(),
        discovery.peak_per_second(),
    );
    // On the whole no more than the budget; of a second, as the vendor sees it, no more than what a busy machine holds up and lets
    // go at once.
    let budget = PROCESSES * CALLS_PER_SECOND;
    let seconds = usize::try_from(began.elapsed().as_secs()).unwrap() + 1;
    assert!(usize::try_from(discovery.calls()).unwrap() <= budget * seconds + PROCESSES);
    assert!(discovery.peak_per_second() <= 2 * budget);
    assert_eq!(discovery.courses().len(), PRODUCTS);
    for id in 0..PRODUCTS {
        let course = discovery.course(&format!("ACME+F{id}")).unwrap();
        assert_eq!(course.title, wanted_title(&world, id).await, "course {id}");
    }
    assert_eq!(world.queue_depth("DeadLetterQueueUrldiscovery").await.unwrap(), 0);
    stage::end(world).await;
}

/// What the line wants by now.
async fn wanted_title(world: &World, id: usize) -> String {
    let key = |name: &str| AttributeValue::S(name.to_owned());
    let item = world
        .aws
        .dynamodb
        .get_item()
        .table_name(&world.stack.deployment.table)
        .key("pk", key(&format!("line#course/{LINE}:{id}")))
        .key("sk", key("state"))
        .send()
        .await
        .unwrap();
    let item = item.item.unwrap();
    let course = item["course"].as_m().unwrap();
    course["title"].as_s().unwrap().clone()
}
