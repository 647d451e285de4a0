//! One signed `POST`.

use std::time::Duration;

use http::{HeaderName, Method};
use secrecy::ExposeSecret;
use serde::Deserialize;
use standardwebhooks::Webhook;
use url::Url;
use vendorbridge::http::{Http, HttpError};
use vendorbridge::secret::SecretField;
use vendorbridge::vendor::Push;
use vendorbridge::{Error, ErrorKind, Stage};

use crate::error;
use crate::mapping::Message;

const TIMEOUT: Duration = Duration::from_secs(10);
/// A receipt is short; whatever else a receiver answers is not read.
const MAX_ANSWER_BYTES: usize = 16 * 1024;
/// Longer ids are not kept as the link.
const MAX_ID_BYTES: usize = 256;

pub(crate) struct Client {
    http: Http,
    signing_secret: SecretField,
    url: Url,
}

/// A receiver may answer with its own id for the entity.
#[derive(Debug, Deserialize)]
struct Receipt {
    id: String,
}

impl Client {
    pub(crate) fn new(http: Http, signing_secret: SecretField, url: Url) -> Result<Self, HttpError> {
        http.check(&url)?;
        Ok(Self {
            http,
            signing_secret,
            url,
        })
    }

    /// Sends a message. A repeat of the same push has the same `webhook-id`, by which a receiver can tell it.
    pub(crate) async fn send(&self, push: &Push<'_>, message: &Message<'_>) -> Result<Option<String>, Error> {
        let unsigned = |what: &str| Error::retry(ErrorKind::Deauthorized, Stage::Push, what);
        let body = serde_json::to_vec(message)
            .map_err(|error| Error::permanent(ErrorKind::Invalid, Stage::Map, "no JSON").caused_by(error))?;
        let secret = self.signing_secret.get().await?;
        let signer = Webhook::new(secret.expose_secret())
            .map_err(|_| unsigned("expected a signing secret `whsec_<base64>`, found another form"))?;
        let id = format!("msg_{}", push.idempotency_key);
        let timestamp = push.now.as_second();
        let signature = signer
            .sign(&id, timestamp, &body)
            .map_err(|_| unsigned("the message cannot be signed"))?;
        let answer = self
            .http
            .request(Method::POST, self.url.clone())
            .header(HeaderName::from_static("webhook-id"), &id)
            .header(
                HeaderName::from_static("webhook-timestamp"),
                &timestamp.to_string(),
            )
            .header(HeaderName::from_static("webhook-signature"), &signature)
            .json_bytes(body)
            .timeout(TIMEOUT)
            .cut_answer_at(MAX_ANSWER_BYTES)
            .send()
            .await
            .map_err(|error| error.at(Stage::Push))?;
        error::check(&answer, push.now)?;
        let receipt = answer.json::<Receipt>().map(|receipt| receipt.id);
        Ok(receipt.filter(|id| !id.is_empty() && id.len() <= MAX_ID_BYTES))
    }
}
