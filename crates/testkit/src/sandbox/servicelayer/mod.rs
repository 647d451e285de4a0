//! SAP Business One behind its Service Layer (OData v4), as far as partners, invoices, credit notes and incoming
//! payments go, and the events that B1 raises when they change.
//!
//! Facts, unless said otherwise: SAP Business One Service Layer API Reference 1.27 and its `metadata.xml`; the events, SAP
//! note 1320484 and the Integration Framework. Which codes clients saw, `error.rs` says.
//!
//! Faults know a partner by its `CardCode`, a document by [`Kind::subject`], and a login by `Login`.

mod company;
mod document;
mod error;
mod event;
mod partner;
mod resource;
mod routes;
mod session;

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use axum::{Router, response::Response};
use jiff::Timestamp;

use self::{
    company::{Company, Deed},
    error::Refusal,
    resource::Resource,
    session::Sessions,
};
pub use self::{
    document::{Cancelled, Document, Kind, NewDocument},
    error::Refused,
    event::B1Event,
    partner::{CardType, Partner},
};
use super::{
    Faults, SandboxConfig,
    desk::{Desk, Rules, Shared},
    lock,
};

const BODY_LIMIT: usize = 1024 * 1024;
/// Who does what is done by hand.
const BY_HAND: &str = "manager";

/// B1's handle; clones share the service.
#[derive(Clone)]
pub struct ServiceLayer {
    user: Arc<User>,
    desk: Arc<Desk>,
    company: Arc<Mutex<Company>>,
    sessions: Arc<Mutex<Sessions>>,
    old_error_shape: Arc<AtomicBool>,
}

/// The one that may log in.
struct User {
    name: String,
    password: String,
}

impl ServiceLayer {
    pub(super) fn new(config: &SandboxConfig, shared: &Arc<Shared>) -> Self {
        let rules = Rules {
            service: "service-layer",
            connections: None,
            body_limit: BODY_LIMIT,
            refuse: |status, detail| Refusal::new(status, -1, detail).answer(false),
            subjects: Box::new(|path, _| {
                let resource = path.first().copied().unwrap_or_default();
                vec![Resource::parse(resource).map_or_else(|_| resource.to_owned(), |known| known.subject())]
            }),
        };
        Self {
            user: Arc::new(User {
                name: config.service_layer_user.clone(),
                password: config.service_layer_password.clone(),
            }),
            desk: Desk::new(rules, shared),
            company: Arc::new(Mutex::new(Company::new(&config.service_layer_company))),
            sessions: Arc::default(),
            old_error_shape: Arc::default(),
        }
    }

    pub(super) fn router(&self) -> Router {
        routes::router(self.clone())
    }

    /// Adds a partner.
    ///
    /// # Panics
    ///
    /// When there is one with this code.
    pub fn add_partner(&self, partner: Partner) {
        let code = partner.card_code.clone();
        let added = lock(&self.company).add_partner(partner, self.by_hand());
        done(added, &code);
    }

    /// Changes a partner; its code stays what it is.
    ///
    /// # Panics
    ///
    /// When there is no such partner.
    pub fn update_partner(&self, card_code: &str, change: impl FnOnce(&mut Partner)) {
        let changed = lock(&self.company).change_partner(card_code, self.by_hand(), |partner| {
            change(partner);
            Ok(())
        });
        done(changed, card_code);
    }

    /// Removes a partner.
    ///
    /// # Errors
    ///
    /// [`Refused::Unknown`], [`Refused::HasDocuments`].
    pub fn remove_partner(&self, card_code: &str) -> Result<(), Refused> {
        lock(&self.company).remove_partner(card_code, self.by_hand())
    }

    /// [`add_document`](Self::add_document) of an invoice.
    #[expect(clippy::must_use_candidate, reason = "some callers know the key")]
    pub fn add_invoice(&self, document: NewDocument) -> i64 {
        self.add_document(Kind::Invoice, document)
    }

    /// [`add_document`](Self::add_document) of a credit note.
    #[expect(clippy::must_use_candidate, reason = "some callers know the key")]
    pub fn add_credit_note(&self, document: NewDocument) -> i64 {
        self.add_document(Kind::CreditNote, document)
    }

    /// [`add_document`](Self::add_document) of an incoming payment.
    #[expect(clippy::must_use_candidate, reason = "some callers know the key")]
    pub fn add_payment(&self, document: NewDocument) -> i64 {
        self.add_document(Kind::Payment, document)
    }

