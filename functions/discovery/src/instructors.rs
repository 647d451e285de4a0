//! An instructor's plan: one person.

use std::time::Duration;

use vendorbridge::vendor::{Invalid, Push, Vendor};
use vendorbridge::{Error, ErrorKind, Stage};

use crate::client::{Client, Wanted};
use crate::mapping::{InstructorState, Person};

/// The one step, and the creation as the ledger knows it.
const PERSON: &str = "person";

/// Look-ups may be answered from a cache that is told of changes.
const VISIBLE_AFTER: Duration = Duration::from_secs(5);

/// People, each made once.
///
/// A person that was created by a call of unknown outcome is known again by name and position: nothing else that course-discovery
/// keeps is both ours to choose and unseen by readers. Those who had the same before are told apart, since they are noted in the
/// ledger first. The window that is left: somebody else adds a person of the same name and position between that look and the call
/// whose outcome is unknown. Then that person is taken for ours, and ours is left over.
pub(crate) struct Instructors {
    client: Client,
}

impl Instructors {
    pub(crate) fn new(client: Client) -> Self {
        Self { client }
    }

    async fn create(&self, push: &mut Push<'_>, person: &Person, is_new: bool) -> Result<String, Error> {
        let (now, client) = (push.now, &self.client);
        let identity = person.identity.clone();
        // Whoever a creation in doubt was about is in the ledger.
        let others = if is_new {
            let others = client.others(now, &identity).await;
            others.map_err(|error| error.in_step(PERSON))?
        } else {
            Vec::new()
        };
        let wanted = Wanted { identity, others };
        let find = |_, wanted: Wanted| async move { client.find_person(now, &wanted).await };
        let work = |wanted: Wanted| async move { client.create_person(now, person, &wanted).await };
        push.once(PERSON, VISIBLE_AFTER, wanted, find, work).await
    }
}

impl Vendor for Instructors {
    type Entity = InstructorState;
    type Payload = Person;

    fn map(&self, instructor: &InstructorState) -> Result<Person, Invalid> {
        instructor.person()
    }

    async fn push(&self, push: &mut Push<'_>, person: &Person) -> Result<String, Error> {
        push.plan([PERSON.to_owned()]);
        let (now, client) = (push.now, &self.client);
        let known = push.outcome_of::<String>(PERSON)?;
        let uuid = match &known {
            Some(Some(uuid)) => uuid.clone(),
            other => self.create(push, person, other.is_none()).await?,
        };
        push.set_link(Some(uuid.clone()));
        match known {
            None => {}
            // It was created with what an earlier event said.
            Some(None) => {
                let updated = client.update_person(now, &uuid, person).await;
                updated.map_err(|error| error.in_step(PERSON))?;
            }
            Some(Some(_)) => {
                let update = |_| async {
                    client.update_person(now, &uuid, person).await?;
                    Ok(uuid.clone())
                };
                push.step::<String, _, _>(PERSON, update).await?;
            }
        }
        Ok(uuid)
    }

    /// A person could be deleted, and would be missing in the runs of others.
    async fn remove(&self, push: &mut Push<'_>) -> Result<(), Error> {
        if push.outcome_of::<String>(PERSON)?.is_none() {
            return Ok(());
        }
        let message = "a person is not deleted, for other courses may have them on their staff: delete it in course-discovery's administration if nobody needs it";
        Err(Error::permanent(ErrorKind::Refused, Stage::Push, message).code(crate::NOT_DELETABLE))
    }
}
