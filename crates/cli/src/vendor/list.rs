//! `vendorbridge vendor list`: all vendors at a glance.

use std::fmt::Write;

use comfy_table::{CellAlignment, ContentArrangement};
use futures::future::{try_join_all, try_join5};
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use vendorbridge::Error;
use vendorbridge::clock::{Clock, SystemClock};
use vendorbridge::ledger::{AttentionKind, Counted, EVENT_SHARDS, Reader, VendorRecord, hour};

use super::queues::{self, Queue};
use super::standing::Standing;
use crate::args::Global;
use crate::session::Session;
use crate::{CliError, Outcome, output};

/// What `vendor list --json` prints:
///
/// ```json
/// {"stack": "vendorbridge", "vendors": [{"vendor": "mailchimp", "state": "running", "pause": null, "circuit": null,
///   "parked": 3, "rejected": 1, "dead": 0, "queues": [{"name": "vendorbridge-mailchimp.fifo", "visible": 12, "in_flight": 3}],
///   "dead_letters": 0, "latest": {"status": "SYNCED", "event_time": "…", "settled_at": "…"}}]}
/// ```
///
/// Every field is always there; what does not apply is null. `queues` and `dead_letters` are null if they may not be read.
/// `latest` is the outcome that was settled last of the events of this hour and the one before, as far as their records can be read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct VendorList {
    stack: String,
    vendors: Vec<Listed>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
struct Listed {
    vendor: String,
    #[serde(flatten)]
    standing: Standing,
    parked: usize,
    rejected: usize,
    dead: usize,
    queues: Option<Vec<Queue>>,
    dead_letters: Option<u64>,
    latest: Option<Counted>,
}

impl VendorList {
    /// Looks at every vendor of the stack, side by side.
    ///
    /// # Errors
    /// If the ledger cannot be read. Queues that may not be read are left out.
    pub async fn read(session: &Session, now: Timestamp) -> Result<Self, Error> {
        let reader = session.reader();
        let vendors = session.deployment.vendors.iter();
        let listed = vendors.map(|vendor| listed(session, &reader, vendor, now));
        Ok(Self {
            stack: session.stack.clone(),
            vendors: try_join_all(listed).await?,
        })
    }

    /// The list for people.
    #[must_use]
    pub fn text(&self, width: u16) -> String {
        let header = [
            "vendor",
            "state",
            "parked",
            "rejected",
            "dead",
            "queued",
            "in flight",
            "dead letters",
            "latest outcome",
        ];
        let mut table = output::table(&header, width);
        table.set_content_arrangement(ContentArrangement::Disabled); // numbers do not wrap
        for column in table.column_iter_mut().skip(2).take(6) {
            column.set_cell_alignment(CellAlignment::Right);
        }
        table.add_rows(self.vendors.iter().map(Listed::cells));
        let mut text = format!("Vendors of {}\n{}", self.stack, output::lines(&table));
        let shut = self.vendors.iter().filter(|vendor| !vendor.standing.is_running());
        for vendor in shut {
            _ = writeln!(
                text,
                "
{}: {}",
                vendor.vendor,
                vendor.standing.words()
            );
        }
        text
    }
}

async fn listed(session: &Session, reader: &Reader, vendor: &str, now: Timestamp) -> Result<Listed, Error> {
    let (sqs, deployment) = (session.sqs(), &session.deployment);
    let dead_letters = async {
        let url = deployment.outputs.get(&format!("DeadLetterQueueUrl{vendor}"))?;
        queues::depth(&sqs, url).await.ok()
    };
    let ledger = try_join5(
        reader.vendor(vendor),
        reader.attention_count(vendor, AttentionKind::Wake),
        reader.attention_count(vendor, AttentionKind::Rejected),
        reader.attention_count(vendor, AttentionKind::Dead),
        latest(reader, vendor, now),
    );
    let queues = queues::read(&sqs, deployment, vendor);
    let (ledger, queues, dead_letters) = futures::join!(ledger, queues, dead_letters);
    let (record, parked, rejected, dead, latest) = ledger?;
    let record = record.unwrap_or_else(|| VendorRecord::new(vendor));
    Ok(Listed {
        vendor: vendor.to_owned(),
        standing: Standing::of(&record, now),
        parked,
        rejected,
        dead,
        queues: queues.ok(),
        dead_letters: dead_letters.map(|queue| queue.visible + queue.in_flight),
        latest,
    })
}

