//! What the code of a GraphQL error means.
//!
//! The specification leaves codes to the servers. The ones here are those of Apollo Server
//! (<https://www.apollographql.com/docs/apollo-server/data/errors#built-in-error-codes>) in `extensions.code`, those of Spring
//! for GraphQL (<https://docs.spring.io/spring-graphql/reference/request-execution.html#execution.exceptions>) in
//! `extensions.classification`, and names that other servers use in the same places.

use serde_json::Value;

use crate::source::is_plain_code;
use crate::{ErrorKind, Verdict};

/// Meanings, the one that decides first where an answer has several errors.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Meaning {
    /// The credential is refused.
    Deauthorized,
    /// Fewer calls, please.
    RateLimited,
    /// Our query is refused, whoever it is about: a setting or a deployment is wrong, and somebody will mend it.
    Query,
    /// The source cannot serve now.
    Unavailable,
    /// Nothing that is known here.
    Unknown,
    /// The variables are refused, and only the id differs from one entity to the next.
    Id,
    /// The source does not have the entity.
    Gone,
}

impl Meaning {
    pub(super) fn of(code: Option<&str>, gone_codes: &[String]) -> Self {
        let Some(code) = code else {
            return Self::Unknown;
        };
        if gone_codes.iter().any(|gone| gone == code) {
            return Self::Gone;
        }
        match code {
            "UNAUTHENTICATED" | "UNAUTHORIZED" | "FORBIDDEN" | "ACCESS_DENIED" | "PERMISSION_DENIED" => {
                Self::Deauthorized
            }
            "RATE_LIMITED" | "RATE_LIMIT_EXCEEDED" | "TOO_MANY_REQUESTS" | "THROTTLED" => Self::RateLimited,
            "GRAPHQL_PARSE_FAILED"
            | "GRAPHQL_VALIDATION_FAILED"
            | "OPERATION_RESOLUTION_FAILURE"
            | "BAD_REQUEST"
            | "PERSISTED_QUERY_NOT_FOUND"
            | "PERSISTED_QUERY_NOT_SUPPORTED"
            | "InvalidSyntax"
            | "ValidationError" => Self::Query,
            "INTERNAL_SERVER_ERROR"
            | "INTERNAL_ERROR"
            | "INTERNAL"
            | "SERVICE_UNAVAILABLE"
            | "UNAVAILABLE"
            | "TIMEOUT" => Self::Unavailable,
            "BAD_USER_INPUT" => Self::Id,
            _ => Self::Unknown,
        }
    }

    /// What to do, and in which words.
    pub(super) fn failure(self) -> (ErrorKind, Verdict, &'static str) {
        let again = Verdict::Retry { after: None };
        match self {
            Self::Deauthorized => (ErrorKind::Deauthorized, again, "the credential was refused"),
            Self::RateLimited => (ErrorKind::RateLimited, again, "asked for fewer calls"),
            Self::Query => (ErrorKind::Refused, again, "the query itself was refused"),
            Self::Unavailable => (ErrorKind::Unavailable, again, "the query failed at the source"),
            Self::Id => (
                ErrorKind::Refused,
                Verdict::Permanent,
                "the variables were refused",
            ),
            Self::Unknown | Self::Gone => (ErrorKind::Unexpected, again, "answered an error"),
        }
    }
}

/// The code of an error, if it is a plain word.
pub(super) fn of(error: &Value) -> Option<&str> {
    let extensions = error.get("extensions")?;
    let code = ["code", "classification"]
        .into_iter()
        .find_map(|name| extensions.get(name)?.as_str())?;
    is_plain_code(code).then_some(code)
}
