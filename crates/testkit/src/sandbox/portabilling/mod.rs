//! PortaBilling's API, as far as customers and their manual transactions go.
//!
//! No description of it is public. Facts, unless said otherwise:
//! <https://docs.portaone.com/docs/retrieving-data-from-portabilling>,
//! <https://docs.portaone.com/docs/mr100-balance-adjustment>, and what public clients do (portabilling/billing,
//! digital-boss/n8n-nodes-portaone, portaone/mcp-portabilling). Where it says *assumed*, nothing was found.
//!
//! Faults know a transaction by its `internal_comment`, every other request about a customer by the customer's `refnum` and
//! `name`, and all by their method: `Customer/make_transaction`.

mod billing;
mod customer;
mod date;
mod error;
mod params;
mod routes;
mod session;
mod transaction;

use std::{
    collections::BTreeSet,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use axum::{Router, response::IntoResponse};
use jiff::{SignedDuration, Timestamp};
use rust_decimal::Decimal;
use serde_json::Value;

use self::{
    billing::Billing,
    error::Refusal,
    session::{Sessions, User},
};
pub use self::{
    customer::{BillStatus, Customer},
    transaction::{Action, Transaction},
};
use super::{
    Faults, SandboxConfig,
    desk::{Desk, Rules, Shared},
    lock,
};

const BODY_LIMIT: usize = 1024 * 1024;

/// PortaBilling's handle; clones share the service.
#[derive(Clone)]
pub struct PortaBilling {
    user: Arc<User>,
    desk: Arc<Desk>,
    billing: Arc<Mutex<Billing>>,
    sessions: Arc<Mutex<Sessions>>,
    is_down: Arc<AtomicBool>,
}

impl PortaBilling {
    pub(super) fn new(config: &SandboxConfig, shared: &Arc<Shared>) -> Self {
        let billing = Arc::new(Mutex::new(Billing::default()));
        let known = billing.clone();
        let rules = Rules {
            service: "portabilling",
            connections: None,
            body_limit: BODY_LIMIT,
            // What is injected keeps the status it is asked for; the service itself knows only 500.
            refuse: |status, detail| {
                let mut response = Refusal::new("Server.sandbox.injected", detail).into_response();
                *response.status_mut() = status;
                response
            },
            subjects: Box::new(move |path, body| subjects(&lock(&known), path, body)),
        };
        Self {
            user: Arc::new(User {
                login: config.portabilling_login.clone(),
                password: config.portabilling_password.clone(),
                token: config.portabilling_token.clone(),
            }),
            desk: Desk::new(rules, shared),
            billing,
            sessions: Arc::default(),
            is_down: Arc::default(),
        }
    }

    pub(super) fn router(&self) -> Router {
        routes::router(self.clone())
    }

    /// Adds an open customer in EUR by hand, changed by `change` before it is there; answers with its key.
    pub fn add_customer(&self, name: &str, change: impl FnOnce(&mut Customer)) -> i64 {
        let mut billing = lock(&self.billing);
        let i_customer = billing.next_customer();
        let mut customer = Customer::new(i_customer, name);
        change(&mut customer);
        customer.i_customer = i_customer;
        billing.insert(customer);
        i_customer
    }

    /// Charges a customer by hand.
    pub fn book_by_hand(&self, i_customer: i64, amount: Decimal) {
        let now = self.now();
        lock(&self.billing).charge(i_customer, amount, None, now);
    }

    /// Charges a customer, as if a request with this reference had done it.
    pub fn book_as(&self, i_customer: i64, amount: Decimal, reference: &str) {
        let now = self.now();
        lock(&self.billing).charge(i_customer, amount, Some(reference), now);
    }

    /// Closes a customer by hand.
    pub fn close_by_hand(&self, i_customer: i64) {
        if let Some(customer) = lock(&self.billing).customers.get_mut(&i_customer) {
            customer.status = BillStatus::Closed;
        }
    }

    /// All customers, terminated ones included; oldest first.
    #[must_use]
    pub fn customers(&self) -> Vec<Customer> {
        lock(&self.billing).customers.values().cloned().collect()
    }

    /// A customer by its key.
    #[must_use]
    pub fn customer(&self, i_customer: i64) -> Option<Customer> {
        lock(&self.billing).customers.get(&i_customer).cloned()
    }

    /// The first customer that has the reference number.
    #[must_use]
    pub fn customer_by_refnum(&self, refnum: &str) -> Option<Customer> {
        lock(&self.billing).by_refnum(refnum).cloned()
    }

    /// How many customers have it: more than one is a customer made twice.
    #[must_use]
    pub fn how_many_with_refnum(&self, refnum: &str) -> usize {
        let customers = self.customers();
        let has_it = |customer: &&Customer| customer.refnum.as_deref() == Some(refnum);
        customers.iter().filter(has_it).count()
    }

    /// A customer's transactions in the order of booking.
    #[must_use]
    pub fn transactions(&self, i_customer: i64) -> Vec<Transaction> {
        let mut all = self.all_transactions();
        all.retain(|booked| booked.i_customer == i_customer);
        all
    }

    /// Everybody's transactions in the order of booking.
    #[must_use]
    pub fn all_transactions(&self) -> Vec<Transaction> {
        lock(&self.billing).transactions.clone()
    }

    /// What a customer owes; negative when it has credit.
    #[must_use]
    pub fn balance(&self, i_customer: i64) -> Decimal {
        lock(&self.billing).balance(i_customer)
    }

    /// Properties of `customer_info` that were sent and that the fake does not know: ignored, and perhaps misspelt.
    #[must_use]
    pub fn unknown_properties(&self) -> BTreeSet<String> {
        lock(&self.billing).unknown_properties.clone()
    }

    /// How long a transaction takes until its xDR is seen, on the sandbox's clock. Default: no time.
    pub fn set_xdr_delay(&self, delay: Duration) {
        lock(&self.billing).xdr_delay = SignedDuration::try_from(delay).unwrap_or(SignedDuration::MAX);
    }

    /// The code that a name which is taken is refused with, as nobody knows the real one. Default:
    /// `Server.Customer.<method>.duplicate_name`.
    pub fn set_duplicate_fault(&self, code: &str) {
        lock(&self.billing).duplicate_fault = Some(code.to_owned());
    }

    /// An outage: everything is answered 503, with a page that is no JSON, until it is over.
    pub fn set_down(&self, down: bool) {
        self.is_down.store(down, Ordering::Relaxed);
    }

    /// Refuses every token given so far.
    pub fn expire_tokens(&self) {
        lock(&self.sessions).close_all();
    }

    /// Logins that were let in.
    #[must_use]
    pub fn logins(&self) -> u64 {
        lock(&self.sessions).logins
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

    /// [`calls`](Self::calls) about one subject: `Customer/add_customer`, a refnum, an internal comment.
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
}

/// The method, and the transaction or the customer.
fn subjects(billing: &Billing, path: &[&str], body: &[u8]) -> Vec<String> {
    let &[module, method, ..] = path else {
        return Vec::new();
    };
    let body: Value = serde_json::from_slice(body).unwrap_or_default();
    let params = &body["params"];
    let said = params.get("customer_info").unwrap_or(params);
    let text = |name: &str| said[name].as_str().map(str::to_owned);
    let mut subjects = vec![format!("{module}/{method}")];
    if method == "make_transaction" {
        subjects.extend(text("internal_comment"));
        return subjects;
    }
    let id = said["i_customer"]
        .as_i64()
        .or_else(|| said["i_customer"].as_str()?.parse().ok());
    let customer = id.and_then(|id| billing.customers.get(&id));
    subjects.extend(customer.and_then(|customer| customer.refnum.clone()));
    subjects.extend(customer.map(|customer| customer.name.clone()));
    subjects.extend(["refnum", "name"].into_iter().filter_map(text));
    subjects
}

/// As a JSON number, as the real one answers: exact up to fifteen digits.
fn number(amount: Decimal) -> Value {
    amount.to_string().parse::<f64>().map_or(Value::Null, Value::from)
}
