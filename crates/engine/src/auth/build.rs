//! From settings to credentials.

use std::sync::{Arc, Mutex};

use aws_credential_types::provider::SharedCredentialsProvider;
use http::HeaderName;
use url::Url;

use super::certificate::{Certificate, Connection};
use super::client_credentials::ClientCredentials;
use super::fixed::{Fixed, User};
use super::issued::Issued;
use super::refresh::{Fields, Refresh};
use super::session::{From, Session};
use super::settings::{AuthSettings, SessionFrom, SessionSettings, TokenEndpoint};
use super::sigv4::SigV4;
use super::token::IdentityFields;
use super::{Auth, Scheme};
use crate::clock::Clock;
use crate::config::ConfigError;
use crate::http::Http;
use crate::secret::{SecretField, SecretStore};

/// What credentials are made of, besides their settings.
pub(crate) struct Materials<'a> {
    pub(crate) http: &'a Http,
    pub(crate) clock: &'a Arc<dyn Clock>,
    pub(crate) secrets: &'a Arc<SecretStore>,
    /// The function's role, which signs.
    pub(crate) role: Option<&'a SharedCredentialsProvider>,
    /// The secret's fields begin with it.
    pub(crate) prefix: &'a str,
}

impl Materials<'_> {
    /// The credential that these settings choose.
    pub(crate) fn auth(&self, settings: &AuthSettings) -> Result<Auth, ConfigError> {
        let certificate = wants_certificate(settings).then(|| {
            Arc::new(Certificate {
                http: self.http.clone(),
                chain: self.field("certificate"),
                key: self.field("certificate_key"),
                made: Mutex::default(),
            })
        });
        let connection = Connection {
            http: self.http.clone(),
            certificate: certificate.clone(),
        };
        let mut schemes = Vec::new();
        self.add(settings, &connection, &mut schemes)?;
        Ok(Auth {
            certificate,
            schemes: schemes.into(),
            pace: None,
        })
    }

    fn add(
        &self,
        settings: &AuthSettings,
        connection: &Connection,
        schemes: &mut Vec<Scheme>,
    ) -> Result<(), ConfigError> {
        let scheme = match settings {
            AuthSettings::None {} | AuthSettings::MutualTls {} => return Ok(()),
            AuthSettings::All { of } => {
                return of
                    .iter()
                    .try_for_each(|settings| self.add(settings, connection, schemes));
            }
            AuthSettings::ApiKey { header, query, field } => {
                let field = self.named(field.as_deref(), "api_key");
                Scheme::Fixed(match (header, query) {
                    (Some(header), None) => Fixed::Header(header_name(header)?, field),
                    (None, Some(query)) => Fixed::Query(query.as_str().into(), field),
                    _ => return Err(wrong("a `header` or a `query` for the API key", "none or both")),
                })
            }
            AuthSettings::Basic { user, field } => {
                let user = match user {
                    Some(user) => User::Named(user.as_str().into()),
                    None => User::Secret(self.field("user")),
                };
                Scheme::Fixed(Fixed::Basic(user, self.named(field.as_deref(), "password")))
            }
            AuthSettings::Bearer { scheme, field } => {
                let field = self.named(field.as_deref(), "token");
                Scheme::Fixed(Fixed::Token(scheme.as_str().into(), field))
            }
            AuthSettings::ClientCredentials(settings) => self.client_credentials(settings, connection)?,
            AuthSettings::RefreshToken(settings) => self.refresh(settings, connection)?,
            AuthSettings::Session(settings) => self.session(settings, connection)?,
            AuthSettings::SigV4 { service, region } => Scheme::SigV4(
                SigV4 {
                    service: service.clone(),
                    region: region.clone(),
                    provider: self
                        .role
                        .cloned()
                        .ok_or_else(|| wrong("a role to sign with", "none"))?,
                },
                Arc::clone(self.clock),
            ),
            AuthSettings::StandardWebhooks { field } => Scheme::Webhook(
                self.named(field.as_deref(), "signing_secret"),
                Arc::clone(self.clock),
            ),
        };
        schemes.push(scheme);
        Ok(())
    }

    fn client_credentials(
        &self,
        settings: &TokenEndpoint,
        connection: &Connection,
    ) -> Result<Scheme, ConfigError> {
        self.check(&settings.token_url)?;
        let issuer = ClientCredentials {
            settings: settings.clone(),
            connection: connection.clone(),
            clock: Arc::clone(self.clock),
            store: Arc::clone(self.secrets),
            fields: self.identity(),
        };
        Ok(Scheme::Issued(Issued::new(issuer, Arc::clone(self.clock))))
    }

    fn refresh(&self, settings: &TokenEndpoint, connection: &Connection) -> Result<Scheme, ConfigError> {
        self.check(&settings.token_url)?;
        let issuer = Refresh {
            settings: settings.clone(),
            connection: connection.clone(),
            clock: Arc::clone(self.clock),
            store: Arc::clone(self.secrets),
            identity: self.identity(),
            fields: Fields {
                refresh: self.needed("refresh_token"),
                access: self.name("access_token"),
                ends_at: self.name("access_token_ends_at"),
                claim: self.name("refresh_claim"),
            },
            instance: format!("{:032x}", fastrand::Rng::new().u128(..)),
            unsaved: Mutex::default(),
        };
        Ok(Scheme::Issued(Issued::new(issuer, Arc::clone(self.clock))))
    }

    fn session(&self, settings: &SessionSettings, connection: &Connection) -> Result<Scheme, ConfigError> {
        self.check(&settings.login_url)?;
        let from = match &settings.session {
            SessionFrom::Body {
                pointer,
                header,
                scheme,
            } => From::Body {
                pointer: pointer.clone(),
                header: header_name(header)?,
                scheme: scheme.clone(),
            },
            SessionFrom::Cookies { names } if names.is_empty() => {
                return Err(wrong("the names of the session's cookies", "none"));
            }
            SessionFrom::Cookies { names } => From::Cookies(names.clone()),
        };
        if let Some(pointer) = settings.secrets.keys().find(|pointer| !pointer.starts_with('/')) {
            return Err(wrong("JSON Pointers in `secrets`", format!("`{pointer}`")));
        }
        let secrets = settings.secrets.iter();
        let issuer = Session {
            settings: settings.clone(),
            from,
            secrets: secrets
                .map(|(pointer, field)| (pointer.clone(), self.needed(field)))
                .collect(),
            connection: connection.clone(),
            clock: Arc::clone(self.clock),
            store: Arc::clone(self.secrets),
        };
        Ok(Scheme::Issued(Issued::new(issuer, Arc::clone(self.clock))))
    }

    fn check(&self, url: &Url) -> Result<(), ConfigError> {
        let found = self.http.check(url);
        found.map_err(|error| wrong("a token or login URL that may be called", error.to_string()))
    }

    fn identity(&self) -> IdentityFields {
        IdentityFields {
            id: self.needed("client_id"),
            secret: self.name("client_secret"),
        }
    }

    fn name(&self, suffix: &str) -> String {
        format!("{}_{suffix}", self.prefix)
    }

    /// The name of a field without which the credential cannot be had.
    fn needed(&self, suffix: &str) -> String {
        let name = self.name(suffix);
        self.secrets.asks_for(&name);
        name
    }

    fn field(&self, suffix: &str) -> SecretField {
        self.secrets.field(&self.name(suffix))
    }

    fn named(&self, name: Option<&str>, suffix: &str) -> SecretField {
        match name {
            Some(name) => self.secrets.field(name),
            None => self.field(suffix),
        }
    }
}

fn wants_certificate(settings: &AuthSettings) -> bool {
    match settings {
        AuthSettings::MutualTls {} => true,
        AuthSettings::All { of } => of.iter().any(wants_certificate),
        _ => false,
    }
}

fn header_name(name: &str) -> Result<HeaderName, ConfigError> {
    name.parse()
        .map_err(|_| wrong("the name of a header", "another text"))
}

fn wrong(expected: &str, found: impl Into<String>) -> ConfigError {
    ConfigError::new("VENDOR_SETTINGS", expected, found)
}
