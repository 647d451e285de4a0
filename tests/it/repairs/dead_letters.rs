//! Dead letters that are chosen, put back, brought back, and those that nobody can read.

use serde_json::json;
use vendorbridge_testkit::cloud::until;

use super::shop::{calls, holds, id, key, silence, stock};
use super::*;

const QUEUE: &str = "DeadLetterQueueUrlalgolia";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn dead_letters_are_chosen_and_brought_back() {
    let world = world("redrive").await;
    silence(&world).await;
    let numbers: Vec<usize> = (0..30).collect();
    stock(&world, &numbers).await;
    assert_eq!(ends(&world, 0, &["redrive", VENDOR]).await["redriven"], 0);

    // Twelve in lanes of their own, eighteen in intake: ten of a group hide the others. One in front that nobody can read.
    bury(&world, "intake", "no event").await;
    for number in &numbers {
        let group = if *number < 12 {
            key(*number)
        } else {
            "intake".to_owned()
        };
        bury(&world, &group, &announcement(*number)).await;
    }
    let dry = ends(&world, 0, &["redrive", VENDOR, "--dry-run"]).await;
    assert_eq!(dry["found"], 31);
    // A message group shows no more than it hands out at once: of intake a few, of the lanes all.
    assert!((12..30).contains(&dry["redriven"].as_u64().unwrap()), "{dry}");
    assert_eq!(dead(&world).await, 31, "a dry run changes nothing");
    assert_eq!(calls(&world, 0..30), vec![0; 30]);

    // One behind all others, then those that the ledger knows a failure of: none.
    let one = ends(&world, 0, &["redrive", VENDOR, "--entity", &key(7)]).await;
    assert_eq!(
        (&one["redriven"], &one["not_chosen"]),
        (&json!(1), &json!(29)),
        "{one}"
    );
    until("the one", WITHIN, async || Ok(holds(&world, &[7]).then_some(())))
        .await
        .unwrap();
    let none = ends(&world, 0, &["redrive", VENDOR, "--error", "timeout"]).await;
    assert_eq!(
        (&none["redriven"], &none["not_chosen"]),
        (&json!(0), &json!(29)),
        "{none}"
    );
    assert_eq!(dead(&world).await, 30, "what was not chosen is still there");

    // Killed half-way, then gone on with.
    let child = begin(&world, &["redrive", VENDOR, "--rate", "2"]);
    until("some letters", WITHIN, async || {
        Ok((dead(&world).await <= 25).then_some(()))
    })
    .await
    .unwrap();
    kill(child);
    until("all letters", WITHIN, async || {
        ends(&world, 0, &["redrive", VENDOR]).await;
        Ok((dead(&world).await == 1).then_some(()))
    })
    .await
    .unwrap();
    until("the index", WITHIN, async || {
        Ok(holds(&world, &numbers).then_some(()))
    })
    .await
    .unwrap();
    let left = ends(&world, 0, &["redrive", VENDOR]).await;
    assert_eq!(left["unreadable"][0]["group"], "intake", "{left}");
    empty(&world).await;
    // A letter that was sent and not deleted is redriven twice: at most one request of the queue.
    let twice = calls(&world, 0..30).iter().filter(|calls| **calls > 1).count();
    assert!(twice <= 10, "{:?}", calls(&world, 0..30));
    stage::end(world).await;
}

fn announcement(number: usize) -> String {
    json!({
        "version": "0", "id": format!("e-{number}"), "detail-type": "InventoryItemChanged", "source": "inventory",
        "time": "2026-01-29T14:36:26Z", "resources": [], "detail": {"id": id(number), "sequence": "1"},
    })
    .to_string()
}

async fn bury(world: &World, group: &str, body: &str) {
    let url = world.stack.output(QUEUE).unwrap();
    let send = world
        .aws
        .sqs
        .send_message()
        .queue_url(url)
        .message_group_id(group);
    send.message_deduplication_id(vendorbridge::lane::short_hash(&format!("{group}\n{body}")))
        .message_body(body)
        .send()
        .await
        .unwrap();
}

async fn dead(world: &World) -> u64 {
    world.queue_depth(QUEUE).await.unwrap()
}
