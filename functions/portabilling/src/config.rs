//! What `VENDOR_SETTINGS` holds for this vendor.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Deserialize;
use serde_json::{Value, json};
use url::Url;
use vendorbridge::auth::AuthSettings;
use vendorbridge::rules::Rules;

/// The rules unless the settings have others.
const RULES: &str = include_str!("../rules.json");

/// PortaBilling's codes for a session that is over or was never there (portabilling/billing, `Billing.php`).
pub(crate) const SESSION_IS_OVER: [&str; 4] = [
    "Server.Session.check_auth.auth_failed",
    "Client.check_auth.envelope_missed",
    "Client.Session.check_auth.failed_to_process_jwt",
    "Client.Session.check_auth.failed_to_process_access_token",
];
/// And for a login that is refused.
pub(crate) const LOGIN_IS_REFUSED: &str = "Server.Session.auth_failed";

/// The settings.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Settings {
    /// The Service Layer, such as `https://sap.example:50000/b1s/v2`.
    pub(crate) sap_url: Url,
    /// The company database.
    pub(crate) company: Company,
    /// The user that reads and writes back. It must be ours alone: its updates start no sync.
    pub(crate) sap_user: String,
    /// The API of PortaBilling's administrators, such as `https://porta.example/rest`.
    pub(crate) url: Url,
    /// The user there.
    pub(crate) login: String,
    /// The company's own currency, by its ISO 4217 code: payments in another one are refused.
    pub(crate) local_currency: String,
    /// The user-defined field that takes the id at PortaBilling, in partners and documents.
    #[serde(default)]
    pub(crate) link_field: LinkField,
    /// How long a transaction may be missing in the list of xDRs.
    #[serde(default = "two_minutes")]
    pub(crate) xdr_delay_seconds: u32,
    /// ISO 4217 codes of currencies that B1 knows under another name, such as `"$": "USD"`.
    #[serde(default)]
    pub(crate) currencies: BTreeMap<String, String>,
    /// The currency of partners that trade in all of them (`##`).
    #[serde(default)]
    pub(crate) default_currency: Option<String>,
    /// What a new customer's unique name begins with; the `CardCode` follows.
    #[serde(default)]
    pub(crate) name_prefix: String,
    /// Rules in place of the function's own.
    #[serde(default)]
    rules: Option<Value>,
}

/// The name of a company database: a part of each transaction's reference.
#[derive(Debug, Clone, Deserialize)]
#[serde(try_from = "String")]
pub(crate) struct Company(String);

/// A user-defined field: `U_` and its name.
#[derive(Debug, Clone, Deserialize)]
#[serde(try_from = "String")]
pub(crate) struct LinkField(String);

fn two_minutes() -> u32 {
    120
}

impl Settings {
    pub(crate) fn xdr_delay(&self) -> Duration {
        Duration::from_secs(self.xdr_delay_seconds.into())
    }

    /// The table of rules, with this company and user put in.
    pub(crate) fn rules(&self) -> Result<Rules, serde_json::Error> {
        let mut rules = match &self.rules {
            Some(rules) => rules.clone(),
            None => serde_json::from_str(RULES)?,
        };
        self.put_in(&mut rules);
        serde_json::from_value(rules)
    }

    fn put_in(&self, value: &mut Value) {
        match value {
            Value::String(text) if text == "{company}" => self.company.as_str().clone_into(text),
            Value::String(text) if text == "{sap_user}" => self.sap_user.clone_into(text),
            Value::Array(values) => values.iter_mut().for_each(|value| self.put_in(value)),
            Value::Object(members) => members.values_mut().for_each(|value| self.put_in(value)),
            _ => {}
        }
    }

    /// How to log in to the Service Layer. The header `Set-Cookie` has no path, so a cookie jar would keep its cookie to itself.
    ///
    /// <https://help.sap.com/doc/fc2f5477516c404c8bf9ad1315a17238/10.0/en-US/Working_with_SAP_Business_One_Service_Layer.pdf>
    pub(crate) fn sap_auth(&self) -> Result<AuthSettings, serde_json::Error> {
        serde_json::from_value(json!({
            "kind": "session", "login_url": below(&self.sap_url, &["Login"]),
            "document": {"CompanyDB": self.company.as_str(), "UserName": self.sap_user},
            "secrets": {"/Password": "password"},
            "session": {"from": "cookies", "names": ["B1SESSION", "ROUTEID"]},
        }))
    }

    /// How to log in to PortaBilling: whatever is wrong, its answer is 500
    /// (<https://docs.portaone.com/docs/retrieving-data-from-portabilling>).
    pub(crate) fn auth(&self) -> Result<AuthSettings, serde_json::Error> {
        serde_json::from_value(json!({
            "kind": "session", "login_url": below(&self.url, &["Session", "login"]),
            "document": {"params": {"login": self.login}},
            "secrets": {"/params/password": "password"},
            "session": {"from": "body", "pointer": "/access_token"},
            "expired": [{"status": 401}, {"status": 500, "pointer": "/faultcode", "codes": SESSION_IS_OVER}],
            "refused": [{"status": 500, "pointer": "/faultcode", "codes": [LOGIN_IS_REFUSED]}],
        }))
    }

    /// The ISO 4217 code of a currency of B1.
    pub(crate) fn iso_4217(&self, currency: &str) -> Option<String> {
        let named = match currency {
            "##" => self.default_currency.as_deref()?,
            other => self.currencies.get(other).map_or(other, String::as_str),
        };
        let is_code = named.len() == 3 && named.bytes().all(|byte| byte.is_ascii_uppercase());
        is_code.then(|| named.to_owned())
    }
}

