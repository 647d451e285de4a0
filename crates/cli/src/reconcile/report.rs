//! What `reconcile` found.

use std::fmt::Write;

use serde::Serialize;
use vendorbridge::EntityKey;
use vendorbridge::ledger::Status;

use super::Options;
use super::compare::Difference;
use super::findings::{Finding, Settled};
use super::plan::{Plan, Planned};
use crate::work::ASK_ABOVE;

/// What `reconcile --json` prints:
///
/// ```json
/// {"stack": "vendorbridge", "vendor": "algolia", "type": "product", "at_source": 10000, "at_vendor": 9999,
///  "counts": {"same": 9997, "missing": 2, "different": 1, "extra": 1, "unmappable": 0, "waits": 0, "in_motion": 0},
///  "differences": [{"kind": "different", "entity": "product/1", "link": null, "fields": ["/price"], "status": "SYNCED",
///    "repairable": true}],
///  "waits": [], "in_motion": [], "unmappable": [{"entity": "product/2", "reason": "…"}], "not_shown": 0,
///  "repairable": {"changes": 3, "removals": 0}, "repair": {"sent": 3, "left": 1}, "not_sent": null, "interrupted": false}
/// ```
///
/// `kind` is `missing`, `different` or `extra`; `link` is the vendor's id of an extra record, `entity` null where nobody says which
/// entity it is. What `waits` differs, and is tried again by itself. `in_motion` differed in one reading only, or was settled
/// meanwhile. `repairable` is what `--repair` adds, changes or removes at the vendor. `repair` is null without it; what is `left`
/// no sync mends, or waits, or was not sent, for the reason in `not_sent`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Reconciled {
    stack: String,
    vendor: String,
    #[serde(rename = "type")]
    entity_type: String,
    at_source: u64,
    at_vendor: u64,
    counts: Counts,
    differences: Vec<Named>,
    waits: Vec<EntityKey>,
    in_motion: Vec<EntityKey>,
    unmappable: Vec<Unmappable>,
    not_shown: u64,
    repairable: Planned,
    repair: Option<Repair>,
    not_sent: Option<String>,
    interrupted: bool,
    #[serde(skip)]
    plan: Plan,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
struct Counts {
    same: u64,
    missing: u64,
    different: u64,
    extra: u64,
    unmappable: u64,
    waits: u64,
    in_motion: u64,
}

