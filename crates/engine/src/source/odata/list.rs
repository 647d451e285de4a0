//! The records of an entity set, page by page
//! (<https://help.sap.com/doc/fc2f5477516c404c8bf9ad1315a17238/10.0/en-US/Working_with_SAP_Business_One_Service_Layer.pdf>, on
//! paging: `Prefer: odata.maxpagesize`, and the answer's `@odata.nextLink`).

use http::{HeaderName, Method, header};
use serde_json::{Map, Value};

use super::{ODataClient, ODataEntity, ODataSource, answer};
use crate::ask::{Page, PageRequest};
use crate::http::{HttpError, MAX_PAGE_BYTES};
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
        let (records, goes_on) = self
            .client
            .page(&self.entity, key, is_whole, asked.page, limit)
            .await?;
        let listed = records.into_iter().map(|record| {
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
        Ok(Page::new(records, next))
    }
}

impl ODataClient {
    /// Some records whose keys come after `after`, and whether there are more. By key, not by number: what is removed meanwhile moves
    /// nobody from one page to another. Of the link to the next page only that there is one counts: the service names no address
    /// that is called.
    async fn page(
        &self,
        entity: &ODataEntity,
        key: &str,
        is_whole: bool,
        after: Option<&str>,
        limit: u32,
    ) -> Result<(Vec<Map<String, Value>>, bool), Error> {
        let endpoint = &self.endpoint;
        let url = entity.list_url(endpoint, key, is_whole, after)?;
        let request = endpoint
            .request(Method::GET, url, endpoint.timeout)
            .max_answer_bytes(MAX_PAGE_BYTES)
            .header(header::ACCEPT, "application/json")
            .header(PREFER, &format!("odata.maxpagesize={limit}"));
        let answer = endpoint.auth.send(request, Stage::Source).await?;
        let records = answer::records(&answer, endpoint.now())?;
        Ok((records.value, records.next.is_some()))
    }
}

fn unexpected(message: &str) -> Error {
    Error::retry(ErrorKind::Unexpected, Stage::Source, message)
}
