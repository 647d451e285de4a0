//! A vendor whose key follows from the payload and can change, like an e-mail address.

use vendorbridge::Error;
use vendorbridge::vendor::{Invalid, Push, Vendor};

use super::{Card, Line, Request, State, key, link};
use crate::simulation::world::number;

/// See the module.
pub(crate) struct Natural(pub(crate) Line);

/// No two entities share a key.
fn natural(entity: usize, card: &Card) -> u64 {
    entity as u64 * 8 + u64::from(card.mail)
}

impl Vendor for Natural {
    type Entity = State;
    type Payload = (u64, Card);

    fn map(&self, state: &State) -> Result<(u64, Card), Invalid> {
        let card = super::map(state)?;
        Ok((natural(state.id, &card), card))
    }

    fn link(&self, (key, _): &(u64, Card)) -> Option<String> {
        Some(link(*key))
    }

    async fn push(&self, push: &mut Push<'_>, (to, card): &(u64, Card)) -> Result<String, Error> {
        let (to, card) = (*to, *card);
        let request = match push.link.as_deref().map(key).transpose()? {
            Some(from) if from != to => Request::Rename { from, to, card },
            _ => Request::Put { key: to, card },
        };
        self.0.call(push, request).await?;
        for left in push.maybe_links.clone() {
            let left = key(&left)?;
            if left != to {
                self.0.call(push, Request::Delete { key: left }).await?;
            }
        }
        Ok(link(to))
    }

    async fn remove(&self, push: &mut Push<'_>) -> Result<(), Error> {
        let links: Vec<_> = push.link.iter().chain(&push.maybe_links).cloned().collect();
        for link in links {
            let key = key(&link)?;
            self.0
                .request(number(push.entity), Request::Delete { key })
                .await?;
        }
        Ok(())
    }
}
