//! DynamoDB's typed values as plain JSON.

use std::collections::HashMap;

use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::AttributeValue;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Number, Value};

/// An item as a JSON object.
pub(super) fn object(item: HashMap<String, AttributeValue>) -> Map<String, Value> {
    item.into_iter()
        .map(|(name, value)| (name, json(value)))
        .collect()
}

/// Sets are sorted lists: they have no order of their own, and what did not change must look the same. Binary is Base64.
fn json(value: AttributeValue) -> Value {
    match value {
        AttributeValue::S(text) => Value::String(text),
        AttributeValue::N(digits) => number(digits),
        AttributeValue::Bool(flag) => Value::Bool(flag),
        AttributeValue::B(bytes) => binary(&bytes),
        AttributeValue::L(values) => values.into_iter().map(json).collect(),
        AttributeValue::M(values) => Value::Object(object(values)),
        AttributeValue::Ss(mut texts) => {
            texts.sort();
            texts.into_iter().map(Value::String).collect()
        }
        AttributeValue::Ns(mut digits) => {
            let size = |digits: &String| digits.parse::<f64>().unwrap_or_default();
            digits.sort_by(|a, b| size(a).total_cmp(&size(b)).then_with(|| a.cmp(b)));
            digits.into_iter().map(number).collect()
        }
        AttributeValue::Bs(mut all) => {
            all.sort_by(|a, b| a.as_ref().cmp(b.as_ref()));
            all.iter().map(binary).collect()
        }
        // `NULL`, and types that came after this SDK.
        _ => Value::Null,
    }
}

/// A number where JSON's reader keeps every digit, else the digits as text: DynamoDB keeps 38 of them.
fn number(digits: String) -> Value {
    if let Ok(number) = digits.parse::<i64>() {
        return number.into();
    }
    if let Ok(number) = digits.parse::<u64>() {
        return number.into();
    }
    let float = digits.parse::<f64>().ok();
    let exact = float.filter(|float| Decimal::read(&format!("{float:e}")) == Decimal::read(&digits));
    match exact.and_then(Number::from_f64) {
        Some(number) => Value::Number(number),
        None => Value::String(digits),
    }
}

fn binary(bytes: &Blob) -> Value {
    Value::String(STANDARD.encode(bytes))
}

/// A decimal number in its one shortest form.
#[derive(PartialEq, Eq)]
struct Decimal {
    is_negative: bool,
    digits: String,
    exponent: i64,
}

impl Decimal {
    fn read(text: &str) -> Option<Self> {
        let (mantissa, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let is_negative = whole.starts_with('-');
        let whole = whole.trim_start_matches(['-', '+']);
        let all = format!("{whole}{fraction}");
        let digits = all.trim_start_matches('0').trim_end_matches('0');
        let trailing = all.len() - all.trim_end_matches('0').len();
        let exponent = exponent.parse::<i64>().ok()? - i64::try_from(fraction.len()).ok()?
            + i64::try_from(trailing).ok()?;
        let is_zero = digits.is_empty();
        Some(Self {
            is_negative: is_negative && !is_zero,
            digits: digits.to_owned(),
            exponent: if is_zero { 0 } else { exponent },
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rstest::rstest;
    use serde_json::json;

    use super::*;

    #[rstest]
    #[case("7", json!(7))]
    #[case("-7", json!(-7))]
    #[case("18446744073709551615", json!(18_446_744_073_709_551_615_u64))]
    #[case("199.00", json!(199.0))]
    #[case("0.1", json!(0.1))]
    #[case("-0.00", json!(-0.0))]
    #[case("1E+2", json!(100.0))]
    #[case("100000000000000000000", json!(1e20))]
    #[case("1.5e-7", json!(1.5e-7))]
    #[case("18446744073709551616", json!("18446744073709551616"))]
    #[case("18446744073709551617", json!("18446744073709551617"))]
    #[case("0.12345678901234567890123456789012345678", json!("0.12345678901234567890123456789012345678"))]
    #[case("9.9999999999999999999999999999999999999E+125", json!("9.9999999999999999999999999999999999999E+125"))]
    fn a_number_keeps_its_digits(#[case] digits: &str, #[case] expected: Value) {
        assert_eq!(number(digits.to_owned()), expected);
    }

    #[test]
    fn every_type_has_a_form() {
        let text = |text: &str| text.to_owned();
        let item = HashMap::from([
            (text("s"), AttributeValue::S(text("a"))),
            (text("null"), AttributeValue::Null(true)),
            (text("bool"), AttributeValue::Bool(true)),
            (text("b"), AttributeValue::B(Blob::new("hi"))),
            (text("l"), AttributeValue::L(vec![AttributeValue::N(text("1"))])),
            (text("ss"), AttributeValue::Ss(vec![text("b"), text("a")])),
            (text("ns"), AttributeValue::Ns(vec![text("10"), text("9")])),
            (
                text("bs"),
                AttributeValue::Bs(vec![Blob::new("b"), Blob::new("a")]),
            ),
            (
                text("m"),
                AttributeValue::M(HashMap::from([(text("x"), AttributeValue::Null(true))])),
            ),
        ]);
        let expected = json!({
            "s": "a", "null": null, "bool": true, "b": "aGk=", "l": [1], "ss": ["a", "b"], "ns": [9, 10],
            "bs": ["YQ==", "Yg=="], "m": {"x": null},
        });
        assert_eq!(Value::Object(object(item)), expected);
    }

    proptest! {
        #[test]
        fn what_is_a_number_has_the_value_of_its_digits(digits in "-?[0-9]{1,25}(\\.[0-9]{1,12})?") {
            match number(digits.clone()) {
                Value::Number(number) => prop_assert!(Decimal::read(&number.to_string()) == Decimal::read(&digits)),
                other => prop_assert_eq!(other, Value::String(digits)),
            }
        }
    }
}
