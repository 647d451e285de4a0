//! Transactions: booked without any key of ours, so looked for by the reference that stands in their comment.

use jiff::{SignedDuration, Timestamp, tz::TimeZone};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use vendorbridge::{Error, ErrorKind, Stage};

use super::Client;
use crate::error;

/// xDRs per page, and pages that are looked through: an account's calls are among them.
const PAGE: usize = 100;
const MAX_PAGES: usize = 50;
/// PortaBilling's clock may differ from ours by this much.
const SKEW: SignedDuration = SignedDuration::from_hours(1);

/// What is booked.
pub(crate) struct Transaction<'a> {
    pub(crate) i_customer: i64,
    pub(crate) action: &'a str,
    pub(crate) amount: &'a str,
    pub(crate) title: &'a str,
    pub(crate) reference: &'a str,
}

/// A transaction that was booked, as the ledger keeps it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Booked {
    pub(crate) i_xdr: i64,
    pub(crate) i_customer: i64,
}

#[derive(Deserialize)]
struct Xdr {
    i_xdr: i64,
    #[serde(default)]
    visible_comment: Option<String>,
    #[serde(default)]
    internal_comment: Option<String>,
}

impl Client {
    /// Books a transaction. Not repeatable: PortaBilling books as often as it is asked.
    pub(crate) async fn book(&self, now: Timestamp, transaction: &Transaction<'_>) -> Result<Booked, Error> {
        let params = json!({
            "i_customer": transaction.i_customer,
            "action": transaction.action,
            "amount": transaction.amount,
            "visible_comment": comment(transaction.title, transaction.reference),
            "internal_comment": transaction.reference,
        });
        let answer = self.call(now, "make_transaction", params).await?;
        let i_xdr = number(&answer["i_xdr"]).ok_or_else(|| error::missing("i_xdr"))?;
        Ok(Booked {
            i_xdr,
            i_customer: transaction.i_customer,
        })
    }

    /// Looks for a transaction that may have been booked since then.
    ///
    /// The visible comment comes back in the list of xDRs; whether the internal one does is not documented
    /// (<https://docs.portaone.com/docs/mr100-balance-adjustment>).
    pub(crate) async fn find_transaction(
        &self,
        now: Timestamp,
        since: Timestamp,
        i_customer: i64,
        reference: &str,
    ) -> Result<Option<Booked>, Error> {
        let from = since.saturating_sub(SKEW).unwrap_or(Timestamp::MIN);
        let to = now.saturating_add(SKEW).unwrap_or(Timestamp::MAX);
        for page in 0..MAX_PAGES {
            let params = json!({
                "i_customer": i_customer, "from_date": date(from), "to_date": date(to),
                "limit": PAGE, "offset": page * PAGE,
            });
            let answer = self.call(now, "get_customer_xdrs", params).await?;
            let Some(Value::Array(xdrs)) = answer.get("xdr_list") else {
                return Err(error::missing("xdr_list"));
            };
            let is_last = xdrs.len() < PAGE;
            for xdr in xdrs {
                let xdr = Xdr::deserialize(xdr).map_err(|_| error::missing("xdr_list/i_xdr"))?;
                if xdr.is(reference) {
                    let i_xdr = xdr.i_xdr;
                    return Ok(Some(Booked { i_xdr, i_customer }));
                }
            }
            if is_last {
                return Ok(None);
            }
        }
        let message = format!(
            "expected at most {} xDRs of the customer since the transaction may have been booked, found more",
            PAGE * MAX_PAGES
        );
        Err(Error::retry(ErrorKind::TooLarge, Stage::Push, message))
    }
}

impl Xdr {
    fn is(&self, reference: &str) -> bool {
        let visible = self.visible_comment.as_deref().unwrap_or_default();
        visible.contains(&format!("[{reference}]")) || self.internal_comment.as_deref() == Some(reference)
    }
}

/// In brackets, so that no reference is found in a longer one.
fn comment(title: &str, reference: &str) -> String {
    format!("{title} [{reference}]")
}

/// `YYYY-MM-DD HH:MM:SS`, UTC.
fn date(time: Timestamp) -> String {
    time.to_zoned(TimeZone::UTC)
        .strftime("%Y-%m-%d %H:%M:%S")
        .to_string()
}

/// Numbers come as such, or as text.
fn number(value: &Value) -> Option<i64> {
    value.as_i64().or_else(|| value.as_str()?.parse().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reference_is_found_whole_only() {
        let xdr = |visible: &str| Xdr {
            i_xdr: 1,
            visible_comment: Some(visible.to_owned()),
            internal_comment: None,
        };
        let whole = comment("Invoice 1", "sapb1:DB:13:47");
        assert!(xdr(&whole).is("sapb1:DB:13:47"));
        assert!(!xdr(&whole).is("sapb1:DB:13:4"));
        assert!(!xdr(&comment("Invoice 1", "sapb1:DB:13:47:cancel")).is("sapb1:DB:13:47"));
    }

    #[test]
    fn dates_are_portabillings() {
        let time: Timestamp = "2026-01-29T14:36:26.5Z".parse().unwrap();
        assert_eq!(date(time), "2026-01-29 14:36:26");
    }
}
