//! A report of very many events.

use std::collections::HashMap;
use std::time::Instant;

use aws_sdk_dynamodb::types::{AttributeValue, PutRequest, WriteRequest};
use futures::{StreamExt, TryStreamExt};
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use vendorbridge::clock::{Clock, SystemClock};
use vendorbridge::ledger::{EventRecord, Status};
use vendorbridge_testkit::cloud::World;

use super::ask;
use crate::stage;

/// 100,000 events of three vendors in 24 hours.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_report_of_a_hundred_thousand_events_counts_each_once() {
    const EVENTS: usize = 100_000;
    let vendors = ["mailchimp", "webhook", "algolia"];
    let world = stage::world("report", |options| {
        options.vendors = vendors.map(str::to_owned).to_vec();
    })
    .await;
    let until = SystemClock.now();
    let since = until.checked_sub(SignedDuration::from_hours(24)).unwrap();
    let items: Vec<_> = (0..EVENTS)
        .map(|number| event(vendors[number % 3], number, since))
        .collect();
    let batches = items.chunks(25).map(|batch| put(&world, batch));
    let written = futures::stream::iter(batches).buffer_unordered(8);
    written.try_collect::<()>().await.unwrap();

    for (by, rows) in [("vendor", 3), ("status", 9), ("hour", 72)] {
        let started = Instant::now();
        let (since, until) = (since.to_string(), until.to_string());
        let (report, exit) = ask(
            &world,
            &["report", "--since", &since, "--until", &until, "--by", by],
        )
        .await;
        println!(
            "report --by {by} of {EVENTS} events: {:.1} s",
            started.elapsed().as_secs_f64()
        );
        let found = report["rows"].as_array().unwrap();
        let total: u64 = found.iter().filter_map(|row| row["total"].as_u64()).sum();
        assert_eq!((total, exit), (EVENTS as u64, 0));
        // The first hour of the day is the last one too, unless it is a full hour.
        assert!((rows..=rows + 3).contains(&found.len()), "{}", found.len());
        for row in found {
            let events = row["events"].as_object().unwrap();
            let sum: u64 = events.values().filter_map(Value::as_u64).sum();
            assert_eq!(Some(sum), row["total"].as_u64(), "{row}");
        }
    }
    let started = Instant::now();
    let (why, _) = ask(&world, &["why", "mailchimp", "customer/0"]).await;
    println!(
        "why beside {EVENTS} events: {:.2} s",
        started.elapsed().as_secs_f64()
    );
    assert!(why["status"].is_null());
    stage::end(world).await;
}

/// Seven of ten are synced after 1 s, two are covered, one is rejected; evenly over the day.
fn event(vendor: &str, number: usize, since: Timestamp) -> EventRecord {
    let offset = SignedDuration::from_millis(i64::try_from(number).unwrap() * 863);
    let time = since.checked_add(offset).unwrap();
    let settled = time.checked_add(SignedDuration::from_secs(1)).unwrap();
    let status = match number / 3 % 10 {
        0..7 => Status::Synced,
        7..9 => Status::Covered,
        _ => Status::Rejected,
    };
    let id = format!("e-{number}");
    EventRecord::new(
        vendor,
        &format!("customer/{}", number % 5_000),
        &id,
        status,
        time,
        settled,
        "m",
    )
}

async fn put(world: &World, events: &[EventRecord]) -> Result<(), aws_sdk_dynamodb::Error> {
    let requests = events.iter().map(|event| {
        let text = |text: String| AttributeValue::S(text);
        let item = HashMap::from([
            ("pk".to_owned(), text(event.partition_key())),
            ("sk".to_owned(), text(event.sort_key())),
            ("vendor".to_owned(), text(event.vendor.clone())),
            ("entity".to_owned(), text(event.entity.clone())),
            ("event_id".to_owned(), text(event.event_id.clone())),
            ("status".to_owned(), text(event.status.name().to_owned())),
            ("event_time".to_owned(), text(event.event_time.to_string())),
            ("settled_at".to_owned(), text(event.settled_at.to_string())),
            ("message_id".to_owned(), text(event.message_id.clone())),
        ]);
        let put = PutRequest::builder().set_item(Some(item)).build().unwrap();
        WriteRequest::builder().put_request(put).build()
    });
    let table = world.stack.deployment.table.clone();
    let request = world.aws.dynamodb.batch_write_item();
    let answer = request.request_items(table, requests.collect()).send().await?;
    assert!(answer.unprocessed_items().is_none_or(HashMap::is_empty));
    Ok(())
}
