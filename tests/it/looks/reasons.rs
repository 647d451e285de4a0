//! What was refused, what waits, and what was settled.

use serde_json::{Value, json};
use vendorbridge::clock::{Clock, SystemClock};
use vendorbridge::ledger::{EventRecord, Status};
use vendorbridge_testkit::cloud::World;
use vendorbridge_testkit::sandbox::Fault;
use vendorbridge_testkit::sandbox::infoservice::NewPreference;
use vendorbridge_tests::{announcement, changes, outcomes, publish};

use super::{WITHIN, ask, code, text};
use crate::command;
use crate::damage::{CONTENT, damage};

/// One is refused for good, one waits: each says where and why.
pub(super) async fn rejections_and_failures(world: &World) {
    world
        .sandbox
        .infoservice
        .put(NewPreference::by_email("c-3", "nowhere"));
    let rejected = publish(world, &[announcement("c-3", None)]).await.unwrap();
    let found = outcomes(world, "mailchimp", &rejected, WITHIN, |record| {
        record.status == Status::Rejected
    });
    let found = found.await.unwrap();
    let (why, exit) = ask(world, &["why", "mailchimp", "customer/c-3"]).await;
    assert_eq!(
        (why["findings"][0]["code"].as_str(), exit),
        (Some("rejected"), 3),
        "{why}"
    );
    let error = found[0].error.as_ref().unwrap();
    assert_eq!(why["findings"][0]["error"]["reason"], error.message);
    let shown = command::run(world, &["timeline", "mailchimp", "customer/c-3"]).await;
    let shown = text(&shown.stdout);
    assert!(
        shown.contains("REJECTED") && shown.contains("failed at"),
        "{shown}"
    );
    assert!(!shown.contains('\u{1b}'), "no colours without a terminal");

    world.sandbox.mailchimp.faults().for_all(Fault::Status(500));
    let waiting = changes(world, &[4]).await.unwrap();
    outcomes(world, "mailchimp", &waiting, WITHIN, |record| {
        record.status == Status::Parked
    })
    .await
    .unwrap();
    world.sandbox.mailchimp.faults().clear();
    let (why, exit) = ask(world, &["why", "mailchimp", "customer/c-4"]).await;
    assert_eq!(
        (why["findings"][0]["code"].as_str(), exit),
        (Some("parked"), 3),
        "{why}"
    );
    let (report, _) = ask(world, &["report", "--vendor", "mailchimp", "--by", "status"]).await;
    let count = |status: &str| {
        let rows = report["rows"].as_array().unwrap();
        let row = rows.iter().find(|row| row["status"] == status).unwrap();
        (row["total"].as_u64().unwrap(), row["freshness_p99_ms"].as_u64())
    };
    assert_eq!((count("REJECTED").0, count("PARKED").0), (1, 1), "{report}");
    assert!(count("SYNCED").0 == 2 && count("SYNCED").1.is_some(), "{report}");
    let (list, _) = ask(world, &["vendor", "list"]).await;
    let mailchimp = &list["vendors"][0];
    assert_eq!(
        (&mailchimp["parked"], &mailchimp["rejected"]),
        (&json!(1), &json!(1)),
        "{list}"
    );
    assert_eq!(mailchimp["dead_letters"], 0);
}

/// Lines come once each, also where each question asks for the latest again.
pub(super) async fn everyone_sees_what_is_settled(world: &World) {
    let arguments = [
        "tail",
        "--vendor",
        "mailchimp",
        "--since",
        "10m",
        "--for",
        "20s",
        "--json",
    ];
    let tail = command::run(world, &arguments).await;
    assert_eq!(code(&tail), 0, "{}", text(&tail.stderr));
    let lines: Vec<Value> = text(&tail.stdout)
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let count = |status: &str| lines.iter().filter(|line| line["status"] == status).count();
    assert_eq!(
        (count("REJECTED"), count("PARKED"), count("SYNCED")),
        (1, 1, 3),
        "{lines:?}"
    );
    let tail = command::run(
        world,
        &["tail", "--status", "rejected", "--since", "10m", "--for", "12s"],
    )
    .await;
    let rejected: Vec<_> = text(&tail.stdout).lines().map(str::to_owned).collect();
    assert!(
        rejected
            .iter()
            .any(|line| line.contains("mailchimp") && line.contains("customer/c-3"))
    );
    assert!(
        rejected.iter().all(|line| line.contains("REJECTED")),
        "{rejected:?}"
    );
}

