//! OAuth 2 refresh tokens (RFC 6749, section 6) that may be spent by using them.
//!
//! A service that rotates refresh tokens issues a new one with each use, and many take the second use of one for a theft: all
//! tokens that came from it are void, and a person has to log in again
//! (<https://www.rfc-editor.org/rfc/rfc9700#section-4.14.2>). So the instances of a function take turns:
//!
//! 1. An instance reads the secret. An access token that another one left there serves it, too.
//! 2. It claims the refresh token by a field in the secret. Of all that read the same version only one can write the next.
//!    The others wait until the claim is gone and start again.
//! 3. It uses the refresh token and writes back, in one write, what came: both tokens, without the claim.
//!
//! What is left: between the service's answer and the write a crash loses the new refresh token, and so does a write that
//! fails until the instance ends; a request whose answer is lost may have spent the old one. A claim ends by itself, so that a crash stops nobody for long; a process that stands still
//! between its last look at the clock and its request for longer than that uses a token that another one used. And a person who
//! puts a new value into the secret in the milliseconds between our read and our write is overwritten: look afterwards.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures::future::BoxFuture;
use jiff::{SignedDuration, Timestamp};
use secrecy::{ExposeSecret, SecretString};

use super::certificate::Connection;
use super::credential::Credential;
use super::issued::{Grant, Issuer};
use super::settings::TokenEndpoint;
use super::token::{self, GrantType, IdentityFields, Tokens};
use crate::clock::Clock;
use crate::secret::{SecretStore, Snapshot};
use crate::{Error, ErrorKind, Stage};

/// A claim ends after this time: longer than the calls that it covers.
const CLAIMED_FOR: SignedDuration = SignedDuration::from_secs(20);
/// Nobody uses a refresh token in the last part of the claim.
const CLAIM_MARGIN: SignedDuration = SignedDuration::from_secs(12);
/// How long those who wait for another one's token sleep, and how often.
const PAUSE: Duration = Duration::from_millis(200);
const PAUSES: usize = 20;
/// How often a write that lost against another one is tried.
const WRITES: usize = 6;
/// An access token of another instance is used if it lives longer than this.
const WORTH_SHARING: SignedDuration = SignedDuration::from_secs(60);

pub(super) struct Refresh {
    pub(super) settings: TokenEndpoint,
    pub(super) connection: Connection,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) store: Arc<SecretStore>,
    pub(super) identity: IdentityFields,
    pub(super) fields: Fields,
    /// Tells our claims from those of other instances.
    pub(super) instance: String,
    pub(super) unsaved: Mutex<Option<Unsaved>>,
}

/// The names of the fields in the secret.
#[derive(Debug)]
pub(super) struct Fields {
    pub(super) refresh: String,
    pub(super) access: String,
    pub(super) ends_at: String,
    pub(super) claim: String,
}

/// What a service issued and the secret does not hold yet.
#[derive(Clone)]
pub(super) struct Unsaved {
    /// The refresh token that was spent for it.
    spent: SecretString,
    refresh: SecretString,
    access: SecretString,
    ends_at: Option<Timestamp>,
}

/// What came of a turn.
enum Turn {
    Done(Grant),
    /// Somebody else is at it, or has been.
    Look,
    Wait,
}

impl Refresh {
    async fn turns(&self, refused: Option<&Credential>) -> Result<Grant, Error> {
        for _ in 0..PAUSES {
            match self.turn(refused).await? {
                Turn::Done(grant) => return Ok(grant),
                Turn::Look => {}
                Turn::Wait => self.clock.sleep(PAUSE).await,
            }
        }
        let message = "another instance is renewing the token";
        Err(Error::retry(ErrorKind::Timeout, Stage::Push, message))
    }

    async fn turn(&self, refused: Option<&Credential>) -> Result<Turn, Error> {
        let secret = self.store.read_now().await?;
        let now = self.clock.now();
        let unsaved = self.unsaved().clone();
        if let Some(unsaved) = unsaved {
            return if self.save(unsaved).await {
                Ok(Turn::Look)
            } else {
                let message = "a new token could not be written to the secret";
                Err(Error::retry(ErrorKind::Unavailable, Stage::Push, message))
            };
        }
        if let Some(grant) = self.left_there(&secret, now, refused) {
            return Ok(Turn::Done(grant));
        }
        if !self.settings.rotates {
            return self.use_token(&secret).await;
        }
        if let Some((instance, until)) = self.claim(&secret)
            && instance != self.instance
            && now < until
        {
            return Ok(Turn::Wait);
        }
        let until = now.saturating_add(CLAIMED_FOR).unwrap_or(Timestamp::MAX);
        let claim = format!("{} {until}", self.instance);
        let changes = [(self.fields.claim.as_str(), Some(claim.as_str()))];
        if !self.store.replace(&secret, &changes).await? {
            return Ok(Turn::Look);
        }
        let secret = self.store.read_now().await?;
        let is_ours = self.claim(&secret).is_some_and(|(instance, until)| {
            instance == self.instance && self.clock.now().duration_since(until) < -CLAIM_MARGIN
        });
        if !is_ours {
            return Ok(Turn::Look);
        }
        let turn = self.use_token(&secret).await;
        if turn.is_err() {
            self.give_up_claim().await;
        }
        turn
    }

