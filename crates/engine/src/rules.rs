//! Business rules: what is not to be synced at all, as data.
//!
//! A rule keeps out what the vendor does not hold yet. What is there already is kept true, whatever the rules say by now: a
//! rule that is added later removes nothing.

use std::collections::HashSet;

use serde::Deserialize;
use serde_json::Value;

/// A table of rules, in order: the first that holds gives its name.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(try_from = "Vec<Rule>")]
pub struct Rules(Vec<Rule>);

/// One row: what it looks at, and when it keeps an entity out.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// What the ledger gives as the reason: `a-z`, digits and dashes.
    pub name: String,
    /// What it looks at: the event before anything is read, or the state that the source answers.
    #[serde(default)]
    pub on: On,
    /// Only for entities of these types; for all if there are none. Not for events.
    #[serde(default, rename = "for")]
    pub entity_types: Vec<String>,
    /// All of these must hold.
    pub when: Vec<Condition>,
}

/// What a rule looks at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum On {
    /// The EventBridge envelope.
    Event,
    /// The source's state.
    #[default]
    State,
}

/// A field and what is asked of it. A field that is missing counts as `null`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Condition {
    /// Where the field stands: a JSON Pointer.
    pub field: String,
    /// It is one of these.
    #[serde(default, rename = "in")]
    pub one_of: Option<Vec<Value>>,
    /// It is none of these.
    #[serde(default)]
    pub not_in: Option<Vec<Value>>,
    /// It is a number, and at most this.
    #[serde(default)]
    pub at_most: Option<f64>,
}

/// A table that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidRules {
    /// The name of a rule.
    #[error("expected the name of a rule of a-z, 0-9 and `-`, at most 48 characters, found `{0}`")]
    Name(String),
    /// Two rules of one name.
    #[error("expected each rule's name once, found `{0}` twice")]
    Twice(String),
    /// A rule that would hold always, or a condition that asks nothing or several things.
    #[error(
        "rule `{0}`: expected conditions that each ask one of `in`, `not_in` and `at_most`, found another number"
    )]
    Conditions(String),
    /// A pointer without its slash.
    #[error("rule `{rule}`: expected a JSON Pointer such as `/Series`, found `{found}`")]
    Field {
        /// The rule.
        rule: String,
        /// The field.
        found: String,
    },
    /// Types where there are none.
    #[error("rule `{0}`: expected no entity types in a rule on events, found some")]
    Types(String),
}

impl Rules {
    /// The name of the first rule on events that keeps this one out.
    #[must_use]
    pub fn excluding_event(&self, envelope: &Value) -> Option<&str> {
        self.first(envelope, |rule| rule.on == On::Event)
    }

    /// The name of the first rule on states that keeps this one out.
    #[must_use]
    pub fn excluding(&self, entity_type: &str, state: &Value) -> Option<&str> {
        self.first(state, |rule| {
            let is_for = &rule.entity_types;
            rule.on == On::State && (is_for.is_empty() || is_for.iter().any(|name| name == entity_type))
        })
    }

    fn first(&self, value: &Value, applies: impl Fn(&Rule) -> bool) -> Option<&str> {
        let mut rules = self.0.iter().filter(|rule| applies(rule));
        let rule = rules.find(|rule| rule.when.iter().all(|condition| condition.holds(value)))?;
        Some(&rule.name)
    }
}

impl Condition {
    fn holds(&self, value: &Value) -> bool {
        let found = value.pointer(&self.field).unwrap_or(&Value::Null);
        let is_among = |values: &[Value]| values.iter().any(|value| is_same(value, found));
        self.one_of.as_deref().is_none_or(is_among)
            && !self.not_in.as_deref().is_some_and(is_among)
            && self
                .at_most
                .is_none_or(|most| found.as_f64().is_some_and(|found| found <= most))
    }

    fn questions(&self) -> usize {
        let asked = [
            self.one_of.is_some(),
            self.not_in.is_some(),
            self.at_most.is_some(),
        ];
        asked.into_iter().filter(|is_asked| *is_asked).count()
    }
}

/// `1` and `1.0` are the same number.
fn is_same(a: &Value, b: &Value) -> bool {
    a == b || matches!((a.as_f64(), b.as_f64()), (Some(a), Some(b)) if a.total_cmp(&b).is_eq())
}

impl TryFrom<Vec<Rule>> for Rules {
    type Error = InvalidRules;

