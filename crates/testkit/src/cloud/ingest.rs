//! The API by which other systems send events.

use std::collections::BTreeMap;
use std::time::Duration;

use aws_sdk_dynamodb::error::DisplayErrorContext;
use aws_sdk_lambda::primitives::Blob;
use aws_sdk_lambda::types::LogType;
use axum::http::{Method, StatusCode, header};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Value, json};

use super::{COMPANY, CloudError, INGEST_TOKEN, World, until};
use crate::sandbox::servicelayer::B1Event;

/// The most that one request may bring.
const MAX_EVENTS: usize = 100;
/// How long a request is repeated that nobody answers: for longer than a killed function takes to start again.
const REPEATED_WITHIN: Duration = Duration::from_mins(1);

/// What the template is told for it.
pub(super) fn parameters() -> BTreeMap<String, String> {
    BTreeMap::from([
        ("IngestApi".to_owned(), "public".to_owned()),
        ("Sapb1Companies".to_owned(), COMPANY.to_owned()),
    ])
}

impl World {
    /// Where other systems send events; paths such as `/v1/events/sapb1` follow.
    ///
    /// # Errors
    /// If the world was made without ingest.
    pub fn ingest_url(&self) -> Result<String, CloudError> {
        let url = self.stack.output("IngestUrl")?;
        let Some(endpoint) = &self.aws.endpoint else {
            return Ok(url.to_owned());
        };
        // Nobody resolves the host that an emulator makes up; its first label is the API's id.
        let host = url.split("://").nth(1).unwrap_or(url);
        let id = host.split('.').next().unwrap_or(host);
        Ok(format!("{endpoint}/_aws/execute-api/{id}/$default"))
    }

    /// Sets what senders of events are checked against.
    ///
    /// # Errors
    /// If Secrets Manager refuses it.
    pub async fn set_ingest_secret(&self, value: &Value) -> Result<(), CloudError> {
        self.stack.put_secret(&self.aws, "IngestSecretArn", value).await
    }

    /// Sends events as SAP Business One's Integration Framework does, which repeats what is answered 5xx, or not at all: a function
    /// that is killed meanwhile has answered nobody, and what it had accepted comes twice. Answers with the ids that
    /// they have on the bus.
    ///
    /// # Errors
    /// If the world was made without ingest, ingest refuses them, or has not taken them all within a minute.
    pub async fn send_from_b1(&self, events: &[B1Event]) -> Result<Vec<String>, CloudError> {
        let failed = |reason: String| CloudError::Aws {
            what: "POST /v1/events/sapb1",
            reason,
        };
        let url = format!("{}/v1/events/sapb1", self.ingest_url()?);
        let url: url::Url = url.parse().map_err(|_| failed(url))?;
        let token = format!("Bearer {INGEST_TOKEN}").into();
        let mut ids = Vec::with_capacity(events.len());
        for batch in events.chunks(MAX_EVENTS) {
            let envelopes = batch.iter().map(B1Event::to_json);
            let events: Vec<Value> = envelopes
                .filter_map(|mut envelope| Some(envelope["b1events"].as_array_mut()?.remove(0)))
                .collect();
            let request = self
                .http
                .request(Method::POST, url.clone())
                .secret_header(header::AUTHORIZATION, &token)
                .timeout(Duration::from_secs(30))
                .json(&json!({ "b1events": events }));
            let answer = until(
                "an answer of POST /v1/events/sapb1, and no 5xx",
                REPEATED_WITHIN,
                async || {
                    let answer = request.clone().send().await.ok();
                    Ok(answer.filter(|answer| !answer.status.is_server_error()))
                },
            )
            .await?;
            let body: Value = answer.json().unwrap_or_default();
            let told = body["events"]
                .as_array()
                .filter(|_| answer.status == StatusCode::ACCEPTED);
            let told = told.ok_or_else(|| failed(format!("{}: {body}", answer.status)))?;
            ids.extend(
                told.iter()
                    .filter_map(|event| event["event_id"].as_str().map(str::to_owned)),
            );
        }
        Ok(ids)
    }

    /// Calls the function as API Gateway does, past the API; answers with the end of its log.
    ///
    /// # Errors
    /// If it cannot be called.
    pub async fn ingest_log(&self, token: &str, query: &str, body: &str) -> Result<String, CloudError> {
        let path = "/v1/events/sapb1";
        let request = json!({
            "version": "2.0", "routeKey": format!("POST {path}"), "rawPath": path, "rawQueryString": query,
            "headers": { "authorization": format!("Bearer {token}"), "content-type": "application/json" },
            "requestContext": {
                "http": { "method": "POST", "path": path, "protocol": "HTTP/1.1", "sourceIp": "127.0.0.1", "userAgent": "test" },
                "stage": "$default", "requestId": "r-1", "routeKey": format!("POST {path}"), "timeEpoch": 0,
            },
            "body": body, "isBase64Encoded": false,
        });
        let invoke = self
            .aws
            .lambda
            .invoke()
            .function_name(self.stack.output("IngestFunctionName")?)
            .log_type(LogType::Tail)
            .payload(Blob::new(request.to_string()));
        let answer = invoke.send().await.map_err(|error| CloudError::Aws {
            what: "the ingest function",
            reason: DisplayErrorContext(error).to_string(),
        })?;
        let log = BASE64_STANDARD.decode(answer.log_result().unwrap_or_default());
        Ok(String::from_utf8_lossy(&log.unwrap_or_default()).into_owned())
    }
}
