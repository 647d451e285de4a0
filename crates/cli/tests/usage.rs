//! The binary's exit codes and messages, as far as they need no AWS.

use std::io::Write;
use std::process::{Command, Output, Stdio};

fn command() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_vendorbridge"));
    // Nothing of the machine's own set-up.
    command
        .env_clear()
        .env("AWS_EC2_METADATA_DISABLED", "true")
        .env("AWS_CONFIG_FILE", "none")
        .env("AWS_SHARED_CREDENTIALS_FILE", "none");
    command
}

fn run(arguments: &[&str], environment: &[(&str, &str)]) -> (Option<i32>, String, String) {
    let mut command = command();
    command
        .args(arguments)
        .envs(environment.iter().copied())
        .stdin(Stdio::null());
    command.output().as_ref().map(texts).unwrap_or_default()
}

fn texts(output: &Output) -> (Option<i32>, String, String) {
    (
        output.status.code(),
        String::from_utf8_lossy(&output.stdout).into_owned(),
        String::from_utf8_lossy(&output.stderr).into_owned(),
    )
}

fn sample(name: &str) -> String {
    format!("{}/../../events/{name}", env!("CARGO_MANIFEST_DIR"))
}

#[test]
fn wrong_usage_is_2() {
    for (arguments, expected) in [
        (&[][..], "Usage"),
        (&["send"], "<FILE>"),
        (&["status", "--hours", "0"], "1..=48"),
        (&["status", "--hours", "49"], "1..=48"),
        (&["status", "--entity", "c-4711"], "`type/id`"),
        (&["status", "--entity", "customer/1", "--hours", "2"], "--hours"),
        (&["vendor"], "Usage"),
        (&["vendor", "pause"], "<VENDOR>"),
        (&["vendor", "pause", "mailchimp", "--reason", ""], "--reason"),
        (&["vendor", "stop", "mailchimp"], "stop"),
        (&["vendor", "probe"], "<VENDOR>"),
        (&["vendor", "probe", "mailchimp", "--wait", "soon"], "such as 30s"),
        (&["replay"], "<VENDOR>"),
        (&["replay", "mailchimp", "--entity", "c-4711"], "`type/id`"),
        (
            &["replay", "mailchimp", "--entity", "a/1", "--rate", "0"],
            "1..=10000",
        ),
        (&["redrive"], "<VENDOR>"),
        (&["redrive", "mailchimp", "--entity", "c-4711"], "`type/id`"),
        (
            &["redrive", "mailchimp", "--error", "bad luck"],
            "such as refused",
        ),
        (&["redrive", "mailchimp", "--rate", "0"], "1..=10000"),
        (&["backfill", "mailchimp"], "<TYPE>"),
        (
            &["backfill", "mailchimp", "customer", "--rate", "10001"],
            "1..=10000",
        ),
        (&["reconcile", "mailchimp"], "<TYPE>"),
        (&["reconcile", "mailchimp", "customer", "--yes"], "--repair"),
        (&["reconcile", "mailchimp", "customer", "--rate", "fast"], "fast"),
        (&["teleport"], "teleport"),
    ] {
        let (code, stdout, stderr) = run(arguments, &[]);
        assert_eq!(code, Some(2), "{arguments:?}: {stdout}{stderr}");
        assert!(stderr.contains(expected), "{arguments:?}: {stderr}");
    }
}

#[test]
fn help_and_version_are_0() {
    for argument in ["--help", "--version"] {
        let (code, stdout, _) = run(&[argument], &[]);
        assert_eq!(code, Some(0));
        assert!(stdout.contains("endorbridge"), "{stdout}");
    }
}

#[test]
fn a_failure_is_1_and_one_line() {
    let file = sample("delivery-preference-updated.json");
    let key = [("AWS_ACCESS_KEY_ID", "test"), ("AWS_SECRET_ACCESS_KEY", "test")];
    let region = ("AWS_REGION", "eu-west-1");
    // Port 9 is discard: nobody answers.
    let nobody = [
        key[0],
        key[1],
        region,
        ("AWS_ENDPOINT_URL", "http://127.0.0.1:9"),
        ("AWS_MAX_ATTEMPTS", "1"),
    ];
    for (arguments, environment, expected) in [
        (&["status"][..], &key[..], "expected an AWS region, found none"),
        (&["status"], &[region], "expected AWS credentials, found none"),
        (&["send", &file], &[], "expected an AWS region, found none"),
        (
            &["status"],
            &nobody,
            "expected an answer for reading the CloudFormation stack",
        ),
        (
            &["vendor", "show", "mailchimp"],
            &[region],
            "expected AWS credentials, found none",
        ),
        (
            &["vendor", "pause", "mailchimp", "--reason", "their release"],
            &nobody,
            "expected an answer for reading the CloudFormation stack",
        ),
        (&["send", "none.json"], &[], "none.json: expected a readable file"),
        (&["send", &file, "-"], &[], "standard input: expected JSON"),
    ] {
        let (code, stdout, stderr) = run(arguments, environment);
        assert_eq!(code, Some(1), "{arguments:?}: {stdout}{stderr}");
        assert_eq!(stdout, "");
        assert!(
            stderr.starts_with("error: ") && stderr.contains(expected),
            "{arguments:?}: {stderr}"
        );
        assert_eq!(stderr.lines().count(), 1, "{stderr}");
    }
}

#[test]
fn a_dry_run_needs_no_aws() {
    let file = sample("delivery-preference-updated.json");
    let (code, stdout, stderr) = run(&["send", "--dry-run", "--json", &file], &[]);
    assert_eq!(code, Some(0), "{stderr}");
    let json: serde_json::Value = serde_json::from_str(&stdout).unwrap();
    assert_eq!(json[0]["detail_type"], "DeliveryPreferenceUpdated");
    assert!(json[0]["event_id"].is_null());
}

#[test]
fn standard_input_is_a_file() {
    let mut child = command()
        .args(["send", "--dry-run", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let event = br#"[{"source": "s", "detail-type": "Changed", "detail": {}}]"#;
    child.stdin.take().unwrap().write_all(event).unwrap();
    let (code, stdout, stderr) = texts(&child.wait_with_output().unwrap());
    assert_eq!(code, Some(0), "{stderr}");
    assert!(stdout.contains("standard input"), "{stdout}");
}

#[test]
fn a_reader_that_has_seen_enough_is_no_failure() {
    let mut child = command()
        .args(["send", "--dry-run", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let event = br#"{"source": "s", "detail-type": "Changed", "detail": {}}"#;
    child.stdin.take().unwrap().write_all(event).unwrap();
    let (code, _, stderr) = texts(&child.wait_with_output().unwrap());
    assert_eq!((code, stderr.as_str()), (Some(0), ""));
}
