//! How many records others say there are.

use serde::{Deserialize, Deserializer};
use serde_json::Value;

/// The count that an answer has here: a number, or one as a text. Anything else is none, as a count is for display only.
#[must_use]
pub fn total_of(value: &Value) -> Option<u64> {
    match value {
        Value::Number(number) => number.as_u64(),
        Value::String(text) => text.parse().ok(),
        _ => None,
    }
}

/// As [`total_of`], for a field: whatever stands there fails no answer.
///
/// # Errors
/// If the answer is no JSON.
pub fn total<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u64>, D::Error> {
    Value::deserialize(deserializer).map(|value| total_of(&value))
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use serde_json::json;

    use crate::ask::Page;

    #[rstest]
    #[case::absent(json!({"records": []}), None)]
    #[case::null(json!({"records": [], "total": null}), None)]
    #[case::number(json!({"records": [], "total": 155}), Some(155))]
    #[case::none_at_all(json!({"records": [], "total": 0}), Some(0))]
    #[case::text(json!({"records": [], "total": "155"}), Some(155))]
    #[case::negative(json!({"records": [], "total": -1}), None)]
    #[case::negative_text(json!({"records": [], "total": "-1"}), None)]
    #[case::fraction(json!({"records": [], "total": 1.5}), None)]
    #[case::too_many(json!({"records": [], "total": 1e30}), None)]
    #[case::words(json!({"records": [], "total": "about 7"}), None)]
    #[case::object(json!({"records": [], "total": {"value": 7, "relation": "gte"}}), None)]
    fn a_count_that_is_none_fails_no_page(#[case] page: serde_json::Value, #[case] total: Option<u64>) {
        let page: Page<String> = serde_json::from_value(page).unwrap();
        assert_eq!(page.total, total);
    }

    #[test]
    fn what_is_not_said_is_not_written() {
        let page = || Page::<String>::new(Vec::new(), None);
        let written = |page| serde_json::to_value::<Page<String>>(page).unwrap();
        assert_eq!(written(page()), json!({"records": []}));
        assert_eq!(
            written(page().counted(Some(7))),
            json!({"records": [], "total": 7})
        );
    }
}
