//! Events that carry state, and requests to sync.

use rstest::rstest;
use serde_json::{Value, json};

use super::super::*;

fn announcements() -> Vec<(&'static str, Announcement)> {
    let updated = Announcement::new("user.updated", "/data/object/user_id")
        .requires("/specversion", "1.0")
        .version_time("/data/object/updated_at")
        .carries("/data/object")
        .keeping(&["user_id", "email"]);
    let deleted = Announcement::new("user.deleted", "/data/object/user_id")
        .version_time("/time")
        .removes();
    let log = Announcement::new("Auth0 log", "/data/user_id").only_if("/data/type", "ss");
    let stock = Announcement::new("StockChanged", "/id").carries("");
    vec![
        ("user", updated),
        ("user", deleted),
        ("user", log),
        ("stock", stock),
    ]
}

fn read(detail_type: &str, source: &str, detail: &Value) -> Result<Option<Message>, Malformed> {
    let body = json!({
        "id": "e1", "detail-type": detail_type, "source": source, "time": "2026-01-29T14:36:26Z", "detail": detail,
    });
    let announcements = announcements();
    parse(
        &body.to_string(),
        "mailchimp",
        announcements
            .iter()
            .map(|(name, announcement)| (*name, announcement)),
    )
    .map(Parsed::into_message)
}

fn notification(detail_type: &str, detail: &Value) -> Notification {
    match read(detail_type, "auth0", detail) {
        Ok(Some(Message::Notification(notification))) => notification,
        other => panic!("expected a notification, found {other:?}"),
    }
}

fn updated() -> Value {
    json!({
        "specversion": "1.0",
        "time": "2026-01-29T14:36:25.801Z",
        "data": {"object": {
            "user_id": "auth0|1", "email": "ada@lovelace.example", "updated_at": "2026-01-29T14:36:25.794Z",
            "app_metadata": {"secret": 1},
        }},
    })
}

const UPDATED_AT: Version = Version::Number(1_769_697_385_794);

#[test]
fn a_carried_state_has_its_place_and_only_what_is_kept() {
    let notification = notification("user.updated", &updated());
    assert_eq!(notification.entity.as_str(), "user/auth0|1");
    assert_eq!(notification.version, Some(UPDATED_AT));
    let carried = notification.carried.unwrap();
    assert_eq!(carried.version, UPDATED_AT);
    assert_eq!(
        carried.state,
        Some(json!({"user_id": "auth0|1", "email": "ada@lovelace.example"}))
    );
    let text = serde_json::to_string(&carried).unwrap();
    assert_eq!(serde_json::from_str::<Carried>(&text).unwrap(), carried);
}

#[test]
fn a_removal_is_ordered_by_its_own_time() {
    let carried = notification("user.deleted", &updated()).carried.unwrap();
    assert_eq!(carried.state, None);
    assert!(carried.version > UPDATED_AT);
    let text = serde_json::to_string(&carried).unwrap();
    assert_eq!(serde_json::from_str::<Carried>(&text).unwrap(), carried);
}

#[test]
fn without_a_version_the_events_time_orders() {
    let notification = notification("StockChanged", &json!({"id": 7, "left": 3}));
    let carried = notification.carried.unwrap();
    assert_eq!(carried.version, Version::Number(1_769_697_386_000));
    assert_eq!(carried.state, Some(json!({"id": 7, "left": 3})));
}

#[test]
fn an_event_that_carries_nothing_is_a_notification() {
    let log = json!({"data": {"type": "ss", "user_id": "auth0|1"}});
    assert_eq!(notification("Auth0 log", &log).carried, None);
    let other = json!({"data": {"type": "s", "user_id": "auth0|1"}});
    assert!(read("Auth0 log", "auth0", &other).is_err());
}

#[test]
fn a_state_from_the_future_is_refused() {
    let mut detail = updated();
    detail["data"]["object"]["updated_at"] = json!("2026-01-29T14:42:00Z");
    let malformed = read("user.updated", "auth0", &detail).unwrap_err();
    assert!(
        malformed.reason.contains("not ahead of the event"),
        "{}",
        malformed.reason
    );
}

