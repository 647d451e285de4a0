//! PortaBilling's answers → verdicts. Every refusal is 500: its `faultcode` says what it means, never its status.
//!
//! | answer | kind | verdict |
//! |---|---|---|
//! | fault of the session ([`SESSION_IS_OVER`], [`LOGIN_IS_REFUSED`]) | deauthorized | retry |
//! | fault `Client…` | refused | permanent |
//! | fault `Server.<Service>.<method>.<what>` | refused | permanent |
//! | any other fault | unavailable | unknown |
//! | 500 without a fault, other 5xx | unavailable | unknown (503: retry; a transaction: unknown) |
//! | other statuses | as HTTP has it | |
//!
//! Only the codes about sessions are known from clients (<https://github.com/portabilling/billing>); the others are told by
//! their form, for no list of them is public.

use http::StatusCode;
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value;
use vendorbridge::http::{Answer, status_error};
use vendorbridge::{Error, ErrorKind, Stage, Verdict};

use crate::config::{LOGIN_IS_REFUSED, SESSION_IS_OVER};

#[derive(Debug, Deserialize)]
struct Fault {
    faultcode: String,
    #[serde(default)]
    faultstring: String,
}

/// The answer's body, or what it means.
pub(crate) fn check(answer: &Answer, now: Timestamp) -> Result<Value, Error> {
    // Another status is from a proxy in front of it.
    let is_portabillings = answer.status.is_success() || answer.status == StatusCode::INTERNAL_SERVER_ERROR;
    if let Some(fault) = answer.json::<Fault>().filter(|_| is_portabillings) {
        return Err(fault.verdict());
    }
    if !answer.status.is_success() {
        return Err(status_error(Stage::Push, answer, now));
    }
    answer.json::<Value>().ok_or_else(|| {
        let message = "expected JSON from PortaBilling, found something else";
        Error::new(ErrorKind::Unexpected, Verdict::Unknown, Stage::Push, message)
    })
}

/// A member of an answer that must be there: what was asked for was done all the same.
pub(crate) fn missing(member: &str) -> Error {
    let message = format!("expected `{member}` in the answer, found none");
    Error::new(ErrorKind::Unexpected, Verdict::Unknown, Stage::Push, message)
}

/// A failure of a call that must not be made twice. What was not sent, or was turned away at the door, did not happen; any other
/// answer may come from something before PortaBilling, or from its middle.
pub(crate) fn unless_certain(error: Error) -> Error {
    let is_certain = match error.kind() {
        ErrorKind::RateLimited | ErrorKind::Deauthorized => true,
        // An answer has a code; what could not be sent has none.
        _ => error.vendor_code().is_none(),
    };
    if is_certain || error.verdict() == Verdict::Permanent {
        error
    } else {
        error.in_doubt()
    }
}

/// Whether PortaBilling looked at what it was given and refused it.
pub(crate) fn is_refused(error: &Error) -> bool {
    error.kind() == ErrorKind::Refused && error.verdict() == Verdict::Permanent
}

impl Fault {
    fn verdict(self) -> Error {
        let code = self.faultcode.as_str();
        let error = if SESSION_IS_OVER.contains(&code) || code == LOGIN_IS_REFUSED {
            Error::retry(ErrorKind::Deauthorized, Stage::Push, "the session is refused")
        } else if is_refusal(code) {
            Error::permanent(ErrorKind::Refused, Stage::Push, &self.faultstring)
        } else {
            Error::new(
                ErrorKind::Unavailable,
                Verdict::Unknown,
                Stage::Push,
                &self.faultstring,
            )
        };
        let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
        error.code(
            code.chars()
                .filter(|c| is_plain(*c))
                .take(120)
                .collect::<String>(),
        )
    }
}

