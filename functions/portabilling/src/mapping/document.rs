//! Invoice, credit note, incoming payment → transaction.

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Number, Value};
use vendorbridge::vendor::Invalid;

use super::customer::currency;
use super::{Customer, Partner, amount};
use crate::config::Settings;

/// A kind of document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Invoice,
    CreditNote,
    Payment,
}

/// An invoice, a credit note or an incoming payment, with its partner.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Document {
    doc_entry: i64,
    doc_num: i64,
    doc_currency: String,
    doc_total: Option<Number>,
    doc_total_fc: Option<Number>,
    cash_sum: Option<Number>,
    transfer_sum: Option<Number>,
    bill_of_exchange_amount: Option<Number>,
    #[serde(default)]
    payment_checks: Vec<Check>,
    #[serde(default)]
    payment_credit_cards: Vec<Card>,
    #[serde(default)]
    payment_invoices: Vec<Paid>,
    cancelled: YesNo,
    partner: Option<Partner>,
    #[serde(flatten)]
    others: Map<String, Value>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
enum YesNo {
    #[serde(rename = "tYES")]
    Yes,
    #[serde(rename = "tNO")]
    No,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Check {
    check_sum: Number,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Card {
    credit_sum: Number,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Paid {
    doc_entry: i64,
    #[serde(default)]
    invoice_type: String,
}

/// What PortaBilling is to hold for a document: one transaction, and the opposite one if it was cancelled.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Booking {
    /// `sapb1:<company>:<object type>:<DocEntry>`: what the transaction is found by.
    pub(crate) reference: String,
    pub(crate) action: &'static str,
    /// An exact decimal, more than zero.
    pub(crate) amount: String,
    pub(crate) cancelled: bool,
    #[serde(skip)]
    pub(crate) opposite: &'static str,
    /// What the customer reads.
    #[serde(skip)]
    pub(crate) title: String,
    /// Whose it is, as it is created where it is not there yet.
    #[serde(skip)]
    pub(crate) customer: Result<Customer, Invalid>,
    /// The id that B1 has for it.
    #[serde(skip)]
    pub(crate) linked: Option<String>,
    /// The invoices that a payment pays, by `DocEntry`.
    #[serde(skip)]
    pub(crate) pays: Vec<i64>,
}

impl Kind {
    /// The entity set of the Service Layer.
    pub(crate) fn collection(self) -> &'static str {
        match self {
            Self::Invoice => "Invoices",
            Self::CreditNote => "CreditNotes",
            Self::Payment => "IncomingPayments",
        }
    }

    /// B1's number of the object.
    pub(crate) fn object_type(self) -> &'static str {
        match self {
            Self::Invoice => "13",
            Self::CreditNote => "14",
            Self::Payment => "24",
        }
    }

    /// Our name of the entity type.
    pub(crate) fn entity_type(self) -> &'static str {
        match self {
            Self::Invoice => "invoice",
            Self::CreditNote => "credit-note",
            Self::Payment => "payment",
        }
    }

    /// The properties that are asked for, besides the one that takes our link.
    pub(crate) fn fields(self) -> Vec<&'static str> {
        let mut fields = vec![
            "DocEntry",
            "DocNum",
            "CardCode",
            "DocCurrency",
            "Series",
            "Cancelled",
        ];
        fields.extend(match self {
            Self::Invoice | Self::CreditNote => ["DocTotal", "DocTotalFc", "CancelStatus"].as_slice(),
            Self::Payment => &[
                "CashSum",
                "TransferSum",
                "BillOfExchangeAmount",
                "PaymentChecks",
                "PaymentCreditCards",
                "PaymentInvoices",
            ],
        });
        fields
    }

    /// The transaction, and the one that takes it back.
    fn actions(self) -> (&'static str, &'static str) {
        match self {
            Self::Invoice => ("Manual Charge", "Manual Credit"),
            Self::CreditNote => ("Manual Credit", "Manual Charge"),
            Self::Payment => ("Manual Payment", "Manual Charge"),
        }
    }

    fn title(self) -> &'static str {
        match self {
            Self::Invoice => "Invoice",
            Self::CreditNote => "Credit note",
            Self::Payment => "Payment",
        }
    }
}

