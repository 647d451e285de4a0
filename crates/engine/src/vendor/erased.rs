//! A vendor without its types, so that one engine can hold several.

use std::any::Any;

use futures::future::BoxFuture;
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::{Creates, Held, Invalid, Push, Vendor};
use crate::ask::{Page, PageRequest};
use crate::{Error, ErrorKind, Stage};

/// A mapped payload, its canonical hash and the natural key that follows from it.
pub(crate) struct Mapped {
    payload: Box<dyn Any + Send + Sync>,
    /// The payload as JSON.
    pub(crate) value: Value,
    pub(crate) hash: String,
    pub(crate) link: Option<String>,
    /// The vendor is to hold it.
    pub(crate) is_wanted: bool,
}

pub(crate) trait DynVendor: Send + Sync {
    fn map(&self, state: &Value) -> Result<Mapped, Error>;
    fn creates(&self) -> Creates;
    fn find<'a>(&'a self, push: &'a mut Push<'_>) -> BoxFuture<'a, Result<Option<String>, Error>>;
    fn push<'a>(&'a self, push: &'a mut Push<'_>, mapped: &'a Mapped)
    -> BoxFuture<'a, Result<String, Error>>;
    fn remove<'a>(&'a self, push: &'a mut Push<'_>) -> BoxFuture<'a, Result<(), Error>>;
    fn compensate<'a>(&'a self, push: &'a mut Push<'_>) -> BoxFuture<'a, Result<(), Error>>;
    fn lists(&self) -> bool;
    fn list<'a>(&'a self, asked: PageRequest<'a>) -> BoxFuture<'a, Result<Page<Held>, Error>>;
    fn leaves_alone(&self) -> bool;
}

impl<V: Vendor> DynVendor for V {
    fn map(&self, state: &Value) -> Result<Mapped, Error> {
        let entity: V::Entity = serde_path_to_error::deserialize(state).map_err(|error| {
            let pointer = pointer(error.path());
            Error::from(Invalid::new(
                pointer,
                describe(state, error.inner(), error.path()),
            ))
        })?;
        let payload = Vendor::map(self, &entity)?;
        let no_json = |error| {
            Error::permanent(ErrorKind::Invalid, Stage::Map, "the payload is no JSON").caused_by(error)
        };
        let value = serde_json::to_value(&payload).map_err(no_json)?;
        let canonical = serde_json::to_vec(&value).map_err(no_json)?;
        let link = Vendor::link(self, &payload);
        let is_wanted = Vendor::is_wanted(self, &payload);
        Ok(Mapped {
            payload: Box::new(payload),
            value,
            // 128 bits tell payloads apart and keep the record small.
            hash: hex::encode(&Sha256::digest(canonical)[..16]),
            link,
            is_wanted,
        })
    }

    fn creates(&self) -> Creates {
        Vendor::creates(self)
    }

    fn find<'a>(&'a self, push: &'a mut Push<'_>) -> BoxFuture<'a, Result<Option<String>, Error>> {
        Box::pin(Vendor::find(self, push))
    }

    fn push<'a>(
        &'a self,
        push: &'a mut Push<'_>,
        mapped: &'a Mapped,
    ) -> BoxFuture<'a, Result<String, Error>> {
        Box::pin(async move {
            match mapped.payload.downcast_ref::<V::Payload>() {
                Some(payload) => Vendor::push(self, push, payload).await,
                None => Err(Error::permanent(
                    ErrorKind::Unexpected,
                    Stage::Push,
                    "the payload was mapped by another vendor",
                )),
            }
        })
    }

    fn remove<'a>(&'a self, push: &'a mut Push<'_>) -> BoxFuture<'a, Result<(), Error>> {
        Box::pin(Vendor::remove(self, push))
    }

    fn compensate<'a>(&'a self, push: &'a mut Push<'_>) -> BoxFuture<'a, Result<(), Error>> {
        Box::pin(Vendor::compensate(self, push))
    }

    fn lists(&self) -> bool {
        Vendor::lists(self)
    }

    fn list<'a>(&'a self, asked: PageRequest<'a>) -> BoxFuture<'a, Result<Page<Held>, Error>> {
        Box::pin(Vendor::list(self, asked))
    }

    fn leaves_alone(&self) -> bool {
        Vendor::leaves_alone(self)
    }
}

