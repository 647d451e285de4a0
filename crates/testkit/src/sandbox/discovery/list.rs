//! Queries, and the pages that lists are answered in.

use serde_json::{Value, json};

/// Results on a page unless the query says otherwise.
const PAGE: usize = 20;
const PAGE_AT_MOST: usize = 100;

/// What a query asks for. What the application does not know it ignores.
pub(super) struct Asked {
    query: Vec<(String, String)>,
    /// Drafts are shown, and nothing else.
    pub(super) editable: bool,
    pub(super) slug: Option<String>,
    keys: Option<Vec<String>>,
}

impl Asked {
    /// A plus sign that is not encoded is a space, here as everywhere.
    pub(super) fn parse(query: Option<&str>) -> Self {
        let query = url::form_urlencoded::parse(query.unwrap_or_default().as_bytes());
        let query: Vec<_> = query.into_owned().collect();
        let find = |name: &str| {
            query
                .iter()
                .find(|(n, _)| n == name)
                .map(|(_, value)| value.clone())
        };
        Self {
            editable: find("editable").is_some_and(|value| is_set(&value)),
            slug: find("slug"),
            keys: find("keys").map(|keys| keys.split(',').map(str::to_owned).collect()),
            query,
        }
    }

    pub(super) fn names(&self, key: &str) -> bool {
        self.keys
            .as_ref()
            .is_none_or(|keys| keys.iter().any(|name| name == key))
    }

    fn number(&self, name: &str) -> Option<usize> {
        let (_, value) = self.query.iter().find(|(n, _)| n == name)?;
        value.parse().ok()
    }

    fn at(&self, base: &str, offset: usize, limit: usize) -> String {
        let mut query = url::form_urlencoded::Serializer::new(String::new());
        let others = self.query.iter();
        let others =
            others.filter(|(name, _)| !["page", "page_size", "limit", "offset"].contains(&name.as_str()));
        query.extend_pairs(others);
        if self.number("offset").or(self.number("limit")).is_some() {
            query.append_pair("limit", &limit.to_string());
            query.append_pair("offset", &offset.to_string());
        } else {
            query.append_pair("page", &(offset / limit + 1).to_string());
            if self.number("page_size").is_some() {
                query.append_pair("page_size", &limit.to_string());
            }
        }
        format!("{base}?{}", query.finish())
    }
}

/// `{count, next, previous, results}`; the list's address is `base`.
pub(super) fn page(all: Vec<Value>, asked: &Asked, base: &str) -> Value {
    let limit = asked
        .number("page_size")
        .or(asked.number("limit"))
        .unwrap_or(PAGE);
    let limit = limit.clamp(1, PAGE_AT_MOST);
    let by_page = asked
        .number("page")
        .map(|page| page.saturating_sub(1).saturating_mul(limit));
    let offset = by_page.or(asked.number("offset")).unwrap_or_default();
    let count = all.len();
    let next = offset.checked_add(limit).filter(|next| *next < count);
    let previous = (offset > 0).then(|| offset.saturating_sub(limit));
    let results: Vec<_> = all.into_iter().skip(offset).take(limit).collect();
    json!({
        "count": count, "next": next.map(|offset| asked.at(base, offset, limit)),
        "previous": previous.map(|offset| asked.at(base, offset, limit)), "results": results,
    })
}

/// As the application reads numbers and words of yes and no.
fn is_set(value: &str) -> bool {
    matches!(
        value.to_ascii_lowercase().as_str(),
        "1" | "true" | "yes" | "t" | "y" | "on"
    )
}
