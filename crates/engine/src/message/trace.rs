//! Trace context: which trace an event belongs to, as W3C's `traceparent` (<https://www.w3.org/TR/trace-context/>).
//!
//! It says where a call comes from, nothing about what to do: one that cannot be read is as good as none.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Length of a `traceparent` of version 00.
const LENGTH: usize = 55;

/// The place in a trace that an event was sent from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct TraceParent {
    trace: u128,
    parent: u64,
    flags: u8,
}

/// What is no `traceparent`. Without what was found: it is somebody else's text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected a traceparent, 00-<32 hexadecimal digits>-<16>-<2>, found something else")]
pub struct InvalidTraceParent;

impl TraceParent {
    /// Of an event's detail: `traceparent`, else `metadata.traceparent`.
    pub(super) fn of_detail(detail: &Value) -> Option<Self> {
        ["/traceparent", "/metadata/traceparent"]
            .iter()
            .find_map(|at| detail.pointer(at)?.as_str()?.parse().ok())
    }

    /// Of an X-Ray tracing header, `Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1`, which SQS
    /// keeps as `AWSTraceHeader`
    /// (<https://docs.aws.amazon.com/xray/latest/devguide/xray-concepts.html#xray-concepts-tracingheader>).
    /// Without a parent there is no place in the trace to name.
    #[must_use]
    pub fn of_xray(header: &str) -> Option<Self> {
        let field = |name: &str| {
            let mut fields = header.split(';').filter_map(|field| field.trim().split_once('='));
            fields.find_map(|(key, value)| (key == name).then_some(value))
        };
        let (epoch, unique) = field("Root")?.strip_prefix("1-")?.split_once('-')?;
        if (epoch.len(), unique.len()) != (8, 24) {
            return None;
        }
        let parent = field("Parent")?.to_ascii_lowercase();
        let flags = if field("Sampled") == Some("1") { "01" } else { "00" };
        let trace = format!("{epoch}{unique}").to_ascii_lowercase();
        format!("00-{trace}-{parent}-{flags}").parse().ok()
    }

    /// As an X-Ray tracing header, of these three fields and no others: Lambda's own has more, which are about its invocation.
    #[must_use]
    pub fn to_xray(self) -> String {
        let trace = format!("{:032x}", self.trace);
        let (epoch, unique) = trace.split_at(8);
        format!(
            "Root=1-{epoch}-{unique};Parent={:016x};Sampled={}",
            self.parent,
            self.flags & 1
        )
    }

    /// The same trace, from a place of its own within it: each call to others is one. 0 names no place.
    #[must_use]
    pub fn child(self, span: u64) -> Self {
        let parent = if span == 0 { 1 } else { span };
        Self { parent, ..self }
    }
}

/// A later version may have more behind the four fields, and those must still be read.
impl FromStr for TraceParent {
    type Err = InvalidTraceParent;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (known, rest) = text.split_at_checked(LENGTH).ok_or(InvalidTraceParent)?;
        let mut fields = known.split('-');
        let mut next = |length: usize| {
            let is_digit = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
            let field = fields.next().filter(|field| field.len() == length)?;
            field
                .bytes()
                .all(is_digit)
                .then(|| u128::from_str_radix(field, 16).ok())?
        };
        let (Some(version), Some(trace), Some(parent), Some(flags)) = (next(2), next(32), next(16), next(2))
        else {
            return Err(InvalidTraceParent);
        };
        let ends = if version == 0 {
            rest.is_empty()
        } else {
            rest.is_empty() || rest.starts_with('-')
        };
        if version == 0xff || trace == 0 || parent == 0 || !ends {
            return Err(InvalidTraceParent);
        }
        Ok(Self {
            trace,
            parent: u64::try_from(parent).map_err(|_| InvalidTraceParent)?,
            // Of the flags only the first is known, and the others must not be passed on.
            flags: u8::try_from(flags & 1).map_err(|_| InvalidTraceParent)?,
        })
    }
}

impl fmt::Display for TraceParent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "00-{:032x}-{:016x}-{:02x}",
            self.trace, self.parent, self.flags
        )
    }
}

