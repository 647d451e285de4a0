//! Asking an OAuth 2 token endpoint (RFC 6749, sections 4.4 and 6).

use std::sync::Arc;
use std::time::Duration;

use futures::future::BoxFuture;
use http::{HeaderMap, Method, StatusCode, header};
use jiff::SignedDuration;
use oauth2::basic::{BasicClient, BasicErrorResponse, BasicErrorResponseType, BasicTokenResponse};
use oauth2::{
    AsyncHttpClient, AuthType, ClientId, ClientSecret, EndpointNotSet, EndpointSet, HttpRequest,
    HttpResponse, RefreshToken, RequestTokenError, Scope, TokenResponse, TokenUrl,
};
use secrecy::{ExposeSecret, SecretString};

use super::certificate::Connection;
use super::settings::{ClientAuth, TokenEndpoint};
use crate::clock::Clock;
use crate::http::{Http, status_error};
use crate::secret::Snapshot;
use crate::{Error, ErrorKind, Stage};

/// Token endpoints are quick or down.
pub(super) const TIMEOUT: Duration = Duration::from_secs(3);
/// No token is larger.
pub(super) const MAX_ANSWER_BYTES: usize = 64 * 1024;

type Client = BasicClient<EndpointNotSet, EndpointNotSet, EndpointNotSet, EndpointNotSet, EndpointSet>;

/// Who asks.
#[derive(Clone)]
pub(super) struct Identity {
    id: SecretString,
    secret: Option<SecretString>,
}

/// The names of the client's fields in the secret.
#[derive(Debug)]
pub(super) struct IdentityFields {
    pub(super) id: String,
    pub(super) secret: String,
}

/// What a token endpoint answered.
pub(super) struct Tokens {
    pub(super) access: SecretString,
    pub(super) refresh: Option<SecretString>,
    pub(super) lives: Option<SignedDuration>,
}

pub(super) enum GrantType<'a> {
    ClientCredentials,
    RefreshToken(&'a SecretString),
}

impl IdentityFields {
    pub(super) fn of(&self, secret: &Snapshot) -> Result<Identity, Error> {
        Ok(Identity {
            id: secret.require(&self.id)?,
            secret: secret.get(&self.secret).cloned(),
        })
    }
}

impl Identity {
    pub(super) fn is(&self, other: &Self) -> bool {
        let text =
            |secret: &Option<SecretString>| secret.as_ref().map(|secret| secret.expose_secret().to_owned());
        self.id.expose_secret() == other.id.expose_secret() && text(&self.secret) == text(&other.secret)
    }
}

/// Asks for a token. A refusal is [`ErrorKind::Deauthorized`]; an endpoint that is down, slow or not one is not.
pub(super) async fn ask(
    settings: &TokenEndpoint,
    connection: &Connection,
    clock: &Arc<dyn Clock>,
    identity: &Identity,
    grant: GrantType<'_>,
) -> Result<Tokens, Error> {
    let client = client(settings, identity);
    let http = Exchange {
        http: connection.http().await?,
        clock: Arc::clone(clock),
    };
    let (scopes, parameters) = (scopes(settings), parameters(settings));
    let answer = match grant {
        GrantType::ClientCredentials => {
            let mut request = client.exchange_client_credentials().add_scopes(scopes);
            for (name, value) in parameters {
                request = request.add_extra_param(name, value);
            }
            request.request_async(&http).await
        }
        GrantType::RefreshToken(token) => {
            let token = RefreshToken::new(token.expose_secret().to_owned());
            let mut request = client.exchange_refresh_token(&token).add_scopes(scopes);
            for (name, value) in parameters {
                request = request.add_extra_param(name, value);
            }
            request.request_async(&http).await
        }
    };
    answer.map(Tokens::from).map_err(meaning)
}

fn scopes(settings: &TokenEndpoint) -> Vec<Scope> {
    let scopes = settings.scope.iter().flat_map(|scope| scope.split_whitespace());
    scopes.map(|scope| Scope::new(scope.to_owned())).collect()
}

fn parameters(settings: &TokenEndpoint) -> Vec<(&str, &str)> {
    let audience = settings
        .audience
        .iter()
        .map(|audience| ("audience", audience.as_str()));
    let others = settings.parameters.iter();
    let others = others.map(|(name, value)| (name.as_str(), value.as_str()));
    audience.chain(others).collect()
}

