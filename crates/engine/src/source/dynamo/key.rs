//! From an entity's id to its item's key.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// The key attributes of a table, with places for the entity's id.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "Settings")]
pub struct KeyTemplate {
    attributes: BTreeMap<String, Attribute>,
    split: Option<String>,
    /// How many parts an id has.
    parts: usize,
}

/// The value of a key attribute.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum KeyValue {
    /// Type `S`.
    #[serde(rename = "S")]
    Text(String),
    /// Type `N`, as decimal text.
    #[serde(rename = "N")]
    Number(String),
}

/// Why a key cannot be made of a template, or of an id. Never quotes the id.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidKeyTemplate {
    /// Not one or two attributes.
    #[error("expected one or two key attributes, found {0}")]
    Attributes(usize),
    /// Brackets that enclose no place, or no place at all.
    #[error("expected `{{id}}`, or `{{0}}`, `{{1}}` … with `split`, in the key, found {0}")]
    Place(String),
    /// The separator is the empty text.
    #[error("expected a separator in `split`, found an empty text")]
    Split,
    /// The id does not have the parts that the key needs.
    #[error("expected an id of {expected} parts for the item's key, found {found}")]
    Parts {
        /// The number of parts that the template names.
        expected: usize,
        /// The number of parts of the id.
        found: usize,
    },
    /// A part of the id is no number, but its attribute is one.
    #[error("expected a number of at most 38 digits for the key attribute `{0}`, found another text")]
    Number(String),
    /// DynamoDB takes no empty key.
    #[error("expected a text for the key attribute `{0}`, found an empty one")]
    Empty(String),
}

/// `{"pk": "SKU#{id}"}`, or `{"attributes": {…}, "split": "|"}`.
#[derive(Deserialize)]
#[serde(untagged)]
enum Settings {
    Split(SplitSettings),
    Plain(BTreeMap<String, AttributeSettings>),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SplitSettings {
    attributes: BTreeMap<String, AttributeSettings>,
    split: String,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum AttributeSettings {
    Text(String),
    Typed(TypedSettings),
}

#[derive(Deserialize)]
enum TypedSettings {
    S(String),
    N(String),
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Attribute {
    is_number: bool,
    text: Vec<Piece>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Piece {
    Text(String),
    /// Which part of the id; the whole of one that is not split is part 0.
    Part(usize),
}

impl KeyTemplate {
    /// The names of the key attributes.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.attributes.keys().map(String::as_str)
    }

    /// The key of the item with this id.
    ///
    /// # Errors
    /// [`InvalidKeyTemplate`] if the id has other parts than the template, or one that its attribute cannot hold.
    pub fn fill(&self, id: &str) -> Result<BTreeMap<String, KeyValue>, InvalidKeyTemplate> {
        let parts: Vec<_> = match &self.split {
            Some(split) => id.split(split.as_str()).collect(),
            None => vec![id],
        };
        if parts.len() != self.parts {
            return Err(InvalidKeyTemplate::Parts {
                expected: self.parts,
                found: parts.len(),
            });
        }
        let fill = |(name, attribute): (&String, &Attribute)| {
            let text: String = attribute
                .text
                .iter()
                .map(|piece| match piece {
                    Piece::Text(text) => text.as_str(),
                    Piece::Part(part) => parts.get(*part).copied().unwrap_or_default(),
                })
                .collect();
            let value = match attribute.is_number {
                true if is_number(&text) => KeyValue::Number(text),
                true => return Err(InvalidKeyTemplate::Number(name.clone())),
                false if text.is_empty() => return Err(InvalidKeyTemplate::Empty(name.clone())),
                false => KeyValue::Text(text),
            };
            Ok((name.clone(), value))
        };
        self.attributes.iter().map(fill).collect()
    }
}

impl KeyTemplate {
    /// Whether an item's key says its id: each attribute has one place at most, and each part of the id a place.
    pub(crate) fn is_reversible(&self) -> bool {
        let places = |attribute: &Attribute| attribute.places().collect::<Vec<_>>();
        let all: Vec<_> = self.attributes.values().map(places).collect();
        all.iter().all(|places| places.len() <= 1) && (0..self.parts).all(|part| all.contains(&vec![part]))
    }

    /// The id of the item with these key attributes; `None` if the template makes no such key.
    pub(crate) fn id_of(&self, item: &Map<String, Value>) -> Option<String> {
        let mut parts = vec![String::new(); self.parts];
        let mut key = BTreeMap::new();
        for (name, attribute) in &self.attributes {
            let text = match item.get(name)? {
                Value::String(text) => text.clone(),
                Value::Number(number) => number.to_string(),
                _ => return None,
            };
            if let Some(part) = attribute.places().next() {
                attribute.place_in(&text)?.clone_into(&mut parts[part]);
            }
            let value = if attribute.is_number {
                KeyValue::Number
            } else {
                KeyValue::Text
            };
            key.insert(name.clone(), value(text));
        }
        let id = parts.join(self.split.as_deref().unwrap_or_default());
        // One place may be named twice, and a part may hold the separator.
        (self.fill(&id).ok()? == key).then_some(id)
    }
}

impl Attribute {
    fn places(&self) -> impl Iterator<Item = usize> {
        self.text.iter().filter_map(|piece| match piece {
            Piece::Part(part) => Some(*part),
            Piece::Text(_) => None,
        })
    }

    /// What stands in the one place.
    fn place_in<'t>(&self, text: &'t str) -> Option<&'t str> {
        match self.text.as_slice() {
            [Piece::Text(before), Piece::Part(_), Piece::Text(behind)] => {
                text.strip_prefix(before.as_str())?.strip_suffix(behind.as_str())
            }
            _ => None,
        }
    }
}

/// Whole numbers are what keys are made of; anything else could have two forms of the same value.
fn is_number(text: &str) -> bool {
    let digits = text.strip_prefix('-').unwrap_or(text);
    !digits.is_empty() && digits.len() <= 38 && digits.bytes().all(|byte| byte.is_ascii_digit())
}

impl TryFrom<Settings> for KeyTemplate {
    type Error = InvalidKeyTemplate;

