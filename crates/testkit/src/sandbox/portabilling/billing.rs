//! The customers, what they owe, and what the methods do to them.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use rust_decimal::Decimal;
use serde_json::{Map, Value, json};

use super::{Action, BillStatus, Customer, Transaction, date, error::Refusal, number, params::Params};

const FIRST_CUSTOMER: i64 = 1001;
const FIRST_XDR: i64 = 500_001;
/// A page of xDRs; a larger limit is cut down to it.
const PAGE: i64 = 100;
const FRACTION_DIGITS: u32 = 5;

#[derive(Default)]
pub(super) struct Billing {
    pub(super) customers: BTreeMap<i64, Customer>,
    pub(super) transactions: Vec<Transaction>,
    pub(super) xdr_delay: SignedDuration,
    pub(super) duplicate_fault: Option<String>,
    pub(super) unknown_properties: BTreeSet<String>,
    payments: i64,
}

impl Billing {
    pub(super) fn call(
        &mut self,
        method: &str,
        said: &Map<String, Value>,
        now: Timestamp,
    ) -> Result<Value, Refusal> {
        if let Some(name) = Params::boolean(said) {
            return Err(Refusal::invalid(method, name, "\"Y\" or \"N\""));
        }
        let params = Params { method, said };
        match method {
            "get_customer_info" => self.find(&params),
            "add_customer" => self.add(&params),
            "update_customer" => self.update(&params),
            "terminate_customer" => self.terminate(&params),
            "make_transaction" => self.book(&params, now),
            "get_customer_xdrs" => self.xdrs(&params, now),
            _ => Err(Refusal::of(method, "method_not_found", "There is no such method")),
        }
    }

    pub(super) fn balance(&self, i_customer: i64) -> Decimal {
        let own = self
            .transactions
            .iter()
            .filter(|booked| booked.i_customer == i_customer);
        own.map(Transaction::charged).sum()
    }

    /// The first of those that have it, which is assumed: nothing says what comes of two.
    pub(super) fn by_refnum(&self, refnum: &str) -> Option<&Customer> {
        self.customers
            .values()
            .find(|customer| customer.refnum.as_deref() == Some(refnum))
    }

    pub(super) fn by_name(&self, name: &str) -> Option<&Customer> {
        self.customers.values().find(|customer| customer.name == name)
    }

    pub(super) fn insert(&mut self, customer: Customer) {
        self.customers.insert(customer.i_customer, customer);
    }

    pub(super) fn next_customer(&self) -> i64 {
        self.customers
            .keys()
            .next_back()
            .map_or(FIRST_CUSTOMER, |last| last + 1)
    }

    /// By one key. An unknown customer is an empty answer and no fault, which is assumed. Terminated ones are found.
    fn find(&self, params: &Params) -> Result<Value, Refusal> {
        let keys = ["i_customer", "refnum", "name", "login"];
        let mut given = keys.into_iter().filter(|key| params.get(key).is_some());
        let (Some(key), None) = (given.next(), given.next()) else {
            return Err(params.missing("exactly one of i_customer, refnum, name, login"));
        };
        let found = if key == "i_customer" {
            params.number(key)?.and_then(|id| self.customers.get(&id))
        } else {
            let text = params.text(key)?.unwrap_or_default();
            match key {
                "refnum" => self.by_refnum(text),
                "name" => self.by_name(text),
                _ => self
                    .customers
                    .values()
                    .find(|customer| customer.login.as_deref() == Some(text)),
            }
        };
        let info = |customer: &Customer| customer.to_json(self.balance(customer.i_customer));
        Ok(found.map_or_else(|| json!({}), |customer| json!({"customer_info": info(customer)})))
    }

    fn add(&mut self, params: &Params) -> Result<Value, Refusal> {
        let info = params.inside("customer_info")?;
        for mandatory in ["name", "iso_4217"] {
            if info.get(mandatory).is_none() {
                return Err(info.missing(mandatory));
            }
        }
        let mut customer = Customer::new(self.next_customer(), "");
        let unknown = customer.apply(&info)?;
        self.check_name(params.method, &customer)?;
        self.unknown_properties.extend(unknown);
        let i_customer = customer.i_customer;
        self.insert(customer);
        Ok(json!({"i_customer": i_customer}))
    }

    /// The currency stays what it was when the customer was added, which is assumed.
    fn update(&mut self, params: &Params) -> Result<Value, Refusal> {
        let info = params.inside("customer_info")?;
        let before = self.open_customer(&info)?;
        let mut customer = before.clone();
        let unknown = customer.apply(&info)?;
        if customer.currency != before.currency {
            return Err(info.invalid("iso_4217", "the currency that the customer has"));
        }
        self.check_name(params.method, &customer)?;
        self.unknown_properties.extend(unknown);
        let i_customer = customer.i_customer;
        self.insert(customer);
        Ok(json!({"i_customer": i_customer}))
    }

