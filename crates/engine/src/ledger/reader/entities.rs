//! Many entities of a vendor, a hundred at a time.

use std::collections::{BTreeSet, HashMap};

use aws_sdk_dynamodb::types::KeysAndAttributes;
use aws_sdk_dynamodb::types::builders::KeysAndAttributesBuilder;
use futures::stream::{self, StreamExt, TryStreamExt};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::{MAX_READS, Reader, record};
use crate::ledger::EntityRecord;
use crate::ledger::dynamo::entity_key;
use crate::{EntityKey, Error};

/// Batches that are read side by side: the entities may be as many as the vendor has, and live traffic reads the table, too.
const AT_ONCE: usize = 2;

/// What [`Reader::links`] reads of a record.
#[derive(Deserialize)]
struct Linked {
    entity: EntityKey,
    link: Option<String>,
}

impl Reader {
    /// The records of entities, strongly consistent; one that the vendor never saw has none.
    ///
    /// # Errors
    /// If the table cannot be read, leaves keys unread after retries (code [`UNPROCESSED_KEYS`](super::UNPROCESSED_KEYS)), or a
    /// record is not one of ours.
    pub async fn entities(
        &self,
        vendor: &str,
        entities: &[EntityKey],
    ) -> Result<HashMap<EntityKey, EntityRecord>, Error> {
        let mut found = HashMap::new();
        let whole = |keys| keys;
        let each = |record: EntityRecord| _ = found.insert(record.entity.clone(), record);
        self.each_of(vendor, entities, whole, each).await?;
        Ok(found)
    }

    /// The vendor's ids of entities, strongly consistent; one without an id is left out. No more of their records is read.
    ///
    /// # Errors
    /// As [`entities`](Self::entities).
    pub async fn links(
        &self,
        vendor: &str,
        entities: &[EntityKey],
    ) -> Result<HashMap<EntityKey, String>, Error> {
        let mut found = HashMap::new();
        let link = |keys: KeysAndAttributesBuilder| {
            keys.projection_expression("#entity, #link")
                .expression_attribute_names("#entity", "entity")
                .expression_attribute_names("#link", "link")
        };
        let each = |Linked { entity, link }| {
            if let Some(link) = link {
                found.insert(entity, link);
            }
        };
        self.each_of(vendor, entities, link, each).await?;
        Ok(found)
    }

    /// Shows `each` record as it comes, so that only a few batches are in memory as they were answered.
    async fn each_of<T: DeserializeOwned>(
        &self,
        vendor: &str,
        entities: &[EntityKey],
        narrowed: impl Fn(KeysAndAttributesBuilder) -> KeysAndAttributesBuilder,
        mut each: impl FnMut(T),
    ) -> Result<(), Error> {
        // A key that is named twice is refused.
        let entities: Vec<_> = entities.iter().collect::<BTreeSet<_>>().into_iter().collect();
        let batches = entities.chunks(MAX_READS).map(|batch| {
            let keys = batch.iter().map(|entity| entity_key(vendor, entity));
            let keys = KeysAndAttributes::builder()
                .set_keys(Some(keys.collect()))
                .consistent_read(true);
            self.get(narrowed(keys))
        });
        let batches: Vec<_> = batches.collect();
        let mut batches = stream::iter(batches).buffered(AT_ONCE);
        while let Some(items) = batches.try_next().await? {
            for item in items {
                each(record(item)?);
            }
        }
        Ok(())
    }
}
