//! How a value of a line is read into one of the state.

use std::collections::BTreeMap;

use base64::Engine;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use jiff::Timestamp;
use jiff::civil::Date;
use rust_decimal::{Decimal, RoundingStrategy};
use serde_json::{Value, json};

use super::LineTerms;
use super::violation::{described, word};

/// Padding is often lost on the way.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);
/// A week has no more hours.
const MAX_HOURS: u32 = 168;
/// Prices have at most eight digits before the point.
const MAX_PRICE: i64 = 99_999_999;

/// What a value is read as.
#[derive(Debug, Clone)]
pub(super) enum Reader {
    /// A text without white space around it; a number becomes its digits.
    Text,
    /// The texts of all places, one after the other.
    Joined,
    /// An https URL, in base64 or not.
    Base64Url,
    /// A time; a date without one begins.
    DayStart,
    /// A time; a date without one ends.
    DayEnd,
    /// A price with two decimals.
    Money,
    /// The lower number of hours per week in a text.
    EffortMin,
    /// The higher number of hours per week in a text.
    EffortMax,
    /// The key of an organisation, by the line's table.
    Organization,
    /// The words of a text with commas.
    Words,
    /// What stands for the value in a table; null clears, and what is not in the table is left out.
    Choices(BTreeMap<String, Value>),
}

/// What was expected, and what was found.
pub(super) type Wrong = (String, String);

impl Reader {
    /// The readers without parameters, by their names in a shape's file.
    pub(super) const NAMED: [(&'static str, Self); 10] = [
        ("text", Self::Text),
        ("joined", Self::Joined),
        ("base64-url", Self::Base64Url),
        ("day-start", Self::DayStart),
        ("day-end", Self::DayEnd),
        ("money", Self::Money),
        ("effort-min", Self::EffortMin),
        ("effort-max", Self::EffortMax),
        ("organization", Self::Organization),
        ("words", Self::Words),
    ];

    /// Reads a value that is neither null nor an empty text. `None`: there is nothing in it, so the member is left out.
    pub(super) fn read(&self, value: &Value, line: &LineTerms) -> Result<Option<Value>, Wrong> {
        let text = text_of(value);
        let text = text.as_deref().ok_or_else(|| wrong("a text", value));
        Ok(match self {
            Self::Text | Self::Joined => some(text?),
            Self::Base64Url => Some(url(text?).ok_or_else(|| wrong("an https URL in base64", value))?),
            Self::DayStart => Some(time(text?, "00:00:00").ok_or_else(|| wrong(A_DATE, value))?),
            Self::DayEnd => Some(time(text?, "23:59:59").ok_or_else(|| wrong(A_DATE, value))?),
            Self::Money => {
                Some(money(text?).ok_or_else(|| wrong("a price, such as 2450 or 2450.00", value))?)
            }
            Self::EffortMin => effort(text?).map(|(min, _)| json!(min)),
            Self::EffortMax => effort(text?).map(|(_, max)| json!(max)),
            Self::Organization => {
                let expected = "an organisation of this line";
                let key = line.organizations.get(text?);
                let key = key.ok_or_else(|| (expected.to_owned(), word(value)))?;
                Some(Value::String(key.clone()))
            }
            Self::Words => {
                let words: Vec<_> = text?.split(',').map(str::trim).collect();
                let words: Vec<_> = words.into_iter().filter(|word| !word.is_empty()).collect();
                (!words.is_empty()).then(|| json!(words))
            }
            Self::Choices(choices) => choices.get(text?).cloned(),
        })
    }
}

const A_DATE: &str = "a date, such as 2026-03-20, or a time as in RFC 3339";

fn wrong(expected: &str, value: &Value) -> Wrong {
    (expected.to_owned(), described(value))
}

fn some(text: &str) -> Option<Value> {
    (!text.is_empty()).then(|| Value::String(text.to_owned()))
}

/// A text without white space around it, or a number's digits.
pub(super) fn text_of(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.trim().to_owned()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

fn url(text: &str) -> Option<Value> {
    let decoded = if text.starts_with("https://") {
        text.to_owned()
    } else {
        String::from_utf8(BASE64.decode(text).ok()?).ok()?
    };
    let decoded = decoded.trim();
    // In its canonical form, in which spaces and other letters are escaped.
    let url = url::Url::parse(decoded)
        .ok()
        .filter(|url| url.scheme() == "https")?;
    Some(Value::String(url.into()))
}

fn time(text: &str, of_day: &str) -> Option<Value> {
    let time = match text.parse::<Timestamp>() {
        Ok(time) => time.to_string(),
        Err(_) if text.len() == "2026-03-20".len() => format!("{}T{of_day}Z", text.parse::<Date>().ok()?),
        Err(_) => return None,
    };
    Some(Value::String(time))
}

fn money(text: &str) -> Option<Value> {
    let amount = Decimal::from_str_exact(text)
        .or_else(|_| Decimal::from_scientific(text))
        .ok()?;
    let amount = amount.round_dp_with_strategy(2, RoundingStrategy::MidpointAwayFromZero);
    let is_price = !amount.is_sign_negative() && amount.trunc() <= Decimal::from(MAX_PRICE);
    is_price.then(|| Value::String(format!("{amount:.2}")))
}

/// Lowest and highest number of hours per week in a text of any language; `None` if it does not hold one or two numbers that can be
/// that. course-discovery wants the highest to be above the lowest, and the loader that it has for these products makes it so in
/// the same way (<https://github.com/openedx/course-discovery>, `data_loaders/utils.py` and `api/serializers.py`).
fn effort(text: &str) -> Option<(u32, u32)> {
    let bytes = text.as_bytes();
    let is_fraction =
        |three: &[u8]| three[0].is_ascii_digit() && b".,".contains(&three[1]) && three[2].is_ascii_digit();
    if bytes.windows(3).any(is_fraction) {
        return None;
    }
    let mut numbers = text
        .split(|character: char| !character.is_ascii_digit())
        .filter(|digits| !digits.is_empty())
        .map(|digits| {
            digits
                .parse::<u32>()
                .ok()
                .filter(|hours| (1..=MAX_HOURS).contains(hours))
        });
    let first = numbers.next()??;
    let second = match numbers.next() {
        Some(second) => second?,
        None => first,
    };
    if numbers.next().is_some() {
        return None;
    }
    let (min, max) = (first.min(second), first.max(second));
    let max = if max == min { min + 1 } else { max };
    (max <= MAX_HOURS).then_some((min, max))
}

#[cfg(test)]
mod tests;
