//! The checks. Each is a pure function of what was read.

use jiff::Timestamp;

use super::facts::{Facts, Read, Unread};
use super::routes;
use super::{Finding, Level};
use crate::next::line;
use crate::vendor::Standing;
use crate::why::OVERDUE;

/// Lambda asks for a visibility timeout of at least six times the function's timeout
/// (<https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html>).
const VISIBILITY_FACTOR: u64 = 6;
/// What the template sets: a FIFO queue takes no more.
const BATCH: i32 = 10;
/// A message that waits longer than this waits for a function that does not come.
const OLD_SECONDS: u64 = 600;

/// A vendor's findings as they come together.
struct Findings<'a> {
    vendor: Option<&'a str>,
    all: Vec<Finding>,
}

impl Findings<'_> {
    fn add(&mut self, check: &'static str, level: Level, found: String, remedy: Option<String>) {
        self.all.push(Finding {
            vendor: self.vendor.map(str::to_owned),
            check,
            level,
            found,
            remedy,
        });
    }

    fn ok(&mut self, check: &'static str, found: impl Into<String>) {
        self.add(check, Level::Ok, found.into(), None);
    }

    fn fault(&mut self, check: &'static str, found: impl Into<String>, remedy: &str) {
        self.add(check, Level::Fault, found.into(), Some(remedy.to_owned()));
    }

    fn warning(&mut self, check: &'static str, found: impl Into<String>, remedy: &str) {
        self.add(check, Level::Warning, found.into(), Some(remedy.to_owned()));
    }

    /// What could be read; that it could not is a finding.
    fn read<'f, T>(&mut self, check: &'static str, fact: &'f Read<T>) -> Option<&'f T> {
        match fact {
            Ok(fact) => Some(fact),
            Err(Unread {
                needs,
                is_forbidden: true,
                ..
            }) => {
                self.warning(
                    check,
                    format!("not checked: needs {needs}"),
                    "ask for the permission",
                );
                None
            }
            Err(Unread { found, .. }) => {
                self.add(check, Level::Fault, format!("cannot be read: {found}"), None);
                None
            }
        }
    }
}

/// What concerns all vendors.
pub(super) fn stack(set_aside: &Read<u64>) -> Vec<Finding> {
    let mut findings = Findings {
        vendor: None,
        all: Vec::new(),
    };
    let check = "outcomes not announced";
    match findings.read(check, set_aside) {
        Some(0) => findings.ok(check, "none"),
        Some(count) => findings.fault(
            check,
            format!("{count} in the failure queue of the function `changes`"),
            "look at the messages, then delete them",
        ),
        None => {}
    }
    findings.all
}

/// All checks of a vendor.
pub(super) fn vendor(facts: &Facts, stack: &str, now: Timestamp) -> Vec<Finding> {
    let mut findings = Findings {
        vendor: Some(&facts.vendor),
        all: Vec::new(),
    };
    let found = &mut findings;
    if facts.missing_outputs.is_empty() {
        found.ok("outputs", "complete");
    } else {
        let missing = facts.missing_outputs.join(", ");
        found.fault(
            "outputs",
            format!("expected {missing}, found none"),
            "deploy the stack again",
        );
    }
    function(found, facts);
    queues(found, facts);
    mappings(found, facts);
    rules(found, facts);
    routing(found, facts);
    secrets(found, facts);
    set_aside(found, facts, stack);
    waiting(found, facts, stack, now);
    findings.all
}

fn function(found: &mut Findings<'_>, facts: &Facts) {
    match found.read("function", &facts.function) {
        Some(function) if function.state == "Active" => {
            found.ok("function", format!("active, timeout {} s", function.timeout));
        }
        Some(function) => {
            let text = format!("expected Active, found {}", function.state);
            found.warning("function", text, "wait, or look at the function in Lambda");
        }
        None => {}
    }
}

