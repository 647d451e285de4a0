//! The calls of course-discovery's API that this function makes
//! (<https://github.com/openedx/course-discovery/tree/master/course_discovery/apps/api/v1/views>).

mod courses;
mod people;

use std::time::Duration;

use http::Method;
use serde_json::Value;
use url::Url;
use vendorbridge::auth::Auth;
use vendorbridge::http::{Answer, Http, HttpError};
use vendorbridge::{Error, Stage};

pub(crate) use people::Wanted;

/// A run is brought to Studio before the answer comes.
const TIMEOUT: Duration = Duration::from_secs(8);

/// Where the API is.
const API: [&str; 2] = ["api", "v1"];

/// Look-ups show drafts only to those who edit them.
const DRAFTS_TOO: &[(&str, &str)] = &[("editable", "1")];

/// Calls about courses, their runs and people. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Client {
    http: Http,
    auth: Auth,
    url: Url,
}

impl Client {
    pub(crate) fn new(http: Http, auth: Auth, url: Url) -> Result<Self, HttpError> {
        http.check(&url)?;
        Ok(Self { http, auth, url })
    }

    async fn get(&self, path: &[&str], query: &[(&str, &str)]) -> Result<Answer, Error> {
        self.call(Method::GET, path, query, None).await
    }

    async fn write(&self, method: Method, path: &[&str], body: &Value) -> Result<Answer, Error> {
        self.call(method, path, &[], Some(body)).await
    }

    async fn call(
        &self,
        method: Method,
        path: &[&str],
        query: &[(&str, &str)],
        body: Option<&Value>,
    ) -> Result<Answer, Error> {
        let url = below(&self.url, path, query);
        let mut request = self.http.request(method, url).timeout(TIMEOUT);
        if let Some(body) = body {
            request = request.json(body);
        }
        self.auth.send(request, Stage::Push).await
    }
}

/// A URL with these segments added to its path and a slash at its end: without it, course-discovery redirects, and a body is lost.
fn below(base: &Url, path: &[&str], query: &[(&str, &str)]) -> Url {
    let mut url = base.clone();
    if let Ok(mut segments) = url.path_segments_mut() {
        segments.pop_if_empty().extend(API).extend(path).push("");
    }
    if !query.is_empty() {
        url.query_pairs_mut().extend_pairs(query);
    }
    url
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("https://discovery.example", &["courses"], &[], "https://discovery.example/api/v1/courses/")]
    #[case("https://discovery.example/", &["courses"], &[], "https://discovery.example/api/v1/courses/")]
    #[case(
        "https://discovery.example",
        &["course_runs", "course-v1:ACME+DM+1T2026"],
        DRAFTS_TOO,
        "https://discovery.example/api/v1/course_runs/course-v1:ACME+DM+1T2026/?editable=1"
    )]
    #[case("https://proxy.example/d", &["courses", "A/../B?x"], &[], "https://proxy.example/d/api/v1/courses/A%2F..%2FB%3Fx/")]
    fn a_slash_is_always_there(
        #[case] base: &str,
        #[case] path: &[&str],
        #[case] query: &[(&str, &str)],
        #[case] expected: &str,
    ) {
        assert_eq!(below(&base.parse().unwrap(), path, query).as_str(), expected);
    }
}