impl Company {
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl LinkField {
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl Default for LinkField {
    fn default() -> Self {
        Self("U_PortaBilling".to_owned())
    }
}

impl TryFrom<String> for Company {
    type Error = &'static str;

    fn try_from(name: String) -> Result<Self, Self::Error> {
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
        if (1..=64).contains(&name.len()) && name.bytes().all(is_plain) {
            Ok(Self(name))
        } else {
            Err("expected a company database of letters, digits, `_` and `-`, found another text")
        }
    }
}

impl TryFrom<String> for LinkField {
    type Error = &'static str;

    fn try_from(name: String) -> Result<Self, Self::Error> {
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
        if name.starts_with("U_") && (3..=52).contains(&name.len()) && name.bytes().all(is_plain) {
            Ok(Self(name))
        } else {
            Err("expected a user-defined field such as `U_PortaBilling`, found another text")
        }
    }
}

/// A URL with these segments added to its path.
pub(crate) fn below(base: &Url, segments: &[&str]) -> Url {
    let mut url = base.clone();
    if let Ok(mut path) = url.path_segments_mut() {
        path.pop_if_empty().extend(segments);
    }
    url
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    fn read(changed: &Value) -> Result<Settings, String> {
        let mut settings = json!({
            "sap_url": "https://sap.example:50000/b1s/v2", "company": "SBODEMOUS", "sap_user": "vendorbridge",
            "url": "https://porta.example/rest/", "login": "bridge", "local_currency": "EUR", "currencies": {"$": "USD"}, "default_currency": "EUR",
        });
        let changed = changed.as_object().unwrap().clone();
        settings.as_object_mut().unwrap().extend(changed);
        serde_json::from_value(settings).map_err(|error| error.to_string())
    }

    fn settings() -> Settings {
        read(&json!({})).unwrap()
    }

    #[test]
    fn the_logins_stand_below_the_services() {
        let url = |auth: AuthSettings| match auth {
            AuthSettings::Session(session) => session.login_url.to_string(),
            other => panic!("expected a session, found {other:?}"),
        };
        let settings = settings();
        assert_eq!(
            url(settings.sap_auth().unwrap()),
            "https://sap.example:50000/b1s/v2/Login"
        );
        assert_eq!(
            url(settings.auth().unwrap()),
            "https://porta.example/rest/Session/login"
        );
    }

    #[rstest]
    #[case("EUR", Some("EUR"))]
    #[case("$", Some("USD"))]
    #[case("##", Some("EUR"))]
    #[case("£", None)]
    fn currencies(#[case] name: &str, #[case] expected: Option<&str>) {
        assert_eq!(settings().iso_4217(name).as_deref(), expected);
    }

    #[rstest]
    #[case(json!({"company": "A:B"}), "a company database")]
    #[case(json!({"link_field": "CardName"}), "a user-defined field")]
    #[case(json!({"password": "secret"}), "unknown field `password`")]
    fn what_cannot_be_used(#[case] changed: Value, #[case] reason: &str) {
        let error = read(&changed).unwrap_err();
        assert!(error.contains(reason), "{error}");
    }

    /// Each row says what an event or a state comes to; edited together with the rules, in no need of code.
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Example {
        #[serde(default)]
        event: Option<Value>,
        #[serde(default, rename = "type")]
        entity_type: String,
        #[serde(default)]
        state: Value,
        rule: Option<String>,
    }

    #[test]
    fn the_rules_say_what_their_examples_say() {
        let examples: Vec<Example> = serde_json::from_str(include_str!("../rules.examples.json")).unwrap();
        let rules = settings().rules().unwrap();
        let mut seen = Vec::new();
        for example in examples {
            let found = match &example.event {
                Some(event) => rules.excluding_event(&json!({"detail": event})),
                None => rules.excluding(&example.entity_type, &example.state),
            };
            let about = example.event.as_ref().unwrap_or(&example.state);
            assert_eq!(found, example.rule.as_deref(), "{about}");
            seen.extend(example.rule);
        }
        let table: Vec<Value> = serde_json::from_str(RULES).unwrap();
        for rule in table {
            let name = rule["name"].as_str().unwrap().to_owned();
            // Rules with an empty list are there to be filled.
            let is_empty = rule["when"].to_string().contains("\"in\":[]");
            assert!(is_empty || seen.contains(&name), "no example for {name}");
        }
    }

    #[test]
    fn what_the_plan_keeps_out_has_the_name_of_a_rule() {
        let table: Vec<Value> = serde_json::from_str(RULES).unwrap();
        assert!(
            table
                .iter()
                .any(|rule| rule["name"] == crate::transactions::NEVER_SENT)
        );
    }

    #[test]
    fn rules_in_the_settings_take_the_place_of_our_own() {
        let one =
            json!([{"name": "group", "for": ["partner"], "when": [{"field": "/GroupCode", "in": [102]}]}]);
        let rules = read(&json!({"rules": one})).unwrap().rules().unwrap();
        assert_eq!(
            rules.excluding("partner", &json!({"GroupCode": 102})),
            Some("group")
        );
        assert_eq!(rules.excluding("partner", &json!({"CardType": "cLid"})), None);
        let wrong = read(&json!({"rules": [{"name": "x", "when": []}]})).unwrap();
        assert!(wrong.rules().is_err());
    }
}