impl Counts {
    /// How many are not as they are to be.
    fn differing(self) -> u64 {
        self.missing + self.different + self.extra + self.unmappable + self.waits
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
struct Named {
    kind: &'static str,
    entity: Option<EntityKey>,
    link: Option<String>,
    fields: Vec<String>,
    status: Option<Status>,
    repairable: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
struct Unmappable {
    entity: EntityKey,
    reason: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
struct Repair {
    sent: u64,
    left: u64,
}

impl Reconciled {
    pub(super) fn of(
        stack: &str,
        options: &Options,
        (at_source, at_vendor): (u64, u64),
        settled: Settled,
    ) -> Self {
        let limit = options.limit;
        let named: Vec<_> = settled.findings.iter().map(Named::of).collect();
        let count = |kind| named.iter().filter(|named| named.kind == kind).count() as u64;
        let counts = Counts {
            same: settled.same,
            missing: count("missing"),
            different: count("different"),
            extra: count("extra"),
            unmappable: settled.unmappable.len() as u64,
            waits: settled.waits.len() as u64,
            in_motion: settled.in_motion.len() as u64,
        };
        let plan = Plan::of(&settled.findings);
        let all = named.len() + settled.unmappable.len() + settled.waits.len() + settled.in_motion.len();
        let of_kind = |kind| named.iter().filter(move |named| named.kind == kind).take(limit);
        let differences: Vec<_> = of_kind("missing")
            .chain(of_kind("different"))
            .chain(of_kind("extra"))
            .cloned()
            .collect();
        let unmappable: Vec<_> = settled
            .unmappable
            .into_iter()
            .take(limit)
            .map(|(entity, reason)| Unmappable { entity, reason })
            .collect();
        let waits: Vec<_> = settled.waits.into_iter().take(limit).collect();
        let in_motion: Vec<_> = settled.in_motion.into_iter().take(limit).collect();
        let shown = differences.len() + unmappable.len() + waits.len() + in_motion.len();
        Self {
            stack: stack.to_owned(),
            vendor: options.vendor.clone(),
            entity_type: options.entity_type.clone(),
            at_source,
            at_vendor,
            counts,
            not_shown: (all - shown) as u64,
            differences,
            waits,
            in_motion,
            unmappable,
            repairable: plan.count(),
            repair: None,
            not_sent: None,
            interrupted: false,
            plan,
        }
    }

    /// What a repair sends: without the removals if they are doubtful, and `remove_many` does not say that they are meant.
    pub(super) fn sendable(&mut self, remove_many: bool) -> Plan {
        let mut plan = self.plan.clone();
        if !remove_many && let Some(doubt) = plan.doubt(self.at_source, self.at_vendor) {
            self.not_sent = Some(doubt);
            plan.removals.clear();
        }
        plan
    }

    /// Nobody has allowed to send so many.
    pub(super) fn refused(&mut self, planned: Planned) {
        self.not_sent = Some(format!(
            "expected --yes for {} entities, found none: more than {ASK_ABOVE} are not sent unasked; nothing was sent",
            planned.total()
        ));
        self.repaired(0, false);
    }

    /// So many of them were asked for.
    pub(super) fn repaired(&mut self, sent: u64, interrupted: bool) {
        self.repair = Some(Repair {
            sent,
            left: self.counts.differing().saturating_sub(sent),
        });
        self.interrupted = interrupted;
    }

    /// Whether nothing is left that differs, as far as that is in our hands.
    pub(super) fn is_well(&self) -> bool {
        match self.repair {
            Some(repair) => repair.left == 0,
            None => self.counts.differing() == 0,
        }
    }

    pub(super) fn is_interrupted(&self) -> bool {
        self.interrupted
    }

    /// In words.
    #[must_use]
    pub fn text(&self, _width: u16) -> String {
        let mut text = String::new();
        for named in &self.differences {
            _ = writeln!(text, "{}", named.line());
        }
        for unmappable in &self.unmappable {
            _ = writeln!(text, "unmappable  {}: {}", unmappable.entity, unmappable.reason);
        }
        for entity in &self.waits {
            _ = writeln!(text, "waits       {entity}");
        }
        for entity in &self.in_motion {
            _ = writeln!(text, "in motion   {entity}");
        }
        if self.not_shown > 0 {
            _ = writeln!(text, "… and {} more (--limit)", self.not_shown);
        }
        let Counts {
            same,
            missing,
            different,
            extra,
            unmappable,
            waits,
            in_motion,
        } = self.counts;
        _ = writeln!(
            text,
            "{} of {} at the source, {} at {}: {same} the same, {missing} missing, {different} different, {extra} extra, \
             {unmappable} unmappable, {waits} wait, {in_motion} in motion",
            self.at_source, self.entity_type, self.at_vendor, self.vendor
        );
        match self.repair {
            Some(Repair { sent, left }) => {
                let stopped = if self.interrupted { "stopped: " } else { "" };
                _ = writeln!(
                    text,
                    "{stopped}{sent} asked for, {left} left; run it again to see that they are mended"
                );
                let removed = sent.saturating_sub(self.plan.changes.len() as u64);
                if removed > 0 {
                    _ = writeln!(text, "{removed} of them are REMOVED at {}", self.vendor);
                }
            }
            None if self.repairable.total() > 0 => {
                let words = self.repairable.words(&self.vendor);
                _ = writeln!(text, "--repair mends {}: {words}", self.repairable.total());
            }
            None => {}
        }
        if let Some(why) = &self.not_sent {
            _ = writeln!(text, "{why}");
        }
        text
    }
}

impl Named {
    fn of(finding: &Finding) -> Self {
        let (kind, link, fields) = match &finding.difference {
            Difference::Missing => ("missing", None, Vec::new()),
            Difference::Different(fields) => ("different", None, fields.iter().cloned().collect()),
            Difference::Extra { link } => ("extra", Some(link.clone()), Vec::new()),
        };
        Self {
            kind,
            entity: finding.entity.clone(),
            link,
            fields,
            status: finding.status,
            repairable: finding.is_repairable,
        }
    }

    fn line(&self) -> String {
        let mut text = format!("{:<11}", self.kind);
        match (&self.entity, &self.link) {
            (Some(entity), Some(link)) => _ = write!(text, " {entity} ({link})"),
            (Some(entity), None) => _ = write!(text, " {entity}"),
            (None, link) => _ = write!(text, " {} (no entity known)", link.as_deref().unwrap_or("-")),
        }
        if !self.fields.is_empty() {
            _ = write!(text, ": {}", self.fields.join(", "));
        }
        if let Some(status) = self.status {
            _ = write!(text, " [{status} in the ledger]");
        }
        if !self.repairable {
            text.push_str(" not ours: left alone");
        }
        text
    }
}

#[cfg(test)]
mod tests;
