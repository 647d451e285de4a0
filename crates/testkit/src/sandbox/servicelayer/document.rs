//! Marketing documents and payments: what B1 keeps of them, and their JSON.

use jiff::civil::Date;
use rust_decimal::Decimal;
use serde_json::{Map, Value, json};

use super::error::Refusal;

/// Which table a document is in. Each has its own count of `DocEntry`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// `OINV`, object type 13.
    Invoice,
    /// `ORIN`, object type 14.
    CreditNote,
    /// `ORCT`, object type 24.
    Payment,
}

impl Kind {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Invoice, Self::CreditNote, Self::Payment];

    /// B1's number for it, as events name it.
    #[must_use]
    pub fn object_type(self) -> &'static str {
        match self {
            Self::Invoice => "13",
            Self::CreditNote => "14",
            Self::Payment => "24",
        }
    }

    /// Its name in the URL.
    #[must_use]
    pub fn collection(self) -> &'static str {
        match self {
            Self::Invoice => "Invoices",
            Self::CreditNote => "CreditNotes",
            Self::Payment => "IncomingPayments",
        }
    }

    /// What faults know a document by: `invoice/1`, `credit-note/1`, `payment/1`.
    #[must_use]
    pub fn subject(self, doc_entry: i64) -> String {
        let name = match self {
            Self::Invoice => "invoice",
            Self::CreditNote => "credit-note",
            Self::Payment => "payment",
        };
        format!("{name}/{doc_entry}")
    }

    pub(super) fn entity(self) -> &'static str {
        match self {
            Self::Invoice | Self::CreditNote => "Document",
            Self::Payment => "Payment",
        }
    }
}

/// Whether a document counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cancelled {
    /// It does.
    No,
    /// It was cancelled.
    Yes,
    /// It is the document that cancels another one.
    Cancellation,
}

/// What is entered; the rest is B1's to say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewDocument {
    /// The partner's code.
    pub card_code: String,
    /// The date of posting.
    pub doc_date: Date,
    /// The document's currency.
    pub currency: String,
    /// The total in it. Kept with two decimals.
    pub total: Decimal,
    /// The series that it is numbered in.
    pub series: i32,
    /// Free text.
    pub comments: String,
    /// What a payment pays: invoices by `DocEntry`, and how much of each. Empty for a payment on account.
    pub invoices: Vec<(i64, Decimal)>,
}

impl NewDocument {
    /// A document in EUR, of the first series.
    #[must_use]
    pub fn of(card_code: &str, total: Decimal) -> Self {
        Self {
            card_code: card_code.to_owned(),
            doc_date: jiff::civil::date(2026, 1, 29),
            currency: "EUR".to_owned(),
            total,
            series: 1,
            comments: String::new(),
            invoices: Vec::new(),
        }
    }

    pub(super) fn post(mut self, doc_entry: i64, doc_num: i64) -> Document {
        self.total.rescale(2);
        Document {
            doc_entry,
            doc_num,
            card_code: self.card_code,
            doc_date: self.doc_date,
            currency: self.currency,
            total: self.total,
            series: self.series,
            cancelled: Cancelled::No,
            comments: self.comments,
            portabilling_id: None,
            invoices: self.invoices,
        }
    }
}

/// A document or payment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Document {
    /// The key, counted per [`Kind`].
    pub doc_entry: i64,
    /// The number that people see.
    pub doc_num: i64,
    /// The partner's code.
    pub card_code: String,
    /// The date of posting.
    pub doc_date: Date,
    /// The document's currency.
    pub currency: String,
    /// The total in it, with two decimals.
    pub total: Decimal,
    /// The series that it is numbered in.
    pub series: i32,
    /// Whether it counts.
    pub cancelled: Cancelled,
    /// Free text.
    pub comments: String,
    /// The user field `U_PortaBilling`.
    pub portabilling_id: Option<String>,
    /// What a payment pays, by `DocEntry`.
    pub invoices: Vec<(i64, Decimal)>,
}

impl Document {
    pub(super) fn to_json(&self, kind: Kind) -> Map<String, Value> {
        let is_cancelled = self.cancelled != Cancelled::No;
        let mut all = fields(json!({
            "DocEntry": self.doc_entry, "DocNum": self.doc_num, "CardCode": self.card_code,
            // `Edm.DateTimeOffset` in v2.
            "DocDate": format!("{}T00:00:00Z", self.doc_date),
            "DocCurrency": self.currency, "Series": self.series,
            "Cancelled": if is_cancelled { "tYES" } else { "tNO" },
            "U_PortaBilling": self.portabilling_id,
        }));
        all.extend(match kind {
            Kind::Invoice | Kind::CreditNote => fields(json!({
                "DocTotal": amount(self.total), "DocTotalFc": amount(self.foreign()), "Comments": self.comments,
                "CancelStatus": match self.cancelled {
                    Cancelled::No => "csNo",
                    Cancelled::Yes => "csYes",
                    Cancelled::Cancellation => "csCancellation",
                },
            })),
            Kind::Payment => fields(json!({
                "CashSum": 0.0, "TransferSum": amount(self.total), "BillOfExchangeAmount": 0.0,
                "PaymentChecks": [], "PaymentCreditCards": [], "Remarks": self.comments,
                "PaymentInvoices": self.invoices.iter().enumerate().map(|(line, (entry, applied))| json!({
                    "LineNum": line, "DocEntry": entry, "SumApplied": amount(*applied), "InvoiceType": "it_Invoice",
                })).collect::<Vec<_>>(),
            })),
        });
        all
    }

    /// The total in foreign currency: none for a document in the company's own, EUR. Every rate is 1.
    fn foreign(&self) -> Decimal {
        if self.currency == "EUR" {
            Decimal::ZERO
        } else {
            self.total
        }
    }

    /// A posted document is closed to changes; the user fields are not.
    pub(super) fn patch(&mut self, kind: Kind, said: &Map<String, Value>) -> Result<(), Refusal> {
        let known = self.to_json(kind);
        for (name, value) in said {
            match (name.as_str(), value) {
                ("U_PortaBilling", Value::String(id)) => self.portabilling_id = Some(id.clone()),
                ("U_PortaBilling", Value::Null) => self.portabilling_id = None,
                ("U_PortaBilling", _) => return Err(Refusal::wrong_type(name)),
                _ if known.contains_key(name) => return Err(Refusal::not_changeable(name)),
                _ => return Err(Refusal::unknown_property(name, kind.entity())),
            }
        }
        Ok(())
    }
}

pub(super) fn fields(object: Value) -> Map<String, Value> {
    match object {
        Value::Object(fields) => fields,
        _ => Map::new(),
    }
}

/// As a JSON number, which is how OData sends `Edm.Double`: exact up to fifteen digits.
fn amount(amount: Decimal) -> Value {
    amount.to_string().parse::<f64>().map_or(Value::Null, Value::from)
}