    fn try_from(settings: Settings) -> Result<Self, InvalidKeyTemplate> {
        let (attributes, split) = match settings {
            Settings::Plain(attributes) => (attributes, None),
            Settings::Split(SplitSettings { split, .. }) if split.is_empty() => {
                return Err(InvalidKeyTemplate::Split);
            }
            Settings::Split(SplitSettings { attributes, split }) => (attributes, Some(split)),
        };
        if !(1..=2).contains(&attributes.len()) {
            return Err(InvalidKeyTemplate::Attributes(attributes.len()));
        }
        let read = |(name, attribute)| {
            let (is_number, text) = match attribute {
                AttributeSettings::Text(text) | AttributeSettings::Typed(TypedSettings::S(text)) => {
                    (false, text)
                }
                AttributeSettings::Typed(TypedSettings::N(text)) => (true, text),
            };
            let text = pieces(&text, split.is_some())?;
            Ok((name, Attribute { is_number, text }))
        };
        let attributes = attributes
            .into_iter()
            .map(read)
            .collect::<Result<BTreeMap<_, _>, _>>()?;
        let part = |piece: &Piece| match piece {
            Piece::Part(part) => Some(*part),
            Piece::Text(_) => None,
        };
        let places = attributes.values().flat_map(|attribute| &attribute.text);
        let Some(last) = places.filter_map(part).max() else {
            return Err(InvalidKeyTemplate::Place("none".to_owned()));
        };
        Ok(Self {
            attributes,
            split,
            parts: last + 1,
        })
    }
}

fn pieces(template: &str, is_split: bool) -> Result<Vec<Piece>, InvalidKeyTemplate> {
    let mut pieces = Vec::new();
    let mut rest = template;
    while let Some((before, place)) = rest.split_once('{') {
        let wrong = || InvalidKeyTemplate::Place(format!("`{template}`"));
        let (place, behind) = place.split_once('}').ok_or_else(wrong)?;
        pieces.push(Piece::Text(before.to_owned()));
        pieces.push(Piece::Part(match place {
            "id" if !is_split => 0,
            // One digit: an id of more than ten parts is no key.
            place if is_split && place.len() == 1 => place.parse().map_err(|_| wrong())?,
            _ => return Err(wrong()),
        }));
        rest = behind;
    }
    pieces.push(Piece::Text(rest.to_owned()));
    Ok(pieces)
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use serde_json::{Value, json};

    use super::*;

    fn fill(template: Value, id: &str) -> String {
        let template: KeyTemplate = serde_json::from_value(template).unwrap();
        match template.fill(id) {
            Ok(key) => format!("{key:?}"),
            Err(reason) => reason.to_string(),
        }
    }

    #[rstest]
    #[case(json!({"pk": "{id}"}), "SKU#a", r#"{"pk": Text("SKU#a")}"#)]
    #[case(json!({"pk": "SKU#{id}", "sk": "item"}), "a", r#"{"pk": Text("SKU#a"), "sk": Text("item")}"#)]
    #[case(json!({"pk": {"N": "{id}"}}), "42", r#"{"pk": Number("42")}"#)]
    #[case(json!({"pk": {"S": "{id}"}}), "42", r#"{"pk": Text("42")}"#)]
    #[case(json!({"attributes": {"pk": "{0}", "sk": {"N": "{1}"}}, "split": "|"}), "a|7", r#"{"pk": Text("a"), "sk": Number("7")}"#)]
    #[case(json!({"attributes": {"pk": "{1}-{0}"}, "split": "::"}), "a::b", r#"{"pk": Text("b-a")}"#)]
    // A part that looks like a place is none.
    #[case(json!({"attributes": {"pk": "{0}", "sk": "{1}"}, "split": "|"}), "{1}|b", r#"{"pk": Text("{1}"), "sk": Text("b")}"#)]
    fn an_id_becomes_a_key(#[case] template: Value, #[case] id: &str, #[case] key: &str) {
        assert_eq!(fill(template, id), key);
    }

    #[rstest]
    #[case(json!({"pk": "{id}"}), json!({"pk": "SKU#a"}), Some("SKU#a"))]
    #[case(json!({"pk": "SKU#{id}", "sk": "item"}), json!({"pk": "SKU#a", "sk": "item"}), Some("a"))]
    #[case(json!({"pk": "SKU#{id}", "sk": "item"}), json!({"pk": "SKU#a", "sk": "price"}), None)]
    #[case(json!({"pk": "SKU#{id}", "sk": "item"}), json!({"pk": "ORDER#a", "sk": "item"}), None)]
    #[case(json!({"pk": {"N": "{id}"}}), json!({"pk": 42}), Some("42"))]
    #[case(json!({"pk": {"N": "{id}"}}), json!({"pk": "42"}), Some("42"))]
    #[case(json!({"pk": {"N": "{id}"}}), json!({"pk": 4.5}), None)]
    #[case(json!({"pk": "{id}", "sk": "{id}"}), json!({"pk": "a", "sk": "a"}), Some("a"))]
    #[case(json!({"pk": "{id}", "sk": "{id}"}), json!({"pk": "a", "sk": "b"}), None)]
    #[case(json!({"attributes": {"pk": "{1}", "sk": "{0}"}, "split": "|"}), json!({"pk": "b", "sk": "a"}), Some("a|b"))]
    #[case(json!({"attributes": {"pk": "{0}", "sk": "{1}"}, "split": "|"}), json!({"pk": "a|b", "sk": "c"}), None)]
    fn a_key_becomes_its_id_again(#[case] template: Value, #[case] item: Value, #[case] id: Option<&str>) {
        let template: KeyTemplate = serde_json::from_value(template).unwrap();
        assert!(template.is_reversible());
        assert_eq!(template.id_of(item.as_object().unwrap()).as_deref(), id);
    }

    #[rstest]
    #[case(json!({"attributes": {"pk": "{1}-{0}"}, "split": "::"}))]
    #[case(json!({"attributes": {"pk": "{0}", "sk": "{2}"}, "split": "|"}))]
    fn a_key_that_does_not_say_its_id(#[case] template: Value) {
        let template: KeyTemplate = serde_json::from_value(template).unwrap();
        assert!(!template.is_reversible());
    }

    #[rstest]
    #[case(json!({"pk": {"N": "{id}"}}), "4-2", "expected a number of at most 38 digits for the key attribute `pk`, found another text")]
    #[case(json!({"pk": {"N": "{id}"}}), "1e3", "expected a number of at most 38 digits for the key attribute `pk`, found another text")]
    #[case(json!({"attributes": {"pk": "{0}", "sk": "{1}"}, "split": "|"}), "a", "expected an id of 2 parts for the item's key, found 1")]
    #[case(json!({"attributes": {"pk": "{0}", "sk": "{1}"}, "split": "|"}), "a|b|c", "expected an id of 2 parts for the item's key, found 3")]
    #[case(json!({"attributes": {"pk": "{0}", "sk": "{1}"}, "split": "|"}), "a|", "expected a text for the key attribute `sk`, found an empty one")]
    fn an_id_that_makes_no_key(#[case] template: Value, #[case] id: &str, #[case] reason: &str) {
        assert_eq!(fill(template, id), reason);
    }

    #[rstest]
    #[case(json!({}), "expected one or two key attributes, found 0")]
    #[case(json!({"a": "{id}", "b": "x", "c": "x"}), "expected one or two key attributes, found 3")]
    #[case(json!({"pk": "item"}), "expected `{id}`, or `{0}`, `{1}` … with `split`, in the key, found none")]
    #[case(json!({"pk": "{0}"}), "expected `{id}`, or `{0}`, `{1}` … with `split`, in the key, found `{0}`")]
    #[case(json!({"pk": "{id"}), "expected `{id}`, or `{0}`, `{1}` … with `split`, in the key, found `{id`")]
    #[case(json!({"attributes": {"pk": "{id}"}, "split": "|"}), "expected `{id}`, or `{0}`, `{1}` … with `split`, in the key, found `{id}`")]
    #[case(json!({"attributes": {"pk": "{0}"}, "split": ""}), "expected a separator in `split`, found an empty text")]
    fn a_template_that_cannot_be_used(#[case] template: Value, #[case] reason: &str) {
        let error = serde_json::from_value::<KeyTemplate>(template).unwrap_err();
        assert_eq!(error.to_string(), reason);
    }
}
