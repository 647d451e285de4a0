//! A thousand notifications through failing vendors: both end with exactly the source's state.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use vendorbridge_testkit::sandbox::Fault;
use vendorbridge_tests::{VENDORS, changes, differences, milliseconds, percentile, settle_everything};

use crate::stage;

const ENTITIES: usize = 200;
const EVENTS: usize = 1_000;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn both_vendors_end_with_the_source_state() {
    let world = stage::world("convergence", |options| {
        options.duplicates = Some((0.05, 7));
        options.park_base_seconds = 1;
    })
    .await;
    let faults = [
        (0.05, Fault::Status(500)),
        (
            0.05,
            Fault::TooManyRequests {
                retry_after: Some(Duration::from_secs(1)),
            },
        ),
        (0.02, Fault::Timeout),
    ];
    world.sandbox.mailchimp.faults().rates(11, &faults);
    world.sandbox.webhook.faults().rates(12, &faults);
    let mut random = fastrand::Rng::with_seed(7);
    let mut customers: Vec<_> = (0..EVENTS).map(|at| at % ENTITIES).collect();
    random.shuffle(&mut customers);

    let started = Instant::now();
    let events = changes(&world, &customers).await.unwrap();
    assert_eq!(events.len(), EVENTS);
    let settled = settle_everything(&world, &events, Duration::from_mins(4))
        .await
        .unwrap();
    let took = started.elapsed();

    assert_eq!(differences(&world), Vec::<String>::new());
    for vendor in VENDORS {
        let records = &settled[vendor];
        let mut by_status = BTreeMap::new();
        for record in records {
            *by_status.entry(record.status).or_insert(0) += 1;
        }
        let times = milliseconds(&events, records);
        eprintln!(
            "convergence {vendor}: {took:.0?}, p50 {} ms, p99 {} ms, {by_status:?}",
            percentile(&times, 50),
            percentile(&times, 99),
        );
        assert_eq!(
            world
                .queue_depth(&format!("DeadLetterQueueUrl{vendor}"))
                .await
                .unwrap(),
            0
        );
        assert_eq!(
            world
                .queue_depth(&format!("UndeliveredQueueUrl{vendor}"))
                .await
                .unwrap(),
            0
        );
    }
    eprintln!(
        "convergence faults: mailchimp {:?}",
        world.sandbox.mailchimp.faults().injected()
    );
    eprintln!(
        "convergence faults: webhook {:?}",
        world.sandbox.webhook.faults().injected()
    );
    for faults in [world.sandbox.mailchimp.faults(), world.sandbox.webhook.faults()] {
        for fault in [Fault::Status(500), Fault::Timeout] {
            assert!(
                faults.how_many(|injected| injected == fault) > 0,
                "{fault:?} never struck"
            );
        }
    }
    assert!(
        world.sandbox.mailchimp.max_concurrent() <= 10,
        "Mailchimp allows ten connections"
    );
    assert_eq!(world.sandbox.webhook.conflicting_repeats(), 0);
    never_backwards(&world);
    nothing_personal_is_logged(&world);
    stage::end(world).await;
}

/// No vendor got an older state after a newer one.
fn never_backwards(world: &vendorbridge_testkit::cloud::World) {
    let mut newest = BTreeMap::new();
    for delivery in world.sandbox.webhook.history() {
        let version = delivery
            .data
            .get("version")
            .and_then(serde_json::Value::as_u64)
            .unwrap_or(0);
        let before = newest.insert(delivery.subject.clone(), version).unwrap_or(0);
        assert!(
            version >= before,
            "{:?} went from {before} back to {version}",
            delivery.subject
        );
    }
}

/// Secrets, bodies and addresses stay out of the functions' logs; the canonical line is there.
fn nothing_personal_is_logged(world: &vendorbridge_testkit::cloud::World) {
    let log = world
        .emulator
        .as_ref()
        .map(|emulator| emulator.log().clone())
        .expect("an emulator of our own");
    let text = std::fs::read_to_string(log).unwrap();
    let lines: Vec<serde_json::Value> = text
        .lines()
        .filter_map(|line| {
            line.find('{')
                .and_then(|at| serde_json::from_str(&line[at..]).ok())
        })
        .filter(|line: &serde_json::Value| line["message"] == "sync.settled")
        .collect();
    assert!(
        lines.len() > EVENTS,
        "expected a line per event and vendor, found {}",
        lines.len()
    );
    for field in [
        "vendor",
        "entity",
        "event_id",
        "status",
        "freshness_ms",
        "message_id",
        "request_id",
    ] {
        assert!(
            lines.iter().all(|line| line.get(field).is_some()),
            "a line lacks `{field}`"
        );
    }
    let config = world.sandbox.config();
    let banned = [
        config.api_key.as_str(),
        &config.source_token,
        &config.signing_secret,
        "@mail.example",
        "Name ",
    ];
    for banned in banned {
        assert!(!text.contains(banned), "the log contains {banned:?}");
    }
}
