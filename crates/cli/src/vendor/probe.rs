//! `vendorbridge vendor probe`: lets a few waiting entities find out at once whether a vendor is well again.

use std::time::Duration;

use jiff::Timestamp;
use serde::Serialize;
use vendorbridge::circuit::Policy;
use vendorbridge::clock::{Clock, SystemClock};
use vendorbridge::lane::{LaneMessage, Lanes, SqsLanes, lane, short_hash};
use vendorbridge::ledger::{self, AttentionKind, EntityRecord, VendorRecord};
use vendorbridge::message::wake_body;

use super::changed;
use super::standing::Standing;
use crate::args::{Global, Probe};
use crate::next::Next;
use crate::session::Session;
use crate::{CliError, Exit, Outcome, output};

/// How often the record is looked at.
const EVERY: Duration = Duration::from_millis(500);

/// What `vendor probe --json` prints:
///
/// ```json
/// {"stack": "vendorbridge", "vendor": "mailchimp", "result": "closed", "woken": ["customer/c-4711"], "state": "running",
///  "pause": null, "circuit": null, "next": null}
/// ```
///
/// Every field is always there; what does not apply is null. `result` is `not-open` (there was nothing to find out), `paused`
/// (nobody is called), `nobody-waits` (the next event probes), `closed`, `open` (again) or `undecided` (not within `--wait`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ProbeReport {
    stack: String,
    vendor: String,
    result: Found,
    woken: Vec<String>,
    #[serde(flatten)]
    standing: Standing,
    next: Option<Next>,
}

/// What the probes found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
enum Found {
    NotOpen,
    Paused,
    NobodyWaits,
    Closed,
    Open,
    Undecided,
}

/// Lets probes go and waits for what they find.
///
/// # Errors
/// If the vendor is not deployed, or the stack, its ledger or the vendor's queue cannot be read or written.
pub(super) async fn run(global: &Global, options: &Probe) -> Result<Outcome, CliError> {
    let session = Session::open(global).await?;
    let vendor = options.vendor.as_str();
    session.deployment.chosen(Some(vendor))?;
    let reader = session.reader();
    let now = SystemClock.now();
    let found = reader.vendor(vendor).await.map_err(CliError::unread)?;
    let mut record = found.unwrap_or_else(|| VendorRecord::new(vendor));
    let mut woken = Vec::new();
    let result = if record.pause_at(now).is_some() {
        Found::Paused
    } else if record.circuit.is_none() {
        Found::NotOpen
    } else {
        let change = changed(&reader, vendor, |record| record.probed_at_once(now)).await?;
        record = change.after().clone();
        woken = wake(&session, vendor, now).await?;
        match record.circuit.clone() {
            None => Found::Closed,
            Some(_) if woken.is_empty() => Found::NobodyWaits,
            Some(before) => {
                let wait = Duration::try_from(options.wait).unwrap_or_default();
                let watching = async {
                    loop {
                        let found = reader.vendor(vendor).await.map_err(CliError::unread)?;
                        record = found.unwrap_or_else(|| VendorRecord::new(vendor));
                        if let Some(result) = decided(&before, &record) {
                            return Ok(result);
                        }
                        tokio::time::sleep(EVERY).await;
                    }
                };
                let watched = tokio::time::timeout(wait, watching).await;
                watched.unwrap_or(Ok::<_, CliError>(Found::Undecided))?
            }
        }
    };
    let woken = woken
        .iter()
        .map(|record| record.entity.as_str().to_owned())
        .collect();
    let report = ProbeReport::of(&session.stack, &record, result, woken, SystemClock.now());
    let code = match result {
        Found::NotOpen | Found::Closed | Found::NobodyWaits => Exit::Done,
        Found::Paused | Found::Open | Found::Undecided => Exit::BadNews,
    };
    output::answer(global, &report, ProbeReport::text).map(|outcome| outcome.ending(code))
}

/// Makes the retries that are due first due at once, as many as may probe, and wakes them.
async fn wake(session: &Session, vendor: &str, now: Timestamp) -> Result<Vec<EntityRecord>, CliError> {
    let reader = session.reader();
    let probes = Policy::default().probes;
    let waiting = reader.attention(vendor, AttentionKind::Wake, probes).await;
    let mut due = Vec::new();
    for record in waiting.map_err(CliError::unread)? {
        let is_due = reader.make_due(&record, now).await;
        if is_due.map_err(|error| CliError::of_ledger("making a waiting entity due", &error))? {
            due.push(record);
        }
    }
    let (url, partitions) = session.deployment.queues(vendor)?;
    let lanes = SqsLanes::new(session.sqs(), url.to_owned(), partitions);
    let messages: Vec<_> = due.iter().map(|record| message(record, now)).collect();
    let sent = if messages.is_empty() {
        Vec::new()
    } else {
        lanes.send(&messages).await
    };
    // What the queue did not take is due all the same: the waker sends it within the minute.
    match sent.into_iter().find_map(Result::err) {
        Some(error) => Err(CliError::of_ledger("sending into the vendor's queue", &error)),
        None => Ok(due),
    }
}

