//! What comes from elsewhere is text, whatever stands in it.

use jiff::Timestamp;
use vendorbridge::clock::{Clock, SystemClock};
use vendorbridge::ledger::{
    EntityRecord, ErrorRecord, EventRecord, Parked, Recent, Status, StepReport, VendorRecord,
};
use vendorbridge::{EntityKey, Error, ErrorKind, Stage, Version};
use vendorbridge_testkit::cloud::World;

use super::{Page, put};
use crate::browser::Browser;
use crate::damage::damage;

/// What would run if it were not taken as text, apart for each field.
fn evil(field: &str) -> String {
    format!(
        "{field} \"'`</script><script>window.ran='{field}'</script><img src=x onerror=\"window.ran='{field}'\"><a href=\"javascript:window.ran='{field}'\">x</a>"
    )
}

pub(super) async fn nothing_runs(browser: &Browser, console: &Page, world: &World) {
    let now = SystemClock.now();
    let key = EntityKey::new("customer", &evil("id")).unwrap();
    let (record, event) = poisoned(&key, Status::Parked, now);
    put(world, "webhook", &record, event).await;
    let rejected = EntityKey::new("customer", &evil("other-id")).unwrap();
    let (record, event) = poisoned(&rejected, Status::Rejected, now);
    put(world, "webhook", &record, event).await;
    let by_hand = evil("by-hand");
    let bad = EventRecord::new("webhook", key.as_str(), &by_hand, Status::Synced, now, now, "m");
    damage(world, &bad).await;
    let reason = evil("pause");
    let pause = |record: &VendorRecord| record.paused(Some(&reason), now);
    world.ledger().change_vendor("webhook", pause).await.unwrap();
    _ = (browser.complaints().await, browser.requests().await);

    let encoded = |key: &EntityKey| {
        url::form_urlencoded::byte_serialize(key.as_str().as_bytes())
            .collect::<String>()
            .replace('+', "%20")
    };
    let views = [
        (String::new(), vec!["pause", "by-hand"]),
        ("vendor/webhook".to_owned(), vec!["pause", "by-hand"]),
        (
            "attention/webhook/parked".to_owned(),
            vec!["id", "message", "code", "step", "/field"],
        ),
        (
            "attention/webhook/rejected".to_owned(),
            vec!["other-id", "message", "code", "step", "/field"],
        ),
        (
            format!("entity/webhook/{}", encoded(&key)),
            vec![
                "id", "message", "code", "step", "/field", "link", "event", "by-hand",
            ],
        ),
        (
            format!("entity/webhook/{}", encoded(&rejected)),
            vec![
                "other-id", "message", "rule", "link", "event", "version", "type", "receipt", "by",
                "request", "done", "step-id", "not-done",
            ],
        ),
        (format!("find/{}", encoded(&key)), vec!["id", "message", "link"]),
        // The address is somebody's words, too.
        (format!("vendor/{}", encoded(&key)), vec!["id"]),
        (format!("find/{}", evil("address")), vec![]),
    ];
    for (path, fields) in views {
        browser.client.goto(&console.view(&path)).await.unwrap();
        browser.find("main h1").await;
        for field in fields {
            browser.until_says(&evil(field)).await;
        }
        browser
            .run("document.querySelectorAll('details').forEach((part) => { part.open = true; })")
            .await;
        let made = "return document.querySelectorAll('main img, main script, main iframe, [onerror], a[href^=\"javascript:\"]').length";
        assert_eq!(browser.run(made).await, 0, "{path}");
    }
    // The dialog repeats the entity's name.
    browser
        .client
        .goto(&console.view("attention/webhook/parked"))
        .await
        .unwrap();
    browser.until_says(&evil("message")).await;
    browser.run("[...document.querySelectorAll('.group')].find((group) => group.innerText.includes('onerror')).querySelector('button').click()").await;
    browser.find("dialog[open]").await;
    browser.until_says(&evil("id")).await;
    browser.press("Cancel").await;

    assert_eq!(
        browser.run("return window.ran ?? null").await,
        serde_json::Value::Null
    );
    let complaints = browser.complaints().await;
    assert!(
        complaints
            .iter()
            .all(|text| text.contains("400 (Bad Request)") || text.contains("404")),
        "{complaints:?}"
    );
    let elsewhere: Vec<_> = browser
        .requests()
        .await
        .into_iter()
        .filter(|url| !url.starts_with(console.origin()) && !url.starts_with("data:"))
        .collect();
    assert_eq!(elsewhere, Vec::<String>::new());
    world
        .ledger()
        .change_vendor("webhook", VendorRecord::resumed)
        .await
        .unwrap();
}

fn poisoned(key: &EntityKey, status: Status, now: Timestamp) -> (EntityRecord, EventRecord) {
    let error = Error::permanent(ErrorKind::Refused, Stage::Push, evil("message"))
        .at(evil("/field"))
        .code(evil("code"))
        .in_step(evil("step"));
    let mut error = ErrorRecord::from(&error);
    // Longer than an error keeps by itself.
    error.message = evil("message");
    error.code = Some(evil("code"));
    let mut record = EntityRecord::unknown("webhook", key.clone()).next(status, "e", now, now);
    record.recent = vec![Recent {
        event_id: evil("event"),
        time: now,
        status,
        at: now,
    }];
    record.link = Some(evil("link"));
    record.rule = Some(evil("rule"));
    record.pushed_version = Some(Version::Tag(evil("version")));
    let mut event = EventRecord::new(
        "webhook",
        key.as_str(),
        &evil("event"),
        status,
        now,
        now,
        &evil("message-id"),
    );
    event.detail_type = Some(evil("type"));
    event.version = Some(Version::Tag(evil("version")));
    event.link = Some(evil("link"));
    event.receipt = Some(evil("receipt"));
    event.rule = Some(evil("rule"));
    event.by_event = Some(evil("by"));
    event.error = Some(error.clone());
    event.request_id = evil("request");
    event.steps = vec![StepReport {
        name: evil("done"),
        id: Some(evil("step-id")),
        at: Some(now),
        took_ms: Some(3),
    }];
    event.not_done = vec![evil("not-done")];
    if status == Status::Parked {
        record.parked = Some(Parked {
            trace: None,
            wake_at: now,
            since: now,
            event_id: evil("event"),
            event_time: now,
            detail_type: evil("type"),
            version: None,
            lagging_since: None,
            denied_since: None,
            carried: None,
            asks: false,
            error,
        });
    } else {
        record.error = Some(error);
    }
    (record, event)
}
