//! The console in a real browser, against a deployed stack.

mod act;
mod inject;
mod look;
mod other;

use jiff::{SignedDuration, Timestamp};
use vendorbridge::clock::{Clock, SystemClock};
use vendorbridge::ledger::{DynamoLedger, EntityRecord, ErrorRecord, EventRecord, Ledger, Parked, Status};
use vendorbridge::{EntityKey, Error, ErrorKind, Stage};
use vendorbridge_testkit::cloud::{Console, World};
use vendorbridge_tests::{change, changes};

use crate::browser::Browser;
use crate::stage;

/// A console, and the addresses in it.
struct Page {
    console: Console,
}

impl Page {
    /// Starts the command that stands beside this test binary.
    async fn start(world: &World) -> Self {
        let test = std::env::current_exe().unwrap();
        let folder = test.parent().and_then(|deps| deps.parent()).unwrap();
        let console = Console::start(world, &folder.join("vendorbridge")).await;
        Self {
            console: console.unwrap_or_else(|error| panic!("{error}")),
        }
    }

    fn url(&self) -> &str {
        self.console.url()
    }

    /// The part of the address before the token.
    fn origin(&self) -> &str {
        self.url().split_once("/#").unwrap().0
    }

    /// The address of a view, without the token: the tab has it.
    fn view(&self, path: &str) -> String {
        format!("{}/#/{path}", self.origin())
    }
}

/// Everything at once takes long to deploy: one world for all that is seen and done.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn people_see_and_repair_in_a_browser() {
    let world = stage::world("console", |_| {}).await;
    seed(&world).await;
    let console = Page::start(&world).await;
    let browser = Browser::start(&world.folder).await;
    browser.client.goto(console.url()).await.unwrap();

    look::all_views(&browser, &console).await;
    look::by_keyboard(&browser, &console).await;
    look::on_a_phone_and_in_the_dark(&browser, &console).await;
    act::all_actions(&browser, &console, &world).await;
    inject::nothing_runs(&browser, &console, &world).await;
    other::sites_are_refused(&browser, &console).await;

    browser.stop().await;
    assert!(console.console.stop().await, "Ctrl-C ends it cleanly");
    stage::end(world).await;
}

/// Customers that really went through, and a past that would take hours: written as the engine writes it.
async fn seed(world: &World) {
    for round in 0..3 {
        change(world, 4711, round);
    }
    changes(world, &[1, 2, 3]).await.unwrap();
    let now = SystemClock.now();
    for vendor in ["mailchimp", "webhook"] {
        let ledger = ledger(world, vendor);
        let mut events = Vec::new();
        for minute in 1..300_i64 {
            let settled = now.saturating_sub(SignedDuration::from_mins(minute)).unwrap();
            for one in 0..=(minute % 7) {
                let late = 400 + 97 * one + if minute % 50 < 4 { 60_000 } else { 0 };
                let sent = settled.saturating_sub(SignedDuration::from_millis(late)).unwrap();
                let status = match (minute + one) % 23 {
                    0 => Status::Rejected,
                    1 | 2 => Status::Parked,
                    3..8 => Status::Covered,
                    _ => Status::Synced,
                };
                let entity = format!("customer/h-{minute}-{one}");
                events.push(EventRecord::new(
                    vendor,
                    &entity,
                    &format!("h-{minute}-{one}"),
                    status,
                    sent,
                    settled,
                    "m",
                ));
            }
        }
        for some in events.chunks(25) {
            assert!(ledger.record(some).await.iter().all(Result::is_ok));
        }
    }
    let invalid = Error::permanent(
        ErrorKind::Invalid,
        Stage::Map,
        "expected an e-mail address, found none",
    )
    .at("/email_address");
    for id in 0..30 {
        write(
            world,
            "mailchimp",
            &format!("r-{id:02}"),
            Status::Rejected,
            &invalid,
            now,
        )
        .await;
    }
    let exists = Error::permanent(ErrorKind::Refused, Stage::Push, "Member In Compliance State")
        .code("MEMBER_COMPLIANCE")
        .with_status(400);
    write(world, "mailchimp", "r-90", Status::Rejected, &exists, now).await;
    let away = Error::retry(ErrorKind::Unavailable, Stage::Push, "found status 503")
        .with_status(503)
        .in_step("upsert");
    for id in 0..4 {
        write(world, "webhook", &format!("p-{id}"), Status::Parked, &away, now).await;
    }
    write(world, "webhook", "d-1", Status::Dead, &away, now).await;
}

fn ledger(world: &World, vendor: &str) -> DynamoLedger {
    let table = world.stack.deployment.table.clone();
    DynamoLedger::new(world.aws.dynamodb.clone(), table, vendor.to_owned(), 90)
}

/// A customer that waits or needs a person, with the event that led to it.
async fn write(world: &World, vendor: &str, id: &str, status: Status, error: &Error, now: Timestamp) {
    let key = EntityKey::new("customer", id).unwrap();
    let event_id = format!("event-of-{id}");
    let mut record = EntityRecord::unknown(vendor, key.clone()).next(status, &event_id, now, now);
    let mut event = EventRecord::new(vendor, key.as_str(), &event_id, status, now, now, "m");
    record.attempts = 3;
    event.attempt = Some(3);
    event.error = Some(error.into());
    event.detail_type = Some("CustomerDeliveryPreferenceUpdated".to_owned());
    if status == Status::Parked {
        let wake_at = now.saturating_add(SignedDuration::from_hours(1)).unwrap();
        event.wake_at = Some(wake_at);
        record.parked = Some(Parked {
            trace: None,
            wake_at,
            since: now,
            event_id,
            event_time: now,
            detail_type: "CustomerDeliveryPreferenceUpdated".to_owned(),
            version: None,
            lagging_since: None,
            denied_since: None,
            carried: None,
            asks: false,
            error: ErrorRecord::from(error),
        });
    } else {
        record.error = Some(error.into());
    }
    put(world, vendor, &record, event).await;
}

async fn put(world: &World, vendor: &str, record: &EntityRecord, event: EventRecord) {
    let ledger = ledger(world, vendor);
    ledger.settle(record).await.unwrap();
    assert!(ledger.record(&[event]).await.iter().all(Result::is_ok));
}
