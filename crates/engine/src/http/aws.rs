//! The AWS SDK's HTTP client on top of ours.

use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::body::SdkBody;
use std::time::Duration;

use super::Http;

/// No answer from an AWS service within this time counts as none. Every request here is small.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(5);

/// Lets the AWS SDK share our TLS configuration and trust roots. Its connections go through no proxy and to any address.
#[derive(Debug, Clone)]
pub struct AwsHttp(reqwest::Client);

impl AwsHttp {
    /// An SDK client over `http`. The endpoint is the SDK's own: plain HTTP is its decision.
    #[must_use]
    pub fn new(http: &Http) -> Self {
        Self(http.direct().clone())
    }
}

impl HttpClient for AwsHttp {
    fn http_connector(&self, _: &HttpConnectorSettings, _: &RuntimeComponents) -> SharedHttpConnector {
        SharedHttpConnector::new(self.clone())
    }
}

impl HttpConnector for AwsHttp {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let client = self.0.clone();
        HttpConnectorFuture::new(async move {
            let request = request
                .try_into_http1x()
                .map_err(|error| ConnectorError::user(error.into()))?;
            let (parts, body) = request.into_parts();
            let body = body
                .bytes()
                .ok_or_else(|| ConnectorError::user("a streamed body".into()))?
                .to_vec();
            let request = http::Request::from_parts(parts, body);
            let mut request =
                reqwest::Request::try_from(request).map_err(|error| ConnectorError::user(error.into()))?;
            *request.timeout_mut() = Some(ANSWER_TIMEOUT);
            let answer = client.execute(request).await.map_err(connector_error)?;
            let mut head = http::Response::new(());
            *head.status_mut() = answer.status();
            *head.headers_mut() = answer.headers().clone();
            let body = answer.bytes().await.map_err(connector_error)?;
            HttpResponse::try_from(head.map(|()| SdkBody::from(body)))
                .map_err(|error| ConnectorError::other(error.into(), None))
        })
    }
}

/// The SDK retries what it is told is a timeout or an I/O error.
fn connector_error(error: reqwest::Error) -> ConnectorError {
    if error.is_timeout() && !error.is_connect() {
        ConnectorError::timeout(error.into())
    } else {
        ConnectorError::io(error.into())
    }
}
