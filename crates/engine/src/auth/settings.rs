//! What the settings say about authentication.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Map, Value};
use url::Url;

/// How a service wants to know who calls, as `VENDOR_SETTINGS` says it. It holds no secret: the credential's fields stand in
/// the vendor's secret, under names that begin with the prefix of the place where the settings are used.
#[derive(Debug, Clone, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum AuthSettings {
    /// Nobody asks.
    None {},
    /// A key in a header or in a query parameter; one of the two is given. Field `<prefix>_api_key`.
    ApiKey {
        /// The header's name.
        #[serde(default)]
        header: Option<String>,
        /// The query parameter's name.
        #[serde(default)]
        query: Option<String>,
        /// The secret's field, if it has another name.
        #[serde(default)]
        field: Option<String>,
    },
    /// `Authorization: Basic`. Fields `<prefix>_user` and `<prefix>_password`.
    Basic {
        /// The user name, if it is no secret.
        #[serde(default)]
        user: Option<String>,
        /// The password's field, if it has another name.
        #[serde(default)]
        field: Option<String>,
    },
    /// `Authorization: Bearer`, or another word. Field `<prefix>_token`.
    Bearer {
        /// The word before the token.
        #[serde(default = "bearer")]
        scheme: String,
        /// The secret's field, if it has another name.
        #[serde(default)]
        field: Option<String>,
    },
    /// OAuth 2 client credentials (RFC 6749, section 4.4). Fields `<prefix>_client_id`, `<prefix>_client_secret`.
    ClientCredentials(TokenEndpoint),
    /// OAuth 2 refresh token (RFC 6749, section 6). Fields `<prefix>_client_id`, `<prefix>_client_secret` if there is one, and
    /// `<prefix>_refresh_token`, which is written back when the service issues a new one.
    RefreshToken(TokenEndpoint),
    /// AWS Signature Version 4, with the function's own role.
    #[serde(rename = "sigv4")]
    SigV4 {
        /// The signing name of the service, such as `execute-api`.
        service: String,
        /// The region, such as `eu-west-1`.
        region: String,
    },
    /// Signed by the Standard Webhooks scheme. Field `<prefix>_signing_secret`.
    StandardWebhooks {
        /// The secret's field, if it has another name.
        #[serde(default)]
        field: Option<String>,
    },
    /// A login that answers with a session.
    Session(Box<SessionSettings>),
    /// A client certificate. Fields `<prefix>_certificate`, a PEM chain, and `<prefix>_certificate_key`, PEM.
    MutualTls {},
    /// Several at once, such as a client certificate and a bearer token.
    All {
        /// Each of them.
        of: Vec<AuthSettings>,
    },
}

/// Where and how OAuth 2 tokens are asked for.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TokenEndpoint {
    /// The token endpoint.
    pub token_url: Url,
    /// The scopes, separated by spaces.
    #[serde(default)]
    pub scope: Option<String>,
    /// The `audience` parameter, which some services ask for.
    #[serde(default)]
    pub audience: Option<String>,
    /// Other parameters that the service wants with the request.
    #[serde(default)]
    pub parameters: BTreeMap<String, String>,
    /// How the client shows its secret.
    #[serde(default)]
    pub client_auth: ClientAuth,
    /// The word before the access token in `Authorization`.
    #[serde(default = "bearer")]
    pub scheme: String,
    /// Whether refresh tokens may be spent by using them, so that instances must take turns. `false` saves writing the
    /// secret where the service keeps them.
    #[serde(default = "yes")]
    pub rotates: bool,
}

/// How a client shows its secret to the token endpoint (RFC 6749, section 2.3.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ClientAuth {
    /// In the `Authorization` header.
    #[default]
    Basic,
    /// In the body.
    Body,
}

/// How to log in, and what a session is.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SessionSettings {
    /// Where the login document is posted to.
    pub login_url: Url,
    /// The part of the login document that is no secret.
    #[serde(default)]
    pub document: Map<String, Value>,
    /// Where the secret parts go: JSON Pointer → the field of the vendor's secret, without the prefix.
    pub secrets: BTreeMap<String, String>,
    /// What of the answer is the session.
    pub session: SessionFrom,
    /// How long a session lasts at most. Without it, until it is refused.
    #[serde(default)]
    pub lifetime_seconds: Option<u32>,
    /// Answers that mean that the session is over; 401 unless set.
    #[serde(default)]
    pub expired: Vec<Sign>,
    /// Answers to the login, besides 401 and 403, that mean that the credential is refused.
    #[serde(default)]
    pub refused: Vec<Sign>,
}

/// What of the login's answer is the session, and how it is shown.
#[derive(Debug, Clone, Deserialize)]
#[serde(tag = "from", rename_all = "kebab-case", deny_unknown_fields)]
pub enum SessionFrom {
    /// A text in the answer's JSON body.
    Body {
        /// Where it stands: a JSON Pointer.
        pointer: String,
        /// The header that it is sent in.
        #[serde(default = "authorization")]
        header: String,
        /// The word before it; `Bearer` unless set, none if empty.
        #[serde(default = "bearer")]
        scheme: String,
    },
    /// Cookies. The first one named must be there, the others are sent if they are.
    Cookies {
        /// Their names.
        names: Vec<String>,
    },
}

/// By what an answer is recognised: its status and, where that says too little, a code in its JSON body.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sign {
    /// The HTTP status.
    pub status: u16,
    /// Where the code stands: a JSON Pointer.
    #[serde(default)]
    pub pointer: Option<String>,
    /// The codes, numbers as text.
    #[serde(default)]
    pub codes: Vec<String>,
}

impl AuthSettings {
    /// `Authorization: Bearer` with the field `<prefix>_token`.
    #[must_use]
    pub fn bearer() -> Self {
        Self::Bearer {
            scheme: bearer(),
            field: None,
        }
    }
}

fn bearer() -> String {
    "Bearer".to_owned()
}

fn authorization() -> String {
    "authorization".to_owned()
}

fn yes() -> bool {
    true
}