#[test]
fn the_latest_of_several_times_counts() {
    let announcement = Announcement::new("x", "/id")
        .of_any_type()
        .only_if("/type", "gone")
        .version_time("/time")
        .version_time("/updated_at")
        .removes();
    let body = json!({
        "id": "e1", "detail-type": "whatever", "source": "s", "time": "2026-01-29T14:36:26Z",
        "detail": {"id": "1", "type": "gone", "time": "2026-01-29T14:36:25Z", "updated_at": "2026-01-29T14:36:25.794Z"},
    });
    let read = parse(&body.to_string(), "v", [("user", &announcement)].into_iter()).unwrap();
    let Parsed::Message(Message::Notification(notification)) = read else {
        panic!("expected a notification")
    };
    assert_eq!(notification.version, Some(UPDATED_AT));
}

#[rstest]
#[case::other_specversion("/specversion", json!("0.3"), "/detail/specversion", "expected \"1.0\"")]
#[case::no_order("/data/object/updated_at", json!("yesterday"), "/detail/data/object/updated_at", "in order")]
#[case::no_state("/data/object", Value::Null, "/detail/data/object/user_id", "found none")]
#[case::too_large("/data/object/email", json!("x".repeat(MAX_CARRIED_BYTES)), "/detail/data/object", "at most 262144")]
fn what_cannot_be_used_is_named(
    #[case] at: &str,
    #[case] value: Value,
    #[case] pointer: &str,
    #[case] reason: &str,
) {
    let mut detail = updated();
    *detail.pointer_mut(at).unwrap() = value;
    let malformed = read("user.updated", "auth0", &detail).unwrap_err();
    assert_eq!(malformed.pointer.as_deref(), Some(pointer));
    assert!(malformed.reason.contains(reason), "{}", malformed.reason);
}

#[test]
fn anybody_may_ask_for_a_sync() {
    let request = notification("SyncRequested", &json!({"entity": "user/auth0|1"}));
    assert_eq!(request.entity.as_str(), "user/auth0|1");
    assert_eq!(
        (request.version, request.carried, request.is_forced),
        (None, None, false)
    );
    let forced = json!({"entity": "user/auth0|1", "vendor": "mailchimp", "force": true});
    assert!(notification("SyncRequested", &forced).is_forced);
}

#[rstest]
#[case::another_vendor(json!({"entity": "user/1", "vendor": "algolia"}))]
#[case::a_type_that_others_keep(json!({"entity": "product/1"}))]
fn what_concerns_others_is_left_to_them(#[case] detail: Value) {
    assert_eq!(read("SyncRequested", "any", &detail), Ok(None));
}

#[rstest]
#[case::a_type_that_it_does_not_keep(json!({"entity": "product/1", "vendor": "mailchimp"}), "/detail/entity")]
#[case::no_entity(json!({}), "/detail/entity")]
#[case::no_key(json!({"entity": "user"}), "/detail/entity")]
#[case::no_name(json!({"entity": "user/1", "vendor": 7}), "/detail/vendor")]
#[case::no_yes_or_no(json!({"entity": "user/1", "force": "yes"}), "/detail/force")]
fn a_request_that_cannot_be_used_is_named(#[case] detail: Value, #[case] pointer: &str) {
    let malformed = read("SyncRequested", "any", &detail).unwrap_err();
    assert_eq!(malformed.pointer.as_deref(), Some(pointer));
}

#[test]
fn an_outcome_never_triggers_a_sync() {
    let malformed = read("user.updated", WAKE_SOURCE, &updated()).unwrap_err();
    assert_eq!(malformed.pointer.as_deref(), Some("/source"));
}

#[rstest]
#[case("111111000000000000000001", "111111000000000000000002")]
#[case("99999999999999999999", "111111000000000000000001")]
#[case("18446744073709551615", "18446744073709551616")]
fn sequence_numbers_have_an_order(#[case] less: &str, #[case] more: &str) {
    let version = |text: &str| Version::from_json(&json!(text)).unwrap();
    assert!(version(less) < version(more));
    let kept = serde_json::to_value(version(more)).unwrap();
    assert_eq!(serde_json::from_value::<Version>(kept).unwrap(), version(more));
    assert!(version(more).is_ordered());
}
