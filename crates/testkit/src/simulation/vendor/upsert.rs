//! A vendor that upserts by the entity's own key.

use vendorbridge::Error;
use vendorbridge::vendor::{Invalid, Push, Vendor};

use super::{Card, Line, Request, State, link};
use crate::simulation::world::number;

/// See the module.
pub(crate) struct Upsert(pub(crate) Line);

impl Vendor for Upsert {
    type Entity = State;
    type Payload = Card;

    fn map(&self, state: &State) -> Result<Card, Invalid> {
        super::map(state)
    }

    async fn push(&self, push: &mut Push<'_>, card: &Card) -> Result<String, Error> {
        let key = number(push.entity) as u64;
        self.0.call(push, Request::Put { key, card: *card }).await?;
        Ok(link(key))
    }

    async fn remove(&self, push: &mut Push<'_>) -> Result<(), Error> {
        let key = number(push.entity) as u64;
        self.0.call(push, Request::Delete { key }).await.map(|_| ())
    }
}
