//! The calls of PortaBilling's API for administrators that this function makes: always `POST`, always `{"params": …}`
//! (<https://docs.portaone.com/docs/retrieving-data-from-portabilling>).

mod customers;
mod transactions;

use std::time::Duration;

use http::Method;
use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;
use url::Url;
use vendorbridge::Error;
use vendorbridge::Stage;
use vendorbridge::auth::Auth;
use vendorbridge::http::{Http, HttpError};

use crate::config::below;
use crate::error;

pub(crate) use transactions::{Booked, Order};

const TIMEOUT: Duration = Duration::from_secs(5);

/// Calls about customers and their transactions.
pub(crate) struct Client {
    http: Http,
    auth: Auth,
    url: Url,
}

#[derive(Serialize)]
struct Envelope<P> {
    params: P,
}

impl Client {
    pub(crate) fn new(http: Http, auth: Auth, url: Url) -> Result<Self, HttpError> {
        http.check(&url)?;
        Ok(Self { http, auth, url })
    }

    async fn call(&self, now: Timestamp, method: &str, params: impl Serialize) -> Result<Value, Error> {
        let request = self
            .http
            .request(Method::POST, below(&self.url, &["Customer", method]))
            .timeout(TIMEOUT)
            .json(&Envelope { params });
        let answer = self.auth.send(request, Stage::Push).await?;
        error::check(&answer, now)
    }
}