/// What was settled last, of this hour's events, or else of those of the hour before.
async fn latest(reader: &Reader, vendor: &str, now: Timestamp) -> Result<Option<Counted>, Error> {
    let before = now.saturating_sub(SignedDuration::from_hours(1)).unwrap_or(now);
    for time in [now, before] {
        let hour = hour(time);
        let shards = (0..EVENT_SHARDS).map(|shard| {
            let hour = &hour;
            async move {
                let mut latest: Option<Counted> = None;
                let newer = |event: Counted| {
                    if latest.is_none_or(|latest| latest.settled_at < event.settled_at) {
                        latest = Some(event);
                    }
                };
                reader.each_event(vendor, hour, shard, usize::MAX, newer).await?;
                Ok::<_, Error>(latest)
            }
        });
        let found = try_join_all(shards).await?.into_iter().flatten();
        if let Some(latest) = found.max_by_key(|event| event.settled_at) {
            return Ok(Some(latest));
        }
    }
    Ok(None)
}

impl Listed {
    fn cells(&self) -> [String; 9] {
        let sum = |of: fn(&Queue) -> u64| {
            let queues = self.queues.as_ref();
            queues.map_or("?".to_owned(), |queues| {
                queues.iter().map(of).sum::<u64>().to_string()
            })
        };
        let latest = self
            .latest
            .map(|event| format!("{} {}", output::time(event.settled_at), event.status));
        [
            self.vendor.clone(),
            self.standing.state.name().to_owned(),
            self.parked.to_string(),
            self.rejected.to_string(),
            self.dead.to_string(),
            sum(|queue| queue.visible),
            sum(|queue| queue.in_flight),
            self.dead_letters
                .map_or("?".to_owned(), |count| count.to_string()),
            output::or_dash(latest.as_deref()).to_owned(),
        ]
    }
}

/// Lists the vendors.
///
/// # Errors
/// If the stack or its ledger cannot be read.
pub(super) async fn run(global: &Global) -> Result<Outcome, CliError> {
    let session = Session::open(global).await?;
    let list = VendorList::read(&session, SystemClock.now()).await;
    output::answer(global, &list.map_err(CliError::unread)?, VendorList::text)
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use vendorbridge::ledger::Status;

    use super::*;

    #[test]
    fn people_and_programs_see_every_vendor() {
        let now: Timestamp = "2026-01-29T14:36:26Z".parse().unwrap();
        let paused = VendorRecord::new("webhook")
            .paused(Some("their release"), now)
            .unwrap();
        let listed = |record: &VendorRecord, queues, latest| Listed {
            vendor: record.vendor.clone(),
            standing: Standing::of(record, now),
            parked: 3,
            rejected: 1,
            dead: 0,
            queues,
            dead_letters: None,
            latest,
        };
        let queue = Queue {
            name: "s-mailchimp.fifo".into(),
            visible: 12,
            in_flight: 4,
        };
        let latest = Counted {
            status: Status::Synced,
            event_time: now,
            settled_at: now,
        };
        let mailchimp = VendorRecord::new("mailchimp");
        let list = VendorList {
            stack: "s".into(),
            vendors: vec![
                listed(&mailchimp, Some(vec![queue]), Some(latest)),
                listed(&paused, None, None),
            ],
        };
        let text = list.text(120);
        let lines: Vec<_> = text
            .lines()
            .map(|line| line.split_whitespace().collect::<Vec<_>>().join(" "))
            .collect();
        for line in [
            "mailchimp running 3 1 0 12 4 ? 2026-01-29 14:36:26Z SYNCED",
            "webhook paused 3 1 0 ? ? ? -",
            "webhook: paused since 2026-01-29 14:36:26Z because: their release",
        ] {
            assert!(lines.iter().any(|found| found == line), "{line} in\n{text}");
        }
        let expected = json!({"vendor": "mailchimp", "state": "running", "pause": null, "circuit": null, "parked": 3,
            "rejected": 1, "dead": 0, "dead_letters": null,
            "queues": [{"name": "s-mailchimp.fifo", "visible": 12, "in_flight": 4}],
            "latest": {"status": "SYNCED", "event_time": now, "settled_at": now}});
        assert_eq!(serde_json::to_value(&list).unwrap()["vendors"][0], expected);
    }
}
