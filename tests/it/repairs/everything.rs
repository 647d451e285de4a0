//! Backfill, replay and reconcile: what the source has, and what differs.

use std::time::Instant;

use serde_json::{Value, json};
use vendorbridge_testkit::cloud::until;

use super::names::{nothing_is_there_yet, wrong_names_are_explained};
use super::shop::{add, add_as_a_stranger, calls, delete, holds, id, key, set, silence, stock, write};
use super::*;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_backfill_and_a_replay_go_on_where_they_were_stopped() {
    let world = world("backfill").await;
    silence(&world).await;
    let numbers: Vec<usize> = (0..60).collect();
    nothing_is_there_yet(&world).await;
    stock(&world, &numbers).await;
    let counted = ends(&world, 0, &["backfill", VENDOR, TYPE, "--dry-run"]).await;
    assert_eq!((&counted["found"], &counted["sent"]), (&json!(60), &json!(0)));
    assert_eq!(calls(&world, 0..60), vec![0; 60]);

    // Killed behind a checkpoint, refused to a second process, stopped by Ctrl-C, done by the third.
    let slowly = ["backfill", VENDOR, TYPE, "--page", "10", "--rate", "5"];
    let child = begin(&world, &slowly);
    checkpoint(&world, "backfill", 10).await;
    kill(child);
    let refused = ends(&world, 1, &slowly).await;
    assert!(refused.as_str().unwrap().contains("--take-over"), "{refused}");
    let child = begin(&world, &[&slowly[..], &["--take-over"]].concat());
    checkpoint(&world, "backfill", 20).await;
    let stopped = ended(130, &interrupt(child).await);
    assert_eq!(stopped["interrupted"], true, "{stopped}");
    let rest = ends(
        &world,
        0,
        &["backfill", VENDOR, TYPE, "--page", "10", "--rate", "1000"],
    )
    .await;
    let (before, sent) = (
        rest["sent_before"].as_u64().unwrap(),
        rest["sent"].as_u64().unwrap(),
    );
    assert!(before >= 20 && before + sent == 60, "{rest}");
    until("the index", WITHIN, async || {
        Ok(holds(&world, &numbers).then_some(()))
    })
    .await
    .unwrap();
    empty(&world).await;
    assert!(
        calls(&world, 0..60).iter().all(|calls| *calls == 1),
        "{:?}",
        calls(&world, 0..60)
    );

    // What is there is unchanged, and costs no call.
    ends(&world, 0, &["backfill", VENDOR, TYPE, "--rate", "1000"]).await;
    empty(&world).await;
    assert_eq!(calls(&world, 0..60), vec![1; 60]);

    // A replay forces what it chooses, once each, although it is stopped half-way.
    let again = [
        "replay",
        VENDOR,
        "--status",
        "SYNCED",
        "--since",
        &since(&world),
        "--rate",
        "10",
    ];
    let dry_run = ends(&world, 0, &[&again[..], &["--dry-run"]].concat()).await;
    assert_eq!(dry_run["would"], json!({"repeat": 60}), "{dry_run}");
    let child = begin(&world, &again);
    checkpoint(&world, "replay", 20).await;
    let stopped = ended(130, &interrupt(child).await);
    assert!(stopped["sent"].as_u64().unwrap() < 60, "{stopped}");
    let rest = ends(&world, 0, &again).await;
    let (before, sent) = (
        rest["sent_before"].as_u64().unwrap(),
        rest["sent"].as_u64().unwrap(),
    );
    assert!(before >= 20 && before + sent == 60, "{rest}");
    empty(&world).await;
    until("every call", WITHIN, async || {
        Ok((calls(&world, 0..60) == vec![2; 60]).then_some(()))
    })
    .await
    .unwrap();
    wrong_names_are_explained(&world).await;
    stage::end(world).await;
}

/// A time that stays the same, so that the same command is the same choice.
fn since(world: &World) -> String {
    let folder = std::fs::metadata(&world.folder).unwrap();
    let made = folder.created().or_else(|_| folder.modified()).unwrap();
    jiff::Timestamp::try_from(made).unwrap().to_string()
}

