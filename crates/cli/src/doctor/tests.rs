//! Each check on a sound deployment with one thing changed.

use rstest::rstest;
use serde_json::json;
use vendorbridge::ask::{Announced, Check, Description, Kept};
use vendorbridge::ledger::VendorRecord;

use super::facts::{Facts, Function, Mapping, Queue, Rule, Unread};
use super::*;

const ARN: &str = "arn:aws:sqs:eu-west-1:1:s-mailchimp.fifo";

fn now() -> jiff::Timestamp {
    "2026-01-29T14:36:26Z".parse().unwrap()
}

fn sound() -> Facts {
    let announced = |name: &str| Announced {
        detail_type: Some(name.to_owned()),
        source: None,
    };
    Facts {
        vendor: "mailchimp".into(),
        missing_outputs: vec![],
        function: Ok(Function {
            timeout: 60,
            state: "Active".into(),
        }),
        queues: Ok(vec![Queue {
            name: "s-mailchimp.fifo".into(),
            arn: ARN.into(),
            visibility: 360,
            has_redrive: true,
            has_policy: true,
        }]),
        mappings: Ok(vec![Mapping {
            queue: ARN.into(),
            state: "Enabled".into(),
            batch: 10,
            reports_failures: true,
            concurrency: Some(4),
        }]),
        rules: Ok(vec![Rule {
            name: "s-mailchimp".into(),
            is_enabled: true,
            pattern: json!({"$or": [
                {"source": ["infoservice"], "detail-type": ["Updated", "Deleted"]},
                {"detail-type": ["SyncRequested"], "detail": {"vendor": [{"exists": false}, "mailchimp"]}}]}),
            targets: vec![(ARN.into(), Some("intake".into()))],
        }]),
        is_woken: Ok(true),
        description: Ok(Description {
            vendor: "mailchimp".into(),
            entities: vec![Kept {
                entity_type: "customer".into(),
                is_readable: true,
                lists_source: true,
                lists_vendor: true,
                leaves_alone: false,
                announced_by: vec![announced("Updated"), announced("Deleted")],
            }],
            checks: vec![Check {
                name: "secret".into(),
                problem: None,
            }],
        }),
        dead_letters: Ok(0),
        undelivered: Ok(0),
        oldest: Ok(None),
        record: Ok(VendorRecord::new("mailchimp")),
        first_due: Ok(Some(now())),
    }
}

fn changed(change: impl FnOnce(&mut Facts)) -> Vec<Finding> {
    let mut facts = sound();
    change(&mut facts);
    let findings = checks::vendor(&facts, "s", now());
    findings
        .into_iter()
        .filter(|finding| finding.level != Level::Ok)
        .collect()
}

fn queue(facts: &mut Facts) -> &mut Queue {
    &mut facts.queues.as_mut().unwrap()[0]
}

fn mapping(facts: &mut Facts) -> &mut Mapping {
    &mut facts.mappings.as_mut().unwrap()[0]
}

fn rule(facts: &mut Facts) -> &mut Rule {
    &mut facts.rules.as_mut().unwrap()[0]
}

#[test]
fn a_sound_deployment_has_no_findings_to_act_on() {
    assert_eq!(changed(|_| {}), []);
    let checked = checks::vendor(&sound(), "s", now());
    assert!(checked.len() >= 14, "{checked:?}");
}