    fn try_from(rules: Vec<Rule>) -> Result<Self, Self::Error> {
        let mut names = HashSet::new();
        for rule in &rules {
            let name = rule.name.clone();
            let is_plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
            if !(1..=48).contains(&name.len()) || !name.bytes().all(is_plain) {
                return Err(InvalidRules::Name(name));
            }
            if rule.when.is_empty() || rule.when.iter().any(|condition| condition.questions() != 1) {
                return Err(InvalidRules::Conditions(name));
            }
            if let Some(wrong) = rule
                .when
                .iter()
                .find(|condition| !condition.field.starts_with('/'))
            {
                let found = wrong.field.clone();
                return Err(InvalidRules::Field { rule: name, found });
            }
            if rule.on == On::Event && !rule.entity_types.is_empty() {
                return Err(InvalidRules::Types(name));
            }
            if !names.insert(name.clone()) {
                return Err(InvalidRules::Twice(name));
            }
        }
        Ok(Self(rules))
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use serde_json::json;

    use super::*;

    fn rules(rules: Value) -> Result<Rules, String> {
        serde_json::from_value(rules).map_err(|error| error.to_string())
    }

    fn table() -> Rules {
        rules(json!([
            {"name": "own-write-back", "on": "event", "when": [{"field": "/detail/user", "in": ["vendorbridge"]}]},
            {"name": "zero-amount", "for": ["invoice"], "when": [{"field": "/Total", "at_most": 0}]},
            {"name": "series", "for": ["invoice", "payment"], "when": [{"field": "/Series", "not_in": [70, 71]}]},
            {"name": "lead", "when": [{"field": "/Type", "in": ["cLid", null]}, {"field": "/Group", "in": [3]}]},
        ]))
        .unwrap()
    }

    #[rstest]
    #[case("invoice", json!({"Total": 0.0, "Series": 70}), Some("zero-amount"))]
    #[case("invoice", json!({"Total": 0, "Series": 1}), Some("zero-amount"))]
    #[case("invoice", json!({"Total": "0", "Series": 70}), None)]
    #[case("invoice", json!({"Series": 70}), None)]
    #[case("invoice", json!({"Total": 5, "Series": 70.0}), None)]
    #[case("invoice", json!({"Total": 5}), Some("series"))]
    #[case("payment", json!({"Total": 0, "Series": 71}), None)]
    #[case("partner", json!({"Total": 0, "Group": 3}), Some("lead"))]
    #[case("partner", json!({"Type": "cLid", "Group": 4}), None)]
    fn the_first_that_holds(#[case] entity_type: &str, #[case] state: Value, #[case] rule: Option<&str>) {
        assert_eq!(table().excluding(entity_type, &state), rule);
    }

    #[test]
    fn rules_on_events_see_events_only() {
        let ours = json!({"detail": {"user": "vendorbridge"}});
        assert_eq!(table().excluding_event(&ours), Some("own-write-back"));
        assert_eq!(table().excluding("partner", &ours), None);
        assert_eq!(
            table().excluding_event(&json!({"detail": {"user": "manager"}})),
            None
        );
    }

    #[rstest]
    #[case(json!([{"name": "A", "when": [{"field": "/a", "in": [1]}]}]), "of a-z")]
    #[case(json!([{"name": "a", "when": []}]), "found another number")]
    #[case(json!([{"name": "a", "when": [{"field": "/a"}]}]), "found another number")]
    #[case(json!([{"name": "a", "when": [{"field": "/a", "in": [1], "at_most": 1}]}]), "found another number")]
    #[case(json!([{"name": "a", "when": [{"field": "a", "in": [1]}]}]), "a JSON Pointer")]
    #[case(json!([{"name": "a", "on": "event", "for": ["x"], "when": [{"field": "/a", "in": [1]}]}]), "no entity types")]
    #[case(json!([{"name": "a", "when": [{"field": "/a", "in": [1]}]}, {"name": "a", "when": [{"field": "/a", "in": [1]}]}]), "twice")]
    #[case(json!([{"name": "a", "when": [{"field": "/a", "is": 1}]}]), "unknown field `is`")]
    fn what_cannot_be_used(#[case] wrong: Value, #[case] reason: &str) {
        let error = rules(wrong).unwrap_err();
        assert!(error.contains(reason), "{error}");
    }
}
