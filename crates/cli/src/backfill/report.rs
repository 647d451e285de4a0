//! What `backfill` did.

use serde::Serialize;

use super::{Options, PAGES, SENT};
use crate::work::Job;

/// What `backfill --json` prints:
///
/// ```json
/// {"stack": "vendorbridge", "vendor": "algolia", "type": "product", "run": "backfill-0f1e2d3c4b5a", "dry_run": false,
///  "found": 300, "sent_before": 700, "sent": 300, "pages_before": 7, "pages": 3, "interrupted": false}
/// ```
///
/// `run` is null with `dry_run`. What has `_before` was done by the run that this one goes on with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Backfilled {
    stack: String,
    vendor: String,
    #[serde(rename = "type")]
    entity_type: String,
    run: Option<String>,
    dry_run: bool,
    pub(super) found: u64,
    pub(super) sent_before: u64,
    pub(super) sent: u64,
    pub(super) pages_before: u64,
    pub(super) pages: u64,
    pub(super) interrupted: bool,
}

impl Backfilled {
    /// Nothing is done yet, but for what `job` goes on from.
    pub(super) fn new(stack: &str, options: &Options, job: Option<&Job>) -> Self {
        let before = |name| {
            job.and_then(|job| job.counts().get(name))
                .copied()
                .unwrap_or_default()
        };
        Self {
            stack: stack.to_owned(),
            vendor: options.vendor.clone(),
            entity_type: options.entity_type.clone(),
            run: job.map(|job| job.run().to_owned()),
            dry_run: options.dry_run,
            found: 0,
            sent_before: before(SENT),
            sent: 0,
            pages_before: before(PAGES),
            pages: 0,
            interrupted: false,
        }
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
