//! The line `sync.settled` (docs/LOGGING.md).

use std::fmt::Write;

use serde_json::Value;

use crate::output;

/// A settled event, as the function logged it.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Settled(Value);

impl Settled {
    /// The line, if it is one; Lambda's own lines are none.
    pub(super) fn of(line: &str) -> Option<Self> {
        let value: Value = serde_json::from_str(line.trim()).ok()?;
        (value["message"] == "sync.settled").then_some(Self(value))
    }

    pub(super) fn status(&self) -> &str {
        self.text("status")
    }

    /// The line for programs, or for people.
    pub(super) fn show(&self, json: bool) -> String {
        if json {
            format!("{}\n", self.0)
        } else {
            output::paint(&self.words())
        }
    }

    fn words(&self) -> String {
        let time = self.text("timestamp");
        let mut words = format!(
            "{}  {:<12}  {:<9}  {}",
            time.get(..19).unwrap_or(time),
            self.text("vendor"),
            self.status(),
            self.text("entity")
        );
        if let Some(ms) = self.0["freshness_ms"].as_u64() {
            _ = write!(words, "  {}", output::duration(ms));
        }
        for (name, field) in [
            ("stage", "at "),
            ("step", "step "),
            ("pointer", "field "),
            ("error", ""),
            ("code", "code "),
        ] {
            if let Some(value) = self.0[name].as_str() {
                _ = write!(words, "  {field}{value}");
            }
        }
        if let Some(at) = self.0["wake_at"].as_str() {
            _ = write!(words, "  again {at}");
        }
        _ = writeln!(words, "  {}", self.text("event_id"));
        words
    }

    fn text(&self, field: &str) -> &str {
        self.0[field].as_str().unwrap_or("-")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LINE: &str = r#"{"timestamp":"2026-01-29T14:36:45.020551Z","level":"INFO","message":"sync.settled","vendor":"mailchimp",
        "entity":"customer/c-4714","event_id":"5be7d913","status":"REJECTED","attempt":1,"freshness_ms":1020,
        "error":"invalid","verdict":"permanent","stage":"map","pointer":"/email"}"#;

    #[test]
    fn people_read_what_failed() {
        let words = Settled::of(LINE).unwrap().words();
        let words = words.split_whitespace().collect::<Vec<_>>().join(" ");
        let expected = "2026-01-29T14:36:45 mailchimp REJECTED customer/c-4714 1.0 s at map field /email invalid 5be7d913";
        assert_eq!(words, expected);
    }

    #[test]
    fn programs_read_the_log_s_own_line() {
        let line = Settled::of(LINE).unwrap().show(true);
        assert_eq!(line.lines().count(), 1);
        let shown: Value = serde_json::from_str(&line).unwrap();
        assert_eq!(shown, serde_json::from_str::<Value>(LINE).unwrap());
    }

    #[test]
    fn other_lines_are_none() {
        for line in ["START RequestId: 1", "{}", r#"{"message": "circuit.open"}"#] {
            assert_eq!(Settled::of(line), None);
        }
    }
}
