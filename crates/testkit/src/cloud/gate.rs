//! What signs requests to an API that only takes signed ones.

use std::time::{Duration, UNIX_EPOCH};

use aws_credential_types::Credentials;
use aws_sigv4::http_request::{SignableBody, SignableRequest, SigningSettings, sign};
use aws_sigv4::sign::v4;
use axum::body::{Bytes, to_bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderName, Method, StatusCode, header};
use axum::response::IntoResponse;
use url::Url;
use vendorbridge::clock::{Clock, SystemClock};
use vendorbridge::http::Http;

use super::CloudError;
use super::lines::failed;

const REGION: &str = "us-east-1";

/// Signs requests and passes them on.
#[derive(Clone)]
pub struct LineGate {
    pub(super) http: Http,
    pub(super) url: String,
    pub(super) credentials: Credentials,
}

impl LineGate {
    /// Passes a request on, whatever it says.
    ///
    /// # Errors
    /// If there is no answer.
    pub async fn pass(
        &self,
        method: Method,
        path: &str,
        headers: &HeaderMap,
        body: Bytes,
    ) -> Result<(StatusCode, HeaderMap, Bytes), CloudError> {
        let url: Url = format!("{}{path}", self.url)
            .parse()
            .map_err(|_| failed("the API", path))?;
        let mut all = headers.clone();
        all.extend(signed(&self.credentials, "execute-api", &method, &url, &body)?);
        exchange(&self.http, method, url, &all, body).await
    }

    /// Serves programs that cannot sign, on a free port of this machine; answers with the URL. It ends with the runtime.
    ///
    /// # Errors
    /// If it cannot listen.
    pub async fn serve(self) -> std::io::Result<String> {
        let listener = tokio::net::TcpListener::bind((std::net::Ipv4Addr::LOCALHOST, 0)).await?;
        let url = format!("http://{}", listener.local_addr()?);
        let router = axum::Router::new().fallback(|State(gate): State<Self>, request: Request| async move {
            let (parts, body) = request.into_parts();
            let path = parts.uri.path_and_query().map_or("/", |path| path.as_str());
            let mut headers = HeaderMap::new();
            // Those of the connection end here, and nobody is whom he says he is.
            let passed = parts.headers.iter().filter(|(name, _)| {
                ![
                    header::HOST,
                    header::CONNECTION,
                    header::CONTENT_LENGTH,
                    header::TRANSFER_ENCODING,
                    header::AUTHORIZATION,
                ]
                .contains(name)
            });
            headers.extend(passed.map(|(name, value)| (name.clone(), value.clone())));
            let body = to_bytes(body, usize::MAX).await.unwrap_or_default();
            match gate.pass(parts.method, path, &headers, body).await {
                Ok((status, mut headers, body)) => {
                    for name in [
                        header::CONNECTION,
                        header::CONTENT_LENGTH,
                        header::TRANSFER_ENCODING,
                    ] {
                        headers.remove(name);
                    }
                    (status, headers, body).into_response()
                }
                Err(error) => (StatusCode::BAD_GATEWAY, error.to_string()).into_response(),
            }
        });
        tokio::spawn(async move { axum::serve(listener, router.with_state(self)).await });
        Ok(url)
    }
}

pub(super) async fn exchange(
    http: &Http,
    method: Method,
    url: Url,
    headers: &HeaderMap,
    body: Bytes,
) -> Result<(StatusCode, HeaderMap, Bytes), CloudError> {
    let mut request = http.request(method, url).timeout(Duration::from_secs(40));
    if !body.is_empty() {
        request = request.json_bytes(body);
    }
    for (name, value) in headers {
        // What no text can hold is left out.
        if let Ok(value) = value.to_str() {
            request = request.header(name.clone(), value);
        }
    }
    let answer = request
        .send()
        .await
        .map_err(|error| failed("the request", &error.to_string()))?;
    Ok((answer.status, answer.headers, answer.body))
}

pub(super) fn signed(
    credentials: &Credentials,
    service: &'static str,
    method: &Method,
    url: &Url,
    body: &[u8],
) -> Result<HeaderMap, CloudError> {
    let unsigned = |reason: String| failed("signing", &reason);
    let identity = credentials.clone().into();
    let now = SystemClock.now().as_second();
    let parameters = v4::SigningParams::builder()
        .identity(&identity)
        .region(REGION)
        .name(service)
        .time(UNIX_EPOCH + Duration::from_secs(u64::try_from(now).unwrap_or_default()))
        .settings(SigningSettings::default())
        .build()
        .map_err(|error| unsigned(error.to_string()))?
        .into();
    let signable = SignableRequest::new(
        method.as_str(),
        url.as_str(),
        std::iter::empty(),
        SignableBody::Bytes(body),
    );
    let signable = signable.map_err(|error| unsigned(error.to_string()))?;
    let (instructions, _) = sign(signable, &parameters)
        .map_err(|error| unsigned(error.to_string()))?
        .into_parts();
    let (headers, _) = instructions.into_parts();
    let each = headers.iter().map(|header| {
        let value = header
            .value()
            .parse()
            .map_err(|_| unsigned("a header".to_owned()))?;
        Ok((HeaderName::from_static(header.name()), value))
    });
    each.collect()
}
