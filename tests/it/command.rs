//! The command `vendorbridge` against a deployed stack.

use std::process::Output;
use std::time::Duration;

use aws_credential_types::Credentials;
use serde_json::Value;
use vendorbridge_testkit::cloud::{World, project, until};
use vendorbridge_tests::{change, changes};

use crate::stage;

/// Runs the command that stands beside this test binary; `make test` builds it.
pub(crate) async fn run(world: &World, arguments: &[&str]) -> Output {
    let root = Credentials::new("test", "test", None, None, "emulator");
    run_as(world, &root, arguments).await
}

/// The same with somebody else's credentials.
pub(crate) async fn run_as(world: &World, caller: &Credentials, arguments: &[&str]) -> Output {
    let mut command = prepared(world, arguments);
    command
        .env("AWS_ACCESS_KEY_ID", caller.access_key_id())
        .env("AWS_SECRET_ACCESS_KEY", caller.secret_access_key());
    if let Some(token) = caller.session_token() {
        command.env("AWS_SESSION_TOKEN", token);
    }
    let output = tokio::task::spawn_blocking(move || command.output())
        .await
        .unwrap();
    output.expect("target/debug/vendorbridge (run `cargo build -p vendorbridge-cli`)")
}

/// The command with its arguments and a world's cloud, ready to be run.
pub(crate) fn prepared(world: &World, arguments: &[&str]) -> std::process::Command {
    let test = std::env::current_exe().unwrap();
    let command = test
        .parent()
        .and_then(|deps| deps.parent())
        .unwrap()
        .join("vendorbridge");
    let mut command = std::process::Command::new(command);
    command
        .args(["--stack", &world.stack.name])
        .args(arguments)
        .env(
            "AWS_ENDPOINT_URL",
            world.aws.endpoint.as_deref().unwrap_or_default(),
        )
        .env("AWS_REGION", "us-east-1")
        .env("AWS_ACCESS_KEY_ID", "test")
        .env("AWS_SECRET_ACCESS_KEY", "test")
        .env_remove("AWS_SESSION_TOKEN")
        .env_remove("AWS_PROFILE");
    command
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sends_events_and_shows_what_became_of_them() {
    let world = stage::world("command", |_| {}).await;
    for round in 0..12 {
        change(&world, 4711, round);
    }
    let sample = project()
        .join("events/delivery-preference-updated.json")
        .display()
        .to_string();
    let sent = run(&world, &["send", &sample, "--json"]).await;
    assert!(sent.status.success(), "{}", text(&sent.stderr));
    let sent: Value = serde_json::from_slice(&sent.stdout).unwrap();
    assert!(sent[0]["event_id"].is_string(), "{sent}");

    let status = until("the outcome", Duration::from_mins(1), async || {
        let status = run(&world, &["status", "--entity", "customer/c-4711", "--json"]).await;
        let text = text(&status.stdout);
        Ok((text.matches("SYNCED").count() >= 2).then_some(text))
    })
    .await
    .unwrap();
    assert!(
        status.contains("mailchimp") && status.contains("webhook"),
        "{status}"
    );
    let table = run(&world, &["status", "--vendor", "mailchimp"]).await;
    assert!(text(&table.stdout).contains("SYNCED"), "{}", text(&table.stdout));

    let vendor = async |arguments: &[&str]| -> Value {
        let answer = run(&world, &[&["vendor"], arguments, &["--json"]].concat()).await;
        assert!(answer.status.success(), "{}", text(&answer.stderr));
        serde_json::from_slice(&answer.stdout).unwrap()
    };
    assert_eq!(vendor(&["show", "mailchimp"]).await["state"], "running");
    let paused = vendor(&["pause", "mailchimp", "--reason", "their release"]).await;
    assert_eq!(
        (&paused["state"], &paused["changed"]),
        (&"paused".into(), &true.into())
    );
    let again = vendor(&["pause", "mailchimp"]).await;
    assert_eq!(
        (&again["changed"], &again["pause"]),
        (&false.into(), &paused["pause"])
    );
    changes(&world, &[1]).await.unwrap();
    until("the entity to wait", Duration::from_mins(1), async || {
        Ok((vendor(&["show", "mailchimp"]).await["waiting"] == 1).then_some(()))
    })
    .await
    .unwrap();
    let table = run(&world, &["status"]).await;
    let line = "because: their release";
    assert!(text(&table.stdout).contains(line), "{}", text(&table.stdout));
    let resumed = vendor(&["resume", "mailchimp"]).await;
    assert_eq!(
        (&resumed["state"], &resumed["changed"]),
        (&"running".into(), &true.into())
    );
    until("what waited", Duration::from_mins(3), async || {
        Ok((vendor(&["show", "mailchimp"]).await["waiting"] == 0).then_some(()))
    })
    .await
    .unwrap();

    let never = run(&world, &["status", "--entity", "customer/nobody"]).await;
    assert!(
        never.status.success() && text(&never.stdout).contains("never seen"),
        "{}",
        text(&never.stdout)
    );
    for (arguments, expected) in [
        (vec!["status", "--vendor", "mailchamp"], "mailchimp"),
        (vec!["vendor", "pause", "mailchamp"], "mailchimp"),
        (vec!["status", "--entity", "no-type"], "type/id"),
        (vec!["send", "does-not-exist.json"], "does-not-exist.json"),
    ] {
        let refused = run(&world, &arguments).await;
        assert!(!refused.status.success(), "{arguments:?}");
        assert!(
            text(&refused.stderr).contains(expected),
            "{arguments:?}: {}",
            text(&refused.stderr)
        );
    }
    let mut unknown = world.stack.clone();
    unknown.name = "no-such-stack".to_owned();
    stage::end(world).await;
}
