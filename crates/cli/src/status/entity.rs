//! Where one entity stands, per vendor.

use std::fmt::Write;

use comfy_table::{ContentArrangement, Table, presets};
use futures::future::try_join_all;
use jiff::Timestamp;
use serde::Serialize;
use vendorbridge::ledger::{EntityRecord, Reader, Status};
use vendorbridge::{EntityKey, Error, Version};

use crate::failure::Failure;
use crate::output;

/// What `status --entity … --json` prints:
///
/// ```json
/// {"entity": "customer/c-4711",
///  "vendors": [{"vendor": "mailchimp", "seen": true, "record": {
///    "status": "PARKED", "link": "…", "version": 12, "read_at": "2026-01-29T14:36:26Z",
///    "settled_at": "…", "attempts": 1, "unsure": false,
///    "parked": {"wake_at": "…", "since": "…", "event_id": "…", "event_time": "…", "detail_type": "…",
///      "version": 13, "error": {"stage": "push", "step": null, "field": null, "code": null, "reason": "…",
///      "kind": "unavailable", "verdict": "retry"}},
///    "error": null, "rule": null,
///    "effects": [{"name": "charge", "is_certain": true, "answer": {"i_xdr": 71}}],
///    "recent": [{"event_id": "…", "status": "PARKED", "at": "…"}]}}]}
/// ```
///
/// Every field is always there; what does not apply is null. `record` is null where `seen` is false. `recent` starts
/// with the newest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct EntityReport {
    entity: EntityKey,
    vendors: Vec<AtVendor>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
struct AtVendor {
    vendor: String,
    seen: bool,
    record: Option<Record>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
struct Record {
    status: Status,
    link: Option<String>,
    version: Option<Version>,
    read_at: Option<Timestamp>,
    settled_at: Timestamp,
    attempts: u32,
    unsure: bool,
    parked: Option<Parked>,
    error: Option<Failure>,
    rule: Option<String>,
    effects: Vec<Effect>,
    recent: Vec<Recent>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
struct Effect {
    name: String,
    is_certain: bool,
    answer: serde_json::Value,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
struct Parked {
    wake_at: Timestamp,
    since: Timestamp,
    event_id: String,
    event_time: Timestamp,
    detail_type: String,
    version: Option<Version>,
    error: Failure,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
struct Recent {
    event_id: String,
    status: Status,
    at: Timestamp,
}

impl EntityReport {
    /// Reads the entity's record of each vendor.
    ///
    /// # Errors
    /// If the ledger cannot be read.
    pub async fn read(reader: &Reader, vendors: &[&str], entity: &EntityKey) -> Result<Self, Error> {
        let records = try_join_all(vendors.iter().map(|vendor| reader.entity(vendor, entity))).await?;
        Ok(Self::of(entity, vendors.iter().copied().zip(records)))
    }

    fn of<'a>(
        entity: &EntityKey,
        records: impl IntoIterator<Item = (&'a str, Option<EntityRecord>)>,
    ) -> Self {
        let vendors = records.into_iter().map(|(vendor, record)| AtVendor {
            vendor: vendor.to_owned(),
            seen: record.is_some(),
            record: record.map(Record::from),
        });
        Self {
            entity: entity.clone(),
            vendors: vendors.collect(),
        }
    }

