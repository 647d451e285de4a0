//! What a replay would send, as the vendor's function tells it. Nothing is sent, and the vendor is not called.

use std::collections::BTreeMap;
use std::fmt::Write;

use serde::Serialize;
use serde_json::Value;
use vendorbridge::EntityKey;
use vendorbridge::ask::{Change, MAX_PREVIEWS, Preview, Would};
use vendorbridge::ledger::Unreadable;

use super::report::carried;
use crate::ask::preview;
use crate::progress::Progress;
use crate::session::Session;
use crate::work::Stop;
use crate::{CliError, output};

/// Longer values are cut on screen.
const MAX_VALUE_CHARS: usize = 80;

/// What `replay --dry-run --json` prints:
///
/// ```json
/// {"stack": "vendorbridge", "vendor": "algolia", "dry_run": true, "chosen": 1, "left_out": 0, "would": {"update": 1},
///  "entities": [{"entity": "product/4711", "would": "update", "left_out": 0,
///    "changes": [{"pointer": "/price", "was_sent": true, "after": 12}]}], "unreadable": {"count": 0, "keys": []}}
/// ```
///
/// `would` counts by what a forced sync would do; each entity is as the function answers ([`Preview`]): an absent `before` was not
/// sent, or is not kept (`was_sent`). `left_out` and `unreadable` are those of the run. Values of customers stand here: mind where it goes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Previews {
    stack: String,
    vendor: String,
    dry_run: bool,
    chosen: usize,
    /// Entities whose state only their events have.
    left_out: u64,
    would: BTreeMap<String, usize>,
    entities: Vec<Preview>,
    /// Event records that may have chosen more.
    pub(super) unreadable: Unreadable,
}

impl Previews {
    /// Asks for what would be sent for each of these.
    ///
    /// # Errors
    /// If the vendor's function does not answer.
    pub(crate) async fn read(
        session: &Session,
        vendor: &str,
        entities: &[EntityKey],
        stop: &Stop,
        progress: &mut Progress,
    ) -> Result<Self, CliError> {
        let mut previews = Vec::with_capacity(entities.len());
        for chunk in entities.chunks(MAX_PREVIEWS) {
            if stop.is_told() {
                break;
            }
            previews.extend(preview(session, vendor, chunk.to_vec()).await?);
            progress.add(chunk.len() as u64);
        }
        Ok(Self::of(&session.stack, vendor, entities.len(), previews))
    }

    fn of(stack: &str, vendor: &str, chosen: usize, entities: Vec<Preview>) -> Self {
        let mut would = BTreeMap::new();
        for preview in &entities {
            *would.entry(name(preview.would).to_owned()).or_default() += 1;
        }
        Self {
            stack: stack.to_owned(),
            vendor: vendor.to_owned(),
            dry_run: true,
            chosen,
            left_out: 0,
            would,
            entities,
            unreadable: Unreadable::default(),
        }
    }

    /// The same, without so many that only their events have the state of, and chosen by event records of which these could not be
    /// read.
    pub(super) fn leaving_out(self, left_out: u64, unreadable: Unreadable) -> Self {
        Self {
            left_out,
            unreadable,
            ..self
        }
    }

    /// Whether Ctrl-C came before the end.
    pub(super) fn is_cut_short(&self) -> bool {
        self.entities.len() < self.chosen
    }

    /// Field by field, in words.
    #[must_use]
    pub fn text(&self, _width: u16) -> String {
        let mut text = String::new();
        for preview in &self.entities {
            _ = write!(text, "{}: {}", preview.entity, words(preview.would));
            if let Some(rule) = &preview.rule {
                _ = write!(text, " (rule `{rule}`)");
            }
            if let Some(error) = &preview.error {
                let place = error.pointer.as_deref().map(|place| format!(" at {place}"));
                _ = write!(
                    text,
                    " ({}{}: {})",
                    error.kind.name(),
                    place.unwrap_or_default(),
                    error.message
                );
            }
            text.push('\n');
            for change in &preview.changes {
                _ = writeln!(text, "    {}", line(change));
            }
            if preview.left_out > 0 {
                _ = writeln!(
                    text,
                    "    {} more were sent last and would not be sent now",
                    preview.left_out
                );
            }
        }
        let counts: Vec<_> = self
            .would
            .iter()
            .map(|(would, count)| format!("{count} {would}"))
            .collect();
        let counts = if counts.is_empty() {
            "nothing".to_owned()
        } else {
            counts.join(", ")
        };
        _ = writeln!(
            text,
            "{} chosen at {}: {counts}. dry run: nothing was sent",
            self.chosen, self.vendor
        );
        text.push_str(&carried(self.left_out, &self.vendor));
        text.push_str(&output::unreadable(&self.unreadable));
        text
    }
}

