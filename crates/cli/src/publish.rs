//! Events on their way to the bus: read from files, checked, put in batches.

use std::io::Read;
use std::ops::Range;
use std::path::Path;
use std::time::Duration;

use aws_sdk_eventbridge::Client;
use aws_sdk_eventbridge::types::{PutEventsRequestEntry, PutEventsResultEntry};
use serde_json::{Map, Value};

use crate::CliError;
use crate::error::{Unsent, one_line};

/// `PutEvents` takes at most ten entries
/// (<https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutEvents.html>) …
const MAX_ENTRIES: usize = 10;
/// … of together at most this many bytes.
const MAX_BYTES: usize = 1024 * 1024;
/// The longest detail type that `PutEvents` takes.
const MAX_DETAIL_TYPE_CHARS: usize = 128;
/// How often an entry that was not accepted is put again.
const RETRIES: u32 = 3;
const ACTION: &str = "putting events on the bus";

/// One event of a file.
#[derive(Debug, Clone, PartialEq)]
pub struct Draft {
    /// Who sends it.
    pub source: String,
    /// What kind of event it is.
    pub detail_type: String,
    /// The sender's own part: an object.
    pub detail: Value,
    /// What else it concerns: ARNs, mostly none.
    pub resources: Vec<String>,
    /// The file it stands in.
    pub file: String,
    /// Which of the file's events it is, from 1.
    pub number: usize,
}

/// Reads one event or an array of them; `-` is standard input.
///
/// The envelope's `id`, `time`, `account` and `region` are left behind: the bus gives each event its own.
///
/// # Errors
/// Names file, event and field, what was found and what was expected.
pub fn read(path: &Path) -> Result<Vec<Draft>, CliError> {
    let (file, bytes) = if path.as_os_str() == "-" {
        let mut bytes = Vec::new();
        let read = std::io::stdin().lock().read_to_end(&mut bytes);
        ("standard input".to_owned(), read.map(|_| bytes))
    } else {
        (path.display().to_string(), std::fs::read(path))
    };
    match bytes {
        Ok(bytes) => parse(&file, &bytes),
        Err(error) => Err(CliError::File { file, error }),
    }
}

/// The same for what has been read already.
///
/// # Errors
/// As [`read`].
pub fn parse(file: &str, bytes: &[u8]) -> Result<Vec<Draft>, CliError> {
    let value = serde_json::from_slice(bytes).map_err(|error| CliError::Event {
        place: file.to_owned(),
        expected: "JSON: one event or an array of events",
        found: match error.classify() {
            serde_json::error::Category::Eof => "an early end".to_owned(),
            // serde_json's words for a syntax error never quote the text.
            _ => error.to_string(),
        },
    })?;
    let events = match value {
        Value::Array(events) if events.is_empty() => {
            return Err(CliError::Event {
                place: file.to_owned(),
                expected: "at least one event",
                found: "an empty array".to_owned(),
            });
        }
        Value::Array(events) => events,
        event => vec![event],
    };
    let numbered = events.into_iter().zip(1..);
    numbered
        .map(|(event, number)| draft(file, number, event))
        .collect()
}

fn draft(file: &str, number: usize, event: Value) -> Result<Draft, CliError> {
    let invalid = |field: &str, expected, found: String| CliError::Event {
        place: format!("{}{field}", place(file, number)),
        expected,
        found,
    };
    let mut event = match event {
        Value::Object(event) => event,
        other => return Err(invalid("", "an event: an object", kind(Some(&other)).to_owned())),
    };
    if !event.contains_key("detail-type") && event.contains_key("DetailType") {
        let found = "an entry of PutEvents (`Source`, `DetailType`, `Detail`)".to_owned();
        let expected = "an EventBridge envelope (`source`, `detail-type`, `detail`)";
        return Err(invalid("", expected, found));
    }
    let text = |event: &mut Map<String, Value>, field| match event.remove(field) {
        Some(Value::String(text)) if !text.is_empty() => Ok(text),
        Some(Value::String(_)) => Err(invalid(&format!(", `{field}`"), "a text", "an empty one".into())),
        other => Err(invalid(
            &format!(", `{field}`"),
            "a text",
            kind(other.as_ref()).into(),
        )),
    };
    let source = text(&mut event, "source")?;
    if source.starts_with("aws.") {
        let expected = "a source of your own: `aws.` is reserved";
        return Err(invalid(
            ", `source`",
            expected,
            "one that starts with `aws.`".into(),
        ));
    }
    let detail_type = text(&mut event, "detail-type")?;
    let chars = detail_type.chars().count();
    if chars > MAX_DETAIL_TYPE_CHARS {
        let expected = "at most 128 characters";
        return Err(invalid(", `detail-type`", expected, chars.to_string()));
    }
    let detail = match event.remove("detail") {
        Some(detail @ Value::Object(_)) => detail,
        other => return Err(invalid(", `detail`", "an object", kind(other.as_ref()).into())),
    };
    let resources = match event.remove("resources") {
        None => Vec::new(),
        Some(resources) => serde_json::from_value(resources)
            .map_err(|_| invalid(", `resources`", "an array of texts", "something else".into()))?,
    };
    let draft = Draft {
        source,
        detail_type,
        detail,
        resources,
        file: file.to_owned(),
        number,
    };
    match draft.size() {
        size if size > MAX_BYTES => Err(invalid("", "an event of at most 1 MiB", format!("{size} bytes"))),
        _ => Ok(draft),
    }
}

