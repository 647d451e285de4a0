//! A receiver's answers → verdicts.
//!
//! Success is 2xx; everything else means what HTTP says it means ([`status_error`]): permanent is a refusal of the message
//! itself (400, 413, 414, 422) and 410, by which Standard Webhooks asks for no more messages. The rest is tried again.

use jiff::Timestamp;
use vendorbridge::http::{Answer, status_error};
use vendorbridge::{Error, Stage};

/// Success, or what the answer means.
pub(crate) fn check(answer: &Answer, now: Timestamp) -> Result<(), Error> {
    if answer.status.is_success() {
        Ok(())
    } else {
        Err(status_error(Stage::Push, answer, now))
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use vendorbridge::{ErrorKind, Verdict};

    use super::*;

    const RETRY: Verdict = Verdict::Retry { after: None };

    #[rstest]
    #[case(301, ErrorKind::Refused, RETRY)]
    #[case(404, ErrorKind::NotFound, RETRY)]
    #[case(400, ErrorKind::Refused, Verdict::Permanent)]
    #[case(401, ErrorKind::Deauthorized, RETRY)]
    #[case(410, ErrorKind::NotFound, Verdict::Permanent)]
    #[case(413, ErrorKind::TooLarge, Verdict::Permanent)]
    #[case(429, ErrorKind::RateLimited, RETRY)]
    #[case(500, ErrorKind::Unavailable, Verdict::Unknown)]
    #[case(503, ErrorKind::Unavailable, RETRY)]
    fn statuses(#[case] status: u16, #[case] kind: ErrorKind, #[case] expected: Verdict) {
        let answer = Answer {
            status: http::StatusCode::from_u16(status).unwrap(),
            headers: http::HeaderMap::new(),
            body: Vec::new().into(),
        };
        let error = check(&answer, Timestamp::UNIX_EPOCH).unwrap_err();
        assert_eq!((error.kind(), error.verdict()), (kind, expected));
    }
}
