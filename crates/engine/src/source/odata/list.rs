//! The records of an entity set, page by page
//! (<https://help.sap.com/doc/fc2f5477516c404c8bf9ad1315a17238/10.0/en-US/Working_with_SAP_Business_One_Service_Layer.pdf>, on
//! paging: `Prefer: odata.maxpagesize`, and the answer's `@odata.nextLink`).

#[cfg(test)]
mod tests;

use http::{HeaderName, Method, StatusCode, header};
use serde_json::Value;
use url::Url;

use super::answer::Records;
use super::{ODataClient, ODataEntity, ODataSource, answer};
use crate::ask::{Page, PageRequest};
use crate::http::{Answer, HttpError, MAX_PAGE_BYTES};
use crate::source::{Listed, not_listable};
use crate::{Error, ErrorKind, Stage};

const PREFER: HeaderName = HeaderName::from_static("prefer");
/// Records that are read one by one, together with a related one: as many as fit into an invocation.
const MAX_READS: u32 = 20;

impl ODataSource {
    /// The property that is the records' key, such as `CardCode`: with it they can be listed, in its order.
    ///
    /// # Errors
    /// [`HttpError::Url`] if it is no name of a property.
    pub fn keyed_by(mut self, property: &str) -> Result<Self, HttpError> {
        // The same rules hold for both kinds of names.
        ODataEntity::new(property, self.entity.kind(), &[])?;
        self.key = Some(property.to_owned());
        Ok(self)
    }

    pub(super) async fn page(&self, asked: PageRequest<'_>) -> Result<Page<Listed>, Error> {
        let Some(key) = &self.key else {
            return Err(not_listable("the name of the records' key is not known"));
        };
        let is_whole = asked.with_states && self.related.is_none();
        let limit = if asked.with_states && !is_whole {
            asked.limit.min(MAX_READS)
        } else {
            asked.limit
        };
        let page = self
            .client
            .page(&self.entity, key, is_whole, asked.page, limit)
            .await?;
        let goes_on = page.next.is_some();
        let listed = page.value.into_iter().map(|record| {
            let id = match record.get(key) {
                Some(Value::String(id)) => id.clone(),
                Some(Value::Number(id)) => id.to_string(),
                _ => return Err(unexpected("expected a key in each record, found none")),
            };
            let state = is_whole.then_some(Value::Object(record));
            Ok(Listed { id, state })
        });
        let records = listed.collect::<Result<Vec<Listed>, _>>()?;
        let last = records.last().map(|last| last.id.clone());
        // It would be asked for without end.
        if goes_on && (last.is_none() || last.as_deref() == asked.page) {
            return Err(unexpected(
                "expected the next page to be behind this one, found another",
            ));
        }
        let next = last.filter(|_| goes_on);
        Ok(Page::new(records, next).counted(page.total))
    }
}

impl ODataClient {
    /// Some records whose keys come after `after`, and whether there are more; with the first ones how many there are in all. By key,
    /// not by number: what is removed meanwhile moves nobody from one page to another. Of the link to the next page only that
    /// there is one counts: the service names no address that is called.
    async fn page(
        &self,
        entity: &ODataEntity,
        key: &str,
        is_whole: bool,
        after: Option<&str>,
        limit: u32,
    ) -> Result<Records, Error> {
        let url = entity.list_url(&self.endpoint, key, is_whole, after)?;
        if after.is_none()
            && let Ok(answer) = self.some(counting(&url), limit).await
            && !may_be_the_count(answer.status)
        {
            return answer::records(&answer, self.endpoint.now());
        }
        let answer = self.some(url, limit).await?;
        answer::records(&answer, self.endpoint.now())
    }

    async fn some(&self, url: Url, limit: u32) -> Result<Answer, Error> {
        let endpoint = &self.endpoint;
        let request = endpoint
            .request(Method::GET, url, endpoint.timeout)
            .max_answer_bytes(MAX_PAGE_BYTES)
            .header(header::ACCEPT, "application/json")
            .header(PREFER, &format!("odata.maxpagesize={limit}"));
        endpoint.auth.send(request, Stage::Source).await
    }
}

/// Nothing depends on the count. A service that does not know the question, may not answer it, or takes too long for it, is asked
/// without it; who we are and how much we may ask has nothing to do with it.
fn may_be_the_count(status: StatusCode) -> bool {
    !status.is_success() && !matches!(status, StatusCode::UNAUTHORIZED | StatusCode::TOO_MANY_REQUESTS)
}

/// Asks how many there are, too
/// (<https://docs.oasis-open.org/odata/odata/v4.01/odata-v4.01-part1-protocol.html#sec_SystemQueryOptioncount>).
fn counting(url: &Url) -> Url {
    let mut url = url.clone();
    let query = url.query().unwrap_or_default();
    url.set_query(Some(&format!("{query}&$count=true")));
    url
}

fn unexpected(message: &str) -> Error {
    Error::retry(ErrorKind::Unexpected, Stage::Source, message)
}
