//! HMAC by the Standard Webhooks scheme
//! (<https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md>).

use http::HeaderName;
use jiff::Timestamp;
use secrecy::ExposeSecret;
use standardwebhooks::Webhook;

use crate::http::Request;
use crate::secret::SecretField;
use crate::{Error, ErrorKind, Stage};

/// Signs a request that is otherwise complete. A repeat has the same `webhook-id`, by which a receiver can tell it.
pub(super) async fn sign<'a>(
    request: Request<'a>,
    secret: &SecretField,
    now: Timestamp,
) -> Result<Request<'a>, Error> {
    let unsigned = |what: &str| Error::retry(ErrorKind::Deauthorized, Stage::Push, what);
    let Some(id) = request.message_id.clone() else {
        let message = "expected a message id to sign, found none";
        return Err(Error::permanent(ErrorKind::Invalid, Stage::Push, message));
    };
    let signer = Webhook::new(secret.get().await?.expose_secret())
        .map_err(|_| unsigned("expected a signing secret `whsec_<base64>`, found another form"))?;
    let timestamp = now.as_second();
    let signature = signer
        .sign(&id, timestamp, &request.body)
        .map_err(|_| unsigned("the message cannot be signed"))?;
    Ok(request
        .header(HeaderName::from_static("webhook-id"), &id)
        .header(
            HeaderName::from_static("webhook-timestamp"),
            &timestamp.to_string(),
        )
        .header(HeaderName::from_static("webhook-signature"), &signature))
}
