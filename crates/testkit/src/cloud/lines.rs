//! The API by which lines of business send products, and who calls it.

use aws_credential_types::Credentials;
use axum::body::Bytes;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use serde_json::{Value, json};
use url::Url;

use super::gate::{LineGate, exchange, signed};
use super::{CloudError, World};

/// The vendor that products go to.
const VENDOR: &str = "discovery";
const ACCOUNT: &str = "000000000000";
/// The line whose data has the canonical shape.
pub const LINE: &str = "acme";
/// The line whose data has the shape of executive education.
pub const EXEC_LINE: &str = "exec";
/// The role that may write both.
pub const LINE_ROLE: &str = "acme";

/// Somebody with credentials of the emulator.
#[derive(Debug, Clone)]
pub struct LineCaller(Credentials);

/// An answer of the API.
#[derive(Debug, Clone)]
pub struct LineAnswer {
    /// The status.
    pub status: StatusCode,
    /// The headers.
    pub headers: HeaderMap,
    /// The body; the text where it is no JSON.
    pub body: Value,
}

/// `Lines` of the template, where the vendor is among these.
pub(super) fn parameter(vendors: &[&str]) -> Option<(String, String)> {
    let line = |shape: &str| {
        json!({
            "shape": shape, "callers": [format!("arn:aws:iam::{ACCOUNT}:role/{LINE_ROLE}")],
            "organizations": {"ACME": "ACME"},
        })
    };
    let lines = json!({ LINE: line("canonical"), EXEC_LINE: line("executive-education") });
    vendors
        .contains(&VENDOR)
        .then(|| ("Lines".to_owned(), lines.to_string()))
}

impl World {
    /// A session of a role that may call the API; the role is made for it.
    ///
    /// # Errors
    /// If the world is not of an emulator, or that refuses.
    pub async fn line_caller(&self, role: &str) -> Result<LineCaller, CloudError> {
        let may_call = json!({
            "Version": "2012-10-17",
            "Statement": [{"Effect": "Allow", "Action": "execute-api:Invoke", "Resource": "*"}],
        });
        self.assume(role, &may_call).await.map(LineCaller)
    }

    /// Credentials of a role that has this policy and nothing else.
    ///
    /// # Errors
    /// If the world is not of an emulator, or that refuses.
    pub async fn assume(&self, role: &str, policy: &Value) -> Result<Credentials, CloudError> {
        self.make_role(role).await;
        let policy = policy.to_string();
        let put = [
            ("RoleName", role),
            ("PolicyName", "call"),
            ("PolicyDocument", &policy),
        ];
        self.query("iam", "2010-05-08", "PutRolePolicy", &put).await?;
        self.credentials_of(role).await
    }

    /// Credentials of a role to which these policies of the account are attached, and nothing else.
    ///
    /// # Errors
    /// If the world is not of an emulator, or that refuses.
    pub async fn assume_with(&self, role: &str, policies: &[&str]) -> Result<Credentials, CloudError> {
        self.make_role(role).await;
        for policy in policies {
            let attach = [("RoleName", role), ("PolicyArn", policy)];
            self.query("iam", "2010-05-08", "AttachRolePolicy", &attach)
                .await?;
        }
        self.credentials_of(role).await
    }

