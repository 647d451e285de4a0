//! The plan of a document: its customer, its transaction, the way back to B1; and the opposite transaction if it is cancelled.

use std::sync::Arc;
use std::time::Duration;

use vendorbridge::ledger::Status;
use vendorbridge::source::odata::ODataEntity;
use vendorbridge::vendor::{Invalid, Push, Vendor};
use vendorbridge::{EntityKey, Error, ErrorKind, Stage, Verdict};

use crate::Shared;
use crate::client::{Booked, Client, Order};
use crate::mapping::{Booking, Document, Kind};

/// The transaction, as the ledger knows it.
const BOOKING: &str = "transaction";
/// The one that takes it back.
const REVERSAL: &str = "reversal";

/// The rule that keeps out what was cancelled before it was sent, under the name that it has in `rules.json`.
pub(crate) const NEVER_SENT: &str = "cancelled-before-it-was-sent";

/// A payment looks again after this whether its invoices stand there.
const WAITS: Duration = Duration::from_secs(15);
/// And after this, once its event is older than [`SOON`].
const WAITS_LONG: Duration = Duration::from_mins(5);
const SOON: jiff::SignedDuration = jiff::SignedDuration::from_mins(5);
/// An invoice that the ledger does not know may still be on its way, as long as the payment's event is younger than this.
const ON_ITS_WAY: jiff::SignedDuration = jiff::SignedDuration::from_secs(30);

/// The documents of one kind.
pub(crate) struct Transactions {
    kind: Kind,
    shared: Arc<Shared>,
    client: Client,
    documents: ODataEntity,
}

impl Transactions {
    pub(crate) fn new(kind: Kind, shared: Arc<Shared>, client: Client, documents: ODataEntity) -> Self {
        Self {
            kind,
            shared,
            client,
            documents,
        }
    }

    /// The customer's number: as the ledger has it, else as PortaBilling does; created if need be, and linked in B1.
    async fn customer(&self, push: &mut Push<'_>, booking: &Booking) -> Result<i64, Error> {
        let customer = booking.customer.as_ref().map_err(Clone::clone)?;
        if let Ok(partner) = EntityKey::new("partner", &customer.refnum)
            && let Some(standing) = push.standing(&partner).await?
            && let Some(i_customer) = standing.link.and_then(|link| link.parse().ok())
        {
            return Ok(i_customer);
        }
        let now = push.now;
        let i_customer: i64 = push
            .step("customer", |_| self.client.ensure(now, customer))
            .await?;
        let (partners, linked) = (&self.shared.partners, customer.linked.as_deref());
        self.shared
            .link_back(partners, &customer.refnum, linked, &i_customer.to_string())
            .await?;
        Ok(i_customer)
    }

    /// A payment is not booked before the invoices that it pays, as far as the ledger knows of them.
    async fn wait_for_invoices(&self, push: &Push<'_>, booking: &Booking) -> Result<(), Error> {
        for doc_entry in &booking.pays {
            let Ok(invoice) = EntityKey::new(Kind::Invoice.entity_type(), &doc_entry.to_string()) else {
                continue;
            };
            let waits = match push.standing(&invoice).await? {
                Some(standing) => standing.status == Status::Parked && standing.link.is_none(),
                None => push.now.duration_since(push.event_time) < ON_ITS_WAY,
            };
            if waits {
                let is_young = push.now.duration_since(push.event_time) < SOON;
                let after = Some(if is_young { WAITS } else { WAITS_LONG });
                let verdict = Verdict::Retry { after };
                let message = format!("waits for {invoice}, which it pays");
                return Err(Error::new(ErrorKind::Waiting, verdict, Stage::Push, message));
            }
        }
        Ok(())
    }

    /// Books a transaction once, for good; or only looks for it, where it is not `wanted` any more.
    async fn book_once(
        &self,
        push: &mut Push<'_>,
        name: &str,
        order: Order,
        wanted: bool,
    ) -> Result<Booked, Error> {
        let (now, client) = (push.now, &self.client);
        let find = |since, order: Order| async move { client.find_transaction(now, since, &order).await };
        let work = |order: Order| async move {
            if wanted {
                return client.book(now, &order).await;
            }
            let i_customer = order.i_customer;
            Ok(Booked {
                i_xdr: None,
                i_customer,
            })
        };
        push.once(name, self.shared.settings.xdr_delay(), order, find, work)
            .await
    }

    /// The document's transaction: as the ledger knows it, or booked now. What a cancelled document did not get booked, it gets
    /// no more.
    async fn book(&self, push: &mut Push<'_>, booking: &Booking) -> Result<Booked, Error> {
        let i_customer = match push.outcome_of::<Booked>(BOOKING)? {
            Some(Some(booked)) => return Ok(booked),
            // The order that is in doubt names it.
            Some(None) => 0,
            None if booking.cancelled => return Err(never_sent()),
            None => {
                self.wait_for_invoices(push, booking).await?;
                self.customer(push, booking).await?
            }
        };
        let order = Order {
            i_customer,
            action: booking.action.to_owned(),
            amount: booking.amount.clone(),
            title: booking.title.clone(),
            reference: booking.reference.clone(),
        };
        self.book_once(push, BOOKING, order, !booking.cancelled).await
    }

    async fn take_back(
        &self,
        push: &mut Push<'_>,
        booking: &Booking,
        i_customer: i64,
    ) -> Result<Booked, Error> {
        let order = Order {
            i_customer,
            action: booking.opposite.to_owned(),
            amount: booking.amount.clone(),
            title: format!("Cancelled: {}", booking.title),
            reference: format!("{}:cancel", booking.reference),
        };
        self.book_once(push, REVERSAL, order, true).await
    }
}

fn never_sent() -> Error {
    let message = "cancelled before it was sent: nothing is booked";
    Error::permanent(ErrorKind::Excluded, Stage::Push, message).code(NEVER_SENT)
}

impl Vendor for Transactions {
    type Entity = Document;
    type Payload = Booking;

    fn map(&self, document: &Document) -> Result<Booking, Invalid> {
        document.booking(self.kind, &self.shared.settings)
    }

    async fn push(&self, push: &mut Push<'_>, booking: &Booking) -> Result<String, Error> {
        let booked = self.book(push, booking).await?;
        let Some(i_xdr) = booked.i_xdr else {
            return Err(never_sent());
        };
        let id = i_xdr.to_string();
        push.set_link(Some(id.clone()));
        push.set_receipt(&id);
        if booking.cancelled {
            let taken_back = self.take_back(push, booking, booked.i_customer).await?;
            if let Some(i_xdr) = taken_back.i_xdr {
                push.set_receipt(i_xdr.to_string());
            }
        }
        let linked = booking.linked.as_deref();
        self.shared
            .link_back(&self.documents, push.entity.id(), linked, &id)
            .await?;
        Ok(id)
    }

    /// B1 deletes drafts only, which are never booked. What was booked is not taken back because its document cannot be
    /// found: that is a person's decision.
    async fn remove(&self, push: &mut Push<'_>) -> Result<(), Error> {
        if push.outcome_of::<Booked>(BOOKING)?.is_none() {
            return Ok(());
        }
        let message = "expected a booked document in B1, found none: its transaction is left as it is";
        Err(Error::permanent(ErrorKind::NotFound, Stage::Push, message))
    }
}
