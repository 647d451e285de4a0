//! The commands that repair: redrive and replay, backfill, reconcile, each stopped half-way and gone on with.

mod dead_letters;
mod everything;
mod names;
mod shop;

use std::process::{Child, Output, Stdio};
use std::time::Duration;

use serde_json::Value;
use vendorbridge_testkit::cloud::{World, until};

use crate::{command, stage};

const VENDOR: &str = "algolia";
const TYPE: &str = "inventory-item";
const WITHIN: Duration = Duration::from_mins(10);

async fn world(name: &str) -> World {
    stage::world(name, |options| {
        options.vendors = vec![VENDOR.to_owned()];
        options.park_base_seconds = 1;
    })
    .await
}

/// Runs a command that is to end with this code; answers with what it prints as JSON.
async fn ends(world: &World, code: i32, arguments: &[&str]) -> Value {
    ended(
        code,
        &command::run(world, &[arguments, &["--json"]].concat()).await,
    )
}

fn ended(code: i32, output: &Output) -> Value {
    let (stdout, stderr) = (text(&output.stdout), text(&output.stderr));
    assert_eq!(output.status.code(), Some(code), "{stdout}{stderr}");
    serde_json::from_str(&stdout).unwrap_or_else(|_| Value::from(stderr))
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// A command that goes on while the test does.
fn begin(world: &World, arguments: &[&str]) -> Child {
    let mut command = command::prepared(world, &[arguments, &["--json"]].concat());
    let command = command.stdout(Stdio::piped()).stderr(Stdio::piped());
    command.spawn().unwrap()
}

/// Ctrl-C, and what the command says then.
async fn interrupt(child: Child) -> Output {
    let id = child.id().to_string();
    let told = std::process::Command::new("kill").args(["-INT", &id]).status();
    assert!(told.unwrap().success());
    tokio::task::spawn_blocking(move || child.wait_with_output())
        .await
        .unwrap()
        .unwrap()
}

/// What no process can hear.
fn kill(mut child: Child) {
    child.kill().unwrap();
    child.wait().unwrap();
}

/// Waits until a command's checkpoint says that so many were sent.
async fn checkpoint(world: &World, command: &str, sent: u64) {
    use aws_sdk_dynamodb::types::AttributeValue;
    until("a checkpoint", WITHIN, async || {
        let query = world
            .aws
            .dynamodb
            .query()
            .table_name(&world.stack.deployment.table);
        let found = query
            .key_condition_expression("pk = :vendor AND begins_with(sk, :job)")
            .expression_attribute_values(":vendor", AttributeValue::S(VENDOR.to_owned()))
            .expression_attribute_values(":job", AttributeValue::S(format!("job#{command}#")))
            .send()
            .await
            .unwrap();
        let counts = found.items().iter().filter_map(|item| {
            let counts = item.get("counts")?.as_m().ok()?;
            counts.get("sent")?.as_n().ok()?.parse::<u64>().ok()
        });
        Ok(counts.max().filter(|count| *count >= sent).map(|_| ()))
    })
    .await
    .unwrap();
}

/// Waits until nothing is in the vendor's queue.
async fn empty(world: &World) {
    until("an empty queue", WITHIN, async || {
        let depth = world.queue_depth(&format!("QueueUrl{VENDOR}")).await?;
        Ok((depth == 0).then_some(()))
    })
    .await
    .unwrap();
}