fn line(change: &Change) -> String {
    let after = change.after.as_ref().map_or("nothing".to_owned(), value);
    let pointer = if change.pointer.is_empty() {
        "/"
    } else {
        &change.pointer
    };
    match (&change.before, change.was_sent) {
        (Some(before), _) => format!("{pointer}: {} → {after}", value(before)),
        (None, true) => format!("{pointer}: something else → {after}"),
        (None, false) => format!("{pointer}: nothing → {after}"),
    }
}

fn value(value: &Value) -> String {
    let text = value.to_string();
    match text.char_indices().nth(MAX_VALUE_CHARS) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}

const fn name(would: Would) -> &'static str {
    match would {
        Would::Create => "create",
        Would::Update => "update",
        Would::Repeat => "repeat",
        Would::Remove => "remove",
        Would::Nothing => "nothing",
        Would::Exclude => "exclude",
        Would::Fail => "fail",
    }
}

const fn words(would: Would) -> &'static str {
    match would {
        Would::Create => "would be sent for the first time",
        Would::Update => "would be sent, and differs",
        Would::Repeat => "would be sent as it was sent last",
        Would::Remove => "would be removed",
        Would::Nothing => "nothing: it is not at the source, and was never sent",
        Would::Exclude => "nothing: a rule keeps it out",
        Would::Fail => "would fail before the vendor is called",
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn previews() -> Previews {
        let preview = |entity: &str, would: &str, changes: Value| {
            serde_json::from_value(
                json!({"entity": entity, "would": would, "changes": changes, "left_out": 1}),
            )
            .unwrap()
        };
        let changes = json!([
            {"pointer": "/price", "was_sent": true, "after": 12},
            {"pointer": "/name", "was_sent": true, "before": "a", "after": "b"},
            {"pointer": "/tags", "was_sent": false, "after": ["x"]},
            {"pointer": "/old", "was_sent": true, "before": 1},
        ]);
        let entities = vec![
            preview("product/1", "update", changes),
            preview("product/2", "repeat", json!([])),
        ];
        Previews::of("s", "algolia", 3, entities)
    }

    #[test]
    fn each_field_that_differs_is_named() {
        let text = previews().text(80);
        for line in [
            "    /price: something else → 12\n",
            "    /name: \"a\" → \"b\"\n",
            "    /tags: nothing → [\"x\"]\n",
            "    /old: 1 → nothing\n",
            "    1 more were sent last",
            "3 chosen at algolia: 1 repeat, 1 update. dry run",
        ] {
            assert!(text.contains(line), "{line} in {text}");
        }
    }

    #[test]
    fn what_cannot_be_read_is_told_last() {
        let unreadable = Unreadable {
            count: 1,
            keys: vec!["product/3#t#e".into()],
        };
        let told = "nothing was sent\n1 event record not readable, and left out: product/3#t#e\n";
        let text = previews().leaving_out(0, unreadable).text(80);
        assert!(text.ends_with(told), "{text}");
    }

    #[test]
    fn what_a_run_would_leave_out_is_told() {
        let previews = previews().leaving_out(3, Unreadable::default());
        let text = previews.text(80);
        assert!(text.contains("nothing was sent\n3 left out"), "{text}");
        assert_eq!(serde_json::to_value(previews).unwrap()["left_out"], 3);
    }

    #[test]
    fn what_was_not_looked_at_is_known() {
        assert!(previews().is_cut_short());
        assert_eq!(
            serde_json::to_value(previews()).unwrap()["would"],
            json!({"repeat": 1, "update": 1})
        );
    }

    #[test]
    fn long_values_are_cut() {
        let long = value(&json!("å".repeat(200)));
        assert_eq!(long.chars().count(), MAX_VALUE_CHARS + 1);
    }
}
