//! An inventory item as a record of an index. Pure.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Number, Value};
use vendorbridge::vendor::Invalid;

/// What is read of an item.
pub(crate) const ATTRIBUTES: [&str; 7] = [
    "title",
    "stock",
    "price",
    "currency",
    "tags",
    "attrs",
    "published",
];

/// What the table says. Other attributes are not read.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Item {
    #[serde(default)]
    title: Option<String>,
    #[serde(default)]
    stock: Option<i64>,
    #[serde(default)]
    price: Option<Number>,
    #[serde(default)]
    currency: Option<String>,
    #[serde(default)]
    tags: Option<Vec<String>>,
    #[serde(default)]
    attrs: Option<Map<String, Value>>,
    #[serde(default)]
    published: Option<bool>,
}

/// What the index is to hold of an item. `null` as JSON where it is to hold nothing.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(untagged)]
pub(crate) enum Listing {
    /// A record that can be found.
    Published(Record),
    /// None: the item is not for sale, or not said to be.
    Unpublished,
}

/// The attributes of a record besides `objectID`.
///
/// A partial update leaves out what it does not name. The table is the only one that knows these attributes, so what an item
/// no longer has is cleared: each is always sent, `null` where there is none. What others keep in the record stays.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Record {
    title: String,
    stock: Option<i64>,
    price: Option<Number>,
    currency: Option<String>,
    tags: Option<Vec<String>>,
    attrs: Option<Map<String, Value>>,
}

/// Maps an item to a record. An item is found only if it says that it is published.
pub(crate) fn listing(item: &Item) -> Result<Listing, Invalid> {
    if item.published != Some(true) {
        return Ok(Listing::Unpublished);
    }
    let title = item.title.as_deref().unwrap_or_default().trim();
    if title.is_empty() {
        let found = if item.title.is_some() {
            "an empty text"
        } else {
            "none"
        };
        return Err(Invalid::new("/title", format!("expected a title, found {found}")));
    }
    if item
        .price
        .as_ref()
        .and_then(Number::as_f64)
        .is_some_and(|price| price < 0.0)
    {
        return Err(Invalid::new(
            "/price",
            "expected a price of zero or more, found a negative one",
        ));
    }
    if let Some(currency) = &item.currency
        && !(currency.len() == 3 && currency.bytes().all(|byte| byte.is_ascii_uppercase()))
    {
        let message = "expected a currency of three capital letters (ISO 4217), found another text";
        return Err(Invalid::new("/currency", message));
    }
    Ok(Listing::Published(Record {
        title: title.to_owned(),
        stock: item.stock,
        price: item.price.clone(),
        currency: item.currency.clone(),
        tags: item.tags.clone(),
        attrs: item.attrs.clone(),
    }))
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use serde_json::json;

    use super::*;

    fn map(item: Value) -> Result<Listing, Invalid> {
        listing(&serde_json::from_value(item).unwrap())
    }

    #[test]
    fn a_full_item() {
        let mapped = map(json!({
            "pk": "SKU#blackTShirt-M", "title": "Black T-shirt (M)", "stock": 12, "price": 199.0, "currency": "DKK",
            "tags": ["new", "organic"], "attrs": {"color": "#000000", "ean": null}, "published": true, "version": 7,
        }))
        .unwrap();
        insta::assert_json_snapshot!(mapped, @r##"
        {
          "title": "Black T-shirt (M)",
          "stock": 12,
          "price": 199.0,
          "currency": "DKK",
          "tags": [
            "new",
            "organic"
          ],
          "attrs": {
            "color": "#000000",
            "ean": null
          }
        }
        "##);
    }

    #[test]
    fn what_an_item_no_longer_has_is_cleared() {
        let mapped = map(json!({"title": "Socks", "published": true})).unwrap();
        insta::assert_json_snapshot!(mapped, @r#"
        {
          "title": "Socks",
          "stock": null,
          "price": null,
          "currency": null,
          "tags": null,
          "attrs": null
        }
        "#);
    }

    #[rstest]
    #[case(json!({"published": false}))]
    #[case(json!({"published": null}))]
    #[case(json!({}))]
    fn only_what_is_said_to_be_published_is_found(#[case] mut item: Value) {
        item["title"] = json!("Socks");
        let mapped = map(item).unwrap();
        assert_eq!(mapped, Listing::Unpublished);
        assert_eq!(serde_json::to_value(mapped).unwrap(), Value::Null);
    }

    #[rstest]
    #[case(json!({"title": null}), "/title", "expected a title, found none")]
    #[case(json!({"title": " "}), "/title", "expected a title, found an empty text")]
    #[case(json!({"title": "S", "price": -1}), "/price", "expected a price of zero or more, found a negative one")]
    #[case(
        json!({"title": "S", "currency": "kr."}),
        "/currency",
        "expected a currency of three capital letters (ISO 4217), found another text"
    )]
    fn an_item_that_cannot_be_mapped(#[case] mut item: Value, #[case] pointer: &str, #[case] message: &str) {
        item["published"] = json!(true);
        assert_eq!(map(item).unwrap_err(), Invalid::new(pointer, message));
    }
}
