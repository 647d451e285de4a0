//! The calls of the Marketing API that this function makes (<https://mailchimp.com/developer/marketing/api/>).

use std::sync::Arc;
use std::time::Duration;

use http::{Method, StatusCode};
use jiff::Timestamp;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use url::Url;
use vendorbridge::ask::Page;
use vendorbridge::auth::Auth;
use vendorbridge::clock::Clock;
use vendorbridge::http::{Answer, Http, HttpError, MAX_PAGE_BYTES};
use vendorbridge::secret::SecretField;
use vendorbridge::{Error, ErrorKind, Stage};

use crate::error;
use crate::mapping::{LISTED_FIELDS, Listed, Member};

/// Far shorter than Mailchimp's own 120 s. An update is one call, a create two: ten seconds, on which the engine's deadline
/// counts. A move takes up to five calls; if they are that slow, the invocation may end first and the message comes again.
const TIMEOUT: Duration = Duration::from_secs(5);
/// A page of many members takes longer, and no message waits for it.
const LIST_TIMEOUT: Duration = Duration::from_secs(20);

pub(crate) struct Client {
    http: Http,
    clock: Arc<dyn Clock>,
    auth: Auth,
    base: Base,
    list_id: String,
}

/// Where the API is.
pub(crate) enum Base {
    /// It was said.
    At(Url),
    /// The API key names the host, however it is shown.
    OfKey(SecretField),
}

/// The part of a member in an answer that matters here.
#[derive(Default, Deserialize)]
struct Answered {
    status: String,
    #[serde(default)]
    merge_fields: AnsweredFields,
}

#[derive(Default, Deserialize)]
struct AnsweredFields {
    #[serde(rename = "CUSTID", default)]
    custid: String,
}

#[derive(Deserialize)]
struct Members {
    members: Vec<Listed>,
    /// Archived ones are counted, too, and those that are other types' entities.
    #[serde(default, deserialize_with = "vendorbridge::ask::total")]
    total_items: Option<u64>,
}

/// Whose an address is, in this audience.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Owner {
    Nobody,
    /// Whom the push is about, or a member that came into the audience by itself: it is adopted.
    Us,
    Another,
}

impl Client {
    /// Calls about the members of one audience.
    pub(crate) fn new(
        http: Http,
        clock: Arc<dyn Clock>,
        auth: Auth,
        base: Base,
        list_id: String,
    ) -> Result<Self, HttpError> {
        if let Base::At(url) = &base {
            http.check(url)?;
        }
        Ok(Self {
            http,
            clock,
            auth,
            base,
            list_id,
        })
    }

    /// Updates the member that is known to be the owner's, or adds it. One that was archived, as
    /// [`archive`](Self::archive) does, comes back.
    pub(crate) async fn put(&self, now: Timestamp, member: &Member) -> Result<(), Error> {
        let hash = member.subscriber_hash();
        let answer = self.call(Method::PUT, &hash, Some(member)).await?;
        error::check(&answer, now)?;
        self.revive(now, &answer, member).await
    }

    /// As [`put`](Self::put), for an address that the owner did not have before: it may be another's.
    ///
    /// Two owners who take the same address in the same instant can both pass the look; the later one has it then.
    pub(crate) async fn claim(&self, now: Timestamp, member: &Member) -> Result<(), Error> {
        match self.owner(now, &member.subscriber_hash(), member.owner()).await? {
            Owner::Another => {
                let message =
                    "expected an address that nobody else has, found one that is another's in this audience";
                Err(Error::permanent(ErrorKind::Refused, Stage::Push, message).at("/email"))
            }
            Owner::Nobody | Owner::Us => self.put(now, member).await,
        }
    }