/// `Client…`, or the word of a method: `Server.Customer.add_customer.<what>`.
fn is_refusal(code: &str) -> bool {
    let parts: Vec<_> = code.split('.').collect();
    match parts.as_slice() {
        ["Client", ..] => true,
        ["Server", service, _, _, ..] => service.starts_with(|first: char| first.is_ascii_uppercase()),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    fn answer(status: u16, body: &str) -> Answer {
        Answer {
            status: StatusCode::from_u16(status).unwrap(),
            headers: http::HeaderMap::new(),
            body: body.to_owned().into(),
        }
    }

    const RETRY: Verdict = Verdict::Retry { after: None };

    #[rstest]
    #[case("Server.Session.check_auth.auth_failed", ErrorKind::Deauthorized, RETRY)]
    #[case("Server.Session.auth_failed", ErrorKind::Deauthorized, RETRY)]
    #[case(
        "Client.Session.check_auth.failed_to_process_jwt",
        ErrorKind::Deauthorized,
        RETRY
    )]
    #[case("Client.check_auth.envelope_missed", ErrorKind::Deauthorized, RETRY)]
    #[case(
        "Server.Customer.add_customer.duplicate_name",
        ErrorKind::Refused,
        Verdict::Permanent
    )]
    #[case(
        "Server.Customer.make_transaction.customer_terminated",
        ErrorKind::Refused,
        Verdict::Permanent
    )]
    #[case("Client.wrong_request", ErrorKind::Refused, Verdict::Permanent)]
    #[case("Server.Internal", ErrorKind::Unavailable, Verdict::Unknown)]
    #[case("Server", ErrorKind::Unavailable, Verdict::Unknown)]
    #[case("Server.dbi.connect.lost", ErrorKind::Unavailable, Verdict::Unknown)]
    fn faults(#[case] code: &str, #[case] kind: ErrorKind, #[case] verdict: Verdict) {
        let body = serde_json::json!({"faultcode": code, "faultstring": "ada@lovelace.example is refused"});
        let error = check(&answer(500, &body.to_string()), Timestamp::UNIX_EPOCH).unwrap_err();
        assert_eq!((error.kind(), error.verdict()), (kind, verdict));
        assert_eq!(error.vendor_code(), Some(code));
        assert!(!error.to_string().contains("lovelace"), "{error}");
    }

    #[rstest]
    #[case(500, "<html></html>", ErrorKind::Unavailable, Verdict::Unknown)]
    #[case(503, "<html></html>", ErrorKind::Unavailable, RETRY)]
    #[case(502, "", ErrorKind::Unavailable, Verdict::Unknown)]
    #[case(404, "", ErrorKind::NotFound, RETRY)]
    #[case(
        429,
        r#"{"faultcode": "Server.Customer.add_customer.x"}"#,
        ErrorKind::RateLimited,
        RETRY
    )]
    #[case(
        413,
        r#"{"faultcode": "Server.Customer.add_customer.x"}"#,
        ErrorKind::TooLarge,
        Verdict::Permanent
    )]
    #[case(200, "<html></html>", ErrorKind::Unexpected, Verdict::Unknown)]
    fn no_faults(#[case] status: u16, #[case] body: &str, #[case] kind: ErrorKind, #[case] verdict: Verdict) {
        let error = check(&answer(status, body), Timestamp::UNIX_EPOCH).unwrap_err();
        assert_eq!((error.kind(), error.verdict()), (kind, verdict));
    }

    #[rstest]
    #[case(503, Verdict::Unknown)]
    #[case(404, Verdict::Unknown)]
    #[case(429, RETRY)]
    #[case(401, RETRY)]
    #[case(413, Verdict::Permanent)]
    fn a_transaction_that_is_not_known_to_have_failed(#[case] status: u16, #[case] verdict: Verdict) {
        let error = check(&answer(status, ""), Timestamp::UNIX_EPOCH).unwrap_err();
        assert_eq!(unless_certain(error).verdict(), verdict);
        let refused = Error::retry(ErrorKind::Unavailable, Stage::Push, "could not connect");
        assert_eq!(unless_certain(refused).verdict(), RETRY);
    }

    #[test]
    fn a_fault_with_200_is_a_fault() {
        let body = r#"{"faultcode": "Server.Customer.update_customer.invalid", "faultstring": "no"}"#;
        assert!(is_refused(
            &check(&answer(200, body), Timestamp::UNIX_EPOCH).unwrap_err()
        ));
    }
}