fn queues(found: &mut Findings<'_>, facts: &Facts) {
    let Some(queues) = found.read("queues", &facts.queues) else {
        return;
    };
    let names = |wrong: &[&super::facts::Queue]| {
        let names: Vec<_> = wrong.iter().map(|queue| queue.name.as_str()).collect();
        names.join(", ")
    };
    if let Ok(function) = &facts.function {
        let least = function.timeout * VISIBILITY_FACTOR;
        let short: Vec<_> = queues.iter().filter(|queue| queue.visibility < least).collect();
        match short.first() {
            None => found.ok("visibility timeout", format!("at least {least} s")),
            Some(queue) => found.fault(
                "visibility timeout",
                format!(
                    "expected at least {VISIBILITY_FACTOR} × the function's timeout of {} s, found {} s: {}",
                    function.timeout,
                    queue.visibility,
                    names(&short)
                ),
                "raise VisibilityTimeout or lower FunctionTimeout in the template's Profile; two workers may hold one entity",
            ),
        }
    }
    let lost: Vec<_> = queues.iter().filter(|queue| !queue.has_redrive).collect();
    if lost.is_empty() {
        found.ok("dead-letter queue", "attached");
    } else {
        let text = format!("expected a redrive policy, found none: {}", names(&lost));
        found.fault(
            "dead-letter queue",
            text,
            "deploy the stack again; a message that kills the function goes round for ever",
        );
    }
    // Rules send to the first partition only.
    match queues.first() {
        Some(queue) if !queue.has_policy => found.fault(
            "queue policy",
            format!(
                "expected one that lets EventBridge send, found none: {}",
                queue.name
            ),
            "deploy the stack again; without it no event arrives",
        ),
        _ => found.ok("queue policy", "present"),
    }
}

fn mappings(found: &mut Findings<'_>, facts: &Facts) {
    let check = "event source mapping";
    let (Some(mappings), Ok(queues)) = (found.read(check, &facts.mappings), &facts.queues) else {
        return;
    };
    let before = found.all.len();
    for queue in queues {
        let Some(mapping) = mappings.iter().find(|mapping| mapping.queue == queue.arn) else {
            let text = format!("expected one for {}, found none", queue.name);
            found.fault(check, text, "deploy the stack again; nobody reads the queue");
            continue;
        };
        if mapping.state != "Enabled" {
            let text = format!("expected Enabled, found {}: {}", mapping.state, queue.name);
            found.fault(check, text, "enable it; nobody reads the queue");
        }
        if !mapping.reports_failures {
            let text = format!("expected ReportBatchItemFailures, found none: {}", queue.name);
            found.fault(
                check,
                text,
                "deploy the stack again; messages are lost without it",
            );
        }
        if mapping.batch != BATCH {
            let text = format!(
                "expected batches of {BATCH}, found {}: {}",
                mapping.batch, queue.name
            );
            found.warning(check, text, "deploy the stack again");
        }
        if mapping.concurrency.is_none() {
            let text = format!("expected a MaximumConcurrency, found none: {}", queue.name);
            found.warning(
                check,
                text,
                "deploy the stack again; the vendor may get more calls at once than it allows",
            );
        }
    }
    if found.all.len() == before {
        let most = mappings
            .iter()
            .filter_map(|mapping| mapping.concurrency)
            .max()
            .unwrap_or_default();
        found.ok(check, format!("enabled, at most {most} at once"));
    }
}

fn rules(found: &mut Findings<'_>, facts: &Facts) {
    let check = "rules";
    let Some(rules) = found.read(check, &facts.rules) else {
        return;
    };
    if rules.is_empty() {
        found.fault(
            check,
            "expected a rule on the stack's bus, found none",
            "deploy the stack again",
        );
        return;
    }
    let before = found.all.len();
    let first = facts.queues.as_ref().ok().and_then(|queues| queues.first());
    for rule in rules {
        if !rule.is_enabled {
            let text = format!("expected {} enabled, found it disabled", rule.name);
            found.fault(
                check,
                text,
                "enable it; what it misses meanwhile is lost: `backfill` afterwards",
            );
        }
        let target = first.and_then(|queue| rule.targets.iter().find(|(arn, _)| *arn == queue.arn));
        match (first, target) {
            (Some(queue), None) => {
                let text = format!(
                    "expected {} to send to {}, found no such target",
                    rule.name, queue.name
                );
                found.fault(check, text, "deploy the stack again");
            }
            (_, Some((_, None))) => {
                let text = format!(
                    "expected a MessageGroupId at the target of {}, found none",
                    rule.name
                );
                found.fault(
                    check,
                    text,
                    "deploy the stack again; a FIFO queue takes no event without one",
                );
            }
            (None, _) | (_, Some((_, Some(_)))) => {}
        }
    }
    if found.all.len() == before {
        found.ok(check, format!("{} enabled", rules.len()));
    }
}