#[rstest]
#[case::output(|facts: &mut Facts| facts.missing_outputs.push("QueueUrlmailchimp".into()), "expected QueueUrlmailchimp")]
#[case::visibility(|facts: &mut Facts| queue(facts).visibility = 359, "6 × the function's timeout of 60 s, found 359 s")]
#[case::redrive(|facts: &mut Facts| queue(facts).has_redrive = false, "expected a redrive policy")]
#[case::policy(|facts: &mut Facts| queue(facts).has_policy = false, "lets EventBridge send, found none")]
#[case::disabled(|facts: &mut Facts| mapping(facts).state = "Disabled".into(), "expected Enabled, found Disabled")]
#[case::no_mapping(|facts: &mut Facts| mapping(facts).queue = "another".into(), "expected one for s-mailchimp.fifo")]
#[case::failures(|facts: &mut Facts| mapping(facts).reports_failures = false, "expected ReportBatchItemFailures")]
#[case::rule_off(|facts: &mut Facts| rule(facts).is_enabled = false, "found it disabled")]
#[case::no_rule(|facts: &mut Facts| facts.rules = Ok(vec![]), "expected a rule")]
#[case::target(|facts: &mut Facts| rule(facts).targets.clear(), "found no such target")]
#[case::group(|facts: &mut Facts| rule(facts).targets[0].1 = None, "expected a MessageGroupId")]
#[case::dead_letters(|facts: &mut Facts| facts.dead_letters = Ok(2), "2 messages killed")]
#[case::undelivered(|facts: &mut Facts| facts.undelivered = Ok(1), "1 events could not")]
#[case::old(|facts: &mut Facts| facts.oldest = Ok(Some(700)), "waits for 11 minutes")]
#[case::waker(|facts: &mut Facts| facts.is_woken = Ok(false), "schedule enabled")]
#[case::overdue(|facts: &mut Facts| facts.first_due = Ok(Some("2026-01-29T14:30:00Z".parse().unwrap())), "due for 6 minutes")]
#[case::secret(
    |facts: &mut Facts| facts.description.as_mut().unwrap().checks[0].problem = Some("expected `api_key`".into()),
    "secret: expected `api_key`"
)]
fn a_fault_is_found(#[case] change: fn(&mut Facts), #[case] expected: &str) {
    let found = changed(change);
    let fault = found.iter().find(|finding| finding.level == Level::Fault);
    assert!(
        fault.is_some_and(|fault| fault.found.contains(expected)),
        "{found:?}"
    );
    assert!(found.iter().all(|finding| finding.remedy.is_some()), "{found:?}");
}

#[rstest]
#[case::batch(|facts: &mut Facts| mapping(facts).batch = 1, "batches of 10, found 1")]
#[case::concurrency(|facts: &mut Facts| mapping(facts).concurrency = None, "expected a MaximumConcurrency")]
#[case::paused(
    |facts: &mut Facts| facts.record = Ok(VendorRecord::new("mailchimp").paused(None, now()).unwrap()), "paused since"
)]
#[case::unsubscribed(
    |facts: &mut Facts| rule(facts).pattern = json!({"detail-type": ["Updated", "SyncRequested"]}),
    "understands Deleted, no rule"
)]
#[case::unknown(
    |facts: &mut Facts| rule(facts).pattern = json!({"detail-type": ["Updated", "Deleted", "Moved"]}), "a rule sends Moved"
)]
#[case::forbidden(
    |facts: &mut Facts| facts.queues = Err(Unread {
        needs: "sqs:GetQueueAttributes", is_forbidden: true, found: String::new(),
    }),
    "not checked: needs sqs:GetQueueAttributes"
)]
fn a_warning_is_no_fault(#[case] change: fn(&mut Facts), #[case] expected: &str) {
    let found = changed(change);
    assert!(
        found.iter().all(|finding| finding.level == Level::Warning),
        "{found:?}"
    );
    assert!(
        found.iter().any(|finding| finding.found.contains(expected)),
        "{found:?}"
    );
}

#[rstest]
#[case::anything(json!({"source": ["infoservice"]}))]
#[case::by_prefix(json!({"detail-type": [{"prefix": "Upd"}, "Updated", "Deleted"]}))]
fn a_pattern_that_is_open_is_not_guessed_at(#[case] pattern: serde_json::Value) {
    assert_eq!(changed(|facts| rule(facts).pattern = pattern), []);
}

#[test]
fn people_read_the_worst_last_and_programs_the_counts() {
    let findings = checks::stack(&Ok(0)).into_iter().chain(changed(|facts| {
        facts.dead_letters = Ok(2);
        mapping(facts).batch = 1;
    }));
    let report = Report::of("s", findings.collect());
    let text = report.text(120);
    let place = |word: &str| text.find(word).unwrap();
    assert!(
        place("OK") < place("WARNING") && place("WARNING") < place("FAULT"),
        "{text}"
    );
    assert!(text.ends_with("1 fault of s, 1 warning\n"), "{text}");
    let json = serde_json::to_value(&report).unwrap();
    assert_eq!((&json["faults"], &json["warnings"]), (&json!(1), &json!(1)));
    let expected = json!({"vendor": null, "check": "outcomes not announced", "level": "ok", "found": "none", "remedy": null});
    assert_eq!(json["findings"][0], expected);
}
