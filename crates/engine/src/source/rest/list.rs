//! A list behind `GET`, page by page.

use http::{Method, StatusCode, header};
use serde::Deserialize;
use serde_json::Value;
use url::Url;

use super::RestSource;
use crate::ask::{Page, PageRequest, total_of};
use crate::http::{HttpError, MAX_PAGE_BYTES, status_error};
use crate::source::{Listed, not_listable};
use crate::{Error, ErrorKind, Stage};

const LIMIT: &str = "{limit}";
const PAGE: &str = "{page}";
/// Entities that are read one by one: as many as fit into an invocation.
const MAX_READS: u32 = 50;

/// How a service lists its entities, as `VENDOR_SETTINGS` says it.
///
/// `{"path": "/customers?limit={limit}&after={page}", "records": "/customers", "id": "/customerId", "next": "/next", "total": "/total",
///   "whole": true}`
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ListSettings {
    /// Behind the base URL. A parameter with `{page}` is left out for the first page.
    pub path: String,
    /// Where the records stand in the answer: a JSON Pointer to a list; the answer itself unless set.
    #[serde(default)]
    pub records: String,
    /// Where a record has its id: a JSON Pointer; the record is the id itself unless set.
    #[serde(default)]
    pub id: String,
    /// Where the answer names the next page: a JSON Pointer; there is none if it is missing, `null` or empty. Unless set, the last
    /// record's id names the next page, and an empty page is the last.
    #[serde(default)]
    pub next: Option<String>,
    /// Where the answer says how many records there are in all: a JSON Pointer. For display only; nobody says so unless set.
    #[serde(default)]
    pub total: Option<String>,
    /// Whether the records are the entities' whole states. Else the entities are read one by one where states are wanted.
    #[serde(default)]
    pub whole: bool,
}

impl ListSettings {
    pub(super) fn check(&self) -> Result<(), HttpError> {
        let has_page = self
            .path
            .split_once('?')
            .is_some_and(|(_, query)| query.contains(PAGE));
        if has_page && self.path.starts_with('/') {
            return Ok(());
        }
        Err(HttpError::Url {
            expected: "a list's path with a parameter `{page}`",
            found: format!("`{}`", self.path),
        })
    }

    /// Adds the list's path and parameters to the base.
    fn url(&self, source: &RestSource, page: Option<&str>, limit: u32) -> Url {
        let (path, query) = self.path.split_once('?').unwrap_or((&self.path, ""));
        let segments = path.split('/').filter(|segment| !segment.is_empty());
        let mut url = source.endpoint.under(segments);
        for parameter in query.split('&') {
            let (name, value) = parameter.split_once('=').unwrap_or((parameter, ""));
            let value = match page {
                Some(page) => value.replace(PAGE, page),
                None if value.contains(PAGE) => continue,
                None => value.to_owned(),
            };
            let value = value.replace(LIMIT, &limit.to_string());
            url.query_pairs_mut().append_pair(name, &value);
        }
        url
    }

    fn read(&self, answer: &Value, asked: PageRequest<'_>) -> Option<Page<Listed>> {
        let mut listed = Vec::new();
        for record in answer.pointer(&self.records)?.as_array()? {
            let id = word(record.pointer(&self.id)?)?;
            let state = (asked.with_states && self.whole).then(|| record.clone());
            listed.push(Listed { id, state });
        }
        let next = match &self.next {
            Some(pointer) => answer.pointer(pointer).and_then(word),
            None => listed.last().map(|last| last.id.clone()),
        };
        let total = self.total.as_ref().and_then(|pointer| answer.pointer(pointer));
        let page = Page::new(listed, next.filter(|next| !next.is_empty()));
        Some(page.counted(total.and_then(total_of)))
    }
}

impl RestSource {
    pub(super) async fn page(&self, asked: PageRequest<'_>) -> Result<Page<Listed>, Error> {
        let Some(settings) = &self.list else {
            return Err(not_listable("set how the service lists its entities"));
        };
        let limit = if asked.with_states && !settings.whole {
            asked.limit.min(MAX_READS)
        } else {
            asked.limit
        };
        let endpoint = &self.endpoint;
        let request = endpoint
            .request(
                Method::GET,
                settings.url(self, asked.page, limit),
                endpoint.timeout,
            )
            .max_answer_bytes(MAX_PAGE_BYTES)
            .header(header::ACCEPT, "application/json");
        let answer = endpoint.auth.send(request, Stage::Source).await?;
        if answer.status != StatusCode::OK {
            return Err(status_error(Stage::Source, &answer, endpoint.now()));
        }
        let page = answer
            .json::<Value>()
            .and_then(|answer| settings.read(&answer, asked));
        let page = page
            .ok_or_else(|| unexpected("expected a list of records with their ids, found something else"))?;
        // It would be asked for without end.
        if page.next.is_some() && page.next.as_deref() == asked.page {
            return Err(unexpected(
                "expected the next page to be another one, found the same",
            ));
        }
        Ok(page)
    }
}

