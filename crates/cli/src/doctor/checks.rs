//! The checks. Each is a pure function of what was read.

mod wired;

use jiff::Timestamp;

use super::facts::{Facts, Read, Unread};
use super::{Finding, Level};
use crate::next::line;
use crate::vendor::Standing;
use crate::why::OVERDUE;

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
    wired::function(found, facts);
    wired::queues(found, facts);
    wired::mappings(found, facts);
    wired::rules(found, facts);
    wired::routing(found, facts);
    secrets(found, facts);
    set_aside(found, facts, stack);
    waiting(found, facts, stack, now);
    findings.all
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