    /// The one place where a refresh token is used.
    async fn use_token(&self, secret: &Snapshot) -> Result<Turn, Error> {
        let spent = secret.require(&self.fields.refresh)?;
        let identity = self.identity.of(secret)?;
        let grant = GrantType::RefreshToken(&spent);
        let asked = token::ask(&self.settings, &self.connection, &self.clock, &identity, grant).await;
        let tokens = match asked {
            Ok(tokens) => tokens,
            Err(error) => {
                return self.after_refusal(secret, error).await;
            }
        };
        let now = self.clock.now();
        let granted = self.grant(&tokens.access, tokens.lives);
        if let Some(unsaved) = self.to_save(tokens, spent, now) {
            self.save(unsaved).await;
        }
        Ok(Turn::Done(granted))
    }

    /// Refused with what the secret holds no longer: a person gave the client new ones in the meantime.
    async fn after_refusal(&self, used: &Snapshot, error: Error) -> Result<Turn, Error> {
        if error.kind() != ErrorKind::Deauthorized {
            return Err(error);
        }
        let now = self.store.read_now().await?;
        let is_as_used = is_same(now.get(&self.fields.refresh), used.get(&self.fields.refresh))
            && self.identity.of(&now)?.is(&self.identity.of(used)?);
        if is_as_used { Err(error) } else { Ok(Turn::Look) }
    }

    /// What is to be written, if anything is.
    fn to_save(&self, tokens: Tokens, spent: SecretString, now: Timestamp) -> Option<Unsaved> {
        let is_new = tokens
            .refresh
            .as_ref()
            .is_some_and(|new| new.expose_secret() != spent.expose_secret());
        (is_new || self.settings.rotates).then(|| Unsaved {
            refresh: tokens.refresh.unwrap_or_else(|| spent.clone()),
            access: tokens.access,
            ends_at: tokens.lives.and_then(|lives| now.saturating_add(lives).ok()),
            spent,
        })
    }

    /// Writes what was issued. If that cannot be done now, the next turn does it, before anything else.
    async fn save(&self, unsaved: Unsaved) -> bool {
        *self.unsaved() = Some(unsaved.clone());
        let mut pause = PAUSE;
        for _ in 0..WRITES {
            if let Ok(true) = self.try_save(&unsaved).await {
                *self.unsaved() = None;
                return true;
            }
            self.clock.sleep(pause).await;
            pause *= 2;
        }
        tracing::error!(target: "vendorbridge", field = self.fields.refresh, "secret.unsaved");
        false
    }

    async fn try_save(&self, unsaved: &Unsaved) -> Result<bool, Error> {
        let secret = self.store.read_now().await?;
        let held = secret.get(&self.fields.refresh);
        if !is_same(held, Some(&unsaved.spent)) {
            // Saved already, or a person put a new one: that stands.
            return Ok(is_same(held, Some(&unsaved.refresh)) || self.drop_claim(&secret).await?);
        }
        let ends_at = unsaved.ends_at.map(|time| time.to_string());
        let access = ends_at.as_ref().map(|_| unsaved.access.expose_secret());
        let changes = [
            (
                self.fields.refresh.as_str(),
                Some(unsaved.refresh.expose_secret()),
            ),
            (self.fields.access.as_str(), access),
            (self.fields.ends_at.as_str(), ends_at.as_deref()),
            (self.fields.claim.as_str(), None),
        ];
        self.store.replace(&secret, &changes).await
    }

    async fn give_up_claim(&self) {
        if let Ok(secret) = self.store.read_now().await {
            // If that fails, the claim ends by itself.
            let _ = self.drop_claim(&secret).await;
        }
    }

    async fn drop_claim(&self, secret: &Snapshot) -> Result<bool, Error> {
        match self.claim(secret) {
            Some((instance, _)) if instance == self.instance => {
                self.store.replace(secret, &[(&self.fields.claim, None)]).await
            }
            _ => Ok(true),
        }
    }

    /// The access token that another instance left in the secret.
    fn left_there(&self, secret: &Snapshot, now: Timestamp, refused: Option<&Credential>) -> Option<Grant> {
        let ends_at: Timestamp = secret.get(&self.fields.ends_at)?.expose_secret().parse().ok()?;
        let lives = ends_at.duration_since(now);
        let grant = self.grant(secret.get(&self.fields.access)?, Some(lives));
        let is_refused = refused.is_some_and(|refused| refused.is(&grant.credential));
        (lives > WORTH_SHARING && !is_refused).then_some(grant)
    }

    /// Who has claimed the refresh token, and until when.
    fn claim<'a>(&self, secret: &'a Snapshot) -> Option<(&'a str, Timestamp)> {
        let (instance, until) = secret.get(&self.fields.claim)?.expose_secret().split_once(' ')?;
        Some((instance, until.parse().ok()?))
    }

    fn grant(&self, access: &SecretString, lives: Option<SignedDuration>) -> Grant {
        Grant {
            credential: Credential::authorization(&self.settings.scheme, access),
            lives,
        }
    }

    fn unsaved(&self) -> std::sync::MutexGuard<'_, Option<Unsaved>> {
        self.unsaved.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Issuer for Refresh {
    fn issue<'a>(&'a self, refused: Option<&'a Credential>) -> BoxFuture<'a, Result<Grant, Error>> {
        Box::pin(self.turns(refused))
    }
}

impl fmt::Debug for Refresh {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Refresh({:?}, {:?})", self.identity, self.fields)
    }
}

fn is_same(a: Option<&SecretString>, b: Option<&SecretString>) -> bool {
    a.map(ExposeSecret::expose_secret) == b.map(ExposeSecret::expose_secret)
}
