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
/// A call is over after minutes; with the difference of the clocks.
const LASTS: SignedDuration = SignedDuration::from_hours(2);

/// What is booked; kept in the ledger from before the call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Order {
    pub(crate) i_customer: i64,
    pub(crate) action: String,
    pub(crate) amount: String,
    pub(crate) title: String,
    pub(crate) reference: String,
}

/// A transaction that was booked, as the ledger keeps it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Booked {
    /// None: it was not booked in time, and is not to be any more.
    pub(crate) i_xdr: Option<i64>,
    pub(crate) i_customer: i64,
}

impl Client {
    /// Books a transaction. Not repeatable: PortaBilling books as often as it is asked. So a failure says that it was not booked
    /// only where that is certain.
    pub(crate) async fn book(&self, now: Timestamp, order: &Order) -> Result<Booked, Error> {
        let params = json!({
            "i_customer": order.i_customer,
            "action": order.action,
            "amount": order.amount,
            "visible_comment": comment(&order.title, &order.reference),
            "internal_comment": order.reference,
        });
        let answer = self
            .call(now, "make_transaction", params)
            .await
            .map_err(error::unless_certain)?;
        let i_xdr = number(&answer["i_xdr"]).ok_or_else(|| error::missing("i_xdr"))?;
        Ok(Booked {
            i_xdr: Some(i_xdr),
            i_customer: order.i_customer,
        })
    }

    /// Looks for a transaction that may have been booked since then. Any text of an xDR may have the comment in it: which member
    /// that is, is not documented.
    pub(crate) async fn find_transaction(
        &self,
        now: Timestamp,
        since: Timestamp,
        order: &Order,
    ) -> Result<Option<Booked>, Error> {
        let from = since.saturating_sub(SKEW).unwrap_or(Timestamp::MIN);
        let to = since.saturating_add(LASTS).unwrap_or(Timestamp::MAX);
        let mut offset = 0;
        for _ in 0..MAX_PAGES {
            let params = json!({
                "i_customer": order.i_customer, "from_date": date(from), "to_date": date(to),
                "limit": PAGE, "offset": offset,
            });
            let answer = self.call(now, "get_customer_xdrs", params).await?;
            let Some(Value::Array(xdrs)) = answer.get("xdr_list") else {
                return Err(error::missing("xdr_list"));
            };
            // A page may be shorter than what was asked for: only an empty one is the end.
            if xdrs.is_empty() {
                return Ok(None);
            }
            offset += xdrs.len();
            if let Some(xdr) = xdrs.iter().find(|xdr| is_of(xdr, &order.reference)) {
                let i_xdr = number(&xdr["i_xdr"]).ok_or_else(|| error::missing("xdr_list/i_xdr"))?;
                return Ok(Some(Booked {
                    i_xdr: Some(i_xdr),
                    i_customer: order.i_customer,
                }));
            }
        }
        let message = format!(
            "expected at most {MAX_PAGES} pages of xDRs around the time at which the transaction may have been booked, found more"
        );
        Err(Error::retry(ErrorKind::TooLarge, Stage::Push, message))
    }
}

fn is_of(xdr: &Value, reference: &str) -> bool {
    let whole = format!("[{reference}]");
    xdr.as_object().is_some_and(|members| {
        members
            .values()
            .filter_map(Value::as_str)
            .any(|text| text == reference || text.contains(&whole))
    })
}

/// The reference in brackets, so that it is not found in a longer one, and first, so that it is not cut off.
fn comment(title: &str, reference: &str) -> String {
    format!("[{reference}] {title}")
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
        let xdr = |member: &str, text: &str| json!({"i_xdr": "1", member: text});
        let whole = comment("Invoice 1", "sapb1:DB:13:47");
        for member in ["CLD", "visible_comment", "description"] {
            assert!(is_of(&xdr(member, &whole), "sapb1:DB:13:47"), "{member}");
            assert!(!is_of(&xdr(member, &whole), "sapb1:DB:13:4"));
        }
        assert!(is_of(
            &xdr("internal_comment", "sapb1:DB:13:47"),
            "sapb1:DB:13:47"
        ));
        let cancelled = comment("Invoice 1", "sapb1:DB:13:47:cancel");
        assert!(!is_of(&xdr("CLD", &cancelled), "sapb1:DB:13:47"));
    }

    #[test]
    fn dates_are_portabillings() {
        let time: Timestamp = "2026-01-29T14:36:26.5Z".parse().unwrap();
        assert_eq!(date(time), "2026-01-29 14:36:26");
    }
}