impl TryFrom<String> for TraceParent {
    type Error = InvalidTraceParent;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<TraceParent> for String {
    fn from(trace: TraceParent) -> Self {
        trace.to_string()
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use serde_json::json;

    use super::*;

    const TRACE: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

    #[rstest]
    #[case::sampled(TRACE, Some(TRACE))]
    #[case::not_sampled(
        "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00",
        Some("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00")
    )]
    #[case::flags_of_others_are_dropped(
        "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-ff",
        Some(TRACE)
    )]
    #[case::a_later_version("01-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-more", Some(TRACE))]
    #[case::a_later_version_that_runs_on("01-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01more", None)]
    #[case::more_than_version_00_has("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-more", None)]
    #[case::version_ff("ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", None)]
    #[case::no_trace("00-00000000000000000000000000000000-b7ad6b7169203331-01", None)]
    #[case::no_parent("00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01", None)]
    #[case::capitals("00-0AF7651916CD43DD8448EB211C80319C-B7AD6B7169203331-01", None)]
    #[case::a_sign("00-+af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", None)]
    #[case::cut("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331", None)]
    #[case::fields_of_other_lengths("00-0af7651916cd43dd8448eb211c80319-cb7ad6b7169203331-01", None)]
    #[case::a_character_across_the_end("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-0\u{e9}", None)]
    #[case::a_line_break("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01\r\nx: y", None)]
    #[case::nothing("", None)]
    fn reads(#[case] text: &str, #[case] expected: Option<&str>) {
        let read = text.parse::<TraceParent>().ok();
        assert_eq!(read.map(|trace| trace.to_string()).as_deref(), expected);
    }

    #[rstest]
    #[case::sampled(
        "Root=1-0af76519-16cd43dd8448eb211c80319c;Parent=b7ad6b7169203331;Sampled=1",
        Some(TRACE)
    )]
    #[case::in_another_order(
        "Sampled=1; Parent=b7ad6b7169203331; Root=1-0af76519-16cd43dd8448eb211c80319c; Lineage=1:a:0",
        Some(TRACE)
    )]
    #[case::undecided(
        "Root=1-0af76519-16cd43dd8448eb211c80319c;Parent=b7ad6b7169203331;Sampled=?",
        Some("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00")
    )]
    #[case::no_parent("Root=1-0af76519-16cd43dd8448eb211c80319c;Sampled=1", None)]
    #[case::another_version("Root=2-0af76519-16cd43dd8448eb211c80319c;Parent=b7ad6b7169203331", None)]
    #[case::a_root_of_another_length(
        "Root=1-0af7651916-cd43dd8448eb211c80319c;Parent=b7ad6b7169203331",
        None
    )]
    #[case::no_header("", None)]
    fn reads_xray(#[case] header: &str, #[case] expected: Option<&str>) {
        let read = TraceParent::of_xray(header);
        assert_eq!(read.map(|trace| trace.to_string()).as_deref(), expected);
    }

    #[rstest]
    #[case::as_it_is(
        "Root=1-0af76519-16cd43dd8448eb211c80319c;Parent=b7ad6b7169203331;Sampled=1",
        "Root=1-0af76519-16cd43dd8448eb211c80319c;Parent=b7ad6b7169203331;Sampled=1"
    )]
    #[case::lambdas_own(
        "Root=1-00000001-06cd43dd8448eb211c80319c;Parent=07ad6b7169203331;Sampled=0;Lineage=1:fc3b4ff1:0",
        "Root=1-00000001-06cd43dd8448eb211c80319c;Parent=07ad6b7169203331;Sampled=0"
    )]
    fn writes_xray(#[case] header: &str, #[case] expected: &str) {
        assert_eq!(TraceParent::of_xray(header).unwrap().to_xray(), expected);
    }

    #[rstest]
    #[case::itself(json!({"traceparent": TRACE}), true)]
    #[case::in_the_metadata(json!({"metadata": {"traceparent": TRACE}}), true)]
    #[case::the_second_where_the_first_is_bad(json!({"traceparent": "bad", "metadata": {"traceparent": TRACE}}), true)]
    #[case::another_type(json!({"traceparent": 1}), false)]
    #[case::none(json!({}), false)]
    #[case::no_object(json!("x"), false)]
    fn is_looked_for_in_the_detail(#[case] detail: Value, #[case] is_found: bool) {
        assert_eq!(
            TraceParent::of_detail(&detail),
            TRACE.parse().ok().filter(|_| is_found)
        );
    }

    #[test]
    fn a_child_stays_in_the_trace() {
        let trace: TraceParent = TRACE.parse().unwrap();
        assert_eq!(
            trace.child(0xa).to_string(),
            "00-0af7651916cd43dd8448eb211c80319c-000000000000000a-01"
        );
        assert!(trace.child(0).to_string().parse::<TraceParent>().is_ok());
    }
}
