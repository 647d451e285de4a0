//! What a repair would send, and what it may not. Pure.

use std::collections::BTreeSet;

use serde::Serialize;
use vendorbridge::EntityKey;

use super::compare::Difference;
use super::findings::Finding;

/// More removals than this, in per cent of what the vendor has, are not made unasked: the source may have listed only a part.
const MANY_PERCENT: u64 = 10;

/// The entities that forced syncs mend, once each.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Plan {
    /// What is added or changed at the vendor.
    pub(super) changes: BTreeSet<EntityKey>,
    /// What is removed there.
    pub(super) removals: BTreeSet<EntityKey>,
}

/// How many they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub(super) struct Planned {
    changes: usize,
    removals: usize,
}

impl Plan {
    pub(super) fn of(findings: &[Finding]) -> Self {
        let mut plan = Self::default();
        for finding in findings.iter().filter(|finding| finding.is_repairable) {
            let Some(entity) = finding.entity.clone() else {
                continue;
            };
            match finding.difference {
                Difference::Missing | Difference::Different(_) => plan.changes.insert(entity),
                Difference::Extra { .. } => plan.removals.insert(entity),
            };
        }
        // A sync of an entity that stands there twice may remove something.
        plan.changes.retain(|entity| !plan.removals.contains(entity));
        plan
    }

    pub(super) fn count(&self) -> Planned {
        Planned {
            changes: self.changes.len(),
            removals: self.removals.len(),
        }
    }

    /// Why the removals may not be made unasked, of so many records at the source and at the vendor.
    pub(super) fn doubt(&self, at_source: u64, at_vendor: u64) -> Option<String> {
        let removals = self.removals.len() as u64;
        let why = if removals == 0 {
            return None;
        } else if at_source == 0 {
            "the source listed nothing at all".to_owned()
        } else if removals * 100 > at_vendor * MANY_PERCENT {
            format!("that is more than {MANY_PERCENT} % of the {at_vendor} at the vendor")
        } else {
            return None;
        };
        Some(format!(
            "expected --remove-many for {removals} removals, found none: {why}; they were not made"
        ))
    }

    /// What is sent, removals last.
    pub(super) fn entities(&self) -> Vec<EntityKey> {
        self.changes.iter().chain(&self.removals).cloned().collect()
    }
}

impl Planned {
    pub(super) fn total(self) -> usize {
        self.changes + self.removals
    }

    /// In words, such as `12 added or changed, 3 REMOVED at algolia`.
    pub(super) fn words(self, vendor: &str) -> String {
        format!(
            "{} added or changed, {} REMOVED at {vendor}",
            self.changes, self.removals
        )
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    fn finding(id: usize, difference: Difference) -> Finding {
        Finding {
            entity: Some(EntityKey::new("product", &id.to_string()).unwrap()),
            difference,
            status: None,
            is_repairable: true,
        }
    }

    fn extra(id: usize) -> Finding {
        finding(id, Difference::Extra { link: "v".into() })
    }

    #[test]
    fn removals_are_told_from_changes_and_come_last() {
        let theirs = Finding {
            is_repairable: false,
            ..extra(9)
        };
        let plan = Plan::of(&[
            extra(1),
            finding(2, Difference::Missing),
            finding(1, Difference::Missing),
            theirs,
        ]);
        let keys: Vec<_> = plan.entities().iter().map(ToString::to_string).collect();
        assert_eq!(keys, ["product/2", "product/1"]);
        assert_eq!(
            plan.count().words("algolia"),
            "1 added or changed, 1 REMOVED at algolia"
        );
    }

    #[rstest]
    #[case::few(10, 90, 100, None)]
    #[case::many(11, 89, 100, Some("more than 10 %"))]
    #[case::none(0, 0, 0, None)]
    #[case::an_empty_source(1, 0, 100, Some("nothing at all"))]
    fn many_removals_are_doubted(
        #[case] removals: usize,
        #[case] at_source: u64,
        #[case] at_vendor: u64,
        #[case] expected: Option<&str>,
    ) {
        let findings: Vec<_> = (0..removals).map(extra).collect();
        let doubt = Plan::of(&findings).doubt(at_source, at_vendor);
        match expected {
            Some(expected) => assert!(
                doubt.as_ref().is_some_and(|doubt| doubt.contains(expected)),
                "{doubt:?}"
            ),
            None => assert_eq!(doubt, None),
        }
    }
}
