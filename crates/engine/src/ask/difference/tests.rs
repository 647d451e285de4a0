use proptest::prelude::*;
use rstest::rstest;
use serde_json::{Map, json};

use super::*;
use crate::ask::fields;
use crate::ledger::KeepSent;

fn between(before: &Value, now: &Value, keep: KeepSent) -> Difference {
    Difference::between(Sent::of(before, keep).as_ref(), now)
}

fn said(difference: &Difference) -> Vec<String> {
    let text = |value: &Option<Value>| value.as_ref().map_or("-".to_owned(), ToString::to_string);
    let line = |change: &Change| {
        let Change {
            pointer,
            before,
            was_sent,
            after,
        } = change;
        let was = if *was_sent { "was" } else { "new" };
        format!("{pointer} {was} {} {}", text(before), text(after))
    };
    difference.changes.iter().map(line).collect()
}

#[rstest]
#[case(KeepSent::Fields, Basis::Fields, &["/b/c was - 3", "/d new - 4"], 1)]
#[case(KeepSent::Values, Basis::Values, &["/a was 1 -", "/b/c was 2 3", "/d new - 4"], 0)]
#[case(KeepSent::None, Basis::Unknown, &["/b/c new - 3", "/d new - 4"], 0)]
fn what_is_told(
    #[case] keep: KeepSent,
    #[case] basis: Basis,
    #[case] changes: &[&str],
    #[case] left_out: usize,
) {
    let before = json!({"a": 1, "b": {"c": 2}});
    let told = between(&before, &json!({"b": {"c": 3}, "d": 4}), keep);
    assert_eq!(said(&told), changes);
    assert_eq!((told.basis, told.left_out), (basis, left_out));
}

#[test]
fn many_fields_are_told_by_their_member() {
    let payload = |last: u64| json!({"name": "x", "rows": (0..100).map(|n| json!({"n": n.min(last)})).collect::<Vec<_>>()});
    let told = between(&payload(99), &payload(98), KeepSent::Fields);
    assert_eq!(told.basis, Basis::Members);
    assert_eq!(told.changes.len(), 1);
    assert_eq!(told.changes[0].pointer, "/rows");
    let many: Map<_, _> = (0..100).map(|n| (n.to_string(), json!(n))).collect();
    assert_eq!(Sent::of(&Value::Object(many), KeepSent::Fields), None);
}

/// One write unit is 1 KB, and a record without this stays well below.
#[test]
fn the_marks_are_few_bytes() {
    let most: Map<_, _> = (0..64)
        .map(|n| (n.to_string(), json!("x".repeat(1000))))
        .collect();
    let sent = Sent::of(&Value::Object(most), KeepSent::Fields).unwrap();
    assert_eq!(format!("{sent:?}"), "Sent(385 bytes)");
}

#[test]
fn values_that_are_too_large_are_hashed() {
    let mut rng = fastrand::Rng::with_seed(1);
    let text: String = (0..50_000).map(|_| rng.alphanumeric()).collect();
    let told = between(&json!({"a": text}), &json!({"a": "x"}), KeepSent::Values);
    assert_eq!((told.basis, told.changes.len()), (Basis::Fields, 1));
}

/// A later version may keep it in another form.
#[test]
fn what_is_not_understood_is_unknown() {
    #[derive(serde::Deserialize)]
    struct Record {
        sent: Sent,
    }
    let item = std::collections::HashMap::from([(
        "sent".to_owned(),
        aws_sdk_dynamodb::types::AttributeValue::B(aws_sdk_dynamodb::primitives::Blob::new([9, 9])),
    )]);
    let record: Record = serde_dynamo::from_item(item).unwrap();
    let told = Difference::between(Some(&record.sent), &json!({"a": 1}));
    assert_eq!((told.basis, told.changes.len()), (Basis::Unknown, 1));
}

fn payload() -> impl Strategy<Value = Value> {
    let scalar = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        (0_i64..4).prop_map(Value::from),
        (0_i32..4).prop_map(|n| json!(f64::from(n) / 2.0)),
        "[ab]{0,2}".prop_map(Value::from),
    ];
    let any = scalar.prop_recursive(3, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map("[ab/~]{1,2}", inner, 0..4)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    });
    prop::collection::btree_map("[abc]", any, 0..4).prop_map(|map| Value::Object(map.into_iter().collect()))
}

proptest! {
    #[test]
    fn a_change_is_told_exactly_where_fields_differ(before in payload(), now in payload()) {
        let is_same = fields(&before) == fields(&now);
        for keep in [KeepSent::Fields, KeepSent::Values] {
            let told = between(&before, &now, keep);
            prop_assert_eq!(told.changes.is_empty() && told.left_out == 0, is_same, "{:?}", told);
        }
    }

    #[test]
    fn nothing_is_told_of_the_same(payload in payload()) {
        for keep in [KeepSent::Fields, KeepSent::Values] {
            let told = between(&payload, &payload, keep);
            prop_assert_eq!((told.changes, told.left_out), (Vec::new(), 0));
        }
    }
}