impl Draft {
    /// What counts against the limit
    /// (<https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-putevent-size.html>).
    fn size(&self) -> usize {
        let resources: usize = self.resources.iter().map(String::len).sum();
        self.source.len() + self.detail_type.len() + self.detail.to_string().len() + resources
    }

    fn entry(&self, bus: &str) -> PutEventsRequestEntry {
        PutEventsRequestEntry::builder()
            .event_bus_name(bus)
            .source(&self.source)
            .detail_type(&self.detail_type)
            .detail(self.detail.to_string())
            .set_resources((!self.resources.is_empty()).then(|| self.resources.clone()))
            .build()
    }
}

/// Puts the events on the bus, in their order, and answers with their ids in the same order.
///
/// A batch follows when the one before has been accepted, so that events of one entity keep their order; only an
/// entry that is refused at first may end up behind its batch.
///
/// # Errors
/// [`CliError::Unsent`] names the events that the bus refuses after retries; all others were sent.
/// [`CliError::Stopped`] if a whole call fails.
pub async fn publish(client: &Client, bus: &str, drafts: &[Draft]) -> Result<Vec<String>, CliError> {
    let mut ids = Vec::with_capacity(drafts.len());
    let mut missing = Vec::new();
    for range in batches(drafts) {
        let batch = &drafts[range];
        let mut outcomes = vec![None; batch.len()];
        let put = put(client, bus, batch, &mut outcomes).await;
        for (outcome, draft) in outcomes.into_iter().zip(batch) {
            match outcome {
                Some(Ok(id)) => ids.push(id),
                Some(Err(unsent)) => missing.push(unsent),
                None => missing.push(Unsent {
                    place: place(&draft.file, draft.number),
                    code: "not sent".to_owned(),
                    message: "no answer".to_owned(),
                }),
            }
        }
        put.map_err(|cause| CliError::Stopped {
            cause: Box::new(cause),
            sent: ids.len(),
            total: drafts.len(),
        })?;
    }
    if missing.is_empty() {
        Ok(ids)
    } else {
        let sent = ids.len();
        Err(CliError::Unsent { sent, missing })
    }
}

type Outcome = Option<Result<String, Unsent>>;

/// Puts one batch, and again what was refused; the outcomes stand in the batch's order.
async fn put(client: &Client, bus: &str, batch: &[Draft], outcomes: &mut [Outcome]) -> Result<(), CliError> {
    let mut waiting: Vec<usize> = (0..batch.len()).collect();
    for round in 0..=RETRIES {
        if round > 0 {
            tokio::time::sleep(Duration::from_millis(100 << round)).await;
        }
        let entries = waiting.iter().map(|&index| batch[index].entry(bus)).collect();
        let request = client.put_events().set_entries(Some(entries));
        let answer = request
            .send()
            .await
            .map_err(|error| CliError::of_sdk(ACTION, &error))?;
        let results = answer.entries();
        if results.len() != waiting.len() {
            let message = format!("expected {} results, found {}", waiting.len(), results.len());
            return Err(contradiction(message));
        }
        for (&index, result) in waiting.iter().zip(results) {
            outcomes[index] = Some(outcome(&batch[index], result));
        }
        waiting.retain(|&index| matches!(outcomes[index], Some(Err(_))));
        if waiting.is_empty() && answer.failed_entry_count() > 0 {
            let count = answer.failed_entry_count();
            let message = format!("expected the {count} entries counted as failed to be named, found none");
            return Err(contradiction(message));
        }
        if waiting.is_empty() {
            break;
        }
    }
    Ok(())
}

fn outcome(draft: &Draft, result: &PutEventsResultEntry) -> Result<String, Unsent> {
    match (result.error_code(), result.event_id()) {
        (None, Some(id)) => Ok(id.to_owned()),
        (code, _) => Err(Unsent {
            place: place(&draft.file, draft.number),
            code: code.unwrap_or("no code").to_owned(),
            message: one_line(result.error_message().unwrap_or("no reason given")),
        }),
    }
}

fn contradiction(message: String) -> CliError {
    let action = ACTION;
    CliError::Call { action, message }
}

/// Cuts the events into what `PutEvents` takes at once.
fn batches(drafts: &[Draft]) -> Vec<Range<usize>> {
    let mut batches = Vec::new();
    let mut start = 0;
    let mut bytes = 0;
    for (index, draft) in drafts.iter().enumerate() {
        let size = draft.size();
        if index > start && (index - start == MAX_ENTRIES || bytes + size > MAX_BYTES) {
            batches.push(start..index);
            start = index;
            bytes = 0;
        }
        bytes += size;
    }
    if start < drafts.len() {
        batches.push(start..drafts.len());
    }
    batches
}

fn place(file: &str, number: usize) -> String {
    format!("{file}: event {number}")
}

fn kind(value: Option<&Value>) -> &'static str {
    match value {
        None => "none",
        Some(Value::Null) => "null",
        Some(Value::Bool(_)) => "a boolean",
        Some(Value::Number(_)) => "a number",
        Some(Value::String(_)) => "a text",
        Some(Value::Array(_)) => "an array",
        Some(Value::Object(_)) => "an object",
    }
}

#[cfg(test)]
mod tests;
