//! DynamoDB requests and write units per event, counted on the wire, against the budget: two units for a synced event,
//! one for any other, no index write on the healthy path.

use std::time::Duration;

use aws_sdk_dynamodb::types::AttributeValue;
use vendorbridge_testkit::cloud::World;
use vendorbridge_testkit::sandbox::Fault;
use vendorbridge_tests::{change, email};

use crate::meter::{Meter, Subject};
use crate::stage;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn events_cost_no_more_than_their_budget() {
    let world = stage::world("budget", |_| {}).await;
    let mut meter = Meter::new(&world, Subject::Mailchimp).await;
    for customer in 0..10 {
        change(&world, customer, 0);
    }
    let old: Vec<_> = (0..10).map(|customer| meter.preference(customer, None)).collect();
    meter.clock.advance(Duration::from_secs(10));

    let batch: Vec<_> = (0..10)
        .map(|customer| meter.preference(customer, Some(1)))
        .collect();
    // A new member is written ahead of its creation (docs/adr/0007-written-ahead.md): one write more, once per address.
    let created = meter.measure("created", &batch).await;
    assert_eq!(
        (created.requests, created.writes, created.index_writes),
        (22, 30, 0)
    );

    let changed: Vec<_> = (0..10)
        .map(|customer| (customer, change(&world, customer, 1)))
        .collect();
    let batch: Vec<_> = changed
        .into_iter()
        .map(|(customer, version)| meter.preference(customer, Some(version)))
        .collect();
    let synced = meter.measure("synced", &batch).await;
    assert_eq!((synced.requests, synced.writes, synced.index_writes), (12, 20, 0));

    let covered = meter.measure("covered", &old).await;
    assert_eq!(
        (covered.requests, covered.writes, covered.index_writes),
        (2, 10, 0)
    );

    let batch: Vec<_> = (0..10).map(|customer| meter.preference(customer, None)).collect();
    let unchanged = meter.measure("unchanged", &batch).await;
    assert_eq!(
        (unchanged.requests, unchanged.writes, unchanged.index_writes),
        (2, 10, 0)
    );

    // Ten of one entity: one is synced with two writes, nine are coalesced with one each.
    let version = change(&world, 1, 2);
    let batch: Vec<_> = (0..10).map(|_| meter.preference(1, Some(version))).collect();
    let coalesced = meter.measure("one synced, nine coalesced", &batch).await;
    assert_eq!(
        (coalesced.requests, coalesced.writes, coalesced.index_writes),
        (3, 11, 0)
    );

    // What the budget does not promise, measured: parking writes the index, and a newer version that joins a waiting
    // retry writes the entity too.
    world
        .sandbox
        .mailchimp
        .faults()
        .always_for(&email(2), Fault::Status(503));
    let version = change(&world, 2, 2);
    let event = meter.preference(2, Some(version));
    let parked = meter.measure("parked", &[event]).await;
    assert_eq!((parked.writes, parked.index_writes), (2, 1));
    let event = meter.preference(2, Some(version));
    let joined = meter.measure("joined a retry", &[event]).await;
    assert_eq!(joined.writes, 1);
    let event = meter.preference(2, Some(version + 1));
    let joined = meter
        .measure("joined a retry with a newer version", &[event])
        .await;
    assert_eq!(joined.writes, 2);

    let largest = largest_item(&world).await;
    eprintln!("budget: the largest record has {largest} bytes");
    assert!(
        largest <= 1024,
        "a record of {largest} bytes costs more than one write unit"
    );
    meter.print();
    stage::end(world).await;
}

/// The size of the largest record in bytes, as DynamoDB counts it: names and values.
async fn largest_item(world: &World) -> usize {
    let table = &world.stack.deployment.table;
    let answer = world.aws.dynamodb.scan().table_name(table).send().await.unwrap();
    let size = |item: &std::collections::HashMap<String, AttributeValue>| {
        item.iter().map(|(name, value)| name.len() + bytes(value)).sum()
    };
    answer.items().iter().map(size).max().unwrap_or(0)
}

fn bytes(value: &AttributeValue) -> usize {
    match value {
        AttributeValue::S(text) => text.len(),
        AttributeValue::N(digits) => digits.len().div_ceil(2) + 1,
        AttributeValue::L(list) => 3 + list.iter().map(|value| 1 + bytes(value)).sum::<usize>(),
        AttributeValue::M(map) => {
            3 + map
                .iter()
                .map(|(name, value)| 1 + name.len() + bytes(value))
                .sum::<usize>()
        }
        _ => 1,
    }
}
