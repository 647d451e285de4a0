//! A vendor at which every create makes another record. It can be found by our id, a while later.

use std::time::Duration;

use vendorbridge::vendor::{Creates, Invalid, Push, Vendor};
use vendorbridge::{Error, ErrorKind};

use super::desk::VISIBLE_AFTER;
use super::{Answer, Card, Line, Request, State, key, link};

/// See the module.
pub(crate) struct Once(pub(crate) Line);

impl Vendor for Once {
    type Entity = State;
    type Payload = Card;

    fn map(&self, state: &State) -> Result<Card, Invalid> {
        super::map(state)
    }

    fn creates(&self) -> Creates {
        creates()
    }

    async fn find(&self, push: &mut Push<'_>) -> Result<Option<String>, Error> {
        find(&self.0, push).await
    }

    async fn push(&self, push: &mut Push<'_>, card: &Card) -> Result<String, Error> {
        let card = *card;
        let request = match push.link.as_deref().map(key).transpose()? {
            Some(key) => Request::Update { key, part: 0, card },
            None => Request::Create { card },
        };
        match self.0.call(push, request).await {
            Ok(Answer::Key(key)) => Ok(link(key)),
            Ok(_) => Ok(String::new()),
            Err(error) => {
                forget_if_gone(push, &error);
                Err(error)
            }
        }
    }

    async fn remove(&self, push: &mut Push<'_>) -> Result<(), Error> {
        remove(&self.0, push).await
    }
}

/// A linked record that is gone was removed by a process that died before it could say so: the next try reserves a create.
pub(crate) fn forget_if_gone(push: &mut Push<'_>, error: &Error) {
    if error.kind() == ErrorKind::NotFound {
        push.set_link(None);
    }
}

/// A record is not found for up to as long as the desk says.
pub(crate) fn creates() -> Creates {
    Creates::Once {
        visible_after: Duration::from_micros(VISIBLE_AFTER),
    }
}

/// Looks for a record with our id.
pub(crate) async fn find(line: &Line, push: &Push<'_>) -> Result<Option<String>, Error> {
    Ok(match line.call(push, Request::Find).await? {
        Answer::Key(key) => Some(link(key)),
        _ => None,
    })
}

/// Deletes the linked record.
pub(crate) async fn remove(line: &Line, push: &Push<'_>) -> Result<(), Error> {
    if let Some(key) = push.link.as_deref().map(key).transpose()? {
        line.call(push, Request::Delete { key }).await?;
    }
    Ok(())
}
