//! The commands that look, against a deployed stack: as one who may look, as one who may not, and from an empty ledger on.

mod many;
mod names;
mod reasons;
mod rights;

use std::process::Output;
use std::time::Duration;

use serde_json::Value;
use vendorbridge::ledger::Status;
use vendorbridge_testkit::cloud::World;
use vendorbridge_tests::{changes, outcomes};

use crate::{command, stage};
use names::{nothing_happened_yet, wrong_names_are_explained};
use reasons::{
    a_bad_record_hides_no_other, everyone_sees_what_is_settled, rejections_and_failures, sound_as_deployed,
};
use rights::{Callers, a_probe_closes_the_circuit, deployed_policies, permissions};

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
    let callers = Callers::of(&world).await;
    a_probe_closes_the_circuit(&world, &callers).await;
    everyone_sees_what_is_settled(&world).await;
    a_bad_record_hides_no_other(&world).await;
    sound_as_deployed(&world).await;
    permissions(&world).await;
    deployed_policies(&world, &callers).await;
    stage::end(world).await;
}
