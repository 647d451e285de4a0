//! Which record, and what of it: the URL.

use url::Url;

use crate::http::HttpError;
use crate::message::MAX_ID_BYTES;
use crate::source::endpoint::Endpoint;
use crate::{Error, ErrorKind, Stage};

/// `Edm.Int64` has no more.
const MAX_DIGITS: usize = 19;
/// <https://docs.oasis-open.org/odata/odata-csdl-json/v4.01/odata-csdl-json-v4.01.html#sec_SimpleIdentifier>
const MAX_NAME_BYTES: usize = 128;

/// How a key stands in a URL
/// (<https://docs.oasis-open.org/odata/odata/v4.01/odata-v4.01-part2-url-conventions.html#sec_CanonicalURL>).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyKind {
    /// `BusinessPartners('C1')`.
    Text,
    /// `Invoices(4711)`: digits without leading zeros, so that a record has one key only.
    Number,
}

/// An entity set, the kind of its keys, and the properties that are read.
#[derive(Debug, Clone)]
pub struct ODataEntity {
    set: String,
    kind: KeyKind,
    select: Vec<String>,
}

impl ODataEntity {
    /// The records of the entity set `set`. Exactly the properties of `select` are read, all of them if none is named.
    ///
    /// # Errors
    /// [`HttpError::Url`] if a name has other characters than ASCII letters, digits and `_`, or is too long.
    pub fn new(set: &str, kind: KeyKind, select: &[&str]) -> Result<Self, HttpError> {
        for name in select.iter().chain([&set]) {
            if !is_name(name) {
                return Err(HttpError::Url {
                    expected: "a name of ASCII letters, digits and `_`",
                    found: format!("`{name}`"),
                });
            }
        }
        Ok(Self {
            set: set.to_owned(),
            kind,
            select: select.iter().map(|name| (*name).to_owned()).collect(),
        })
    }

    pub(super) fn kind(&self) -> KeyKind {
        self.kind
    }

    /// The URL of the records whose key comes after `after`, in the order of this key; with the properties that are read, or with the
    /// key alone.
    ///
    /// # Errors
    /// If `after` cannot be a key.
    pub(super) fn list_url(
        &self,
        endpoint: &Endpoint,
        key: &str,
        is_whole: bool,
        after: Option<&str>,
    ) -> Result<Url, Error> {
        let mut url = endpoint.under([self.set.as_str()]);
        let mut query = format!("$orderby={key}");
        if let Some(after) = after {
            let literal = self.literal(after, Stage::Source)?;
            let literal = literal
                .replace('%', "%25")
                .replace('&', "%26")
                .replace('+', "%2B");
            query = format!("{query}&$filter={key} gt {literal}");
        }
        if !is_whole {
            query = format!("$select={key}&{query}");
        } else if !self.is_whole() {
            let missing = (!self.selects(key)).then_some(key);
            let select: Vec<_> = self.select.iter().map(String::as_str).chain(missing).collect();
            query = format!("$select={}&{query}", select.join(","));
        }
        // As SAP writes it: a form's encoder would escape `$` and the commas.
        url.set_query(Some(&query));
        Ok(url)
    }

    /// Whether the answer has this property, as far as can be known here.
    pub(super) fn selects(&self, property: &str) -> bool {
        self.is_whole() || self.select.iter().any(|name| name == property)
    }

    /// Whether all properties are read.
    pub(super) fn is_whole(&self) -> bool {
        self.select.is_empty()
    }

    /// The record's own URL, to which changes are sent.
    pub(super) fn url(&self, endpoint: &Endpoint, key: &str, stage: Stage) -> Result<Url, Error> {
        let predicate = format!("{}({})", self.set, self.literal(key, stage)?);
        Ok(endpoint.under([predicate.as_str()]))
    }

    /// A key as it stands in a URL.
    fn literal(&self, key: &str, stage: Stage) -> Result<String, Error> {
        match self.kind {
            KeyKind::Text if is_text(key) => Ok(format!("'{}'", key.replace('\'', "''"))),
            KeyKind::Number if is_number(key) => Ok(key.to_owned()),
            kind => {
                let Self { set, .. } = self;
                let message = match kind {
                    KeyKind::Text => format!(
                        "expected a key of `{set}` with 1 to {MAX_ID_BYTES} bytes and no control characters, found another text"
                    ),
                    KeyKind::Number => format!(
                        "expected a whole number without leading zeros as the key of `{set}`, found another text"
                    ),
                };
                Err(Error::permanent(ErrorKind::Invalid, stage, message))
            }
        }
    }

    /// The URL that answers with the selected properties.
    pub(super) fn selecting_url(&self, endpoint: &Endpoint, key: &str) -> Result<Url, Error> {
        let mut url = self.url(endpoint, key, Stage::Source)?;
        if !self.is_whole() {
            // As SAP writes it: a form's encoder would escape `$` and the commas.
            url.set_query(Some(&format!("$select={}", self.select.join(","))));
        }
        Ok(url)
    }
}

fn is_name(name: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    (1..=MAX_NAME_BYTES).contains(&name.len())
        && name.bytes().all(is_plain)
        && !name.starts_with(|first: char| first.is_ascii_digit())
}

/// A URL drops some control characters without a word: such a key would name another record.
fn is_text(key: &str) -> bool {
    (1..=MAX_ID_BYTES).contains(&key.len()) && !key.chars().any(char::is_control)
}

fn is_number(key: &str) -> bool {
    (1..=MAX_DIGITS).contains(&key.len())
        && key.bytes().all(|byte| byte.is_ascii_digit())
        && (key == "0" || !key.starts_with('0'))
}