    /// Posts a document, and says its `DocEntry`. The first of each kind is 1.
    ///
    /// # Panics
    ///
    /// When there is no such partner.
    #[expect(clippy::must_use_candidate, reason = "some callers know the key")]
    pub fn add_document(&self, kind: Kind, document: NewDocument) -> i64 {
        let code = document.card_code.clone();
        let added = lock(&self.company).add_document(kind, document, self.by_hand());
        done(added, &code)
    }

    /// Changes a document as people can change it in B1: its comments, its user field. The key stays.
    ///
    /// # Panics
    ///
    /// When there is no such document.
    pub fn update_document(&self, kind: Kind, doc_entry: i64, change: impl FnOnce(&mut Document)) {
        let changed = lock(&self.company).change_document(kind, doc_entry, self.by_hand(), |document| {
            change(document);
            Ok(())
        });
        done(changed, &kind.subject(doc_entry));
    }

    /// Cancels a document. An invoice or credit note gets a cancellation document, whose `DocEntry` is answered; a
    /// payment does not.
    ///
    /// # Errors
    ///
    /// [`Refused::Unknown`], [`Refused::Cancelled`].
    pub fn cancel(&self, kind: Kind, doc_entry: i64) -> Result<Option<i64>, Refused> {
        lock(&self.company).cancel(kind, doc_entry, self.by_hand())
    }

    /// A partner as B1 holds it.
    #[must_use]
    pub fn partner(&self, card_code: &str) -> Option<Partner> {
        let company = lock(&self.company);
        company.partner(card_code).ok().map(|held| held.record.clone())
    }

    /// All partners, by code.
    #[must_use]
    pub fn partners(&self) -> Vec<Partner> {
        let company = lock(&self.company);
        company
            .partners
            .values()
            .map(|held| held.record.clone())
            .collect()
    }

    /// A document as B1 holds it.
    #[must_use]
    pub fn document(&self, kind: Kind, doc_entry: i64) -> Option<Document> {
        let company = lock(&self.company);
        company
            .document(kind, doc_entry)
            .ok()
            .map(|held| held.record.clone())
    }

    /// All documents of a kind, cancelled ones and cancellations included; by `DocEntry`.
    #[must_use]
    pub fn documents(&self, kind: Kind) -> Vec<Document> {
        let company = lock(&self.company);
        let of_kind = company.documents.iter().filter(|((of, _), _)| *of == kind);
        of_kind.map(|(_, held)| held.record.clone()).collect()
    }

    /// The events raised since the last time, oldest first. What is done by hand is done by `manager`, what comes over the
    /// API by the session's user.
    #[expect(
        clippy::must_use_candidate,
        reason = "some callers only want to be rid of them"
    )]
    pub fn take_events(&self) -> Vec<B1Event> {
        std::mem::take(&mut lock(&self.company).events)
    }

    /// Ends all sessions, as a restart does.
    pub fn expire_sessions(&self) {
        lock(&self.sessions).close_all();
    }

    /// Logins that were let in.
    #[must_use]
    pub fn logins(&self) -> u64 {
        lock(&self.sessions).logins
    }

    /// Whether errors come in v1's shape: `code` a number, `message` an object. Injected ones stay as they are.
    pub fn old_error_shape(&self, old: bool) {
        self.old_error_shape.store(old, Ordering::Relaxed);
    }

    /// Its fault plan.
    #[must_use]
    pub fn faults(&self) -> &Faults {
        &self.desk.faults
    }

    /// Requests received, refused and broken ones included.
    #[must_use]
    pub fn calls(&self) -> u64 {
        self.desk.calls()
    }

    /// [`calls`](Self::calls) about one partner or document, or `Login`.
    #[must_use]
    pub fn calls_for(&self, subject: &str) -> u64 {
        self.desk.calls_for(subject)
    }

    /// The most requests that were there at a time.
    #[must_use]
    pub fn max_concurrent(&self) -> usize {
        self.desk.max_concurrent()
    }

    /// Every request from now on takes at least this long.
    pub fn latency(&self, latency: Duration) {
        self.desk.set_latency(latency);
    }

    fn now(&self) -> Timestamp {
        self.desk.shared.clock.now_in_seconds()
    }

    fn by_hand(&self) -> Deed<'static> {
        Deed {
            user: BY_HAND,
            at: self.now(),
        }
    }

    fn refused(&self, refusal: &Refusal) -> Response {
        refusal.answer(self.old_error_shape.load(Ordering::Relaxed))
    }

    fn answered(&self, answer: Result<Response, Refusal>) -> Response {
        answer.unwrap_or_else(|refusal| self.refused(&refusal))
    }
}

/// What is done by hand and refused is a mistake in the test.
fn done<T>(result: Result<T, Refused>, subject: &str) -> T {
    result.unwrap_or_else(|refused| panic!("{subject}: {refused}"))
}
