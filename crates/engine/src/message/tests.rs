mod carrying;
mod properties;

use proptest::prelude::*;
use rstest::rstest;
use serde_json::json;

use super::*;

fn preference() -> Announcement {
    Announcement::new("DeliveryPreferenceUpdated", "/customerId")
        .from_source("infoservice")
        .version("/version")
}

fn read(body: &str) -> Result<Message, Malformed> {
    let announcement = preference();
    parse(body, "mailchimp", [("customer", &announcement)].into_iter())
        .map(|parsed| parsed.into_message().unwrap())
}

fn event(detail: &serde_json::Value) -> String {
    json!({
        "version": "0", "id": "0b4bc671", "detail-type": "DeliveryPreferenceUpdated", "source": "infoservice",
        "account": "123456789012", "time": "2026-01-29T14:36:26Z", "region": "eu-west-1", "resources": [],
        "detail": detail,
    })
    .to_string()
}

#[test]
fn reads_a_notification() {
    let Ok(Message::Notification(notification)) =
        read(&event(&json!({"customerId": "c-4711", "version": 12})))
    else {
        panic!("expected a notification")
    };
    assert_eq!(notification.entity.as_str(), "customer/c-4711");
    assert_eq!(notification.version, Some(Version::Number(12)));
    assert_eq!(notification.time.to_string(), "2026-01-29T14:36:26Z");
}

#[test]
fn a_replay_is_told_from_the_first_delivery() {
    let mut replayed: serde_json::Value =
        serde_json::from_str(&event(&json!({"customerId": "c-4711"}))).unwrap();
    replayed["replay-name"] = json!("after-the-outage");
    let Ok(Message::Notification(notification)) = read(&replayed.to_string()) else {
        panic!("expected a notification")
    };
    assert!(
        notification.event_id.starts_with("0b4bc671~"),
        "{}",
        notification.event_id
    );
}

#[test]
fn reads_back_a_wake() {
    let entity = EntityKey::new("customer", "a/b#c").unwrap();
    let body = wake_body(&entity, "wake-1", "2026-01-29T14:36:26Z".parse().unwrap());
    assert_eq!(read(&body), Ok(Message::Wake(entity)));
}

#[rstest]
#[case::no_json("not json", "expected JSON", None)]
#[case::no_envelope("[]", "expected an EventBridge envelope", Some("/id"))]
#[case::empty_object("{}", "found no usable `id`", Some("/id"))]
#[case::no_time(
    r#"{"id":"1","detail-type":"t","source":"s","detail":{}}"#,
    "found no usable `time`",
    Some("/time")
)]
#[case::two_values(&format!("{} {{}}", event(&json!({"customerId": "1"}))), "found more", None)]
#[case::no_entity_id(&event(&json!({})), "expected an entity id, found none", Some("/detail/customerId"))]
#[case::id_is_a_list(&event(&json!({"customerId": []})), "found another type", Some("/detail/customerId"))]
#[case::fraction(&event(&json!({"customerId": 1.5})), "found another type", Some("/detail/customerId"))]
#[case::too_many_digits(
    &event(&json!({})).replace("\"detail\":{}", "\"detail\":{\"customerId\":12345678901234567890123}"),
    "found another type",
    Some("/detail/customerId")
)]
#[case::empty_id(&event(&json!({"customerId": ""})), "found an empty text", Some("/detail/customerId"))]
#[case::long_id(&event(&json!({"customerId": "x".repeat(513)})), "found 513 bytes", Some("/detail/customerId"))]
#[case::unknown_type(
    r#"{"id":"1","detail-type":"Other","source":"s","time":"2026-01-29T14:36:26Z","detail":{}}"#,
    "expected one of: DeliveryPreferenceUpdated",
    Some("/detail-type")
)]
fn says_what_is_wrong(#[case] body: &str, #[case] reason: &str, #[case] pointer: Option<&str>) {
    let malformed = read(body).unwrap_err();
    assert!(malformed.reason.contains(reason), "{}", malformed.reason);
    assert_eq!(malformed.pointer.as_deref(), pointer);
}

#[rstest]
#[case("\"12\"", Some(Version::Number(12)))]
#[case("W/\"a-1\"", Some(Version::Tag("a-1".into())))]
#[case("\"007\"", Some(Version::Tag("007".into())))]
#[case("\"\"", None)]
fn etags_are_versions(#[case] etag: &str, #[case] expected: Option<Version>) {
    assert_eq!(Version::from_etag(etag), expected);
}

#[test]
fn a_long_tag_is_kept_as_a_hash() {
    let Some(Version::Tag(tag)) = Version::from_etag(&"x".repeat(500_000)) else {
        panic!("expected a tag")
    };
    assert_eq!(tag.len(), 16);
}

#[test]
fn tags_have_no_order() {
    let tag = |text: &str| Version::Tag(text.to_owned());
    assert_eq!(tag("a").partial_cmp(&tag("b")), None);
    assert_eq!(tag("a").partial_cmp(&tag("a")), Some(std::cmp::Ordering::Equal));
    assert!(Version::Number(2) > Version::Number(1));
    assert_eq!(Version::Number(2).partial_cmp(&tag("2")), None);
}

proptest! {
    #[test]
    fn an_entity_key_reads_back(id in "[^\\p{Cc}]{1,100}") {
        let key = EntityKey::new("customer", &id).unwrap();
        prop_assert_eq!(key.id(), id.as_str());
        prop_assert_eq!(key.as_str().parse::<EntityKey>().unwrap(), key);
    }
}
