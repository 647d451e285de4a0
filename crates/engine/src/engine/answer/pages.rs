//! What the source has, and what the vendor holds, page by page.

use std::panic::AssertUnwindSafe;
use std::time::Duration;

use futures::{StreamExt, TryStreamExt};
use jiff::Timestamp;

use super::{Engine, SLOWEST_READ, invalid, panicked};
use crate::ask::{Answer, Fields, MAX_PAGE, Page, PageRequest, SourceRecord, VendorEntry, fields};
use crate::engine::Entity;
use crate::engine::admission::Admission;
use crate::ledger::ErrorRecord;
use crate::source::{Listed, not_listable};
use crate::{EntityKey, Error, ErrorKind, Stage, Verdict};

/// Longer names of pages are none of ours.
const MAX_PAGE_NAME_BYTES: usize = 16 * 1024;
/// How many entities are read from the source side by side.
const AT_ONCE: usize = 10;
/// What a vendor may take to list records.
const SLOWEST_LISTING: Duration = Duration::from_secs(20);

impl Engine {
    pub(super) async fn source_page(
        &self,
        asked: PageRequest<'_>,
        deadline: Timestamp,
    ) -> Result<Answer, Error> {
        let entity = self.asked_for(asked)?;
        if !entity.source.is_readable() {
            return Err(not_listable("events bring the state, and nobody can be asked"));
        }
        self.may_read(deadline)?;
        let listed = self.patiently(SLOWEST_READ, deadline, || entity.source.list(asked));
        let Page {
            records, next, total, ..
        } = listed.await.map_err(fewer)?;
        let found = records.len();
        // What makes no key could not be announced either.
        let keyed = records.into_iter().filter_map(|Listed { id, state }| {
            let key = EntityKey::new(&entity.name, &id).ok()?;
            Some((key, state))
        });
        let keyed: Vec<_> = keyed.collect();
        let unnameable = u32::try_from(found - keyed.len()).unwrap_or(u32::MAX);
        let read = keyed.into_iter().map(|(key, state)| async {
            if asked.with_states {
                self.with_fields(entity, key, state, deadline).await
            } else {
                Ok(Some(bare(key)))
            }
        });
        let read: Vec<_> = read.collect();
        let records = futures::stream::iter(read).buffered(AT_ONCE);
        let records: Vec<_> = records.try_collect().await?;
        Ok(Answer::SourcePage(Page {
            records: records.into_iter().flatten().collect(),
            next,
            unnameable,
            total,
        }))
    }

    /// Not of a vendor that is paused, or whose circuit is open: a question is a call, too.
    pub(super) async fn vendor_page(
        &self,
        asked: PageRequest<'_>,
        deadline: Timestamp,
    ) -> Result<Answer, Error> {
        let entity = self.asked_for(asked)?;
        let vendor = self.parts.ledger.read(&[]).await?.vendor;
        let gate = vendor.gate(self.now());
        Admission::new(vendor, gate, 1)
            .admit()
            .map_err(|shut| shut.error)?;
        let listed = self.patiently(SLOWEST_LISTING, deadline, || entity.vendor.list(asked));
        let Page {
            records, next, total, ..
        } = listed.await.map_err(fewer)?;
        let entries = records.into_iter().map(|held| VendorEntry {
            link: held.link,
            entity: held.entity,
            fields: fields(&held.payload),
        });
        let page = Page::new(entries.collect(), next);
        Ok(Answer::VendorPage(page.counted(total)))
    }

    fn asked_for(&self, asked: PageRequest<'_>) -> Result<&Entity, Error> {
        if !(1..=MAX_PAGE).contains(&asked.limit) {
            let found = asked.limit;
            return Err(invalid(&format!(
                "expected a limit from 1 to {MAX_PAGE}, found {found}"
            )));
        }
        if asked.page.is_some_and(|page| page.len() > MAX_PAGE_NAME_BYTES) {
            return Err(asked.wrong(Stage::Intake));
        }
        let message = "expected an entity type of this vendor, found another";
        self.entity(asked.entity_type).ok_or_else(|| invalid(message))
    }

    /// What the vendor is to hold of an entity; nothing if the source no longer has it.
    ///
    /// # Errors
    /// If the source may say it later: then nothing is known of the entity, and the page is none.
    async fn with_fields(
        &self,
        entity: &Entity,
        key: EntityKey,
        state: Option<serde_json::Value>,
        deadline: Timestamp,
    ) -> Result<Option<SourceRecord>, Error> {
        let state = match state {
            Some(state) => Ok(Some(state)),
            None => self.state_of(entity, &key, deadline).await,
        };
        let mapped = match state {
            Ok(None) => return Ok(None),
            // A panic in one entity's work fails that entity only.
            Ok(Some(state)) => std::panic::catch_unwind(AssertUnwindSafe(|| entity.vendor.map(&state)))
                .unwrap_or_else(|_| Err(panicked()))
                .map(|mapped| (mapped, state)),
            Err(error) if error.verdict() == Verdict::Permanent => Err(error),
            Err(error) => return Err(error),
        };
        Ok(Some(match mapped {
            Err(error) => SourceRecord {
                error: Some(ErrorRecord::from(&error)),
                ..bare(key)
            },
            Ok((mapped, state)) => {
                let rules = entity.rules.as_ref();
                let rule = rules.and_then(|rules| rules.excluding(&entity.name, &state));
                SourceRecord {
                    is_wanted: Some(mapped.is_wanted),
                    rule: rule.map(str::to_owned),
                    link: mapped.link,
                    fields: fields(&mapped.value),
                    ..bare(key)
                }
            }
        }))
    }

    async fn state_of(
        &self,
        entity: &Entity,
        key: &EntityKey,
        deadline: Timestamp,
    ) -> Result<Option<serde_json::Value>, Error> {
        self.may_read(deadline)?;
        let fetched = self.patiently(SLOWEST_READ, deadline, || entity.source.fetch(key));
        Ok(fetched.await?.state)
    }
}

/// A page that is too large is one that was asked for too much of.
fn fewer(error: Error) -> Error {
    if error.kind() != ErrorKind::TooLarge {
        return error;
    }
    let message = format!("{}: ask for fewer at once", error.message());
    let fewer = Error::permanent(ErrorKind::TooLarge, error.stage(), message);
    match error.vendor_code() {
        Some(code) => fewer.code(code),
        None => fewer,
    }
}

fn bare(entity: EntityKey) -> SourceRecord {
    SourceRecord {
        entity,
        is_wanted: None,
        rule: None,
        link: None,
        fields: Fields::new(),
        error: None,
    }
}
