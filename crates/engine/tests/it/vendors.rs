//! Vendors without a natural key: one that creates once, and one with an ordered plan.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use vendorbridge::vendor::{Creates, Invalid, Push, Vendor};
use vendorbridge::{Error, ErrorKind, Stage, Verdict};

use crate::bench::{Card, Person, Row, Shared, World, key, lock};

/// How long a new record is not found.
pub(crate) const VISIBLE_AFTER: Duration = Duration::from_mins(1);

/// Makes a record for every create.
pub(crate) struct Once(pub(crate) Shared);

/// Creates, prices and publishes, in this order.
pub(crate) struct Plan(pub(crate) Shared);

impl World {
    /// Fails as the script says; answers whether the call happens all the same.
    fn next(&mut self, call: &str) -> Result<(), (Error, bool)> {
        self.calls.push(call.to_owned());
        if call == "delete"
            && let Some(error) = self.fail_next_delete.take()
        {
            return Err((error, false));
        }
        match self.fail_at.take_if(|(at, ..)| *at == self.calls.len()) {
            Some((_, error, happens)) => Err((error, happens)),
            None => self.script.pop_front().map_or(Ok(()), Err),
        }
    }

    pub(crate) fn create(&mut self, external: &str, now: Timestamp, title: &str) -> Result<String, Error> {
        let failed = self.next("create");
        if matches!(failed, Ok(()) | Err((_, true))) {
            let id = u32::try_from(self.calls.len()).unwrap();
            let visible = SignedDuration::try_from(VISIBLE_AFTER).unwrap();
            self.rows.push(Row {
                id,
                external: external.to_owned(),
                title: title.to_owned(),
                extra: None,
                visible_at: now + visible,
            });
            return failed.map(|()| id.to_string()).map_err(|(error, _)| error);
        }
        Err(failed.unwrap_err().0)
    }

    /// A call that changes nothing that is looked at.
    pub(crate) fn bring(&mut self, call: &str) -> Result<(), Error> {
        self.next(call).map_err(|(error, _)| error)
    }

    fn update(&mut self, call: &str, id: &str, change: impl FnOnce(&mut Row)) -> Result<(), Error> {
        let failed = self.next(call);
        if matches!(failed, Ok(()) | Err((_, true))) {
            let row = self.rows.iter_mut().find(|row| row.id.to_string() == id);
            change(row.expect("the record is there"));
        }
        failed.map_err(|(error, _)| error)
    }

    fn delete(&mut self, id: &str) -> Result<(), Error> {
        let failed = self.next("delete");
        if matches!(failed, Ok(()) | Err((_, true))) {
            self.rows.retain(|row| row.id.to_string() != id);
        }
        failed.map_err(|(error, _)| error)
    }

    pub(crate) fn find(&mut self, external: &str, now: Timestamp) -> Result<Option<String>, Error> {
        self.next("find").map_err(|(error, _)| error)?;
        let row = self
            .rows
            .iter()
            .find(|row| row.external == external && row.visible_at <= now);
        Ok(row.map(|row| row.id.to_string()))
    }
}

/// Books once, notes the booking's number, and books the opposite for what is gone. A name `after N` waits for the person N.
pub(crate) struct Booking(pub(crate) Shared);

impl Booking {
    async fn book(&self, push: &mut Push<'_>, name: &str) -> Result<String, Error> {
        let (external, now, world) = (format!("{}:{name}", push.entity.id()), push.now, &self.0);
        let find = |_, external: String| async move { lock(world).find(&external, now) };
        let work = |external: String| async move { lock(world).create(&external, now, &external) };
        push.once(name, VISIBLE_AFTER, external, find, work).await
    }
}

impl Vendor for Booking {
    type Entity = Person;
    type Payload = Card;

    fn map(&self, person: &Person) -> Result<Card, Invalid> {
        Ok(card(person))
    }

