//! The calls of the Marketing API that this function makes (<https://mailchimp.com/developer/marketing/api/>).

use std::time::Duration;

use http::{Method, StatusCode};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use url::Url;
use vendorbridge::http::{Answer, Http, HttpError};
use vendorbridge::secret::SecretField;
use vendorbridge::{Error, ErrorKind, Stage};

use crate::config::Settings;
use crate::error;
use crate::mapping::Member;

// Far shorter than Mailchimp's own 120 s: all calls of one push together stay under ten seconds, so that the function
// outlives them.
const PUT_TIMEOUT: Duration = Duration::from_secs(5);
const RENAME_TIMEOUT: Duration = Duration::from_millis(2500);

pub(crate) struct Client {
    http: Http,
    api_key: SecretField,
    api_url: Option<Url>,
    list_id: String,
}

/// The part of a written member that matters here.
#[derive(Deserialize)]
struct Written {
    status: String,
}

impl Client {
    pub(crate) fn new(http: Http, api_key: SecretField, settings: &Settings) -> Result<Self, HttpError> {
        if let Some(url) = &settings.api_url {
            http.check(url)?;
        }
        Ok(Self {
            http,
            api_key,
            api_url: settings.api_url.clone(),
            list_id: settings.list_id.clone(),
        })
    }

    /// Adds or updates a member. One that was archived, as [`archive`](Self::archive) does, comes back.
    pub(crate) async fn put(&self, now: jiff::Timestamp, hash: &str, member: &Member) -> Result<(), Error> {
        self.put_within(now, hash, member, PUT_TIMEOUT).await
    }

    async fn put_within(
        &self,
        now: jiff::Timestamp,
        hash: &str,
        member: &Member,
        timeout: Duration,
    ) -> Result<(), Error> {
        let answer = self.call(Method::PUT, hash, Some(member), timeout).await?;
        error::check(&answer, now)?;
        let is_archived = answer
            .json::<Written>()
            .is_some_and(|written| written.status == "archived");
        if is_archived {
            let answer = self
                .call(Method::PUT, hash, Some(&member.revived()), timeout)
                .await?;
            error::check(&answer, now)?;
        }
        Ok(())
    }

    /// Moves a member to a new address and keeps its subscription and history.
    ///
    /// Repeatable at any point: once the old address is gone, the new one is upserted.
    pub(crate) async fn rename(
        &self,
        now: jiff::Timestamp,
        old: &str,
        new: &str,
        member: &Member,
    ) -> Result<(), Error> {
        let answer = self
            .call(Method::PATCH, old, Some(&member.as_update()), RENAME_TIMEOUT)
            .await?;
        let new_exists = error::is_member_exists(&answer);
        if answer.status != StatusCode::NOT_FOUND && !new_exists {
            return error::check(&answer, now);
        }
        self.put_within(now, new, member, RENAME_TIMEOUT).await?;
        if new_exists {
            let archived = self
                .call(Method::DELETE, old, None::<&Member>, RENAME_TIMEOUT)
                .await?;
            return error::check_archived(&archived, now);
        }
        Ok(())
    }

    /// Archives a member. Not deleted permanently: that would forbid the address for ever.
    pub(crate) async fn archive(&self, now: jiff::Timestamp, hash: &str) -> Result<(), Error> {
        let answer = self
            .call(Method::DELETE, hash, None::<&Member>, PUT_TIMEOUT)
            .await?;
        error::check_archived(&answer, now)
    }

    async fn call(
        &self,
        method: Method,
        hash: &str,
        body: Option<&impl Serialize>,
        timeout: Duration,
    ) -> Result<Answer, Error> {
        let key = self.api_key.get().await?;
        let mut url = match &self.api_url {
            Some(url) => url.clone(),
            None => api_url(&key)?,
        };
        if let Ok(mut path) = url.path_segments_mut() {
            path.pop_if_empty()
                .extend(["lists", &self.list_id, "members", hash]);
        }
        let mut request = self
            .http
            .request(method, url)
            .basic("vendorbridge", &key)
            .timeout(timeout);
        if let Some(body) = body {
            request = request.json(body);
        }
        request.send().await.map_err(|error| error.at(Stage::Push))
    }
}

/// The data centre is the part of the key behind the last `-`; it is a part of the host.
fn api_url(key: &SecretString) -> Result<Url, Error> {
    let dc = key.expose_secret().rsplit_once('-').map_or("", |(_, dc)| dc);
    let is_plain = !dc.is_empty() && dc.len() <= 8 && dc.bytes().all(|b| b.is_ascii_alphanumeric());
    let url = format!("https://{dc}.api.mailchimp.com/3.0").parse();
    url.ok().filter(|_| is_plain).ok_or_else(|| {
        let message = "expected an API key that ends in its data centre, such as `-us21`, found another form";
        Error::retry(ErrorKind::Deauthorized, Stage::Push, message)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_key_names_the_host() {
        let url = |key: &str| api_url(&SecretString::from(key)).map(Into::<String>::into);
        assert_eq!(
            url("0123abcd-us21").unwrap(),
            "https://us21.api.mailchimp.com/3.0"
        );
        for key in ["0123abcd", "0123-", "0123-evil.example/", "x-us21@evil"] {
            let error = url(key).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Deauthorized);
            assert!(!error.to_string().contains(key));
        }
    }
}
