//! The commands that look, against a deployed stack: as one who may look, as one who may not, and from an empty ledger on.

use std::collections::HashMap;
use std::process::Output;
use std::time::{Duration, Instant};

use aws_credential_types::Credentials;
use aws_sdk_dynamodb::types::{AttributeValue, PutRequest, WriteRequest};
use futures::{StreamExt, TryStreamExt};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use vendorbridge::clock::{Clock, SystemClock};
use vendorbridge::ledger::{EventRecord, Status};
use vendorbridge_testkit::cloud::{World, until};
use vendorbridge_testkit::sandbox::Fault;
use vendorbridge_tests::{announcement, changes, outcomes, publish};

use crate::{command, stage};

const WITHIN: Duration = Duration::from_mins(8);

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn code(output: &Output) -> i32 {
    output.status.code().unwrap()
}

/// A command's JSON, and its exit code.
async fn ask(world: &World, arguments: &[&str]) -> (Value, i32) {
    let output = command::run(world, &[arguments, &["--json"]].concat()).await;
    let json = serde_json::from_slice(&output.stdout);
    let json = json.unwrap_or_else(|_| panic!("{arguments:?}: {}", text(&output.stderr)));
    (json, code(&output))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_looks_finds_the_reason() {
    let world = stage::world("looks", |options| {
        options.enforce_roles = true;
        options.park_base_seconds = 60;
    })
    .await;
    nothing_happened_yet(&world).await;
    wrong_names_are_explained(&world).await;

    let events = changes(&world, &[1, 2]).await.unwrap();
    outcomes(&world, "mailchimp", &events, WITHIN, |record| {
        record.status == Status::Synced
    })
    .await
    .unwrap();
    let (why, exit) = ask(&world, &["why", "mailchimp", "customer/c-1"]).await;
    assert_eq!(
        (why["findings"][0]["code"].as_str(), exit),
        (Some("at-vendor"), 0),
        "{why}"
    );
    let (timeline, _) = ask(&world, &["timeline", "mailchimp", "customer/c-1"]).await;
    assert_eq!(
        timeline["events"][0]["event_id"], events[0].event_id,
        "{timeline}"
    );
    assert_eq!(timeline["events"].as_array().unwrap().len(), 1, "{timeline}");
    let (far, _) = ask(
        &world,
        &["timeline", "mailchimp", "customer/c-1", "--since", "90d"],
    )
    .await;
    assert_eq!(far["events"], timeline["events"]);
    assert!(far["hours"].as_u64().unwrap() >= 2160, "{far}");

    rejections_and_failures(&world).await;
    a_probe_closes_the_circuit(&world).await;
    everyone_sees_what_is_settled(&world).await;
    sound_as_deployed(&world).await;
    permissions(&world).await;
    deployed_policies(&world).await;
    stage::end(world).await;
}

async fn nothing_happened_yet(world: &World) {
    let (why, exit) = ask(world, &["why", "mailchimp", "customer/c-1"]).await;
    assert_eq!((why["status"].is_null(), exit), (true, 3), "{why}");
    assert_eq!(why["next"]["command"], "vendorbridge doctor --vendor mailchimp");
    let (timeline, exit) = ask(world, &["timeline", "mailchimp", "customer/c-1"]).await;
    assert_eq!((&timeline["events"], exit), (&json!([]), 0));
    let (report, exit) = ask(world, &["report"]).await;
    assert_eq!(
        (report["rows"][0]["total"].as_u64(), exit),
        (Some(0), 0),
        "{report}"
    );
    let (list, exit) = ask(world, &["vendor", "list"]).await;
    assert_eq!(
        (list["vendors"][0]["latest"].is_null(), exit),
        (true, 0),
        "{list}"
    );
    let (probe, exit) = ask(world, &["vendor", "probe", "mailchimp"]).await;
    assert_eq!((probe["result"].as_str(), exit), (Some("not-open"), 0), "{probe}");
}

async fn wrong_names_are_explained(world: &World) {
    for (arguments, exit, expected) in [
        (
            vec!["why", "mailchamp", "customer/c-1"],
            1,
            "expected one of the vendors mailchimp",
        ),
        (vec!["why", "mailchimp", "c-1"], 2, "`type/id`"),
        (
            vec!["timeline", "mailchimp", "customer/c-1", "--since", "soon"],
            2,
            "such as 24h",
        ),
        (
            vec!["timeline", "mailchimp", "customer/c-1", "--since", "900d"],
            2,
            "at most 400 days",
        ),
        (
            vec!["report", "--vendor", "mailchamp"],
            1,
            "expected one of the vendors mailchimp",
        ),
        (vec!["report", "--by", "moon"], 2, "hour"),
        (vec!["tail", "--status", "LOST"], 2, "expected one of SYNCED"),
        (
            vec!["vendor", "probe", "mailchamp"],
            1,
            "expected one of the vendors mailchimp",
        ),
        (
            vec!["doctor", "--vendor", "mailchamp"],
            1,
            "expected one of the vendors mailchimp",
        ),
        (vec!["completions", "csh"], 2, "bash"),
    ] {
        let refused = command::run(world, &arguments).await;
        assert_eq!(code(&refused), exit, "{arguments:?}");
        let error = text(&refused.stderr);
        assert!(error.contains(expected), "{arguments:?}: {error}");
    }
}

/// One is refused for good, one waits: each says where and why.
async fn rejections_and_failures(world: &World) {
    world
        .sandbox
        .infoservice
        .put(vendorbridge_testkit::sandbox::infoservice::NewPreference::by_email("c-3", "nowhere"));
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

/// A circuit is opened by hand in the ledger: the one entity that waits probes, long before it is due.
async fn a_probe_closes_the_circuit(world: &World) {
    let now = SystemClock.now();
    let open = |record: &vendorbridge::ledger::VendorRecord| {
        let mut next = record.clone();
        next.revision += 1;
        next.circuit = Some(vendorbridge::ledger::Circuit {
            since: now,
            retry_at: now.checked_add(SignedDuration::from_mins(10)).unwrap(),
            times: 1,
            kind: vendorbridge::ErrorKind::Timeout,
            reason: "a test".into(),
            probing_until: None,
        });
        Some(next)
    };
    world.ledger().change_vendor("mailchimp", open).await.unwrap();
    let (why, _) = ask(world, &["why", "mailchimp", "customer/c-4"]).await;
    assert_eq!(why["next"]["command"], "vendorbridge vendor probe mailchimp");
    let (probe, exit) = ask(world, &["vendor", "probe", "mailchimp"]).await;
    assert_eq!((probe["result"].as_str(), exit), (Some("closed"), 0), "{probe}");
    assert_eq!(probe["woken"], json!(["customer/c-4"]));
    until("the probed entity", WITHIN, async || {
        Ok((ask(world, &["why", "mailchimp", "customer/c-4"]).await.1 == 0).then_some(()))
    })
    .await
    .unwrap();
}

/// Lines come once each, also where each question asks for the latest again.
async fn everyone_sees_what_is_settled(world: &World) {
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

async fn sound_as_deployed(world: &World) {
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

/// The two policies of the stack are enough for what they are for, and the first for nothing else.
async fn deployed_policies(world: &World) {
    let output = |name: &str| world.stack.output(name).unwrap();
    let (look, operate) = (output("LookPolicyArn"), output("OperatePolicyArn"));
    let looker = world.assume_with("may-look", &[look]).await.unwrap();
    let operator = world.assume_with("may-operate", &[look, operate]).await.unwrap();
    let nobody = world.assume_with("may-nothing", &[]).await.unwrap();
    let run =
        async |caller: &Credentials, arguments: &[&str]| command::run_as(world, caller, arguments).await;
    for arguments in [
        &["status"][..],
        &["why", "mailchimp", "customer/c-1"],
        &["timeline", "mailchimp", "customer/c-1"],
        &["report"],
        &["vendor", "list"],
        &["vendor", "show", "mailchimp"],
        &["tail", "--for", "8s"],
        &["doctor"],
    ] {
        for caller in [&looker, &operator] {
            let output = run(caller, arguments).await;
            assert_eq!(code(&output), 0, "{arguments:?}: {}", text(&output.stderr));
        }
        let refused = run(&nobody, arguments).await;
        assert_eq!(code(&refused), 1, "{arguments:?}");
        let error = text(&refused.stderr);
        assert!(error.contains("expected permission"), "{arguments:?}: {error}");
    }
    for (arguments, done) in [
        (&["vendor", "pause", "webhook"][..], 0),
        (&["vendor", "resume", "webhook"], 0),
        (&["replay", "webhook", "--entity", "customer/c-1"], 0),
        (
            &["replay", "mailchimp", "--entity", "customer/c-1", "--dry-run"],
            0,
        ),
        (&["redrive", "mailchimp"], 0),
        (&["backfill", "mailchimp", "customer", "--rate", "50"], 0),
        (&["reconcile", "mailchimp", "customer"], 3),
    ] {
        // First who may not: what is done already needs no permission.
        let refused = run(&looker, arguments).await;
        assert_eq!(code(&refused), 1, "{arguments:?}");
        let error = text(&refused.stderr);
        assert!(error.contains("expected permission"), "{arguments:?}: {error}");
        let output = run(&operator, arguments).await;
        assert_eq!(code(&output), done, "{arguments:?}: {}", text(&output.stderr));
    }
}

/// One who may only read the ledger is told what else there would be; one who may do nothing is told that.
async fn permissions(world: &World) {
    let table = &world.stack.deployment.table;
    let policy = json!({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Action": ["dynamodb:GetItem", "dynamodb:BatchGetItem", "dynamodb:Query"],
            "Resource": [format!("arn:aws:dynamodb:*:*:table/{table}"), format!("arn:aws:dynamodb:*:*:table/{table}/index/*")]},
        {"Effect": "Allow", "Action": "cloudformation:DescribeStacks", "Resource": "*"}]});
    let reader = world.assume("looker", &policy).await.unwrap();
    let nobody = json!({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Action": "cloudformation:DescribeStacks", "Resource": "*"}]});
    let nobody = world.assume("nobody", &nobody).await.unwrap();
    let run =
        async |caller: &Credentials, arguments: &[&str]| command::run_as(world, caller, arguments).await;
    for arguments in [
        vec!["why", "mailchimp", "customer/c-1"],
        vec!["timeline", "mailchimp", "customer/c-1"],
        vec!["report"],
        vec!["vendor", "list"],
    ] {
        let read = run(&reader, &arguments).await;
        assert_eq!(code(&read), 0, "{arguments:?}: {}", text(&read.stderr));
        let refused = run(&nobody, &arguments).await;
        let error = text(&refused.stderr);
        assert_eq!(code(&refused), 1, "{arguments:?}");
        assert!(
            error.contains("expected permission for reading the ledger"),
            "{arguments:?}: {error}"
        );
    }
    let doctor = run(&reader, &["doctor", "--vendor", "mailchimp", "--json"]).await;
    let doctor: Value = serde_json::from_slice(&doctor.stdout).unwrap();
    let found = doctor["findings"].to_string();
    for needs in [
        "sqs:GetQueueAttributes",
        "lambda:InvokeFunction",
        "events:ListRules",
    ] {
        assert!(
            found.contains(&format!("not checked: needs {needs}")),
            "{needs} in {found}"
        );
    }
    assert_eq!(doctor["faults"], 0, "what may not be read is no fault: {found}");
    let tail = run(&nobody, &["tail", "--for", "15s"]).await;
    assert!(
        code(&tail) == 1 && text(&tail.stderr).contains("expected permission for reading the function's log")
    );
}

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
