//! An entity and its vendor in one read.

use aws_sdk_dynamodb::types::KeysAndAttributes;

use super::{Reader, record};
use crate::ledger::dynamo::{entity_key, vendor_key, vendor_of};
use crate::ledger::{EntityRecord, VendorRecord};
use crate::{EntityKey, Error};

/// An entity's record and its vendor's, of the same moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EntityStanding {
    /// `None` if the vendor never saw the entity.
    pub entity: Option<EntityRecord>,
    /// A new one if it never failed and was never paused.
    pub vendor: VendorRecord,
}

impl Reader {
    /// How an entity and its vendor stand: one strongly consistent `BatchGetItem`.
    ///
    /// # Errors
    /// If the table cannot be read, or the entity's record is not one of ours.
    pub async fn standing(&self, vendor: &str, entity: &EntityKey) -> Result<EntityStanding, Error> {
        let keys = KeysAndAttributes::builder()
            .keys(entity_key(vendor, entity))
            .keys(vendor_key(vendor))
            .consistent_read(true);
        let mut standing = EntityStanding {
            entity: None,
            vendor: VendorRecord::new(vendor),
        };
        for item in self.get(keys).await? {
            if item.contains_key("entity") {
                standing.entity = Some(record(item)?);
            } else {
                standing.vendor = vendor_of(vendor, &item);
            }
        }
        Ok(standing)
    }
}