    /// It may be there from before.
    async fn make_role(&self, role: &str) {
        let trust = json!({
            "Version": "2012-10-17",
            "Statement": [{"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}],
        });
        let trust = trust.to_string();
        let create = [("RoleName", role), ("AssumeRolePolicyDocument", &trust)];
        _ = self.query("iam", "2010-05-08", "CreateRole", &create).await;
    }

    async fn credentials_of(&self, role: &str) -> Result<Credentials, CloudError> {
        let arn = format!("arn:aws:iam::{ACCOUNT}:role/{role}");
        let assume = [("RoleArn", arn.as_str()), ("RoleSessionName", "session")];
        let answer = self.query("sts", "2011-06-15", "AssumeRole", &assume).await?;
        let member = |name: &str| {
            let text = answer.split_once(&format!("<{name}>"))?.1;
            Some(text.split_once('<')?.0.to_owned())
        };
        let (key, secret, token) = (
            member("AccessKeyId"),
            member("SecretAccessKey"),
            member("SessionToken"),
        );
        match (key, secret) {
            (Some(key), Some(secret)) => Ok(Credentials::new(key, secret, token, None, "emulator")),
            _ => Err(failed("AssumeRole", "no credentials in the answer")),
        }
    }

    /// Calls the API, signed.
    ///
    /// # Errors
    /// If there is no API, or no answer.
    pub async fn call_line(
        &self,
        caller: &LineCaller,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: &Value,
    ) -> Result<LineAnswer, CloudError> {
        let mut all = HeaderMap::new();
        for (name, value) in headers {
            let (name, value) = (name.parse::<HeaderName>(), value.parse::<HeaderValue>());
            let (Ok(name), Ok(value)) = (name, value) else {
                return Err(failed("a header", "cannot be sent"));
            };
            all.insert(name, value);
        }
        let body = if body.is_null() {
            Bytes::new()
        } else {
            all.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
            Bytes::from(body.to_string())
        };
        let (status, headers, bytes) = self.line_gate(caller)?.pass(method, path, &all, body).await?;
        let body = serde_json::from_slice(&bytes);
        let body = body.unwrap_or_else(|_| Value::String(String::from_utf8_lossy(&bytes).into_owned()));
        Ok(LineAnswer {
            status,
            headers,
            body,
        })
    }

    /// What signs requests to the API, for programs that cannot.
    ///
    /// # Errors
    /// If there is no API.
    pub fn line_gate(&self, caller: &LineCaller) -> Result<LineGate, CloudError> {
        Ok(LineGate {
            http: self.http.clone(),
            url: self.ingest_url()?,
            credentials: caller.0.clone(),
        })
    }

    /// Sends one event, or an array, of a line.
    ///
    /// # Errors
    /// As [`call_line`](Self::call_line).
    pub async fn send_line(
        &self,
        caller: &LineCaller,
        line: &str,
        headers: &[(&str, &str)],
        body: &Value,
    ) -> Result<LineAnswer, CloudError> {
        let path = format!("/v1/lines/{line}/events");
        self.call_line(caller, Method::POST, &path, headers, body).await
    }

    /// An action of one of AWS's query APIs; the answer is XML.
    async fn query(
        &self,
        service: &'static str,
        version: &str,
        action: &'static str,
        parameters: &[(&str, &str)],
    ) -> Result<String, CloudError> {
        let endpoint = self
            .aws
            .endpoint
            .as_ref()
            .ok_or_else(|| failed(action, "expected an emulator"))?;
        let url: Url = endpoint.parse().map_err(|_| failed(action, endpoint))?;
        let mut form = url::form_urlencoded::Serializer::new(String::new());
        form.append_pair("Action", action)
            .append_pair("Version", version)
            .extend_pairs(parameters);
        let body = form.finish();
        let root = Credentials::new("test", "test", None, None, "emulator");
        let mut headers = signed(&root, service, &Method::POST, &url, body.as_bytes())?;
        let form = HeaderValue::from_static("application/x-www-form-urlencoded");
        headers.insert(header::CONTENT_TYPE, form);
        let (status, _, bytes) = exchange(&self.http, Method::POST, url, &headers, body.into()).await?;
        let text = String::from_utf8_lossy(&bytes).into_owned();
        if status.is_success() {
            Ok(text)
        } else {
            Err(failed(action, &text))
        }
    }
}

pub(super) fn failed(what: &'static str, reason: &str) -> CloudError {
    CloudError::Aws {
        what,
        reason: reason.to_owned(),
    }
}
