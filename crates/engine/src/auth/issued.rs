//! Credentials that a service issues for a time: cached, renewed early and by one at a time, never in a storm.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures::future::BoxFuture;
use http::StatusCode;
use jiff::{SignedDuration, Timestamp};

use super::credential::Credential;
use crate::clock::Clock;
use crate::http::Answer;
use crate::{Error, ErrorKind, Stage, Verdict};

/// No one waits longer for a credential: an entity's work must fit into the invocation.
const PATIENCE: Duration = Duration::from_secs(6);
/// Renewed this long before the end, or at four fifths of a short life.
const EARLY: SignedDuration = SignedDuration::from_secs(60);
/// One whose end nobody named.
const KEPT_FOR: SignedDuration = SignedDuration::from_hours(1);
/// Who fails tells all that come within this time: they do not try for themselves.
const FAILS_FOR: SignedDuration = SignedDuration::from_secs(10);
/// A refused credential is shown again after twice as long each time, up to this: a service may lock the account.
const REFUSED_FOR_MOST: SignedDuration = SignedDuration::from_mins(5);
/// A service that refuses what it has just issued is not asked for another one before this time.
const REPLACED_EVERY: SignedDuration = SignedDuration::from_secs(30);

/// Asks a service for a credential.
pub(super) trait Issuer: fmt::Debug + Send + Sync {
    /// A new credential; not the one that was `refused`.
    fn issue<'a>(&'a self, refused: Option<&'a Credential>) -> BoxFuture<'a, Result<Grant, Error>>;

    /// Whether an answer says that the credential is no longer good.
    fn is_refusal(&self, answer: &Answer) -> bool {
        answer.status == StatusCode::UNAUTHORIZED
    }
}

/// What a service issued.
#[derive(Debug, Clone)]
pub(super) struct Grant {
    pub(super) credential: Credential,
    pub(super) lives: Option<SignedDuration>,
}

pub(super) struct Issued {
    issuer: Box<dyn Issuer>,
    clock: Arc<dyn Clock>,
    standing: Mutex<Standing>,
    renewing: tokio::sync::Mutex<()>,
}

#[derive(Default)]
struct Standing {
    held: Option<Held>,
    failure: Option<Failure>,
    replaced: Option<Timestamp>,
}

#[derive(Clone)]
struct Held {
    credential: Credential,
    renew_at: Timestamp,
    ends_at: Timestamp,
}

struct Failure {
    until: Timestamp,
    lasts: SignedDuration,
    kind: ErrorKind,
    after: Option<Duration>,
    code: Option<String>,
    message: String,
}

impl Issued {
    pub(super) fn new(issuer: impl Issuer + 'static, clock: Arc<dyn Clock>) -> Arc<Self> {
        Arc::new(Self {
            issuer: Box::new(issuer),
            clock,
            standing: Mutex::default(),
            renewing: tokio::sync::Mutex::new(()),
        })
    }

    pub(super) fn is_refusal(&self, answer: &Answer) -> bool {
        self.issuer.is_refusal(answer)
    }

    pub(super) async fn credential(self: &Arc<Self>) -> Result<Credential, Error> {
        let standing = self.standing().answer(self.clock.now());
        match standing {
            Some(answer) => answer,
            None => self.wait_for(None).await?.ok_or_else(none),
        }
    }

    /// The credential after this one was refused; none if the service has just replaced one and refuses that, too.
    pub(super) async fn instead_of(
        self: &Arc<Self>,
        refused: &Credential,
    ) -> Result<Option<Credential>, Error> {
        self.wait_for(Some(refused.clone())).await
    }

    /// In a task of its own: a caller that goes away must not stop a renewal between the service's answer and the secret.
    async fn wait_for(self: &Arc<Self>, refused: Option<Credential>) -> Result<Option<Credential>, Error> {
        let this = Arc::clone(self);
        let renewal = tokio::spawn(async move { this.renew(refused.as_ref()).await });
        match tokio::time::timeout(PATIENCE, renewal).await {
            Ok(Ok(renewed)) => renewed,
            Ok(Err(_)) => Err(Error::retry(
                ErrorKind::Panicked,
                Stage::Push,
                "asking for a credential panicked",
            )),
            Err(_) => Err(Error::retry(
                ErrorKind::Timeout,
                Stage::Push,
                "no credential in time",
            )),
        }
    }