fn message(record: &EntityRecord, now: Timestamp) -> LaneMessage {
    let id = format!("wake-{}", short_hash(&format!("{}\nprobe {now}", record.entity)));
    LaneMessage {
        group: lane(&record.entity),
        trace_header: None,
        body: wake_body(&record.entity, &id, now),
        deduplication_id: id,
    }
}

/// What became of the circuit that probes were let through; `None` as long as nobody knows.
fn decided(before: &ledger::Circuit, after: &VendorRecord) -> Option<Found> {
    match &after.circuit {
        None => Some(Found::Closed),
        Some(circuit) if circuit.times > before.times || circuit.retry_at > before.retry_at => {
            Some(Found::Open)
        }
        Some(_) => None,
    }
}

impl ProbeReport {
    fn of(stack: &str, record: &VendorRecord, result: Found, woken: Vec<String>, now: Timestamp) -> Self {
        let vendor = record.vendor.as_str();
        let next = match result {
            Found::NotOpen | Found::Closed | Found::NobodyWaits => None,
            Found::Paused => {
                let reason = "resume it once it may be called.";
                Some(Next::command(reason, stack, &["vendor", "resume", vendor]))
            }
            Found::Open | Found::Undecided => {
                let reason = "see what fails.";
                Some(Next::command(reason, stack, &["status", "--vendor", vendor]))
            }
        };
        Self {
            stack: stack.to_owned(),
            vendor: vendor.to_owned(),
            result,
            woken,
            standing: Standing::of(record, now),
            next,
        }
    }

    /// What happened, for people.
    #[must_use]
    pub fn text(&self, _width: u16) -> String {
        let woken = match self.woken.as_slice() {
            [one] => format!("{one} probed"),
            some => format!("{} probed", some.join(", ")),
        };
        let vendor = &self.vendor;
        let words = match self.result {
            Found::NotOpen => format!("The circuit of {vendor} is closed: there is nothing to find out."),
            Found::Paused => format!("{vendor} is not probed: {}.", self.standing.words()),
            Found::NobodyWaits => format!("No entity waits for {vendor}: its next event probes."),
            Found::Closed => format!("{vendor} is well again: {woken}, and its circuit is closed."),
            Found::Open => format!(
                "{vendor} still fails: {woken}. {}.",
                self.standing.circuit_words()
            ),
            Found::Undecided => format!(
                "{woken}, and nothing is known yet. {}.",
                self.standing.circuit_words()
            ),
        };
        let next = self.next.as_ref();
        let next = next.map_or(String::new(), |next| {
            format!(
                "\nNext: {}\n  {}\n",
                next.reason,
                next.command.as_deref().unwrap_or_default()
            )
        });
        format!("{words}\n{next}")
    }
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;
    use rstest::rstest;
    use vendorbridge::ErrorKind;
    use vendorbridge::ledger::Circuit;

    use super::*;

    fn open(times: u32, seconds: i64) -> VendorRecord {
        let now: Timestamp = "2026-01-29T14:36:26Z".parse().unwrap();
        let mut record = VendorRecord::new("mailchimp");
        record.circuit = Some(Circuit {
            since: now,
            retry_at: now.checked_add(SignedDuration::from_secs(seconds)).unwrap(),
            times,
            kind: ErrorKind::Timeout,
            reason: "3 of 3 probing calls failed".into(),
            probing_until: None,
        });
        record
    }

    #[rstest]
    #[case::closed(VendorRecord::new("mailchimp"), Some(Found::Closed))]
    #[case::untouched(open(2, 0), None)]
    #[case::open_again(open(3, 60), Some(Found::Open))]
    #[case::failed_for_itself(open(2, 60), Some(Found::Open))]
    fn a_circuit_tells_what_the_probes_found(#[case] after: VendorRecord, #[case] expected: Option<Found>) {
        assert_eq!(decided(&open(2, 0).circuit.unwrap(), &after), expected);
    }

    #[rstest]
    #[case(
        Found::Closed,
        VendorRecord::new("mailchimp"),
        "well again: customer/1 probed",
        None
    )]
    #[case(
        Found::Open,
        open(3, 60),
        "still fails: customer/1 probed. circuit open since",
        Some("status --vendor")
    )]
    #[case(Found::NotOpen, VendorRecord::new("mailchimp"), "nothing to find out", None)]
    fn people_read_what_happened(
        #[case] result: Found,
        #[case] record: VendorRecord,
        #[case] expected: &str,
        #[case] next: Option<&str>,
    ) {
        let now: Timestamp = "2026-01-29T14:36:30Z".parse().unwrap();
        let text = ProbeReport::of("s", &record, result, vec!["customer/1".into()], now).text(80);
        assert!(
            text.contains(expected) && text.contains(next.unwrap_or("\n")),
            "{text}"
        );
        assert_eq!(text.contains("Next:"), next.is_some(), "{text}");
    }
}
