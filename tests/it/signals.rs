//! What a deployment says of itself: lines that are log and metrics, the trace of an event, and how a vendor stands.

use std::time::Duration;

use serde_json::{Value, json};
use vendorbridge::ledger::Status;
use vendorbridge_testkit::cloud::{World, until};
use vendorbridge_testkit::sandbox::Fault;
use vendorbridge_tests::{VENDORS, change, notification, outcomes, publish};

use crate::stage;

const TRACE: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

/// The functions' lines of this name, as the emulator has them.
fn lines(world: &World, name: &str) -> Vec<Value> {
    let emulator = world.emulator.as_ref().expect("an emulator of our own");
    let log = std::fs::read_to_string(emulator.log()).unwrap();
    let lines = log
        .lines()
        .filter_map(|line| serde_json::from_str::<Value>(&line[line.find('{')?..]).ok());
    lines.filter(|line| line["message"] == name).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_event_is_followed_and_a_vendors_standing_told() {
    let world = stage::world("signals", |options| options.enforce_roles = true).await;
    for output in ["LookPolicyArn", "OperatePolicyArn", "DashboardName"] {
        assert!(!world.stack.output(output).unwrap().is_empty(), "{output}");
    }
    world.sandbox.mailchimp.faults().at(1, Fault::Status(500));
    let mut draft = notification(1, change(&world, 1, 0));
    draft.detail["traceparent"] = TRACE.into();
    let events = publish(&world, &[draft]).await.unwrap();
    for vendor in VENDORS {
        let records = outcomes(&world, vendor, &events, Duration::from_mins(1), |_| true)
            .await
            .unwrap();
        assert_eq!(
            records[0].trace.map(|trace| trace.to_string()).as_deref(),
            Some(TRACE)
        );
        let is_parked = records[0].status == Status::Parked;
        assert_eq!(is_parked, vendor == "mailchimp", "{vendor}");
    }
    let settled = until("the lines", Duration::from_mins(4), async || {
        let lines = lines(&world, "sync.settled");
        Ok((lines.len() >= 2).then_some(lines))
    });
    for line in settled.await.unwrap() {
        assert_eq!(
            (&line["trace"], &line["type"]),
            (&json!(TRACE), &json!("customer")),
            "{line}"
        );
        assert_eq!(
            line["_aws"]["CloudWatchMetrics"][1]["Dimensions"],
            json!([["vendor", "status"]]),
            "{line}"
        );
    }
    let expected = [("mailchimp", 1), ("webhook", 0)];
    let standing = until("how the vendors stand", Duration::from_mins(1), async || {
        for (vendor, _) in expected {
            world.wake(vendor).await?;
        }
        let lines = lines(&world, "vendor.standing");
        let stands = |(vendor, parked)| {
            lines
                .iter()
                .any(|line| line["vendor"] == vendor && line["parked"] == parked)
        };
        Ok(expected.into_iter().all(stands).then_some(lines))
    });
    let standing = standing.await.unwrap();
    assert!(
        standing
            .iter()
            .all(|line| line["circuit_open"] == 0 && line["rejected"] == 0),
        "{standing:?}"
    );
    assert_eq!(lines(&world, "standing.unread"), Vec::<Value>::new());
    stage::end(world).await;
}
