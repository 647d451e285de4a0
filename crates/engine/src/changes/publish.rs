//! Publishing in order: what is behind a failure waits for it.
//!
//! A request holds each key once, and the next one follows when every event of the one before is on the bus or its record is
//! set aside. So a later change of a key is never published before an earlier one, and a replay that begins at the reported
//! record repeats at most nine events.

use std::collections::HashSet;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::{BatchError, Failures};
use crate::bus::{Bus, Event, MAX_BYTES, MAX_ENTRIES, Refusal};
use crate::clock::Clock;

/// What fails is tried again after these pauses; then the batch is given back, and delivered again.
const PAUSES: [Duration; 7] = [
    Duration::from_millis(100),
    Duration::from_millis(200),
    Duration::from_millis(400),
    Duration::from_millis(800),
    Duration::from_millis(1600),
    Duration::from_millis(3200),
    Duration::from_millis(6400),
];
/// Nothing is begun when less time than this is left: a request and a message to the failure queue take 7 s each at most.
const RESERVE: SignedDuration = SignedDuration::from_secs(15);
/// A longer record is kept without its images.
const MAX_KEPT_BYTES: usize = 240 * 1024;

/// A record and what is left to do for it.
pub(super) struct Item {
    pub(super) sequence: Option<String>,
    pub(super) raw: Value,
    /// A record of the ledger's stream.
    pub(super) is_ours: bool,
    pub(super) todo: Todo,
}

pub(super) enum Todo {
    Put(Event),
    /// With the reason.
    SetAside(String),
    Done,
}

/// What one batch led to, for the log.
#[derive(Debug, Default)]
struct Counts {
    published: usize,
    set_aside: usize,
    requests: usize,
}

pub(super) struct Publisher<'a> {
    pub(super) bus: &'a dyn Bus,
    pub(super) failures: &'a dyn Failures,
    pub(super) clock: &'a dyn Clock,
    pub(super) deadline: Timestamp,
}

impl Publisher<'_> {
    /// Answers with the sequence number of the first record that is neither published nor set aside, if any is left.
    pub(super) async fn publish(&self, mut items: Vec<Item>) -> Result<Option<String>, BatchError> {
        let mut counts = Counts::default();
        let mut start = 0;
        let mut left = None;
        while start < items.len() {
            let end = start + window(&items[start..]);
            let window = &mut items[start..end];
            self.finish(window, &mut counts).await;
            if let Some(first) = window.iter().position(|item| !item.is_done()) {
                left = Some(start + first);
                break;
            }
            start = end;
        }
        let first = left.map(|at| items[at].sequence.clone());
        tracing::info!(
            target: "vendorbridge",
            records = items.len(),
            published = counts.published,
            set_aside = counts.set_aside,
            requests = counts.requests,
            failed = left.map_or(0, |at| items.len() - at),
            sequence = first.as_ref().and_then(Option::as_deref),
            "changes.done"
        );
        first
            .map(|sequence| sequence.ok_or(BatchError::Nameless))
            .transpose()
    }

    /// Works on a window until it is done, tries or time are used up.
    async fn finish(&self, window: &mut [Item], counts: &mut Counts) {
        let mut one_by_one = false;
        for pause in PAUSES.iter().map(Some).chain([None]) {
            if !self.has_time(Duration::ZERO) {
                return;
            }
            self.put(window, &mut one_by_one, counts).await;
            self.set_aside(window, counts).await;
            if window.iter().all(Item::is_done) {
                return;
            }
            match pause {
                Some(pause) if self.has_time(*pause) => self.clock.sleep(*pause).await,
                _ => return,
            }
        }
    }

    async fn put(&self, window: &mut [Item], one_by_one: &mut bool, counts: &mut Counts) {
        let waiting = |window: &[Item]| -> Vec<usize> {
            (0..window.len())
                .filter(|at| matches!(window[*at].todo, Todo::Put(_)))
                .collect()
        };
        let all = waiting(window);
        if !*one_by_one && all.len() > 1 {
            *one_by_one = self.request(window, &all, counts).await.is_err();
            if !*one_by_one {
                return;
            }
        }
        // The bus refused a request for something in it: alone, the others go through.
        for at in waiting(window) {
            if !self.has_time(Duration::ZERO) {
                return;
            }
            if let Err(refusal) = self.request(window, &[at], counts).await {
                judge(&mut window[at], Err(refusal), counts);
            }
        }
    }

    /// One request with these events. The error is the permanent refusal of the request as a whole.
    async fn request(
        &self,
        window: &mut [Item],
        chosen: &[usize],
        counts: &mut Counts,
    ) -> Result<(), Refusal> {
        let events: Vec<_> = chosen.iter().filter_map(|at| window[*at].event()).collect();
        if events.is_empty() {
            return Ok(());
        }
        counts.requests += 1;
        match self.bus.put(&events).await {
            // An answer that does not name each event says nothing of any.
            Ok(results) if results.len() == events.len() => {
                for (at, result) in chosen.iter().zip(results) {
                    judge(&mut window[*at], result, counts);
                }
                Ok(())
            }
            Ok(_) => {
                warn_failed("another number of answers than of events");
                Ok(())
            }
            Err(refusal) if refusal.is_permanent => Err(refusal),
            Err(refusal) => {
                warn_failed(&refusal.code);
                Ok(())
            }
        }
    }

    /// Keeps what cannot be published, so that it is not in the way.
    async fn set_aside(&self, window: &mut [Item], counts: &mut Counts) {
        for item in window {
            let Todo::SetAside(reason) = &item.todo else {
                continue;
            };
            if !self.has_time(Duration::ZERO) {
                return;
            }
            let sequence = item.sequence.as_deref();
            match self.failures.keep(&kept(&item.raw, reason, item.is_ours)).await {
                Ok(()) => {
                    tracing::warn!(target: "vendorbridge", sequence, reason, "changes.set_aside");
                    item.todo = Todo::Done;
                    counts.set_aside += 1;
                }
                Err(code) => {
                    tracing::error!(target: "vendorbridge", sequence, reason, code, "changes.not_set_aside");
                }
            }
        }
    }

    fn has_time(&self, pause: Duration) -> bool {
        let pause = SignedDuration::try_from(pause).unwrap_or(SignedDuration::MAX);
        let needed = RESERVE.saturating_add(pause);
        self.deadline.duration_since(self.clock.now()) >= needed
    }
}