    /// The report for people, at most `width` columns wide.
    #[must_use]
    pub fn text(&self, width: u16) -> String {
        let mut text = format!("{}\n", self.entity);
        for at in &self.vendors {
            match &at.record {
                None => _ = write!(text, "\n{}: never seen\n", at.vendor),
                Some(record) => {
                    _ = write!(
                        text,
                        "\n{}: {}\n{}",
                        at.vendor,
                        record.status,
                        record.lines(width)
                    );
                }
            }
        }
        text
    }
}

impl Record {
    fn lines(&self, width: u16) -> String {
        let mut table = Table::new();
        table
            .load_style(presets::NOTHING)
            .set_content_arrangement(ContentArrangement::Dynamic)
            .set_width(width.max(output::MIN_WIDTH));
        let mut row = |name: &str, value: String| _ = table.add_row([name, &value]);
        let time = |time: Option<Timestamp>| time.map_or("-".to_owned(), output::time);
        let version = |version: &Option<Version>| version.as_ref().map_or("-".into(), Version::to_string);
        row("link", output::or_dash(self.link.as_deref()).to_owned());
        row("version", version(&self.version));
        row("read at", time(self.read_at));
        row("settled at", time(Some(self.settled_at)));
        row("failed attempts", self.attempts.to_string());
        if self.unsure {
            row(
                "unsure",
                "what the vendor holds is uncertain; the next sync takes no shortcut".into(),
            );
        }
        if let Some(rule) = &self.rule {
            row("kept out by rule", rule.clone());
        }
        for effect in &self.effects {
            let what = if effect.is_certain {
                format!("{} {}", effect.name, effect.answer)
            } else {
                format!(
                    "{}: it may have happened; looked for before the next try",
                    effect.name
                )
            };
            row("done once", what);
        }
        if let Some(parked) = &self.parked {
            row("parked until", time(Some(parked.wake_at)));
            row("parked since", time(Some(parked.since)));
            row(
                "waiting event",
                format!("{} {}", parked.detail_type, parked.event_id),
            );
        }
        let failure = self
            .error
            .as_ref()
            .or(self.parked.as_ref().map(|parked| &parked.error));
        if let Some(failure) = failure {
            row("stage", failure.stage.to_owned());
            if let Some(step) = &failure.step {
                row("step", step.clone());
            }
            row("field", output::or_dash(failure.field.as_deref()).to_owned());
            row("code", output::or_dash(failure.code.as_deref()).to_owned());
            row("reason", failure.reason.clone());
        }
        for (index, recent) in self.recent.iter().enumerate() {
            let name = if index == 0 { "latest outcomes" } else { "" };
            let at = output::time(recent.at);
            row(name, format!("{at}  {:<9}  {}", recent.status, recent.event_id));
        }
        output::lines(&table)
    }
}

impl From<vendorbridge::ledger::Effect> for Effect {
    fn from(effect: vendorbridge::ledger::Effect) -> Self {
        Self {
            name: effect.name,
            is_certain: effect.until.is_none(),
            answer: effect.output,
        }
    }
}

impl From<EntityRecord> for Record {
    fn from(record: EntityRecord) -> Self {
        let recent = record.recent.into_iter().rev().map(|recent| Recent {
            event_id: recent.event_id,
            status: recent.status,
            at: recent.at,
        });
        Self {
            status: record.status,
            link: record.link,
            version: record.pushed_version,
            read_at: record.read_at,
            settled_at: record.settled_at,
            attempts: record.attempts,
            unsure: record.unsure,
            parked: record.parked.map(|parked| Parked {
                wake_at: parked.wake_at,
                since: parked.since,
                event_id: parked.event_id,
                event_time: parked.event_time,
                detail_type: parked.detail_type,
                version: parked.version,
                error: parked.error.into(),
            }),
            error: record.error.map(Failure::from),
            rule: record.rule,
            effects: record.effects.into_iter().map(Effect::from).collect(),
            recent: recent.collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use vendorbridge::ledger::{ErrorRecord, Parked};
    use vendorbridge::{ErrorKind, Stage};

    use super::*;

    fn report() -> EntityReport {
        let now: Timestamp = "2026-01-29T14:36:26Z".parse().unwrap();
        let key = EntityKey::new("customer", "c-4711").unwrap();
        let error = vendorbridge::Error::retry(ErrorKind::Unavailable, Stage::Push, "found 503").code("E503");
        let mut record =
            EntityRecord::unknown("mailchimp", key.clone()).next(Status::Synced, "e-1", now, now);
        record.link = Some("l-1".into());
        record.pushed_version = Some(Version::Number(12));
        record.read_at = Some(now);
        record.attempts = 1;
        record.parked = Some(Parked {
            wake_at: "2026-01-29T14:37:00Z".parse().unwrap(),
            since: now,
            event_id: "e-2".into(),
            event_time: now,
            trace: None,
            detail_type: "Changed".into(),
            version: None,
            lagging_since: None,
            denied_since: None,
            carried: None,
            asks: false,
            error: ErrorRecord::from(&error),
        });
        let record = record.next(Status::Parked, "e-2", now, now);
        EntityReport::of(&key, [("mailchimp", Some(record)), ("webhook", None)])
    }

    #[test]
    fn people_read_status_reason_and_outcomes() {
        let text = report().text(80);
        for expected in [
            "mailchimp: PARKED",
            "webhook: never seen",
            "2026-01-29 14:37:00Z",
            "found 503",
            "E503",
        ] {
            assert!(text.contains(expected), "{expected} in\n{text}");
        }
        let outcome = |id: &str| text.rfind(id).unwrap();
        assert!(outcome("e-2") < outcome("e-1"), "newest first:\n{text}");
    }

    #[test]
    fn json_has_stable_names() {
        let json = serde_json::to_value(report()).unwrap();
        let time = "2026-01-29T14:36:26Z";
        let expected = json!({"entity": "customer/c-4711", "vendors": [
            {"vendor": "mailchimp", "seen": true, "record": {
                "status": "PARKED", "link": "l-1", "version": 12, "read_at": time, "settled_at": time,
                "attempts": 1, "unsure": false, "error": null, "rule": null, "effects": [],
                "parked": {"wake_at": "2026-01-29T14:37:00Z", "since": time, "event_id": "e-2", "event_time": time,
                    "detail_type": "Changed", "version": null,
                    "error": {"stage": "push", "step": null, "field": null, "code": "E503", "reason": "found 503",
                        "kind": "unavailable", "verdict": "retry"}},
                "recent": [{"event_id": "e-2", "status": "PARKED", "at": time},
                    {"event_id": "e-1", "status": "SYNCED", "at": time}]}},
            {"vendor": "webhook", "seen": false, "record": null}]});
        assert_eq!(json, expected);
    }
}
