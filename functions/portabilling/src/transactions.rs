//! The plan of a document: its customer, its transaction, the way back to B1; and the opposite transaction if it is cancelled.

use std::sync::Arc;
use std::time::Duration;

use vendorbridge::ledger::Status;
use vendorbridge::source::odata::ODataEntity;
use vendorbridge::vendor::{Invalid, Push, Vendor};
use vendorbridge::{EntityKey, Error, ErrorKind, Stage, Verdict};

use crate::Shared;
use crate::client::{Booked, Client, Transaction};
use crate::mapping::{Booking, Document, Kind};

/// The transaction, as the ledger knows it.
const BOOKING: &str = "transaction";
/// The one that takes it back.
const REVERSAL: &str = "reversal";

/// A payment looks again after this whether its invoices stand there.
const WAITS: Duration = Duration::from_secs(15);
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
        let customer = &booking.customer;
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
                let verdict = Verdict::Retry { after: Some(WAITS) };
                let message = format!("waits for {invoice}, which it pays");
                return Err(Error::new(ErrorKind::Waiting, verdict, Stage::Push, message));
            }
        }
        Ok(())
    }

    /// Books a transaction once, for good.
    async fn book_once(
        &self,
        push: &mut Push<'_>,
        name: &str,
        transaction: &Transaction<'_>,
    ) -> Result<Booked, Error> {
        let (now, client) = (push.now, &self.client);
        let (i_customer, reference) = (transaction.i_customer, transaction.reference);
        let find = |since| client.find_transaction(now, since, i_customer, reference);
        let work = || client.book(now, transaction);
        push.once(name, self.shared.settings.xdr_delay(), find, work)
            .await
    }

    /// Whose transaction it is, and its order among others: settled once it was begun.
    async fn prepare(&self, push: &mut Push<'_>, booking: &Booking) -> Result<i64, Error> {
        match push.outcome_of::<Booked>(BOOKING)? {
            Some(Some(booked)) => Ok(booked.i_customer),
            Some(None) => self.customer(push, booking).await,
            None if booking.cancelled => {
                let message = "expected a document that counts, found one that was cancelled before it was sent: nothing is booked";
                Err(Error::permanent(ErrorKind::Refused, Stage::Map, message).at("/Cancelled"))
            }
            None => {
                self.wait_for_invoices(push, booking).await?;
                self.customer(push, booking).await
            }
        }
    }
}

impl Vendor for Transactions {
    type Entity = Document;
    type Payload = Booking;

    fn map(&self, document: &Document) -> Result<Booking, Invalid> {
        document.booking(self.kind, &self.shared.settings)
    }

    async fn push(&self, push: &mut Push<'_>, booking: &Booking) -> Result<String, Error> {
        let i_customer = self.prepare(push, booking).await?;
        let mut transaction = Transaction {
            i_customer,
            action: booking.action,
            amount: &booking.amount,
            title: &booking.title,
            reference: &booking.reference,
        };
        let booked = self.book_once(push, BOOKING, &transaction).await?;
        let id = booked.i_xdr.to_string();
        push.set_link(Some(id.clone()));
        push.set_receipt(&id);
        if booking.cancelled {
            let title = format!("Cancelled: {}", booking.title);
            let reference = format!("{}:cancel", booking.reference);
            transaction.action = booking.opposite;
            transaction.title = &title;
            transaction.reference = &reference;
            let reversed = self.book_once(push, REVERSAL, &transaction).await?;
            push.set_receipt(reversed.i_xdr.to_string());
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
        match push.outcome_of::<Booked>(BOOKING)? {
            None => Ok(()),
            Some(_) => {
                let message =
                    "expected a booked document in B1, found none: its transaction is left as it is";
                Err(Error::permanent(ErrorKind::NotFound, Stage::Push, message))
            }
        }
    }
}