    async fn push(&self, push: &mut Push<'_>, card: &Card) -> Result<String, Error> {
        if let Some(first) = card.title.strip_prefix("after ")
            && push.standing(&key(first)).await?.is_none()
        {
            let after = Some(Duration::from_secs(15));
            let verdict = Verdict::Retry { after };
            return Err(Error::new(
                ErrorKind::Waiting,
                verdict,
                Stage::Push,
                "another comes first",
            ));
        }
        let id = self.book(push, "charge").await?;
        push.set_link(Some(id.clone()));
        lock(&self.0).next("note").map_err(|(error, _)| error)?;
        Ok(id)
    }

    async fn remove(&self, push: &mut Push<'_>) -> Result<(), Error> {
        if push.outcome_of::<String>("charge")?.is_some() {
            self.book(push, "charge").await?;
            self.book(push, "reversal").await?;
        }
        Ok(())
    }
}

fn card(person: &Person) -> Card {
    Card {
        title: person.name.clone(),
    }
}

impl Vendor for Once {
    type Entity = Person;
    type Payload = Card;

    fn map(&self, person: &Person) -> Result<Card, Invalid> {
        Ok(card(person))
    }

    fn creates(&self) -> Creates {
        Creates::Once {
            visible_after: VISIBLE_AFTER,
        }
    }

    async fn find(&self, push: &mut Push<'_>) -> Result<Option<String>, Error> {
        lock(&self.0).find(push.entity.id(), push.now)
    }

    async fn push(&self, push: &mut Push<'_>, card: &Card) -> Result<String, Error> {
        let mut world = lock(&self.0);
        let Some(id) = push.link.clone() else {
            return world.create(push.entity.id(), push.now, &card.title);
        };
        world.update("update", &id, |row| row.title.clone_from(&card.title))?;
        Ok(id)
    }

    async fn remove(&self, push: &mut Push<'_>) -> Result<(), Error> {
        match &push.link {
            Some(id) => lock(&self.0).delete(id),
            None => Ok(()),
        }
    }
}

impl Vendor for Plan {
    type Entity = Person;
    type Payload = Card;

    fn map(&self, person: &Person) -> Result<Card, Invalid> {
        Ok(card(person))
    }

    fn creates(&self) -> Creates {
        Creates::Once {
            visible_after: VISIBLE_AFTER,
        }
    }

    async fn find(&self, push: &mut Push<'_>) -> Result<Option<String>, Error> {
        lock(&self.0).find(push.entity.id(), push.now)
    }

    async fn push(&self, push: &mut Push<'_>, card: &Card) -> Result<String, Error> {
        let (external, now, link) = (push.entity.id(), push.now, push.link.clone());
        let world = &self.0;
        let id = if push.is_first() {
            // A link that is known by now was found, after a create of unknown outcome.
            let create = |_| async {
                match link {
                    Some(id) => Ok(id),
                    None => lock(world).create(external, now, &card.title),
                }
            };
            push.step("create", create).await?
        } else {
            link.unwrap_or_default()
        };
        push.set_link(Some(id.clone()));
        let rename = |_| async { lock(world).update("rename", &id, |row| row.title.clone_from(&card.title)) };
        push.step("rename", rename).await?;
        let price = |_| async { lock(world).update("price", &id, |_| {}) };
        push.step("price", price).await?;
        let publish =
            |_| async { lock(world).update("publish", &id, |row| row.extra = Some(card.title.clone())) };
        push.step("publish", publish).await?;
        Ok(id)
    }

    async fn remove(&self, push: &mut Push<'_>) -> Result<(), Error> {
        match &push.link {
            Some(id) => lock(&self.0).delete(id),
            None => Ok(()),
        }
    }

    async fn compensate(&self, push: &mut Push<'_>) -> Result<(), Error> {
        let world = &self.0;
        let undo = |id: Option<String>| async { id.map_or(Ok(()), |id| lock(world).delete(&id)) };
        push.undo("create", undo).await?;
        if !push.is_first() {
            return Ok(());
        }
        push.set_link(None);
        Ok(())
    }
}
