//! Which event types a rule lets through, as far as its pattern names them.

use std::collections::BTreeSet;

use serde_json::Value;
use vendorbridge::ask::Description;
use vendorbridge::message::SYNC_REQUESTED;

use super::facts::Rule;

/// What does not fit together between the rules and the function.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Misrouted {
    /// The function understands them; no rule sends them.
    pub(super) unsubscribed: BTreeSet<String>,
    /// A rule sends them; the function does not understand them.
    pub(super) unknown: BTreeSet<String>,
}

/// Compares detail types. A pattern that names none, or not by plain texts, may let anything through.
pub(super) fn compare(rules: &[Rule], description: &Description) -> Misrouted {
    let announced = description.entities.iter().flat_map(|kept| &kept.announced_by);
    let understood: Vec<_> = announced
        .map(|announced| announced.detail_type.as_deref())
        .collect();
    let mut routed = BTreeSet::new();
    let mut is_open = false;
    for rule in rules.iter().filter(|rule| rule.is_enabled) {
        for branch in branches(&rule.pattern) {
            match branch.get("detail-type").and_then(Value::as_array) {
                Some(types) => {
                    is_open |= types.iter().any(|one| !one.is_string());
                    routed.extend(types.iter().filter_map(Value::as_str).map(str::to_owned));
                }
                None => is_open = true,
            }
        }
    }
    routed.remove(SYNC_REQUESTED);
    let takes_any = understood.contains(&None);
    let understood: BTreeSet<_> = understood.into_iter().flatten().map(str::to_owned).collect();
    Misrouted {
        unsubscribed: if is_open {
            BTreeSet::new()
        } else {
            understood.difference(&routed).cloned().collect()
        },
        unknown: if takes_any {
            BTreeSet::new()
        } else {
            routed.difference(&understood).cloned().collect()
        },
    }
}

/// The alternatives of a pattern: what stands beside `$or` holds for each.
fn branches(pattern: &Value) -> Vec<&Value> {
    match pattern.get("$or").and_then(Value::as_array) {
        Some(branches) if pattern.get("detail-type").is_none() => branches.iter().collect(),
        _ => vec![pattern],
    }
}
