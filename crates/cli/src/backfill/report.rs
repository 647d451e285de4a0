//! What `backfill` did.

use serde::Serialize;

use super::Options;
use crate::work::Counts;

const SENT: &str = "sent";
const PAGES: &str = "pages";
const TOTAL: &str = "total";

/// What `backfill --json` prints:
///
/// ```json
/// {"stack": "vendorbridge", "vendor": "algolia", "type": "product", "run": "backfill-0f1e2d3c4b5a", "dry_run": false,
///  "total": 1000, "found": 300, "sent_before": 700, "sent": 300, "pages_before": 7, "pages": 3, "interrupted": false}
/// ```
///
/// `run` is null with `dry_run`. `total` is how many the source said it has, before or now; null if it does not. What has `_before`
/// was done by the run that this one goes on with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Backfilled {
    stack: String,
    vendor: String,
    #[serde(rename = "type")]
    entity_type: String,
    run: Option<String>,
    dry_run: bool,
    pub(super) total: Option<u64>,
    pub(super) found: u64,
    pub(super) sent_before: u64,
    pub(super) sent: u64,
    pub(super) pages_before: u64,
    pub(super) pages: u64,
    pub(super) interrupted: bool,
}

impl Backfilled {
    /// Nothing is done yet, but for what the run goes on from: the last checkpoint's `counts`.
    pub(super) fn new(stack: &str, options: &Options, run: Option<&str>, counts: &Counts) -> Self {
        let before = |name| counts.get(name).copied().unwrap_or_default();
        Self {
            stack: stack.to_owned(),
            vendor: options.vendor.clone(),
            entity_type: options.entity_type.clone(),
            run: run.map(str::to_owned),
            dry_run: options.dry_run,
            total: counts.get(TOTAL).copied(),
            found: 0,
            sent_before: before(SENT),
            sent: 0,
            pages_before: before(PAGES),
            pages: 0,
            interrupted: false,
        }
    }

    /// What a checkpoint keeps of it. The total, too: a run that goes on does not see the first page, which may be the only one that
    /// says it.
    pub(super) fn counts(&self) -> Counts {
        let sent = (SENT.to_owned(), self.sent_before + self.sent);
        let pages = (PAGES.to_owned(), self.pages_before + self.pages);
        let total = self.total.map(|total| (TOTAL.to_owned(), total));
        [sent, pages].into_iter().chain(total).collect()
    }

    /// In words.
    #[must_use]
    pub fn text(&self, _width: u16) -> String {
        let Self {
            vendor,
            entity_type,
            sent,
            sent_before,
            found,
            ..
        } = self;
        let before = match sent_before {
            0 => String::new(),
            before => format!(", {before} before"),
        };
        match (self.dry_run, self.interrupted) {
            (true, false) => format!("the source has {found} of {entity_type}. dry run: nothing was sent\n"),
            (true, true) => format!("stopped: {found} of {entity_type} counted so far\n"),
            (false, false) => {
                format!("{sent} of {entity_type} sent to {vendor}{before}: all that the source has\n")
            }
            (false, true) => format!(
                "stopped: {sent} of {entity_type} sent to {vendor}{before}. The same command goes on from the last page; --restart begins anew.\n"
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;
    use crate::work::Again;

    fn options() -> Options {
        Options {
            vendor: "algolia".into(),
            entity_type: "product".into(),
            rate: 20,
            backlog: 100,
            page: 100,
            dry_run: false,
            again: Again::default(),
        }
    }

    #[rstest]
    #[case::told(Some(1_000))]
    #[case::not_told(None)]
    fn a_run_goes_on_with_what_a_checkpoint_keeps(#[case] total: Option<u64>) {
        let options = options();
        let mut first = Backfilled::new("s", &options, Some("r"), &Counts::new());
        assert_eq!((first.total, first.sent_before, first.pages_before), (None, 0, 0));
        (first.total, first.sent, first.pages) = (total, 700, 7);
        let mut second = Backfilled::new("s", &options, Some("r"), &first.counts());
        assert_eq!(
            (second.total, second.sent_before, second.pages_before),
            (total, 700, 7)
        );
        assert_eq!((second.found, second.sent, second.pages), (0, 0, 0));
        (second.sent, second.pages) = (300, 3);
        let third = Backfilled::new("s", &options, Some("r"), &second.counts());
        assert_eq!(
            (third.total, third.sent_before, third.pages_before),
            (total, 1_000, 10)
        );
    }
}
