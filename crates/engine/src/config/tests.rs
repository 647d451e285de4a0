use std::collections::HashMap;

use rstest::rstest;
use serde::Deserialize;

use super::*;

fn complete() -> HashMap<&'static str, &'static str> {
    HashMap::from([
        ("VENDOR", "mailchimp"),
        ("QUEUE_URL", "https://sqs.eu-west-1.amazonaws.com/1/q.fifo"),
        ("LEDGER_TABLE", "ledger"),
        ("VENDOR_SECRET", "arn:aws:secretsmanager:eu-west-1:1:secret:s"),
        ("VENDOR_SETTINGS", r#"{"list_id":"a1"}"#),
    ])
}

fn read(variables: &HashMap<&'static str, &'static str>) -> Result<Config, ConfigError> {
    Config::read(&|name| variables.get(name).map(|value| (*value).to_owned()))
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Settings {
    list_id: String,
}

#[test]
fn has_sensible_defaults() {
    let config = read(&complete()).unwrap();
    assert_eq!(
        (
            config.max_in_flight,
            config.event_ttl_days,
            config.allow_plain_http
        ),
        (10, 90, false)
    );
    assert_eq!(config.backoff, Backoff::default());
    assert_eq!(config.partitions, Partitions::ONE);
    assert_eq!(config.settings::<Settings>().unwrap().list_id, "a1");
}

#[rstest]
#[case(
    "VENDOR",
    "Mail Chimp",
    "VENDOR: expected a name of a-z, 0-9 and `-`, found `Mail Chimp`"
)]
#[case(
    "QUEUE_URL",
    " ",
    "QUEUE_URL: expected the URL of the vendor's queue, found an empty text"
)]
#[case(
    "MAX_IN_FLIGHT",
    "0",
    "MAX_IN_FLIGHT: expected a whole number from 1 to 1000, found `0`"
)]
#[case("PARTITIONS", "3", "PARTITIONS: expected 1, 2, 4 or 8, found `3`")]
#[case(
    "KEEP_SENT",
    "all",
    "KEEP_SENT: expected `fields`, `values` or `none`, found `all`"
)]
#[case("PARTITIONS", "", "PARTITIONS: expected 1, 2, 4 or 8, found ``")]
#[case(
    "ALLOW_PLAIN_HTTP",
    "yes",
    "ALLOW_PLAIN_HTTP: expected `true` or `false`, found `yes`"
)]
fn names_the_variable(#[case] variable: &'static str, #[case] value: &'static str, #[case] message: &str) {
    let mut variables = complete();
    variables.insert(variable, value);
    assert_eq!(read(&variables).unwrap_err().to_string(), message);
}

#[rstest]
#[case("{}", "missing field `list_id`")]
#[case(r#"{"list_id":1}"#, "at `list_id`")]
#[case(r#"{"list_id":"a","lst":"b"}"#, "unknown field `lst`")]
fn names_the_setting(#[case] settings: &'static str, #[case] part: &str) {
    let mut variables = complete();
    variables.insert("VENDOR_SETTINGS", settings);
    let error = read(&variables)
        .unwrap()
        .settings::<Settings>()
        .unwrap_err()
        .to_string();
    assert!(
        error.starts_with("VENDOR_SETTINGS: expected") && error.contains(part),
        "{error}"
    );
}

#[test]
fn partitions_are_read() {
    let mut variables = complete();
    variables.insert("PARTITIONS", "8");
    assert_eq!(read(&variables).unwrap().partitions.count(), 8);
}

#[test]
fn a_missing_variable_is_named() {
    let mut variables = complete();
    variables.remove("LEDGER_TABLE");
    let message = "LEDGER_TABLE: expected the name of the ledger's table, found nothing";
    assert_eq!(read(&variables).unwrap_err().to_string(), message);
}

#[rstest]
#[case("http://proxy.internal:3128", true)]
#[case("https://10.0.0.8:3128", true)]
#[case("", true)]
#[case("proxy.internal:3128", false)]
#[case("http://user:hunter2@proxy.internal", false)]
#[case("socks5://proxy.internal", false)]
fn a_proxy_is_a_plain_url(#[case] value: &'static str, #[case] is_good: bool) {
    let mut variables = complete();
    variables.insert("EGRESS_PROXY", value);
    match read(&variables) {
        Ok(config) => assert!(is_good && config.http().proxy.is_some() != value.is_empty()),
        Err(error) => assert!(!is_good && !error.to_string().contains("hunter2"), "{error}"),
    }
}

#[rstest]
#[case(None, None, false)]
#[case(Some("true"), None, true)]
#[case(None, Some("true"), true)]
#[case(Some("false"), Some("true"), true)]
fn plain_http_implies_private_addresses(
    #[case] private: Option<&'static str>,
    #[case] plain: Option<&'static str>,
    #[case] allowed: bool,
) {
    let mut variables = complete();
    variables.extend(private.map(|value| ("ALLOW_PRIVATE_ADDRESSES", value)));
    variables.extend(plain.map(|value| ("ALLOW_PLAIN_HTTP", value)));
    assert_eq!(read(&variables).unwrap().http().allow_private, allowed);
}
