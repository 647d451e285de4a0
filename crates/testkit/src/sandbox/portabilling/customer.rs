//! Customers: what PortaBilling keeps of them, and `customer_info`.

use rust_decimal::Decimal;
use serde_json::{Value, json};

use super::{error::Refusal, number, params::Params};

/// The currencies that the system has; any other is refused.
const CURRENCIES: [&str; 4] = ["EUR", "USD", "GBP", "CHF"];

/// `bill_status`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BillStatus {
    /// `O`.
    Open,
    /// `S`.
    Suspended,
    /// `C`: terminated. The customer stays, with all its history and its name.
    Closed,
}

impl BillStatus {
    fn letter(self) -> &'static str {
        match self {
            Self::Open => "O",
            Self::Suspended => "S",
            Self::Closed => "C",
        }
    }
}

/// A customer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Customer {
    /// The key.
    pub i_customer: i64,
    /// The customer id that people see; no other customer has it.
    pub name: String,
    /// The reference number in somebody else's system. Nothing keeps two customers from having the same.
    pub refnum: Option<String>,
    /// `login`, to the customer's own pages.
    pub login: Option<String>,
    /// `companyname`.
    pub companyname: Option<String>,
    /// `email`.
    pub email: Option<String>,
    /// `phone1`.
    pub phone1: Option<String>,
    /// `baddr1`.
    pub baddr1: Option<String>,
    /// `city`.
    pub city: Option<String>,
    /// `zip`.
    pub zip: Option<String>,
    /// `country`.
    pub country: Option<String>,
    /// `iso_4217`.
    pub currency: String,
    /// `i_customer_type`: 1 retail, 2 reseller, 3 distributor.
    pub customer_type: i64,
    /// `bill_status`.
    pub status: BillStatus,
}

impl Customer {
    /// A new one, open and without anything but a name and EUR as its currency.
    pub(super) fn new(i_customer: i64, name: &str) -> Self {
        Self {
            i_customer,
            name: name.to_owned(),
            refnum: None,
            login: None,
            companyname: None,
            email: None,
            phone1: None,
            baddr1: None,
            city: None,
            zip: None,
            country: None,
            currency: "EUR".to_owned(),
            customer_type: 1,
            status: BillStatus::Open,
        }
    }

    pub(super) fn is_terminated(&self) -> bool {
        self.status == BillStatus::Closed
    }

    pub(super) fn to_json(&self, balance: Decimal) -> Value {
        json!({
            "i_customer": self.i_customer, "name": self.name, "refnum": self.refnum, "login": self.login,
            "companyname": self.companyname, "email": self.email, "phone1": self.phone1, "baddr1": self.baddr1,
            "city": self.city, "zip": self.zip, "country": self.country, "iso_4217": self.currency,
            "i_customer_type": self.customer_type, "bill_status": self.status.letter(), "balance": number(balance),
        })
    }

    /// Sets what is said and leaves the rest alone; what it does not know it ignores, and names.
    pub(super) fn apply(&mut self, info: &Params) -> Result<Vec<String>, Refusal> {
        let mut unknown = Vec::new();
        for (name, value) in info.said {
            let text = || Ok(info.text(name)?.map(str::to_owned));
            match name.as_str() {
                "i_customer" => {}
                "name" => {
                    let given = text()?.filter(|given| !given.is_empty());
                    self.name = given.ok_or_else(|| info.missing(name))?;
                }
                "refnum" => self.refnum = text()?,
                "login" => self.login = text()?,
                "companyname" => self.companyname = text()?,
                "email" => self.email = text()?,
                "phone1" => self.phone1 = text()?,
                "baddr1" => self.baddr1 = text()?,
                "city" => self.city = text()?,
                "zip" => self.zip = text()?,
                "country" => self.country = text()?,
                "iso_4217" => {
                    let known = |currency: &String| CURRENCIES.contains(&currency.as_str());
                    let currency = text()?.filter(known);
                    self.currency = currency.ok_or_else(|| info.invalid(name, "a currency of the system"))?;
                }
                "i_customer_type" => {
                    let kind = info.number(name)?.filter(|kind| (1..=3).contains(kind));
                    self.customer_type = kind.ok_or_else(|| info.invalid(name, "1, 2 or 3"))?;
                }
                "bill_status" => {
                    self.status = match value.as_str() {
                        Some("O") => BillStatus::Open,
                        Some("S") => BillStatus::Suspended,
                        _ => return Err(info.invalid(name, "O or S; terminate_customer closes a customer")),
                    }
                }
                _ => unknown.push(name.clone()),
            }
        }
        Ok(unknown)
    }
}