const RECORDS: usize = 10_000;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reconcile_finds_and_repairs_what_differs_and_nothing_else() {
    let world = world("reconcile").await;
    silence(&world).await;
    // 33 that we brought, and that the source then lost without saying so.
    let orphans: Vec<usize> = (RECORDS..RECORDS + 33).collect();
    let numbers: Vec<usize> = (0..RECORDS).collect();
    let all = [&numbers[..], &orphans[..]].concat();
    stock(&world, &all).await;
    let keys: Vec<String> = orphans.iter().map(|number| key(*number)).collect();
    let chosen = keys.iter().flat_map(|key| ["--entity", key.as_str()]);
    let replayed = ["replay", VENDOR].into_iter().chain(chosen).collect::<Vec<_>>();
    assert_eq!(ends(&world, 0, &replayed).await["sent"], 33);
    until("what we bring", WITHIN, async || {
        Ok(holds(&world, &orphans).then_some(()))
    })
    .await
    .unwrap();
    empty(&world).await;
    for number in &orphans {
        world.inventory.remove(&world.aws, &id(*number)).await.unwrap();
    }
    write(&world, numbers.iter().map(|number| add(*number)).collect()).await;

    let (missing, different) = (sample(34, 7), sample(33, 11));
    write(&world, missing.iter().map(|number| delete(*number)).collect()).await;
    let prices = different.iter().map(|number| set(*number, "price", &json!(20.5)));
    write(&world, prices.collect()).await;
    // And one that nobody knows, which is not ours to touch.
    let stranger = RECORDS + 1_000;
    write(&world, vec![add_as_a_stranger(stranger)]).await;

    let before = calls(&world, 0..RECORDS + 1_001);
    let start = Instant::now();
    let limit = ["--limit", "100"];
    let found = ends(&world, 3, &[&["reconcile", VENDOR, TYPE], &limit[..]].concat()).await;
    eprintln!(
        "figures: {RECORDS} records read twice and compared in {:.1} s",
        start.elapsed().as_secs_f64()
    );
    let counts = json!({
        "same": RECORDS - 67, "missing": 34, "different": 33, "extra": 34, "unmappable": 0, "waits": 0, "in_motion": 0,
    });
    assert_eq!(found["counts"], counts);
    for (kind, numbers, nobodys) in [
        ("missing", &missing, None),
        ("different", &different, None),
        ("extra", &orphans, Some("nobody's")),
    ] {
        let keys = numbers.iter().map(|number| key(*number));
        let expected: Vec<_> = keys.chain(nobodys.map(str::to_owned)).collect();
        assert_eq!(named(&found, kind), expected, "{kind}");
    }
    assert_eq!(calls(&world, 0..RECORDS + 1_001), before, "it only reads");

    let repaired = ends(
        &world,
        3,
        &["reconcile", VENDOR, TYPE, "--repair", "--yes", "--rate", "200"],
    )
    .await;
    assert_eq!(repaired["repair"], json!({"sent": 100, "left": 1}), "{repaired}");
    let wanted = [&numbers[..], &[stranger]].concat();
    until("the repair", WITHIN, async || {
        Ok(holds(&world, &wanted).then_some(()))
    })
    .await
    .unwrap();
    empty(&world).await;
    let touched: Vec<usize> = calls(&world, 0..RECORDS + 1_001)
        .into_iter()
        .zip(before)
        .enumerate()
        .filter(|(_, (after, before))| after != before)
        .map(|(number, _)| number)
        .collect();
    let mut expected = [missing, different, orphans].concat();
    expected.sort_unstable();
    assert_eq!(touched, expected, "nothing else is written");
    let clean = ends(&world, 3, &["reconcile", VENDOR, TYPE]).await;
    assert_eq!(clean["counts"]["same"], RECORDS);
    assert_eq!(named(&clean, "extra"), ["nobody's"]);
    stage::end(world).await;
}

/// Numbers that are spread over all, in their order; those of different steps are different.
fn sample(count: usize, step: usize) -> Vec<usize> {
    (0..count).map(|at| at * 290 + step).collect()
}

/// The entities of the differences of a kind, in their order.
fn named(report: &Value, kind: &str) -> Vec<String> {
    let differences = report["differences"].as_array().unwrap();
    let of_kind = differences.iter().filter(|difference| difference["kind"] == kind);
    let mut named: Vec<_> = of_kind
        .map(|difference| difference["entity"].as_str().unwrap_or("nobody's").to_owned())
        .collect();
    named.sort_unstable();
    named
}
