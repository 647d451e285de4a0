//! What the engine sends and stores keeps to the limits of the queue and the table.

use proptest::prelude::*;
use serde_json::json;
use vendorbridge::message::Delivery;

use super::desk::run;
use crate::bench::Bench;

/// SQS: a deduplication id and a message group, in characters that are all ASCII punctuation, letters and digits.
const MAX_SQS_CHARS: usize = 128;
/// `DynamoDB`: a sort key, in bytes of UTF-8.
const MAX_SORT_KEY_BYTES: usize = 1024;

fn event(bench: &mut Bench, group: &str, event_id: &str, entity_id: &str, replay: Option<&str>) -> Delivery {
    let mut body = json!({
        "id": event_id, "detail-type": "PersonChanged", "source": "people", "time": bench.now(),
        "detail": {"id": entity_id},
    });
    if let Some(replay) = replay {
        body["replay-name"] = json!(replay);
    }
    bench.message(group, &body.to_string())
}

/// Hands an event of this id over to its lane.
fn sends(event_id: &str, entity_id: &str, replay: Option<&str>) -> Result<(), TestCaseError> {
    run(async {
        let mut bench = Bench::new();
        let delivery = event(&mut bench, "intake", event_id, entity_id, replay);
        prop_assert!(bench.deliver(&[delivery]).await.is_empty());
        let sent = bench.lanes.sent();
        prop_assert_eq!(sent.len(), 1);
        for text in [&sent[0].group, &sent[0].deduplication_id] {
            let is_legal = text.bytes().all(|byte| byte.is_ascii_graphic());
            prop_assert!(is_legal && (1..=MAX_SQS_CHARS).contains(&text.len()), "{}", text);
        }
        Ok(())
    })
}

proptest! {
    #[test]
    fn the_queue_takes_what_is_handed_over(
        event_id in prop_oneof!["[!-~]{1,128}", "\\PC{1,32}"], entity_id in "[^\\p{Cc}]{1,128}",
    ) {
        sends(&event_id, &entity_id, None)?;
    }

    #[test]
    fn the_queue_takes_a_replay(event_id in "[!-~]{1,111}", replay in ".{0,60}") {
        sends(&event_id, "1", Some(&replay))?;
    }

    #[test]
    fn the_table_takes_any_outcome(
        event_id in "[!-~]{1,128}", entity_id in "[^\\p{Cc}]{1,128}", replay in proptest::option::of(".{0,40}"),
    ) {
        run(async {
            let mut bench = Bench::new();
            let good = event(&mut bench, "intake", &event_id, &entity_id, replay.as_deref());
            let lane = vendorbridge::lane::lane(&crate::bench::key(&entity_id));
            let in_lane = Delivery { group: lane, ..good };
            prop_assert!(bench.deliver(&[in_lane]).await.is_empty());
            let told = match &replay {
                Some(replay) => format!("{event_id}~{}", vendorbridge::lane::short_hash(replay)),
                None => event_id.clone(),
            };
            let record = bench.ledger.event(&told);
            prop_assert!(record.is_some_and(|record| record.sort_key().len() <= MAX_SORT_KEY_BYTES));
            Ok(())
        })?;
    }
}

/// The longest id that a direct producer may choose, replayed from an archive.
#[test]
fn the_queue_takes_a_replay_of_the_longest_id() {
    sends(
        &"x".repeat(vendorbridge::message::MAX_EVENT_ID_BYTES),
        "1",
        Some("again"),
    )
    .unwrap();
}
