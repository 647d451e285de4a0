//! Dates as PortaBilling writes and reads them: `YYYY-MM-DD HH:MM:SS`, in UTC.

use jiff::{Timestamp, civil::DateTime, tz::TimeZone};

const FORMAT: &str = "%Y-%m-%d %H:%M:%S";

pub(super) fn text(time: Timestamp) -> String {
    time.strftime(FORMAT).to_string()
}

/// None for any other shape, also one that only leaves out a zero.
pub(super) fn parse(text: &str) -> Option<Timestamp> {
    let time = DateTime::strptime(FORMAT, text).ok()?;
    let time = time.to_zoned(TimeZone::UTC).ok()?.timestamp();
    (self::text(time) == text).then_some(time)
}
