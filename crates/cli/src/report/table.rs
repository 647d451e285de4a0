//! The report for people and for spreadsheets.

use std::fmt::Write;

use comfy_table::{CellAlignment, ContentArrangement};
use vendorbridge::ledger::Status;

use super::{By, Report, Row, STATUSES};
use crate::output;

impl Row {
    fn count(&self, status: Status) -> String {
        self.events.get(&status).copied().unwrap_or(0).to_string()
    }
}

impl Report {
    /// The report for people.
    #[must_use]
    pub fn text(&self, width: u16) -> String {
        let (since, until) = (output::time(self.since), output::time(self.until));
        let title = format!("Events of {} from {since} to {until}\n", self.stack);
        let unreadable = match self.left_out() {
            text if text.is_empty() => text,
            text => format!("\n{text}"),
        };
        if self.rows.is_empty() {
            return format!("{title}\nNone\n{unreadable}");
        }
        let mut header = vec!["vendor"];
        header.extend(match self.by {
            By::Vendor => None,
            By::Status => Some("status"),
            By::Hour => Some("hour (UTC)"),
        });
        let texts = header.len();
        header.push("events");
        if self.by != By::Status {
            header.extend(STATUSES.map(Status::name));
        }
        header.extend(["p50", "p99"]);
        let mut table = output::table(&header, width);
        table.set_content_arrangement(ContentArrangement::Disabled); // numbers do not wrap
        for column in table.column_iter_mut().skip(texts) {
            column.set_cell_alignment(CellAlignment::Right);
        }
        table.add_rows(self.rows.iter().map(|row| self.cells(row)));
        format!(
            "{title}{}\np50 and p99: from the event to the vendor, of what is SYNCED, DELETED or UNCHANGED.\n{unreadable}",
            output::lines(&table)
        )
    }

    /// What counts in no row, a line for each vendor that has some.
    pub(super) fn left_out(&self) -> String {
        let some = self.unreadable.iter().filter(|(_, found)| found.count > 0);
        some.fold(String::new(), |mut text, (vendor, found)| {
            _ = write!(text, "{vendor}: {}", output::unreadable(found));
            text
        })
    }

    fn cells(&self, row: &Row) -> Vec<String> {
        let mut cells = vec![row.vendor.clone()];
        cells.extend(row.status.map(|status| status.name().to_owned()));
        cells.extend(row.hour.clone());
        cells.push(row.total.to_string());
        if self.by != By::Status {
            cells.extend(STATUSES.map(|status| row.count(status)));
        }
        let duration = |ms: Option<u64>| ms.map_or("-".to_owned(), output::duration);
        cells.extend([row.freshness_p50_ms, row.freshness_p99_ms].map(duration));
        cells
    }

    /// The report as RFC 4180 has it: always the same columns, empty where one does not apply.
    #[must_use]
    pub fn csv(&self) -> String {
        let statuses = STATUSES.map(|status| status.name().to_lowercase());
        let head = ["vendor", "status", "hour", "total"].map(str::to_owned);
        let tail = ["freshness_p50_ms", "freshness_p99_ms"].map(str::to_owned);
        let header: Vec<_> = head.into_iter().chain(statuses).chain(tail).collect();
        let rows = self.rows.iter().map(|row| {
            let number = |ms: Option<u64>| ms.map_or(String::new(), |ms| ms.to_string());
            let mut cells = vec![
                row.vendor.clone(),
                row.status
                    .map_or(String::new(), |status| status.name().to_owned()),
                row.hour.clone().unwrap_or_default(),
                row.total.to_string(),
            ];
            cells.extend(STATUSES.map(|status| row.count(status)));
            cells.extend([row.freshness_p50_ms, row.freshness_p99_ms].map(number));
            cells
        });
        // Names of vendors, statuses, hours and numbers: nothing that would have to be quoted.
        let lines = std::iter::once(header).chain(rows);
        lines.map(|cells| cells.join(",") + "\r\n").collect()
    }
}
