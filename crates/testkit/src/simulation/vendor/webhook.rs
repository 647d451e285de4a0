//! A receiver of messages that drops repeats of an idempotency key.

use vendorbridge::Error;
use vendorbridge::vendor::{Invalid, Push, Vendor};

use super::{Card, Line, Request, State, link};
use crate::simulation::world::number;

/// See the module.
pub(crate) struct Webhook(pub(crate) Line);

impl Vendor for Webhook {
    type Entity = State;
    type Payload = Card;

    fn map(&self, state: &State) -> Result<Card, Invalid> {
        super::map(state)
    }

    async fn push(&self, push: &mut Push<'_>, card: &Card) -> Result<String, Error> {
        let id = push.idempotency_key.to_owned();
        let card = Some(*card);
        self.0.call(push, Request::Deliver { id, card }).await?;
        Ok(link(number(push.entity) as u64))
    }

    async fn remove(&self, push: &mut Push<'_>) -> Result<(), Error> {
        let id = push.idempotency_key.to_owned();
        self.0
            .call(push, Request::Deliver { id, card: None })
            .await
            .map(|_| ())
    }
}