    async fn renew(&self, refused: Option<&Credential>) -> Result<Option<Credential>, Error> {
        let _one_at_a_time = self.renewing.lock().await;
        let now = self.clock.now();
        {
            let mut standing = self.standing();
            if let Some(refused) = refused
                && standing.holds(refused)
            {
                if standing.replaced_within(now) {
                    return Ok(None);
                }
                standing.held = None;
                standing.replaced = Some(now);
            }
            // Somebody else may have been here first, with or without success.
            if let Some(answer) = standing.answer(now) {
                return answer.map(Some);
            }
        }
        let issued = self.issuer.issue(refused).await;
        let mut standing = self.standing();
        match issued {
            Ok(grant) => {
                let credential = grant.credential.clone();
                standing.held = Some(Held::new(grant, self.clock.now()));
                standing.failure = None;
                Ok(Some(credential))
            }
            Err(error) => {
                let before = standing.failure.take();
                standing.failure = Some(Failure::new(&error, before, self.clock.now()));
                match &standing.held {
                    Some(held) if now < held.ends_at => Ok(Some(held.credential.clone())),
                    _ => Err(error),
                }
            }
        }
    }

    fn standing(&self) -> MutexGuard<'_, Standing> {
        self.standing.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Standing {
    /// What can be said without asking the service.
    fn answer(&self, now: Timestamp) -> Option<Result<Credential, Error>> {
        let failure = self.failure.as_ref().filter(|failure| now < failure.until);
        match (&self.held, failure) {
            (Some(held), _) if now < held.renew_at => Some(Ok(held.credential.clone())),
            (Some(held), Some(_)) if now < held.ends_at => Some(Ok(held.credential.clone())),
            (_, Some(failure)) => Some(Err(failure.again())),
            (_, None) => None,
        }
    }

    fn holds(&self, credential: &Credential) -> bool {
        self.held
            .as_ref()
            .is_some_and(|held| held.credential.is(credential))
    }

    fn replaced_within(&self, now: Timestamp) -> bool {
        self.replaced
            .is_some_and(|before| now.duration_since(before) < REPLACED_EVERY)
    }
}

impl Held {
    fn new(grant: Grant, now: Timestamp) -> Self {
        let lives = grant.lives.unwrap_or(KEPT_FOR);
        let early = std::cmp::min(lives / 5, EARLY);
        let after = |span: SignedDuration| now.saturating_add(span).unwrap_or(Timestamp::MAX);
        Self {
            credential: grant.credential,
            renew_at: after(lives.saturating_sub(early)),
            ends_at: after(lives),
        }
    }
}

impl Failure {
    fn new(error: &Error, before: Option<Self>, now: Timestamp) -> Self {
        let lasts = match before {
            Some(before) if error.kind() == ErrorKind::Deauthorized && before.kind == error.kind() => {
                (before.lasts * 2).min(REFUSED_FOR_MOST)
            }
            _ => FAILS_FOR,
        };
        Self {
            until: now.saturating_add(lasts).unwrap_or(Timestamp::MAX),
            lasts,
            kind: error.kind(),
            after: error.retry_after(),
            code: error.vendor_code().map(str::to_owned),
            message: error.message().to_owned(),
        }
    }

    fn again(&self) -> Error {
        let verdict = Verdict::Retry { after: self.after };
        let error = Error::new(self.kind, verdict, Stage::Push, &self.message);
        match &self.code {
            Some(code) => error.code(code),
            None => error,
        }
    }
}

fn none() -> Error {
    Error::retry(ErrorKind::Deauthorized, Stage::Push, "there is no credential")
}

impl fmt::Debug for Issued {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.issuer.fmt(f)
    }
}