fn routing(found: &mut Findings<'_>, facts: &Facts) {
    let check = "routed types";
    let Some(description) = found.read(check, &facts.description) else {
        return;
    };
    let Ok(rules) = &facts.rules else { return };
    let misrouted = routes::compare(rules, description);
    let list =
        |types: &std::collections::BTreeSet<String>| types.iter().cloned().collect::<Vec<_>>().join(", ");
    if !misrouted.unsubscribed.is_empty() {
        let text = format!(
            "the function understands {}, no rule on the stack's bus sends it",
            list(&misrouted.unsubscribed)
        );
        found.warning(
            check,
            text,
            "add it to DetailTypes in the template's Profile, unless it comes another way",
        );
    }
    if !misrouted.unknown.is_empty() {
        let text = format!(
            "a rule sends {}, which the function does not understand",
            list(&misrouted.unknown)
        );
        found.warning(
            check,
            text,
            "take it out of DetailTypes, or teach the function: such events are REJECTED",
        );
    }
    if misrouted == routes::Misrouted::default() {
        let types: Vec<_> = description
            .entities
            .iter()
            .map(|kept| kept.entity_type.as_str())
            .collect();
        found.ok(check, format!("all of {}", types.join(", ")));
    }
}

/// What the function itself tried: it reads its secret, nobody else does.
fn secrets(found: &mut Findings<'_>, facts: &Facts) {
    for check in facts
        .description
        .iter()
        .flat_map(|description| &description.checks)
    {
        let text = match &check.problem {
            None => format!("{} reached", check.name),
            Some(problem) => format!("{}: {problem}", check.name),
        };
        if check.problem.is_none() {
            found.ok("seen by the function", text);
        } else {
            found.fault(
                "seen by the function",
                text,
                "correct it, then run `doctor` again",
            );
        }
    }
}

fn set_aside(found: &mut Findings<'_>, facts: &Facts, stack: &str) {
    let redrive = line(stack, &["redrive", &facts.vendor]);
    let remedy = format!("see the function's log for what killed it, then `{redrive}`");
    match found.read("dead letters", &facts.dead_letters) {
        Some(0) => found.ok("dead letters", "none"),
        Some(count) => found.fault(
            "dead letters",
            format!("{count} messages killed the function"),
            &remedy,
        ),
        None => {}
    }
    match found.read("undelivered", &facts.undelivered) {
        Some(0) => found.ok("undelivered", "none"),
        Some(count) => {
            let text = format!("{count} events could not be brought to the queue");
            found.fault(
                "undelivered",
                text,
                "see the queue policy; then `send` them again",
            );
        }
        None => {}
    }
}

fn waiting(found: &mut Findings<'_>, facts: &Facts, stack: &str, now: Timestamp) {
    // That a metric is not to be had says nothing about the deployment.
    let silent = facts.oldest.as_ref().is_err_and(|unread| !unread.is_forbidden);
    if silent {
        found.ok("oldest message", "not known: CloudWatch gives no answer");
    }
    match (!silent)
        .then(|| found.read("oldest message", &facts.oldest))
        .flatten()
    {
        Some(None) => found.ok("oldest message", "not known: CloudWatch has no data"),
        Some(Some(seconds)) if *seconds > OLD_SECONDS => {
            let text = format!("waits for {} minutes", seconds / 60);
            found.fault("oldest message", text, "see the function's errors and throttles");
        }
        Some(Some(seconds)) => found.ok("oldest message", format!("{seconds} s old")),
        None => {}
    }
    match found.read("waker", &facts.is_woken) {
        Some(true) => found.ok("waker", "scheduled"),
        Some(false) => found.fault(
            "waker",
            "expected its schedule enabled, found it disabled",
            "enable the rule",
        ),
        None => {}
    }
    let Some(record) = found.read("vendor", &facts.record) else {
        return;
    };
    let standing = Standing::of(record, now);
    if standing.is_running() {
        found.ok("vendor", "running");
        let Some(due) = found.read("overdue", &facts.first_due) else {
            return;
        };
        let late = due
            .map(|due| now.duration_since(due))
            .filter(|late| *late > OVERDUE);
        match late {
            None => found.ok("overdue", "nothing"),
            Some(late) => {
                let text = format!("a parked entity is due for {} minutes", late.as_secs() / 60);
                found.fault("overdue", text, "see the log of the function `waker`");
            }
        }
    } else {
        let resume = if standing.pause.is_some() {
            "resume"
        } else {
            "probe"
        };
        let remedy = format!("`{}`", line(stack, &["vendor", resume, &facts.vendor]));
        found.warning("vendor", standing.words(), &remedy);
    }
}
