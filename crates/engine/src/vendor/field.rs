//! A field of an update: leave it alone, set it, or clear it.

use serde::{Deserialize, Deserializer};

/// What the source says about a field. A field that it does not mention is never wiped at the vendor.
///
/// Use with `#[serde(default)]`: a missing field is [`Leave`](Field::Leave), `null` is [`Clear`](Field::Clear).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Field<T> {
    /// Not mentioned: the vendor keeps what it has.
    #[default]
    Leave,
    /// Mentioned as empty: the vendor's value goes.
    Clear,
    /// The value.
    Set(T),
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Field<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Option::deserialize(deserializer).map(|value| value.map_or(Self::Clear, Self::Set))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, PartialEq, Deserialize)]
    struct Name {
        #[serde(default)]
        first: Field<String>,
    }

    fn read(json: &str) -> Field<String> {
        serde_json::from_str::<Name>(json).unwrap().first
    }

    #[test]
    fn missing_null_and_value_are_three_things() {
        assert_eq!(read("{}"), Field::Leave);
        assert_eq!(read(r#"{"first":null}"#), Field::Clear);
        assert_eq!(read(r#"{"first":"Ada"}"#), Field::Set("Ada".to_owned()));
    }
}
