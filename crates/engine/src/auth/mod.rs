//! Who we are to a source or a vendor: chosen by configuration, applied in one place
//! (docs/adr/0010-credentials-in-one-place.md).

mod build;
mod certificate;
mod client_credentials;
mod credential;
mod fixed;
mod issued;
mod refresh;
mod session;
mod settings;
mod sigv4;
mod token;
mod webhook;

use std::sync::Arc;

use http::{HeaderName, StatusCode};

use crate::clock::Clock;
use crate::http::{Answer, HttpError, Pace, Request};
use crate::secret::SecretField;
use crate::telemetry::trace;
use crate::{Error, ErrorKind, Stage};

use certificate::Certificate;
use credential::Credential;
use fixed::Fixed;
use issued::Issued;
use sigv4::SigV4;

pub(crate) use build::Materials;
pub use settings::{AuthSettings, ClientAuth, SessionFrom, SessionSettings, Sign, TokenEndpoint};

/// A credential, or several, and how they are shown. Cheap to clone; clones share what they cached. `Debug` names fields of the
/// secret and never a value.
#[derive(Debug, Clone)]
pub struct Auth {
    certificate: Option<Arc<Certificate>>,
    schemes: Arc<[Scheme]>,
    pace: Option<Pace>,
}

#[derive(Clone)]
enum Scheme {
    Fixed(Fixed),
    Issued(Arc<Issued>),
    SigV4(SigV4, Arc<dyn Clock>),
    Webhook(SecretField, Arc<dyn Clock>),
}

impl Auth {
    /// Shows nothing.
    #[must_use]
    pub fn none() -> Self {
        Self {
            certificate: None,
            schemes: Arc::new([]),
            pace: None,
        }
    }

    /// `Authorization: Bearer …`.
    #[must_use]
    pub fn bearer(token: SecretField) -> Self {
        Self::fixed(Fixed::Token("Bearer".into(), token))
    }

    /// A key in a header.
    #[must_use]
    pub fn header(name: HeaderName, key: SecretField) -> Self {
        Self::fixed(Fixed::Header(name, key))
    }

    /// Both this and that.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self {
            certificate: self.certificate.or(other.certificate),
            schemes: self.schemes.iter().chain(&*other.schemes).cloned().collect(),
            pace: self.pace.or(other.pace),
        }
    }

    /// Calls of the vendor wait for their turn.
    pub(crate) fn at_pace(self, pace: Option<Pace>) -> Self {
        Self { pace, ..self }
    }

    fn fixed(credential: Fixed) -> Self {
        Self {
            certificate: None,
            schemes: Arc::new([Scheme::Fixed(credential)]),
            pace: None,
        }
    }

    /// Sends a request with the credential, and once more with a new one where the old one is refused and a new one can be had.
    /// A request whose outcome is not known is not repeated here.
    ///
    /// # Errors
    /// At `stage`: that the credential cannot be had, or that there is no answer. What the answer says is the caller's to read.
    pub async fn send(&self, request: Request<'_>, stage: Stage) -> Result<Answer, Error> {
        let at_stage = |error: Error| error.at_stage(stage);
        let connections = match &self.certificate {
            Some(certificate) => Some(certificate.connections().await.map_err(at_stage)?),
            None => None,
        };
        let request = match &connections {
            Some(http) => request.over(http),
            None => request,
        };
        let mut shown = self.credentials().await.map_err(at_stage)?;
        let mut answer = self.exchange(request.clone(), &shown, stage).await?;
        if self.replace(&mut shown, &answer).await.map_err(at_stage)? {
            answer = self.exchange(request, &shown, stage).await?;
        }
        if answer.status != StatusCode::UNAUTHORIZED && self.is_session_over(&answer) {
            let message = "the service refuses a session that it has just begun";
            let code = answer.status.as_u16().to_string();
            return Err(Error::retry(ErrorKind::Deauthorized, stage, message).code(code));
        }
        Ok(answer)
    }

    /// What each scheme shows; nothing where it signs.
    async fn credentials(&self) -> Result<Vec<Option<Credential>>, Error> {
        let mut shown = Vec::with_capacity(self.schemes.len());
        for scheme in &*self.schemes {
            shown.push(match scheme {
                Scheme::Fixed(fixed) => Some(fixed.credential().await?),
                Scheme::Issued(issued) => Some(issued.credential().await?),
                Scheme::SigV4(..) | Scheme::Webhook(..) => None,
            });
        }
        Ok(shown)
    }

    async fn exchange(
        &self,
        mut request: Request<'_>,
        shown: &[Option<Credential>],
        stage: Stage,
    ) -> Result<Answer, Error> {
        for credential in shown.iter().flatten() {
            request = credential.show(request);
        }
        for scheme in &*self.schemes {
            let signed = match scheme {
                Scheme::Fixed(_) | Scheme::Issued(_) => continue,
                Scheme::Webhook(secret, clock) => webhook::sign(request, secret, clock.now()).await,
                Scheme::SigV4(role, clock) => role.sign(request, clock.now()).await,
            };
            request = signed.map_err(|error| error.at_stage(stage))?;
        }
        if let Some(pace) = self.pace.as_ref().filter(|_| stage.is_at_vendor()) {
            pace.turn().await;
        }
        let answer = in_trace(request).send().await;
        if let (Err(HttpError::Certificate(_)), Some(certificate)) = (&answer, &self.certificate) {
            certificate.refused().await;
        }
        answer.map_err(|error| error.at(stage))
    }

    /// Replaces what the answer refuses; whether there is anything else to show.
    async fn replace(&self, shown: &mut [Option<Credential>], answer: &Answer) -> Result<bool, Error> {
        let mut is_other = false;
        for (scheme, shown) in self.schemes.iter().zip(shown) {
            let Some(refused) = shown else {
                continue;
            };
            let instead = match scheme {
                Scheme::Fixed(fixed) if answer.status == StatusCode::UNAUTHORIZED => {
                    fixed.instead_of(refused).await?
                }
                Scheme::Issued(issued) if issued.is_refusal(answer) => issued.instead_of(refused).await?,
                _ => None,
            };
            if let Some(instead) = instead {
                *refused = instead;
                is_other = true;
            }
        }
        Ok(is_other)
    }

    fn is_session_over(&self, answer: &Answer) -> bool {
        self.schemes
            .iter()
            .any(|scheme| matches!(scheme, Scheme::Issued(issued) if issued.is_refusal(answer)))
    }
}

/// Says which trace the call belongs to, where it belongs to one.
fn in_trace(request: Request<'_>) -> Request<'_> {
    match trace::next_call() {
        Some(call) => request.header(HeaderName::from_static("traceparent"), &call.to_string()),
        None => request,
    }
}

impl std::fmt::Debug for Scheme {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Fixed(fixed) => fixed.fmt(f),
            Self::Issued(issued) => issued.fmt(f),
            Self::SigV4(role, _) => role.fmt(f),
            Self::Webhook(secret, _) => write!(f, "StandardWebhooks({secret:?})"),
        }
    }
}