impl Item {
    fn is_done(&self) -> bool {
        matches!(self.todo, Todo::Done)
    }

    fn event(&self) -> Option<&Event> {
        match &self.todo {
            Todo::Put(event) => Some(event),
            _ => None,
        }
    }
}

/// How many items from the front belong to one request: each key once, within the limits.
fn window(items: &[Item]) -> usize {
    let mut keys = HashSet::new();
    let (mut todo, mut bytes) = (0, 0);
    for (at, item) in items.iter().enumerate() {
        let (is_new_key, size) = match &item.todo {
            Todo::Done => continue,
            Todo::SetAside(_) => (true, 0),
            Todo::Put(event) => (keys.insert(event.key.as_str()), event.size()),
        };
        // One that is too large for any request goes alone; the bus is not even asked.
        let is_full = todo == MAX_ENTRIES || bytes + size > MAX_BYTES;
        if todo > 0 && (is_full || !is_new_key) {
            return at;
        }
        todo += 1;
        bytes += size;
    }
    items.len()
}

fn judge(item: &mut Item, result: Result<String, Refusal>, counts: &mut Counts) {
    match result {
        Ok(_) => {
            item.todo = Todo::Done;
            counts.published += 1;
        }
        Err(refusal) if refusal.is_permanent => {
            item.todo = Todo::SetAside(format!("the bus refuses the event: {}", refusal.code));
        }
        Err(refusal) => warn_failed(&refusal.code),
    }
}

fn warn_failed(code: &str) {
    tracing::warn!(target: "vendorbridge", code, "changes.refused");
}

/// The event if a request can hold it, else why not.
pub(super) fn within_limit(event: Event) -> Result<Event, String> {
    match event.size() {
        size if size > MAX_BYTES => Err(format!(
            "expected an event of at most {MAX_BYTES} bytes, found {size}"
        )),
        _ => Ok(event),
    }
}

/// What the failure queue gets: the record and the reason. A message is limited, so long ones lose their images, and what is
/// no record at all its end.
///
/// The ledger's own images can hold what an event carried, personal data included; they are in the table to be read.
fn kept(raw: &Value, reason: &str, is_ours: bool) -> String {
    let whole = json!({ "reason": reason, "record": raw }).to_string();
    if whole.len() <= MAX_KEPT_BYTES && !is_ours {
        return whole;
    }
    let mut short = raw.clone();
    if let Some(body) = short.get_mut("dynamodb").and_then(Value::as_object_mut) {
        body.remove("NewImage");
        body.remove("OldImage");
    }
    let short = json!({ "reason": reason, "without": "images", "record": short }).to_string();
    if short.len() <= MAX_KEPT_BYTES {
        return short;
    }
    if is_ours {
        return json!({ "reason": reason, "without": "all of it" }).to_string();
    }
    let start: String = raw.to_string().chars().take(MAX_KEPT_BYTES / 16).collect();
    json!({ "reason": reason, "without": "the end", "record": start }).to_string()
}
