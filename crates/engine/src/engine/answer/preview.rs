//! What would be sent for entities: as an attempt does it, up to the vendor.

use std::panic::AssertUnwindSafe;

use futures::{FutureExt, StreamExt};
use jiff::Timestamp;

use super::{Engine, invalid, panicked};
use crate::ask::{Answer, Basis, Difference, Preview, Would};
use crate::ledger::{EntityRecord, ErrorRecord};
use crate::source::CarriedState;
use crate::vendor::Mapped;
use crate::{EntityKey, Error};

/// The ledger reads no more at once.
const AT_ONCE: usize = 10;

impl Engine {
    pub(super) async fn preview(&self, entities: &[EntityKey], deadline: Timestamp) -> Result<Answer, Error> {
        let mut previews = Vec::with_capacity(entities.len());
        for some in entities.chunks(AT_ONCE) {
            let mut snapshot = self.parts.ledger.read(some).await?;
            let asked = some.iter().map(|entity| {
                // The same entity may be asked about twice.
                let record = match snapshot.entities.get_mut(entity) {
                    Some(Ok(record)) => Ok(record.clone()),
                    Some(Err(error)) => Err(error.copied()),
                    None => Ok(EntityRecord::unknown(self.vendor(), entity.clone())),
                };
                self.preview_one(entity, record, deadline)
            });
            let asked: Vec<_> = asked.collect();
            let answered = futures::stream::iter(asked).buffered(self.parts.max_in_flight);
            previews.extend(answered.collect::<Vec<_>>().await);
        }
        Ok(Answer::Preview { entities: previews })
    }

    async fn preview_one(
        &self,
        entity: &EntityKey,
        record: Result<EntityRecord, Error>,
        deadline: Timestamp,
    ) -> Preview {
        // A panic in one entity's work fails that entity only.
        let looked = AssertUnwindSafe(self.look_ahead(entity, record, deadline))
            .catch_unwind()
            .await;
        let looked = looked.unwrap_or_else(|_| Err(panicked()));
        looked.unwrap_or_else(|error| Preview {
            error: Some(ErrorRecord::from(&error)),
            ..would(entity, Would::Fail)
        })
    }

    async fn look_ahead(
        &self,
        key: &EntityKey,
        record: Result<EntityRecord, Error>,
        deadline: Timestamp,
    ) -> Result<Preview, Error> {
        let entity = self
            .entity(key.entity_type())
            .ok_or_else(|| invalid("expected an entity type of this vendor, found another"))?;
        let record = record?;
        if !entity.source.is_readable() {
            return Err(CarriedState::refusal());
        }
        self.may_read(deadline)?;
        let absent = if record.may_stand() {
            Would::Remove
        } else {
            Would::Nothing
        };
        let Some(state) = entity.source.fetch(key).await?.state else {
            return Ok(would(key, absent));
        };
        let rules = entity.rules.as_ref().filter(|_| !record.may_stand());
        if let Some(rule) = rules.and_then(|rules| rules.excluding(&entity.name, &state)) {
            return Ok(Preview {
                rule: Some(rule.to_owned()),
                ..would(key, Would::Exclude)
            });
        }
        let mapped = entity.vendor.map(&state)?;
        if !mapped.is_wanted {
            return Ok(would(key, absent));
        }
        Ok(compared(key, &record, &mapped))
    }
}

fn would(entity: &EntityKey, would: Would) -> Preview {
    Preview {
        entity: entity.clone(),
        would,
        error: None,
        rule: None,
        basis: Basis::default(),
        changes: Vec::new(),
        left_out: 0,
    }
}

/// What would be sent, beside what was sent last.
fn compared(entity: &EntityKey, record: &EntityRecord, mapped: &Mapped) -> Preview {
    let (kind, difference) = match &record.pushed_hash {
        Some(hash) if *hash == mapped.hash => (Would::Repeat, Difference::default()),
        Some(_) => (
            Would::Update,
            Difference::between(record.sent.as_ref(), &mapped.value),
        ),
        None => (Would::Create, Difference::whole(&mapped.value, Basis::Nothing)),
    };
    let Difference {
        basis,
        changes,
        left_out,
    } = difference;
    Preview {
        basis,
        changes,
        left_out,
        ..would(entity, kind)
    }
}