/// A text, or a number as one.
fn word(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

fn unexpected(message: &str) -> Error {
    Error::retry(ErrorKind::Unexpected, Stage::Source, message)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use rstest::rstest;
    use serde_json::json;

    use super::*;
    use crate::clock::SystemClock;
    use crate::http::Http;

    fn settings(more: &Value) -> ListSettings {
        let mut settings = json!({"path": "/customers?limit={limit}&after={page}", "id": "/id"});
        settings
            .as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        serde_json::from_value(settings).unwrap()
    }

    fn asked(page: Option<&str>) -> PageRequest<'_> {
        PageRequest {
            entity_type: "customer",
            page,
            limit: 2,
            with_states: true,
        }
    }

    #[rstest]
    #[case(None, "https://info.example/v1/customers?limit=2")]
    #[case(
        Some("c 1&x=2"),
        "https://info.example/v1/customers?limit=2&after=c+1%26x%3D2"
    )]
    fn a_page_is_a_parameter(#[case] page: Option<&str>, #[case] url: &str) {
        let base = "https://info.example/v1".parse().unwrap();
        let source =
            RestSource::new(Http::new(false).unwrap(), Arc::new(SystemClock), base, "/c/{id}").unwrap();
        assert_eq!(settings(&json!({})).url(&source, page, 2).as_str(), url);
    }

    #[rstest]
    #[case(json!({"next": "/next", "records": "/all"}), json!({"all": [{"id": "a"}, {"id": 7}], "next": "n"}), &["a", "7"], Some("n"))]
    #[case(json!({"next": "/next", "records": "/all"}), json!({"all": [], "next": null}), &[], None)]
    #[case(json!({}), json!([{"id": "a"}, {"id": "b"}]), &["a", "b"], Some("b"))]
    #[case(json!({}), json!([]), &[], None)]
    #[case(json!({"id": ""}), json!(["a"]), &["a"], Some("a"))]
    fn a_page_is_read(
        #[case] more: Value,
        #[case] answer: Value,
        #[case] ids: &[&str],
        #[case] next: Option<&str>,
    ) {
        let page = settings(&more).read(&answer, asked(None)).unwrap();
        assert_eq!(
            page.records
                .iter()
                .map(|listed| listed.id.as_str())
                .collect::<Vec<_>>(),
            ids
        );
        assert_eq!(page.next.as_deref(), next);
        assert!(page.records.iter().all(|listed| listed.state.is_none()));
    }

    #[rstest]
    #[case::not_set(json!({}), None)]
    #[case::number(json!({"total": "/count"}), Some(155))]
    #[case::text(json!({"total": "/as_text"}), Some(155))]
    #[case::absent(json!({"total": "/missing"}), None)]
    #[case::no_count(json!({"total": "/next"}), None)]
    #[case::negative(json!({"total": "/below"}), None)]
    fn a_total_is_told_where_it_is_one(#[case] more: Value, #[case] total: Option<u64>) {
        let answer = json!({"all": [{"id": "a"}], "next": "n", "count": 155, "as_text": "155", "below": -1});
        let mut settings = settings(&more);
        (settings.records, settings.next) = ("/all".to_owned(), Some("/next".to_owned()));
        let page = settings.read(&answer, asked(None)).unwrap();
        assert_eq!((page.records.len(), page.next.as_deref()), (1, Some("n")));
        assert_eq!(page.total, total);
    }

    #[rstest]
    #[case(json!({}), json!([{"id": null}]))]
    #[case(json!({"records": "/all"}), json!([{"id": "a"}]))]
    fn what_is_no_page(#[case] more: Value, #[case] answer: Value) {
        assert_eq!(settings(&more).read(&answer, asked(None)), None);
    }

    #[test]
    fn a_list_needs_its_page() {
        assert!(settings(&json!({})).check().is_ok());
        assert!(settings(&json!({"path": "/customers"})).check().is_err());
    }
}
