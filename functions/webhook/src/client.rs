//! One signed `POST`.

use std::time::Duration;

use http::Method;
use serde::Deserialize;
use url::Url;
use vendorbridge::auth::Auth;
use vendorbridge::http::{Http, HttpError};
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
    auth: Auth,
    url: Url,
}

/// A receiver may answer with its own id for the entity.
#[derive(Debug, Deserialize)]
struct Receipt {
    id: String,
}

impl Client {
    pub(crate) fn new(http: Http, auth: Auth, url: Url) -> Result<Self, HttpError> {
        http.check(&url)?;
        Ok(Self { http, auth, url })
    }

    /// Sends a message. A repeat of the same push has the same `webhook-id`, by which a receiver can tell it.
    pub(crate) async fn send(&self, push: &Push<'_>, message: &Message<'_>) -> Result<Option<String>, Error> {
        let body = serde_json::to_vec(message)
            .map_err(|error| Error::permanent(ErrorKind::Invalid, Stage::Map, "no JSON").caused_by(error))?;
        let request = self
            .http
            .request(Method::POST, self.url.clone())
            .message_id(format!("msg_{}", push.idempotency_key))
            .json_bytes(body)
            .timeout(TIMEOUT)
            .cut_answer_at(MAX_ANSWER_BYTES);
        let answer = self.auth.send(request, Stage::Push).await?;
        error::check(&answer, push.now)?;
        let receipt = answer.json::<Receipt>().map(|receipt| receipt.id);
        Ok(receipt.filter(|id| !id.is_empty() && id.len() <= MAX_ID_BYTES))
    }
}
