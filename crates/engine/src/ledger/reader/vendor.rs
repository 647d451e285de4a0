//! The vendor's record, read and changed by a person.

use super::{Reader, failed, record};
use crate::Error;
use crate::ledger::VendorRecord;
use crate::ledger::dynamo::{put_vendor, vendor_conflict, vendor_item, vendor_key};

/// How often a change is tried: functions write the record too, in trouble several times a second.
const TRIES: u32 = 8;

/// What became of a change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VendorChange {
    /// The record as it was found.
    pub before: VendorRecord,
    /// The record that was written; `None` if there was nothing to change.
    pub written: Option<VendorRecord>,
}

impl VendorChange {
    /// The record that stands now.
    #[must_use]
    pub fn after(&self) -> &VendorRecord {
        self.written.as_ref().unwrap_or(&self.before)
    }
}

impl Reader {
    /// The record of a vendor, strongly consistent; `None` if it never failed and was never paused.
    ///
    /// # Errors
    /// If the table cannot be read, or the record is not one of ours.
    pub async fn vendor(&self, vendor: &str) -> Result<Option<VendorRecord>, Error> {
        let answer = self
            .client
            .get_item()
            .table_name(&self.table)
            .set_key(Some(vendor_key(vendor)))
            .consistent_read(true)
            .send()
            .await
            .map_err(|error| failed(&error))?;
        answer.item.map(record).transpose()
    }

    /// Changes the record of a vendor. `change` answers with the next record, or `None` if nothing is to be changed; it is asked
    /// again if somebody else writes in between.
    ///
    /// # Errors
    /// If the table cannot be read or written, or the record is not one of ours. An error of kind
    /// [`Conflict`](crate::ErrorKind::Conflict) means that somebody else was faster every time.
    pub async fn change_vendor(
        &self,
        vendor: &str,
        change: impl Fn(&VendorRecord) -> Option<VendorRecord>,
    ) -> Result<VendorChange, Error> {
        for _ in 0..TRIES {
            let found = self.vendor(vendor).await?;
            let before = found.unwrap_or_else(|| VendorRecord::new(vendor));
            let Some(next) = change(&before) else {
                return Ok(VendorChange {
                    before,
                    written: None,
                });
            };
            let item = vendor_item(&next)?;
            let put = put_vendor(&self.client, &self.table, item, next.revision).await;
            if put.map_err(|error| failed(&error))? {
                let written = Some(next);
                return Ok(VendorChange { before, written });
            }
        }
        Err(vendor_conflict())
    }
}
