//! A billing system, at which every booking is one more: each belongs to a customer, and may happen only once.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use vendorbridge::ledger::Status;
use vendorbridge::vendor::{Invalid, Push, Vendor};
use vendorbridge::{EntityKey, Error, ErrorKind, Stage, Verdict};

use super::books::{Kept, Order, Role, role};
use super::desk::VISIBLE_AFTER;
use super::{Answer, Line, Request, key, link};
use crate::simulation::source;
use crate::simulation::world::number;

/// What is booked for a document.
const CHARGE: &str = "charge";
/// What is booked once it is cancelled.
const REVERSAL: &str = "reversal";
/// How long a document waits for another.
const WAIT: Duration = Duration::from_secs(15);

/// What is not booked, as a vendor function would declare it.
pub(crate) const RULES: &str = r#"[
    {"name": "cancelled", "when": [{"field": "/cancelled", "in": [true]}]},
    {"name": "draft", "when": [{"field": "/draft", "in": [true]}]}
]"#;

/// See the module.
pub(crate) struct Booking {
    pub(crate) line: Line,
    /// How many entities a customer and its documents are.
    pub(crate) family: usize,
}

/// What the source says of a customer or a document.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Paper {
    pub(crate) id: usize,
    pub(crate) revision: u64,
    pub(crate) mail: u8,
    pub(crate) draft: bool,
    pub(crate) cancelled: bool,
    /// The vendor's id, where it was written back.
    pub(crate) link: Option<u64>,
}

/// What the vendor is given.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Entry {
    /// A customer's address.
    mail: Option<u8>,
    #[serde(skip)]
    is_cancelled: bool,
    #[serde(skip)]
    revision: u64,
    #[serde(skip)]
    written_back: Option<u64>,
}

impl Vendor for Booking {
    type Entity = Paper;
    type Payload = Entry;

    fn map(&self, paper: &Paper) -> Result<Entry, Invalid> {
        let is_customer = role(paper.id, self.family) == Role::Customer;
        Ok(Entry {
            mail: is_customer.then_some(paper.mail),
            is_cancelled: paper.cancelled,
            revision: paper.revision,
            written_back: paper.link,
        })
    }

    fn is_wanted(&self, entry: &Entry) -> bool {
        !entry.is_cancelled
    }

    async fn push(&self, push: &mut Push<'_>, entry: &Entry) -> Result<String, Error> {
        let id = match role(number(push.entity), self.family) {
            Role::Customer => self.customer_card(push, entry).await?,
            Role::Document { customer, pays } => self.charge(push, customer, pays).await?,
        };
        push.set_link(Some(link(id)));
        // The source announces what is written there, even where it changes nothing.
        if entry.written_back != Some(id) {
            source::write_back(&self.line.sim, self.line.unit, number(push.entity), id).await?;
        }
        Ok(link(id))
    }

    async fn remove(&self, push: &mut Push<'_>) -> Result<(), Error> {
        if push.outcome_of::<u64>(CHARGE)?.is_none() {
            return Ok(());
        }
        // What may have been charged is looked for. What was not is no longer to be: then there is nothing to reverse.
        let charged = self.once(push, CHARGE, None).await?;
        if charged != 0 {
            self.once(push, REVERSAL, Some(Order::Reverse { charge: charged }))
                .await?;
        }
        Ok(())
    }
}

impl Booking {
    async fn charge(&self, push: &mut Push<'_>, customer: usize, pays: Option<usize>) -> Result<u64, Error> {
        if let Some(Some(known)) = push.outcome_of(CHARGE)? {
            return Ok(known);
        }
        self.wait_for(push, pays).await?;
        let known = push.standing(&entity_key(customer)?).await?;
        let customer = match known.and_then(|standing| standing.link) {
            Some(link) => key(&link)?,
            None => self.find_or_create(push, customer, None).await?,
        };
        self.once(push, CHARGE, Some(Order::Charge { customer })).await
    }

    /// A payment is not booked while it is known that what it pays is not.
    async fn wait_for(&self, push: &Push<'_>, invoice: Option<usize>) -> Result<(), Error> {
        let Some(invoice) = invoice else { return Ok(()) };
        let standing = push.standing(&entity_key(invoice)?).await?;
        if standing.is_none_or(|standing| standing.status != Status::Parked) {
            return Ok(());
        }
        let verdict = Verdict::Retry { after: Some(WAIT) };
        let message = "what it pays is not booked yet";
        Err(Error::new(ErrorKind::Waiting, verdict, Stage::Push, message))
    }

    /// Books once, or only looks for what may be booked if there is no order. Answers with its number, 0 if there is none.
    async fn once(&self, push: &mut Push<'_>, name: &str, order: Option<Order>) -> Result<u64, Error> {
        let (line, entity, is_reversal) = (&self.line, number(push.entity), name == REVERSAL);
        let ask = async |request| {
            Ok(match line.request(entity, request).await? {
                Answer::Key(key) => Some(key),
                _ => None,
            })
        };
        let find = |_, ()| ask(Request::Books(Order::Find { is_reversal }));
        let work = |()| async {
            let Some(order) = order else { return Ok(0) };
            Ok(ask(Request::Books(order)).await?.unwrap_or_default())
        };
        push.once(name, Duration::from_micros(VISIBLE_AFTER), (), find, work)
            .await
    }

    async fn customer_card(&self, push: &Push<'_>, entry: &Entry) -> Result<u64, Error> {
        let card = Kept {
            mail: entry.mail.unwrap_or_default(),
            revision: entry.revision,
        };
        let customer = match push.link.as_deref().map(key).transpose()? {
            Some(known) => known,
            None => self.find_or_create(push, number(push.entity), Some(card)).await?,
        };
        let request = Request::Books(Order::Update { customer, card });
        self.line.call(push, request).await?;
        Ok(customer)
    }

    /// A customer's number at the vendor. Several may create it at once: names are unique, so all but one are refused.
    async fn find_or_create(
        &self,
        push: &Push<'_>,
        customer: usize,
        card: Option<Kept>,
    ) -> Result<u64, Error> {
        let orders = [
            Order::FindCustomer { customer },
            Order::Create { customer, card },
            Order::FindCustomer { customer },
        ];
        for order in orders {
            let answer = self
                .line
                .request(number(push.entity), Request::Books(order))
                .await?;
            if let Answer::Key(key) = answer {
                return Ok(key);
            }
        }
        let message = "the name is taken, and nobody has it";
        Err(Error::retry(ErrorKind::NotFound, Stage::Push, message))
    }
}

fn entity_key(entity: usize) -> Result<EntityKey, Error> {
    EntityKey::new("customer", &entity.to_string()).map_err(|_| {
        Error::permanent(
            ErrorKind::Invalid,
            Stage::Push,
            "expected an entity, found another",
        )
    })
}
