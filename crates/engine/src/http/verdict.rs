//! What a missing answer or a status means where the other side documents nothing more exact.

use std::time::Duration;

use http::{StatusCode, header};
use jiff::Timestamp;

use super::{Answer, HttpError};
use crate::park::{self, MAX_QUICK};
use crate::{Error, ErrorKind, Stage, Verdict};

impl HttpError {
    /// The failure at `stage`. At the vendor, a request that may have been carried out is
    /// [`Verdict::Unknown`]; asking a source again is harmless.
    #[must_use]
    pub fn at(self, stage: Stage) -> Error {
        let again = Verdict::Retry { after: None };
        let maybe = if stage == Stage::Push {
            Verdict::Unknown
        } else {
            again
        };
        let (kind, verdict) = match &self {
            Self::Url { .. } | Self::Request(_) => (ErrorKind::Invalid, Verdict::Permanent),
            // A setting, or somebody's DNS, is wrong: the entity waits until it is mended.
            Self::Private => (ErrorKind::Invalid, again),
            Self::Unshowable | Self::Certificate(_) => (ErrorKind::Deauthorized, again),
            Self::NotSent(_) => (ErrorKind::Unavailable, again),
            Self::Timeout => (ErrorKind::Timeout, maybe),
            Self::Cut(_) => (ErrorKind::Unavailable, maybe),
            // The request was carried out; it is the answer that is too large.
            Self::TooLarge { .. } if stage == Stage::Push => (ErrorKind::TooLarge, Verdict::Unknown),
            Self::TooLarge { .. } => (ErrorKind::TooLarge, Verdict::Permanent),
        };
        let message = self.to_string();
        let is_brief = matches!(self, Self::NotSent(_));
        let error = Error::new(kind, verdict, stage, message).caused_by(self);
        if is_brief { error.brief() } else { error }
    }
}

/// The wait that an answer asks for.
#[must_use]
pub fn retry_after(answer: &Answer, now: Timestamp) -> Option<Duration> {
    let value = answer.header(&header::RETRY_AFTER)?;
    park::retry_after(value, now)
}

/// The failure that a status other than success stands for.
///
/// Only a refusal of the record itself is permanent. Any other one is a wrong setting, a deployment or an outage, which
/// somebody will mend: the entity waits.
///
/// | status | kind | verdict |
/// |---|---|---|
/// | 400, 414, 422 | refused | permanent |
/// | 413 | too large | permanent |
/// | 410 | not found: asks for no more calls | permanent |
/// | 401, 403 | deauthorized | retry |
/// | 404 | not found | retry |
/// | 408, 425, 429 | rate limited | retry, after Retry-After |
/// | other 4xx, 3xx | refused | retry |
/// | 503 | unavailable | retry, after Retry-After |
/// | other 5xx | unavailable | unknown at the vendor, after Retry-After; retry at the source |
#[must_use]
pub fn status_error(stage: Stage, answer: &Answer, now: Timestamp) -> Error {
    let after = retry_after(answer, now);
    let again = Verdict::Retry { after };
    let (kind, verdict) = match answer.status {
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => (ErrorKind::Deauthorized, again),
        StatusCode::NOT_FOUND => (ErrorKind::NotFound, again),
        StatusCode::GONE => (ErrorKind::NotFound, Verdict::Permanent),
        StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_EARLY | StatusCode::TOO_MANY_REQUESTS => {
            (ErrorKind::RateLimited, again)
        }
        StatusCode::PAYLOAD_TOO_LARGE => (ErrorKind::TooLarge, Verdict::Permanent),
        StatusCode::SERVICE_UNAVAILABLE => (ErrorKind::Unavailable, again),
        status if status.is_server_error() && stage != Stage::Push => (ErrorKind::Unavailable, again),
        status if status.is_server_error() => (ErrorKind::Unavailable, Verdict::Unknown),
        StatusCode::BAD_REQUEST | StatusCode::URI_TOO_LONG | StatusCode::UNPROCESSABLE_ENTITY => {
            (ErrorKind::Refused, Verdict::Permanent)
        }
        _ => (ErrorKind::Refused, again),
    };
    let status = answer.status.as_u16();
    let error = Error::new(kind, verdict, stage, format!("answered {status}"))
        .code(status.to_string())
        .with_status(status);
    let error = match after {
        Some(after) => error.not_before(after),
        None => error,
    };
    let is_brief = match after {
        Some(after) => after <= MAX_QUICK && verdict != Verdict::Permanent,
        None => matches!(status, 502..=504),
    };
    if is_brief { error.brief() } else { error }
}
