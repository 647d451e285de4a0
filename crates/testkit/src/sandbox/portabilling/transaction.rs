//! Manual transactions, and how they come back as xDRs.

use jiff::Timestamp;
use rust_decimal::Decimal;
use serde_json::{Value, json};

use super::{date, number};

/// What a transaction does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// The customer owes more.
    Charge,
    /// The customer owes less.
    Credit,
    /// The customer paid.
    Payment,
}

impl Action {
    const ALL: [Self; 3] = [Self::Charge, Self::Credit, Self::Payment];

    /// As it is called on the wire.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Charge => "Manual Charge",
            Self::Credit => "Manual Credit",
            Self::Payment => "Manual Payment",
        }
    }

    /// Clients write it in upper case, in lower case and as here. The actions that go through a payment system are
    /// refused: there is none here.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let named = |action: &Self| action.name().eq_ignore_ascii_case(text);
        Self::ALL.into_iter().find(named)
    }
}

/// A transaction that was booked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transaction {
    /// The key of its xDR.
    pub i_xdr: i64,
    /// Whose it is.
    pub i_customer: i64,
    /// What it did.
    pub action: Action,
    /// As it was sent: positive.
    pub amount: Decimal,
    /// Comes back in the xDR.
    pub visible_comment: Option<String>,
    /// Never comes back: "only in the database".
    pub internal_comment: Option<String>,
    /// When it was booked, in whole seconds.
    pub at: Timestamp,
}

impl Transaction {
    /// What it adds to what the customer owes.
    #[must_use]
    pub fn charged(&self) -> Decimal {
        match self.action {
            Action::Charge => self.amount,
            Action::Credit | Action::Payment => -self.amount,
        }
    }

    /// The names are those of a public client's `CustomerXDRInfo` (C#), where `i_xdr` is a text; that client reads the comment
    /// that it gave a transaction from `CLD`. That the xDR browser shows the visible comment is said in
    /// <https://docs.portaone.com/docs/mr100-balance-adjustment>.
    pub(super) fn to_xdr(&self) -> Value {
        json!({
            "i_xdr": self.i_xdr.to_string(), "account_id": null, "CLI": "",
            "CLD": self.visible_comment.as_deref().unwrap_or(self.action.name()),
            "charged_amount": number(self.charged()), "charged_quantity": 1, "bill_status": "O",
            "connect_time": date::text(self.at), "unix_connect_time": self.at.as_second(),
            "bill_time": date::text(self.at),
        })
    }
}
