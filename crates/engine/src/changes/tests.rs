use std::collections::HashMap;

use proptest::prelude::*;
use rstest::rstest;
use serde_json::json;

use super::*;
use crate::config::ConfigError;

fn read(streams: &str) -> Result<ChangesConfig, ConfigError> {
    let variables = HashMap::from([
        ("LEDGER_TABLE", "ledger"),
        ("BUS_NAME", "vendorbridge"),
        ("FAILURE_QUEUE_URL", "https://sqs.eu-west-1.amazonaws.com/1/q"),
        ("STREAMS", streams),
    ]);
    ChangesConfig::read(&|name| variables.get(name).map(|value| (*value).to_owned()))
}

fn stream(id: &str) -> Stream {
    let text = json!([{ "table": "T", "source": "s", "detail_type": "D", "id": id }]).to_string();
    read(&text).unwrap().streams.remove(0)
}

fn record(keys: &Value) -> Record {
    Record::parse(&json!({
        "eventName": "INSERT", "dynamodb": { "Keys": keys, "SequenceNumber": "1" },
        "eventSourceARN": "arn:aws:dynamodb:eu-west-1:123456789012:table/T/stream/2026-01-01T00:00:00.000",
    }))
    .unwrap()
}

#[rstest]
#[case("[{}]", "missing field `table`")]
#[case("{}", "a JSON list of tables")]
#[case("[] []", "found more behind it")]
#[case(
    r#"[{"table":"T","source":"s","detail_type":"D","idd":"{pk}"}]"#,
    "unknown field `idd`"
)]
#[case(r#"[{"table":"T","source":"s","detail_type":"D","id":"pk"}]"#, "in braces")]
#[case(r#"[{"table":"T","source":"s","detail_type":"D","id":"{pk"}]"#, "in braces")]
#[case(r#"[{"table":"T","source":"s","detail_type":"D","id":"{}"}]"#, "in braces")]
#[case(
    r#"[{"table":"T","source":"aws.x","detail_type":"D"}]"#,
    "found `aws.x` at `[0].source`"
)]
#[case(
    r#"[{"table":"T","source":"vendorbridge","detail_type":"D"}]"#,
    "found `vendorbridge`"
)]
#[case(
    r#"[{"table":"T","source":"s","detail_type":"SyncDead"}]"#,
    "found `SyncDead`"
)]
#[case(r#"[{"table":"T","source":"","detail_type":"D"}]"#, "found 0 at `[0].source`")]
#[case(r#"[{"table":"ledger","source":"s","detail_type":"D"}]"#, "found `ledger`")]
#[case(
    r#"[{"table":"T","source":"s","detail_type":"D"},{"table":"T","source":"s","detail_type":"E"}]"#,
    "found `T` at `[1].table`"
)]
fn a_wrong_setting_is_named(#[case] streams: &str, #[case] part: &str) {
    let error = read(streams).unwrap_err().to_string();
    assert!(
        error.starts_with("STREAMS: expected") && error.contains(part),
        "{error}"
    );
}

#[test]
fn no_tables_but_the_ledger_will_do() {
    assert_eq!(read("[]").unwrap().streams, []);
}

#[rstest]
#[case("{pk}", json!({"pk": {"S": "SKU#blackTShirt-M"}}), "SKU#blackTShirt-M")]
#[case("{pk}/{sk}", json!({"pk": {"S": "a/b"}, "sk": {"N": "7"}}), "a/b/7")]
#[case("item-{n}!", json!({"n": {"N": "12345678901234567890123"}}), "item-12345678901234567890123!")]
#[case("{b}", json!({"b": {"B": "AAE="}}), "AAE=")]
fn an_id_is_made_of_the_keys(#[case] id: &str, #[case] keys: Value, #[case] expected: &str) {
    let event = stream(id).announce(&record(&keys)).unwrap().unwrap();
    let detail: Value = serde_json::from_str(&event.detail).unwrap();
    assert_eq!(detail["id"], expected);
}

#[rstest]
#[case("12", json!(12))]
#[case("-3", json!(-3))]
#[case("1.50", json!("1.50"))]
#[case("1E+2", json!("1E+2"))]
#[case("9223372036854775808", json!("9223372036854775808"))]
fn a_number_loses_no_digit(#[case] digits: &str, #[case] expected: Value) {
    let keys = record(&json!({"n": {"N": digits}})).plain_keys().unwrap();
    assert_eq!(keys["n"], expected);
}

#[rstest]
#[case("111111000000000000000001", "111111000000000000000001")]
#[case("000000017952642595170000000001", "17952642595170000000001")]
#[case("000", "0")]
fn a_sequence_number_is_a_version_with_an_order(#[case] sequence: &str, #[case] expected: &str) {
    let mut record = record(&json!({"pk": {"S": "x"}}));
    sequence.clone_into(&mut record.sequence);
    let event = stream("{pk}").announce(&record).unwrap().unwrap();
    let detail: Value = serde_json::from_str(&event.detail).unwrap();
    assert_eq!(detail["sequence"], expected);
    let version = crate::Version::from_json(&detail["sequence"]).unwrap();
    assert!(version.is_ordered() && version.to_string() == expected);
}

#[test]
fn an_event_over_the_limit_is_not_put() {
    let mut event = stream("{pk}")
        .announce(&record(&json!({"pk": {"S": "x"}})))
        .unwrap()
        .unwrap();
    assert!(publish::within_limit(event.clone()).is_ok());
    event.detail = "x".repeat(crate::bus::MAX_BYTES);
    assert!(
        publish::within_limit(event)
            .unwrap_err()
            .starts_with("expected an event of at most 262144 bytes")
    );
}

proptest! {
    #[test]
    fn any_text_survives_as_key_and_id(text in "\\PC{1,40}") {
        let keys = json!({"pk": {"S": text}});
        let event = stream("{pk}").announce(&record(&keys)).unwrap().unwrap();
        let detail: Value = serde_json::from_str(&event.detail).unwrap();
        prop_assert_eq!(&detail["id"], &json!(text));
        prop_assert_eq!(&detail["keys"]["pk"], &json!(text));
    }

    #[test]
    fn any_json_is_read_or_refused(text in "\\PC{0,60}", name in "eventName|dynamodb|Keys|eventSourceARN") {
        let mut raw = json!({ "eventName": "INSERT", "dynamodb": { "Keys": {}, "SequenceNumber": "1" } });
        raw[name] = json!(text);
        prop_assert!(Record::parse(&raw).is_err());
    }
}