impl Document {
    /// The transaction that this document is to be.
    pub(crate) fn booking(&self, kind: Kind, settings: &Settings) -> Result<Booking, Invalid> {
        let (at, total) = self.total(kind)?;
        if total <= Decimal::ZERO {
            let message = "expected an amount of more than zero, found zero or less";
            return Err(Invalid::new(at, message));
        }
        let (action, opposite) = kind.actions();
        let linked = self.others.get(settings.link_field.as_str());
        let paid = self
            .payment_invoices
            .iter()
            .filter(|paid| paid.invoice_type == "it_Invoice");
        Ok(Booking {
            reference: format!(
                "sapb1:{}:{}:{}",
                settings.company.as_str(),
                kind.object_type(),
                self.doc_entry
            ),
            action,
            amount: total.to_string(),
            cancelled: self.cancelled == YesNo::Yes,
            opposite,
            title: format!("{} {}", kind.title(), self.doc_num),
            customer: self.customer(kind, settings),
            linked: linked.and_then(Value::as_str).map(str::to_owned),
            pays: paid.map(|paid| paid.doc_entry).collect(),
        })
    }

    /// Whose the document is. What is booked already needs no customer any more, so one that cannot be had refuses nothing by
    /// itself.
    fn customer(&self, kind: Kind, settings: &Settings) -> Result<Customer, Invalid> {
        let Some(partner) = &self.partner else {
            let message = "expected the document's partner, found none with its CardCode";
            return Err(Invalid::new("/Partner", message));
        };
        let customer = partner
            .customer(settings)
            .map_err(|invalid| Invalid::new(format!("/Partner{}", invalid.pointer), invalid.message))?;
        let iso_4217 = currency(settings, "/DocCurrency", &self.doc_currency)?;
        if iso_4217 != customer.iso_4217 {
            let message = "expected the currency of the customer, found another: an account has one currency";
            return Err(Invalid::new("/DocCurrency", message));
        }
        // Some of a payment's means are given in the company's currency, some in their own.
        if kind == Kind::Payment && iso_4217 != settings.local_currency {
            let message = "expected a payment in the company's own currency, found another: book it by hand";
            return Err(Invalid::new("/DocCurrency", message));
        }
        Ok(customer)
    }

    /// The total in the document's currency, and where it stands. `DocTotal` is in the company's own currency; `DocTotalFc` in
    /// the document's, where that is another one.
    fn total(&self, kind: Kind) -> Result<(&'static str, Decimal), Invalid> {
        if kind == Kind::Payment {
            return Ok(("/TransferSum", self.paid()?));
        }
        let foreign = read("/DocTotalFc", self.doc_total_fc.as_ref())?;
        if !foreign.is_zero() {
            return Ok(("/DocTotalFc", foreign));
        }
        Ok(("/DocTotal", read("/DocTotal", self.doc_total.as_ref())?))
    }

    /// A payment's means, in the company's currency.
    fn paid(&self) -> Result<Decimal, Invalid> {
        let mut total = read("/CashSum", self.cash_sum.as_ref())?
            + read("/TransferSum", self.transfer_sum.as_ref())?
            + read("/BillOfExchangeAmount", self.bill_of_exchange_amount.as_ref())?;
        for check in &self.payment_checks {
            total += amount("/PaymentChecks", &check.check_sum)?;
        }
        for card in &self.payment_credit_cards {
            total += amount("/PaymentCreditCards", &card.credit_sum)?;
        }
        Ok(total.normalize())
    }
}

fn read(pointer: &str, number: Option<&Number>) -> Result<Decimal, Invalid> {
    number.map_or(Ok(Decimal::ZERO), |number| amount(pointer, number))
}
