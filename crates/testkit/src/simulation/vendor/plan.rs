//! A vendor that is kept up to date by an ordered plan: a record, its address, its terms.

use serde::{Deserialize, Serialize};
use vendorbridge::Error;
use vendorbridge::vendor::{Creates, Invalid, Push, Step, Vendor};

use super::{Answer, Card, Line, Request, State, key, link, once};
use crate::simulation::world::number;

/// See the module.
pub(crate) struct Plan(pub(crate) Line);

/// What the first step answers.
#[derive(Debug, Serialize, Deserialize)]
struct Base {
    key: u64,
    /// The record was made in this step: undone, it goes.
    is_new: bool,
}

impl Vendor for Plan {
    type Entity = State;
    type Payload = Card;

    fn map(&self, state: &State) -> Result<Card, Invalid> {
        super::map(state)
    }

    fn creates(&self) -> Creates {
        once::creates()
    }

    async fn find(&self, push: &mut Push<'_>) -> Result<Option<String>, Error> {
        once::find(&self.0, push).await
    }

    async fn push(&self, push: &mut Push<'_>, card: &Card) -> Result<String, Error> {
        let (line, entity, card) = (&self.0, number(push.entity), *card);
        let known = push.link.as_deref().map(key).transpose()?;
        let base: Result<Base, Error> = push
            .step("record", |step: Step<Base>| async move {
                let request = match known {
                    Some(key) => Request::Update { key, part: 0, card },
                    None => Request::Create { card },
                };
                let key = match line.request(entity, request).await? {
                    Answer::Key(key) => key,
                    _ => known.unwrap_or_default(),
                };
                // A plan that begins anew made the record the time before.
                let is_new = known.is_none() || step.earlier.is_some_and(|base| base.is_new);
                Ok(Base { key, is_new })
            })
            .await;
        if let Err(error) = &base {
            once::forget_if_gone(push, error);
        }
        let base = base?;
        push.set_link(Some(link(base.key)));
        for (part, step) in [(1, "address"), (2, "terms")] {
            let request = Request::Update {
                key: base.key,
                part,
                card,
            };
            let done: Result<(), Error> = push
                .step(step, |_| async move {
                    line.request(entity, request).await.map(|_| ())
                })
                .await;
            if let Err(error) = done {
                once::forget_if_gone(push, &error);
                return Err(error);
            }
        }
        Ok(link(base.key))
    }

    async fn remove(&self, push: &mut Push<'_>) -> Result<(), Error> {
        once::remove(&self.0, push).await
    }

    async fn compensate(&self, push: &mut Push<'_>) -> Result<(), Error> {
        // Terms and address go with the record; those of a record that was there before stay as they are.
        push.undo("terms", |_: Option<()>| async { Ok(()) }).await?;
        push.undo("address", |_: Option<()>| async { Ok(()) }).await?;
        let (line, entity, known) = (&self.0, number(push.entity), push.link.clone());
        let mut is_gone = false;
        let gone = &mut is_gone;
        push.undo("record", |base: Option<Base>| async move {
            let key = match base {
                Some(base) if base.is_new => Some(base.key),
                _ => None,
            };
            if let Some(key) = key {
                line.request(entity, Request::Delete { key }).await?;
                *gone = true;
            }
            Ok(())
        })
        .await?;
        push.set_link(if is_gone { None } else { known });
        Ok(())
    }
}
