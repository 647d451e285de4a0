//! Whether function, queues, mappings and rules are wired as the template has them.

use super::Findings;
use crate::doctor::facts::{Facts, Queue};
use crate::doctor::routes;

/// Lambda asks for a visibility timeout of at least six times the function's timeout
/// (<https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html>).
const VISIBILITY_FACTOR: u64 = 6;
/// What the template sets: a FIFO queue takes no more.
const BATCH: i32 = 10;

pub(super) fn function(found: &mut Findings<'_>, facts: &Facts) {
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

pub(super) fn queues(found: &mut Findings<'_>, facts: &Facts) {
    let Some(queues) = found.read("queues", &facts.queues) else {
        return;
    };
    let names = |wrong: &[&Queue]| {
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

pub(super) fn mappings(found: &mut Findings<'_>, facts: &Facts) {
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

pub(super) fn rules(found: &mut Findings<'_>, facts: &Facts) {
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

pub(super) fn routing(found: &mut Findings<'_>, facts: &Facts) {
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