fn client(settings: &TokenEndpoint, identity: &Identity) -> Client {
    let client = BasicClient::new(ClientId::new(identity.id.expose_secret().to_owned()))
        .set_token_uri(TokenUrl::from_url(settings.token_url.clone()))
        .set_auth_type(match settings.client_auth {
            ClientAuth::Basic => AuthType::BasicAuth,
            ClientAuth::Body => AuthType::RequestBody,
        });
    match &identity.secret {
        Some(secret) => client.set_client_secret(ClientSecret::new(secret.expose_secret().to_owned())),
        None => client,
    }
}

/// The `oauth2` crate's client.
struct Exchange {
    http: Http,
    clock: Arc<dyn Clock>,
}

impl<'c> AsyncHttpClient<'c> for Exchange {
    type Error = Error;
    type Future = BoxFuture<'c, Result<HttpResponse, Error>>;

    fn call(&'c self, request: HttpRequest) -> Self::Future {
        Box::pin(exchange(request, &self.http, &*self.clock))
    }
}

/// One request of the `oauth2` crate over our connections. Answers that are not the endpoint's own end here.
async fn exchange(
    request: HttpRequest,
    connections: &Http,
    clock: &dyn Clock,
) -> Result<HttpResponse, Error> {
    let (parts, body) = request.into_parts();
    let wrong = |_| Error::retry(ErrorKind::Invalid, Stage::Source, "expected a token URL");
    let url: url::Url = parts.uri.to_string().parse().map_err(wrong)?;
    let mut request = connections
        .request(Method::POST, url)
        .body(body)
        .timeout(TIMEOUT)
        .max_answer_bytes(MAX_ANSWER_BYTES);
    request.headers = parts.headers;
    if let Some(value) = request.headers.get_mut(header::AUTHORIZATION) {
        value.set_sensitive(true);
    }
    let answer = request.send().await.map_err(|error| error.at(Stage::Source))?;
    let is_its_own = matches!(
        answer.status,
        StatusCode::OK | StatusCode::BAD_REQUEST | StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN
    );
    if !is_its_own {
        return Err(status_error(Stage::Source, &answer, clock.now()));
    }
    if answer.status != StatusCode::OK && answer.json::<BasicErrorResponse>().is_none() {
        // Whoever says so, it is a refusal.
        let code = answer.status.as_u16().to_string();
        return Err(refused().code(code));
    }
    let mut response = http::Response::new(answer.body.to_vec());
    *response.status_mut() = answer.status;
    *response.headers_mut() = content_type(&answer.headers);
    Ok(response)
}

/// The crate looks at nothing else.
fn content_type(headers: &HeaderMap) -> HeaderMap {
    let found = headers.get(header::CONTENT_TYPE).cloned();
    found
        .into_iter()
        .map(|value| (header::CONTENT_TYPE, value))
        .collect()
}

/// Descriptions stay out: they may quote what was sent.
fn meaning(error: RequestTokenError<Error, BasicErrorResponse>) -> Error {
    match error {
        RequestTokenError::Request(error) => error,
        RequestTokenError::ServerResponse(answer) => {
            let code = match answer.error() {
                BasicErrorResponseType::Extension(code) => code.as_str(),
                known => known.as_ref(),
            };
            match code {
                "temporarily_unavailable" | "server_error" | "slow_down" => {
                    Error::retry(ErrorKind::Unavailable, Stage::Source, "no token for now").code(code)
                }
                _ if is_code(code) => refused().code(code),
                _ => refused(),
            }
        }
        RequestTokenError::Parse(..) | RequestTokenError::Other(_) => {
            let message = "expected a token from the token endpoint, found something else";
            Error::retry(ErrorKind::Unexpected, Stage::Source, message)
        }
    }
}

/// Whether it looks like an error code, and not like something that was sent.
fn is_code(code: &str) -> bool {
    code.len() <= 40 && code.bytes().all(|b| b.is_ascii_lowercase() || b == b'_')
}

fn refused() -> Error {
    let message = "the token endpoint refuses the credential";
    Error::retry(ErrorKind::Deauthorized, Stage::Source, message)
}

impl From<BasicTokenResponse> for Tokens {
    fn from(answer: BasicTokenResponse) -> Self {
        Self {
            access: answer.access_token().secret().clone().into(),
            refresh: answer.refresh_token().map(|token| token.secret().clone().into()),
            lives: answer
                .expires_in()
                .and_then(|lives| SignedDuration::try_from(lives).ok()),
        }
    }
}