    fn terminate(&mut self, params: &Params) -> Result<Value, Refusal> {
        let mut customer = self.open_customer(params)?.clone();
        customer.status = BillStatus::Closed;
        self.insert(customer);
        Ok(json!({"success": 1}))
    }

    /// The answer's names are those of a public client's `MakeCustomerTransactionResponse` (C#). There is no key that would
    /// keep the same transaction from being booked twice.
    fn book(&mut self, params: &Params, now: Timestamp) -> Result<Value, Refusal> {
        let i_customer = self.open_customer(params)?.i_customer;
        let action = params.text("action")?.ok_or_else(|| params.missing("action"))?;
        let action = Action::parse(action)
            .ok_or_else(|| params.invalid("action", "Manual Charge, Manual Credit or Manual Payment"))?;
        let amount = params.amount("amount")?;
        if amount <= Decimal::ZERO || amount.normalize().scale() > FRACTION_DIGITS {
            return Err(params.invalid("amount", "more than 0, with at most five decimals"));
        }
        let comment = |name| Ok(params.text(name)?.map(str::to_owned));
        let booked = Transaction {
            i_xdr: self.transactions.last().map_or(FIRST_XDR, |last| last.i_xdr + 1),
            i_customer,
            action,
            amount,
            visible_comment: comment("visible_comment")?,
            internal_comment: comment("internal_comment")?,
            at: now,
        };
        let i_xdr = booked.i_xdr;
        self.transactions.push(booked);
        let mut answer = json!({"i_xdr": i_xdr, "balance": number(self.balance(i_customer))});
        if action == Action::Payment {
            self.payments += 1;
            answer["i_payment_transaction"] = self.payments.into();
        }
        Ok(answer)
    }

    pub(super) fn charge(
        &mut self,
        i_customer: i64,
        amount: Decimal,
        reference: Option<&str>,
        now: Timestamp,
    ) {
        let i_xdr = self.transactions.last().map_or(FIRST_XDR, |last| last.i_xdr + 1);
        self.transactions.push(Transaction {
            i_xdr,
            i_customer,
            action: Action::Charge,
            amount,
            visible_comment: Some(reference.map_or_else(|| "By hand".to_owned(), |text| format!("[{text}]"))),
            internal_comment: reference.map(str::to_owned),
            at: now,
        });
    }

    /// Oldest first, with those only that are older than the delay. `total` comes to who asks with `get_total`, as clients
    /// do, and counts all pages.
    fn xdrs(&self, params: &Params, now: Timestamp) -> Result<Value, Refusal> {
        let i_customer = self.customer(params)?.i_customer;
        let bound = |name: &str| {
            let text = params.text(name)?.ok_or_else(|| params.missing(name))?;
            date::parse(text).ok_or_else(|| params.invalid(name, "YYYY-MM-DD HH:MM:SS"))
        };
        let (from, to) = (bound("from_date")?, bound("to_date")?);
        let page = |name: &str, otherwise: i64, least: i64| {
            let number = params.number(name)?.unwrap_or(otherwise);
            let number = usize::try_from(number).ok().filter(|_| number >= least);
            number.ok_or_else(|| params.invalid(name, "a whole number that makes sense"))
        };
        let (limit, offset) = (page("limit", PAGE, 1)?, page("offset", 0, 0)?);
        let found: Vec<_> = self
            .transactions
            .iter()
            .filter(|booked| booked.i_customer == i_customer)
            .filter(|booked| (from..=to).contains(&booked.at) && booked.at + self.xdr_delay <= now)
            .collect();
        let limit = limit.min(usize::try_from(PAGE).unwrap_or(limit));
        let shown: Vec<_> = found
            .iter()
            .skip(offset)
            .take(limit)
            .map(|booked| booked.to_xdr())
            .collect();
        let mut answer = json!({"xdr_list": shown});
        if params.flag("get_total")? {
            answer["total"] = found.len().into();
        }
        Ok(answer)
    }

    fn customer(&self, params: &Params) -> Result<&Customer, Refusal> {
        let id = params
            .number("i_customer")?
            .ok_or_else(|| params.missing("i_customer"))?;
        let unknown = || Refusal::no_such_customer(params.method);
        self.customers.get(&id).ok_or_else(unknown)
    }

    fn open_customer(&self, params: &Params) -> Result<&Customer, Refusal> {
        let customer = self.customer(params)?;
        if customer.is_terminated() {
            return Err(Refusal::terminated(params.method));
        }
        Ok(customer)
    }

    /// A terminated customer keeps its name, which is assumed.
    fn check_name(&self, method: &str, customer: &Customer) -> Result<(), Refusal> {
        let taken = self
            .by_name(&customer.name)
            .is_some_and(|other| other.i_customer != customer.i_customer);
        if !taken {
            return Ok(());
        }
        let text = "A customer with this name already exists";
        Err(match &self.duplicate_fault {
            Some(code) => Refusal::new(code, text),
            None => Refusal::of(method, "duplicate_name", text),
        })
    }
}
