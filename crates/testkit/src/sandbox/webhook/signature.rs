//! The Standard Webhooks scheme, from the verifier's side
//! (<https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md>).

use std::time::Duration;

use axum::http::HeaderMap;
use base64::{Engine, engine::general_purpose::STANDARD};
use hmac::{Hmac, KeyInit, Mac};
use jiff::Timestamp;
use sha2::Sha256;

/// The spec asks for "some allowable tolerance"; its libraries take five minutes.
const TOLERANCE: Duration = Duration::from_mins(5);

/// The receiver's copy of the signing key.
#[derive(Clone)]
pub(super) struct Key(Vec<u8>);

/// The signed headers of a delivery.
pub(super) struct Signed<'a> {
    pub(super) id: &'a str,
    pub(super) attempted_at: Timestamp,
}

impl Key {
    /// `whsec_` and the base64 of 24 to 64 bytes (section "Signature scheme").
    pub(super) fn parse(secret: &str) -> Option<Self> {
        let key = STANDARD.decode(secret.strip_prefix("whsec_")?).ok()?;
        (24..=64).contains(&key.len()).then_some(Self(key))
    }

    /// Checks the three headers against the raw body; the error says which failed.
    pub(super) fn verify<'a>(
        &self,
        headers: &'a HeaderMap,
        body: &[u8],
        now: Timestamp,
    ) -> Result<Signed<'a>, &'static str> {
        let header = |name| {
            headers
                .get(name)
                .and_then(|value| value.to_str().ok())
                .filter(|text| !text.is_empty())
        };
        let id = header("webhook-id").ok_or("webhook-id is missing")?;
        let timestamp = header("webhook-timestamp").ok_or("webhook-timestamp is missing")?;
        let signatures = header("webhook-signature").ok_or("webhook-signature is missing")?;
        // The signed parts are separated by full stops: an id with one could be read in two ways.
        if id.contains('.') {
            return Err("webhook-id contains a full stop");
        }
        let seconds = timestamp
            .parse()
            .map_err(|_| "webhook-timestamp is not in whole seconds")?;
        let attempted_at =
            Timestamp::from_second(seconds).map_err(|_| "webhook-timestamp is out of range")?;
        if now.duration_since(attempted_at).unsigned_abs() > TOLERANCE {
            return Err("webhook-timestamp is too old or too new");
        }
        if signatures
            .split(' ')
            .any(|signature| self.signs(signature, id, timestamp, body))
        {
            Ok(Signed { id, attempted_at })
        } else {
            Err("no signature matches")
        }
    }

    /// Compares in constant time.
    fn signs(&self, signature: &str, id: &str, timestamp: &str, body: &[u8]) -> bool {
        let Some(signature) = signature
            .strip_prefix("v1,")
            .and_then(|text| STANDARD.decode(text).ok())
        else {
            return false;
        };
        let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(&self.0) else {
            return false;
        };
        mac.update(format!("{id}.{timestamp}.").as_bytes());
        mac.update(body);
        mac.verify_slice(&signature).is_ok()
    }
}
