//! Who may do what: the two policies of the stack, and those who have less.

use aws_credential_types::Credentials;
use jiff::SignedDuration;
use serde_json::{Value, json};
use vendorbridge::ErrorKind;
use vendorbridge::clock::{Clock, SystemClock};
use vendorbridge::ledger::{Circuit, VendorRecord};
use vendorbridge_testkit::cloud::{World, until};

use super::{WITHIN, ask, code, text};
use crate::command;

/// What only those may do who may repair.
const REPAIRS: [&[&str]; 8] = [
    &["vendor", "pause", "webhook"],
    &["vendor", "resume", "webhook"],
    &["replay", "webhook", "--entity", "customer/c-1"],
    &["replay", "mailchimp", "--status", "REJECTED"],
    &["replay", "mailchimp", "--entity", "customer/c-1", "--dry-run"],
    &["redrive", "mailchimp"],
    &["backfill", "mailchimp", "customer", "--rate", "50"],
    &["reconcile", "mailchimp", "customer"],
];
const PROBE: &[&str] = &["vendor", "probe", "mailchimp"];

/// Roles that have the stack's policies: the one to look, both, and none.
pub(super) struct Callers {
    looker: Credentials,
    operator: Credentials,
    nobody: Credentials,
}

impl Callers {
    pub(super) async fn of(world: &World) -> Self {
        let output = |name: &str| world.stack.output(name).unwrap();
        let (look, operate) = (output("LookPolicyArn"), output("OperatePolicyArn"));
        Self {
            looker: world.assume_with("may-look", &[look]).await.unwrap(),
            operator: world.assume_with("may-operate", &[look, operate]).await.unwrap(),
            nobody: world.assume_with("may-nothing", &[]).await.unwrap(),
        }
    }
}

async fn forbidden(world: &World, caller: &Credentials, arguments: &[&str]) {
    let refused = command::run_as(world, caller, arguments).await;
    let error = text(&refused.stderr);
    assert_eq!(code(&refused), 1, "{arguments:?}: {error}");
    assert!(error.contains("expected permission"), "{arguments:?}: {error}");
    assert_eq!(text(&refused.stdout), "", "{arguments:?}");
}

/// A circuit is opened by hand in the ledger: the one entity that waits probes, long before it is due, for one who may repair.
pub(super) async fn a_probe_closes_the_circuit(world: &World, callers: &Callers) {
    let now = SystemClock.now();
    let open = |record: &VendorRecord| {
        let mut next = record.clone();
        next.revision += 1;
        next.circuit = Some(Circuit {
            since: now,
            retry_at: now.checked_add(SignedDuration::from_mins(10)).unwrap(),
            times: 1,
            kind: ErrorKind::Timeout,
            reason: "a test".into(),
            probing_until: None,
        });
        Some(next)
    };
    let opened = world.ledger().change_vendor("mailchimp", open).await.unwrap();
    let (why, _) = ask(world, &["why", "mailchimp", "customer/c-4"]).await;
    assert_eq!(why["next"]["command"], "vendorbridge vendor probe mailchimp");
    for caller in [&callers.nobody, &callers.looker] {
        forbidden(world, caller, PROBE).await;
    }
    let still = world.ledger().vendor("mailchimp").await.unwrap().unwrap();
    assert_eq!(still.circuit.as_ref(), opened.after().circuit.as_ref());
    let probe = command::run_as(world, &callers.operator, &[PROBE, &["--json"]].concat()).await;
    assert_eq!(code(&probe), 0, "{}", text(&probe.stderr));
    let probe: Value = serde_json::from_slice(&probe.stdout).unwrap();
    assert_eq!(probe["result"], "closed", "{probe}");
    assert_eq!(probe["woken"], json!(["customer/c-4"]));
    until("the probed entity", WITHIN, async || {
        Ok((ask(world, &["why", "mailchimp", "customer/c-4"]).await.1 == 0).then_some(()))
    })
    .await
    .unwrap();
}

/// The two policies of the stack are enough for what they are for, and the first for nothing else.
pub(super) async fn deployed_policies(world: &World, callers: &Callers) {
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
        for caller in [&callers.looker, &callers.operator] {
            let output = command::run_as(world, caller, arguments).await;
            assert_eq!(code(&output), 0, "{arguments:?}: {}", text(&output.stderr));
        }
        forbidden(world, &callers.nobody, arguments).await;
    }
    let backfill = ["backfill", "mailchimp", "customer", "--dry-run", "--json"];
    let counted = command::run_as(world, &callers.operator, &backfill).await;
    assert_eq!(code(&counted), 0, "{}", text(&counted.stderr));
    let counted: Value = serde_json::from_slice(&counted.stdout).unwrap();
    let customers = world.sandbox.infoservice.all().len();
    assert_eq!(
        counted["total"], customers,
        "the source says how many it has: {counted}"
    );
    assert_eq!(counted["found"], customers, "{counted}");
    for arguments in REPAIRS {
        // First who may not: what is done already needs no permission.
        for caller in [&callers.nobody, &callers.looker] {
            forbidden(world, caller, arguments).await;
        }
        let output = command::run_as(world, &callers.operator, arguments).await;
        let done = if arguments[0] == "reconcile" { 3 } else { 0 };
        assert_eq!(code(&output), done, "{arguments:?}: {}", text(&output.stderr));
    }
}

/// One who may only read the ledger is told what else there would be; one who may do nothing is told that.
pub(super) async fn permissions(world: &World) {
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
    for arguments in REPAIRS.into_iter().chain([PROBE]) {
        forbidden(world, &nobody, arguments).await;
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