/// One event record that nobody can read is told of, and hides none of the others.
pub(super) async fn a_bad_record_hides_no_other(world: &World) {
    const LOOKS: [&[&str]; 3] = [
        &["report", "--vendor", "mailchimp"],
        &["timeline", "mailchimp", "customer/c-1"],
        &["status", "--vendor", "mailchimp"],
    ];
    let whole = look_at_all(world, LOOKS).await;
    let now = SystemClock.now();
    let bad = EventRecord::new(
        "mailchimp",
        "customer/c-1",
        "by-hand",
        Status::Synced,
        now,
        now,
        "m",
    );
    damage(world, &bad).await;
    let told = json!({"count": 1, "keys": [bad.sort_key()]});
    let damaged = look_at_all(world, LOOKS).await;
    assert_eq!(damaged[0]["rows"], whole[0]["rows"]);
    assert_eq!(damaged[1]["events"], whole[1]["events"]);
    assert_eq!(
        damaged[2]["vendors"][0]["events"],
        whole[2]["vendors"][0]["events"]
    );
    for (found, expected) in [
        (&whole, json!({"count": 0, "keys": []})),
        (&damaged, told.clone()),
    ] {
        assert_eq!(found[0]["unreadable"], json!({"mailchimp": expected}));
        assert_eq!(found[1]["unreadable"], expected);
        assert_eq!(found[2]["vendors"][0]["unreadable"], expected);
    }
    for arguments in LOOKS {
        let shown = command::run(world, arguments).await;
        let shown = text(&shown.stdout);
        assert!(shown.contains("1 event record not readable"), "{shown}");
        assert!(
            shown.contains(&bad.sort_key()) && !shown.contains(CONTENT),
            "{shown}"
        );
    }

    // Two were synced; whether the third was meant nobody knows. Nothing was deleted: the second sends nothing.
    let replay = ["replay", "mailchimp", "--since", "30m", "--status"];
    let (dry, exit) = ask(world, &[&replay[..], &["SYNCED", "--dry-run"]].concat()).await;
    assert_eq!((&dry["unreadable"], exit), (&told, 3), "{dry}");
    assert!(dry["chosen"].as_u64().unwrap() >= 2, "{dry}");
    let (none, exit) = ask(world, &[&replay[..], &["DELETED"]].concat()).await;
    assert_eq!(
        (&none["unreadable"], &none["sent"], exit),
        (&told, &json!(0), 3),
        "{none}"
    );
}

async fn look_at_all(world: &World, looks: [&[&str]; 3]) -> Vec<Value> {
    let mut found = Vec::new();
    for arguments in looks {
        let (json, exit) = ask(world, arguments).await;
        assert_eq!(exit, 0, "{arguments:?}: {json}");
        found.push(json);
    }
    found
}

pub(super) async fn sound_as_deployed(world: &World) {
    let (doctor, exit) = ask(world, &["doctor"]).await;
    let findings = doctor["findings"].as_array().unwrap();
    let bad: Vec<_> = findings
        .iter()
        .filter(|finding| finding["level"] != "ok")
        .collect();
    assert_eq!((bad, exit), (vec![], 0));
    let url = world.stack.output("QueueUrlmailchimp").unwrap();
    let set = |seconds: &str| {
        let request = world.aws.sqs.set_queue_attributes().queue_url(url);
        request
            .attributes(aws_sdk_sqs::types::QueueAttributeName::VisibilityTimeout, seconds)
            .send()
    };
    let attributes = world.aws.sqs.get_queue_attributes().queue_url(url);
    let attributes = attributes.attribute_names(aws_sdk_sqs::types::QueueAttributeName::VisibilityTimeout);
    let before = attributes.send().await.unwrap().attributes.unwrap();
    set("30").await.unwrap();
    let (doctor, exit) = ask(world, &["doctor", "--vendor", "mailchimp"]).await;
    assert_eq!((doctor["faults"].as_u64(), exit), (Some(1), 3), "{doctor}");
    set(before.values().next().unwrap()).await.unwrap();
}