    /// Moves a member to a new address and keeps its subscription and history.
    ///
    /// Repeatable at any point: once the old address is gone, the new one is claimed.
    pub(crate) async fn rename(&self, now: Timestamp, old: &str, member: &Member) -> Result<(), Error> {
        if self.owner(now, old, member.owner()).await? != Owner::Us {
            return self.claim(now, member).await;
        }
        let answer = self.call(Method::PATCH, old, Some(&member.as_update())).await?;
        if error::is_member_exists(&answer) {
            self.claim(now, member).await?;
            return self.archive(now, old, member.owner()).await;
        }
        error::check(&answer, now)?;
        self.revive(now, &answer, member).await
    }

    /// Archives a member if it is the owner's. Not deleted permanently: that would forbid the address for ever.
    pub(crate) async fn archive(&self, now: Timestamp, hash: &str, owner: &str) -> Result<(), Error> {
        if self.owner(now, hash, owner).await? != Owner::Us {
            return Ok(());
        }
        let answer = self.call(Method::DELETE, hash, None::<&Member>).await?;
        error::check_archived(&answer, now)
    }

    /// Brings a member back that the answer shows as archived: `status_if_new` alone leaves it so.
    async fn revive(&self, now: Timestamp, answer: &Answer, member: &Member) -> Result<(), Error> {
        if answer
            .json::<Answered>()
            .is_none_or(|answered| answered.status != "archived")
        {
            return Ok(());
        }
        let answer = self
            .call(Method::PUT, &member.subscriber_hash(), Some(&member.revived()))
            .await?;
        error::check(&answer, now)
    }

    async fn owner(&self, now: Timestamp, hash: &str, owner: &str) -> Result<Owner, Error> {
        let answer = self.call(Method::GET, hash, None::<&Member>).await?;
        if answer.status == StatusCode::NOT_FOUND {
            return Ok(Owner::Nobody);
        }
        error::check(&answer, now)?;
        let answered = answer.json::<Answered>().unwrap_or_default();
        let custid = answered.merge_fields.custid;
        Ok(if answered.status == "archived" {
            // Its owner is gone: whoever comes next may have the address.
            Owner::Nobody
        } else if custid.is_empty() || custid == owner {
            Owner::Us
        } else {
            Owner::Another
        })
    }

    /// Some of the audience's members, behind the first `offset`; the next page's name is how many are before it. There is no order
    /// by which to go on: a member that goes meanwhile moves those behind it one place to the front.
    pub(crate) async fn members(&self, offset: u64, limit: u32) -> Result<Page<Listed>, Error> {
        let mut url = self.url(&[]).await?;
        url.query_pairs_mut()
            .append_pair("count", &limit.to_string())
            .append_pair("offset", &offset.to_string())
            .append_pair("fields", LISTED_FIELDS);
        let request = self
            .http
            .request(Method::GET, url)
            .max_answer_bytes(MAX_PAGE_BYTES)
            .timeout(LIST_TIMEOUT);
        let answer = self.auth.send(request, Stage::Push).await?;
        error::check(&answer, self.clock.now())?;
        let page: Members = answer.json().ok_or_else(|| {
            let message = "expected a list of members, found something else";
            Error::retry(ErrorKind::Unexpected, Stage::Push, message)
        })?;
        let read = u64::try_from(page.members.len()).unwrap_or(0);
        let next = (read == u64::from(limit)).then(|| offset.saturating_add(read).to_string());
        Ok(Page::new(page.members, next).counted(page.total_items))
    }

    /// The address of the audience's members, or of what is below.
    async fn url(&self, below: &[&str]) -> Result<Url, Error> {
        let mut url = match &self.base {
            Base::At(url) => url.clone(),
            Base::OfKey(key) => api_url(&key.get().await?)?,
        };
        if let Ok(mut path) = url.path_segments_mut() {
            path.pop_if_empty()
                .extend(["lists", &self.list_id, "members"])
                .extend(below);
        }
        Ok(url)
    }

    async fn call(&self, method: Method, hash: &str, body: Option<&impl Serialize>) -> Result<Answer, Error> {
        let url = self.url(&[hash]).await?;
        let mut request = self.http.request(method, url).timeout(TIMEOUT);
        if let Some(body) = body {
            request = request.json(body);
        }
        self.auth.send(request, Stage::Push).await
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
