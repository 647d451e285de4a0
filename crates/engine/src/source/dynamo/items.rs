//! The AWS SDK's `GetItem` and `Scan`.

use std::collections::{BTreeMap, HashMap};

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_dynamodb::types::AttributeValue;
use futures::future::BoxFuture;
use serde_json::{Map, Value};

use super::value::object;
use super::{ItemRequest, Items, KeyValue, ScanRequest, Scanned};
use crate::source::not_listable;
use crate::{Error, ErrorKind, Stage};

/// Items in DynamoDB.
#[derive(Debug, Clone)]
pub struct DynamoItems(Client);

impl DynamoItems {
    /// The tables of the client's account and region.
    #[must_use]
    pub fn new(client: Client) -> Self {
        Self(client)
    }
}

impl Items for DynamoItems {
    fn get<'a>(
        &'a self,
        request: &'a ItemRequest,
    ) -> BoxFuture<'a, Result<Option<Map<String, Value>>, Error>> {
        Box::pin(async move {
            let mut call = self.0.get_item().table_name(&request.table).consistent_read(true);
            for (name, value) in &request.key {
                call = call.key(name, attribute(value));
            }
            // By placeholders, since many plain words are reserved.
            let mut projection = Vec::with_capacity(request.attributes.len());
            for (at, name) in request.attributes.iter().enumerate() {
                let placeholder = format!("#a{at}");
                call = call.expression_attribute_names(&placeholder, name);
                projection.push(placeholder);
            }
            if !projection.is_empty() {
                call = call.projection_expression(projection.join(","));
            }
            let answer = call
                .send()
                .await
                .map_err(|error| failed(&error, &request.table))?;
            Ok(answer.item.map(object))
        })
    }

    fn scan<'a>(&'a self, request: &'a ScanRequest) -> BoxFuture<'a, Result<Scanned, Error>> {
        Box::pin(async move {
            let limit = i32::try_from(request.limit).unwrap_or(i32::MAX);
            let call = self.0.scan().table_name(&request.table);
            let mut call = call.consistent_read(false).limit(limit);
            for (name, value) in request.after.iter().flatten() {
                call = call.exclusive_start_key(name, attribute(value));
            }
            let mut projection = Vec::with_capacity(request.attributes.len());
            for (at, name) in request.attributes.iter().enumerate() {
                let placeholder = format!("#a{at}");
                call = call.expression_attribute_names(&placeholder, name);
                projection.push(placeholder);
            }
            let call = call.projection_expression(projection.join(","));
            let answer = call
                .send()
                .await
                .map_err(|error| failed(&error, &request.table))?;
            let last = answer.last_evaluated_key.filter(|key| !key.is_empty());
            Ok(Scanned {
                items: answer.items.unwrap_or_default().into_iter().map(object).collect(),
                last: last.map(key).transpose()?,
            })
        })
    }
}

fn attribute(value: &KeyValue) -> AttributeValue {
    match value {
        KeyValue::Text(text) => AttributeValue::S(text.clone()),
        KeyValue::Number(digits) => AttributeValue::N(digits.clone()),
    }
}

fn key(attributes: HashMap<String, AttributeValue>) -> Result<BTreeMap<String, KeyValue>, Error> {
    let value = |(name, value)| match value {
        AttributeValue::S(text) => Ok((name, KeyValue::Text(text))),
        AttributeValue::N(digits) => Ok((name, KeyValue::Number(digits))),
        _ => Err(not_listable("its key is neither a text nor a number")),
    };
    attributes.into_iter().map(value).collect()
}

fn failed<E>(error: &SdkError<E>, table: &str) -> Error
where
    E: ProvideErrorMetadata,
{
    classified(error.code(), table)
}

/// | code | kind | verdict |
/// |---|---|---|
/// | throttling | rate limited | retry |
/// | no such table | not found: a wrong setting | retry |
/// | access denied, no or old credentials | deauthorized | retry |
/// | validation: the id makes no key of this table | invalid | permanent |
/// | others, no answer | unavailable | retry |
///
/// DynamoDB's own messages are not kept: one about a key may quote it.
/// <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Programming.Errors.html>
fn classified(code: Option<&str>, table: &str) -> Error {
    let (kind, message) = match code {
        Some("ValidationException") => {
            let message =
                format!("expected an id that makes a key of the table `{table}`, found one that does not");
            return Error::permanent(ErrorKind::Invalid, Stage::Source, message).code("ValidationException");
        }
        Some("ProvisionedThroughputExceededException" | "ThrottlingException" | "RequestLimitExceeded") => (
            ErrorKind::RateLimited,
            format!("the table `{table}` is read too often"),
        ),
        Some("ResourceNotFoundException") => {
            let message = format!("expected a table `{table}` in this account and region, found none");
            (ErrorKind::NotFound, message)
        }
        Some(
            "AccessDeniedException"
            | "UnrecognizedClientException"
            | "ExpiredTokenException"
            | "MissingAuthenticationTokenException"
            | "IncompleteSignatureException",
        ) => {
            let message =
                format!("expected a role that may read the table `{table}`, found one that may not");
            (ErrorKind::Deauthorized, message)
        }
        _ => (
            ErrorKind::Unavailable,
            format!("the table `{table}` cannot be read now"),
        ),
    };
    Error::retry(kind, Stage::Source, message).code(code.unwrap_or("no answer"))
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;
    use crate::Verdict;

    const RETRY: Verdict = Verdict::Retry { after: None };

    #[rstest]
    #[case(Some("ThrottlingException"), ErrorKind::RateLimited, RETRY)]
    #[case(Some("ProvisionedThroughputExceededException"), ErrorKind::RateLimited, RETRY)]
    #[case(Some("ResourceNotFoundException"), ErrorKind::NotFound, RETRY)]
    #[case(Some("AccessDeniedException"), ErrorKind::Deauthorized, RETRY)]
    #[case(Some("ValidationException"), ErrorKind::Invalid, Verdict::Permanent)]
    #[case(Some("InternalServerError"), ErrorKind::Unavailable, RETRY)]
    #[case(None, ErrorKind::Unavailable, RETRY)]
    fn codes(#[case] code: Option<&str>, #[case] kind: ErrorKind, #[case] verdict: Verdict) {
        let error = classified(code, "Inventory");
        assert_eq!((error.kind(), error.verdict()), (kind, verdict));
        assert_eq!(error.stage(), Stage::Source);
        assert!(error.message().contains("`Inventory`"));
        assert_eq!(error.vendor_code(), Some(code.unwrap_or("no answer")));
    }
}