/// The path as a JSON Pointer (RFC 6901).
fn pointer(path: &serde_path_to_error::Path) -> String {
    use serde_path_to_error::Segment;
    let mut pointer = String::new();
    for segment in path {
        match segment {
            Segment::Seq { index } => pointer.extend(["/", &index.to_string()]),
            Segment::Map { key } | Segment::Enum { variant: key } => {
                pointer.push('/');
                pointer.push_str(&key.replace('~', "~0").replace('/', "~1"));
            }
            Segment::Unknown => {}
        }
    }
    pointer
}

/// Says what type was found. serde's own words quote the value, which may be personal data.
fn describe(state: &Value, error: &serde_json::Error, path: &serde_path_to_error::Path) -> String {
    let words = error.to_string();
    if let Some(field) = words.strip_prefix("missing field ") {
        return format!(
            "expected a field {}, found none",
            field.split(' ').next().unwrap_or_default()
        );
    }
    let found = match state.pointer(&pointer(path)) {
        None => "nothing",
        Some(Value::Null) => "null",
        Some(Value::Bool(_)) => "a boolean",
        Some(Value::Number(_)) => "a number",
        Some(Value::String(_)) => "a text",
        Some(Value::Array(_)) => "a list",
        Some(Value::Object(_)) => "an object",
    };
    match words.rsplit_once("expected ") {
        Some((_, expected)) => format!("expected {expected}, found {found}"),
        None => format!("found {found} that cannot be read"),
    }
}

#[cfg(test)]
mod tests {
    use serde::{Deserialize, Serialize};
    use serde_json::json;

    use super::*;

    #[derive(Deserialize)]
    struct Customer {
        emails: Vec<String>,
    }

    #[derive(Serialize)]
    struct Member {
        b: String,
        a: u8,
    }

    struct Members;

    impl Vendor for Members {
        type Entity = Customer;
        type Payload = Member;

        fn map(&self, customer: &Customer) -> Result<Member, Invalid> {
            let email = customer
                .emails
                .first()
                .ok_or_else(|| Invalid::new("/emails/0", "expected one, found none"))?;
            Ok(Member {
                b: email.clone(),
                a: 1,
            })
        }

        async fn push(&self, _: &mut Push<'_>, payload: &Member) -> Result<String, Error> {
            Ok(payload.b.clone())
        }

        async fn remove(&self, _: &mut Push<'_>) -> Result<(), Error> {
            Ok(())
        }
    }

    fn refused(state: &Value) -> Error {
        DynVendor::map(&Members, state).err().unwrap()
    }

    #[test]
    fn a_wrong_field_is_named_without_its_value() {
        let error = refused(&json!({"emails": ["ada@lovelace.example", 7]}));
        assert_eq!(error.pointer(), Some("/emails/1"));
        assert_eq!(error.message(), "expected a string, found a number");
        let error = refused(&json!({"emails": "ada"}));
        assert_eq!(
            error.to_string(),
            "map at /emails: expected a sequence, found a text"
        );
        let error = refused(&json!({}));
        assert_eq!(error.message(), "expected a field `emails`, found none");
        assert_eq!(refused(&json!({"emails": []})).pointer(), Some("/emails/0"));
    }

    #[test]
    fn the_hash_follows_the_content_only() {
        let hash = |email: &str| {
            DynVendor::map(&Members, &json!({"emails": [email]}))
                .unwrap()
                .hash
        };
        assert_eq!(hash("a"), hash("a"));
        assert_ne!(hash("a"), hash("b"));
        assert_eq!(
            hash("a"),
            hex::encode(&Sha256::digest(br#"{"a":1,"b":"a"}"#)[..16])
        );
    }
}
