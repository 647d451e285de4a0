//! Stream records at the handler's own interface: JSON in, JSON out.

use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use rstest::rstest;
use serde_json::{Value, json};
use vendorbridge::changes::{BatchError, Bus, Changes, Failures};
use vendorbridge::clock::Clock;
use vendorbridge_testkit::stream::{Fault, LEDGER, StreamWorld, streams};

const LAMBDA: &str = include_str!("../../../../events/streams/inventory.lambda.json");
const PIPE: &str = include_str!("../../../../events/streams/inventory.pipe.json");
const EXPIRED: &str = include_str!("../../../../events/streams/inventory.expired.lambda.json");

struct Now(Arc<StreamWorld>);

impl Clock for Now {
    fn now(&self) -> Timestamp {
        self.0.clock.now()
    }

    fn sleep(&self, duration: Duration) -> futures::future::BoxFuture<'_, ()> {
        self.0.clock.sleep(duration)
    }
}

struct Bench {
    world: Arc<StreamWorld>,
    changes: Changes,
}

impl Bench {
    fn new() -> Self {
        let world = Arc::new(StreamWorld::new("2026-01-29T14:36:30Z".parse().unwrap()));
        let changes = Changes {
            ledger_table: LEDGER.to_owned(),
            streams: streams(),
            bus: Arc::clone(&world) as Arc<dyn Bus>,
            failures: Arc::clone(&world) as Arc<dyn Failures>,
            clock: Arc::new(Now(Arc::clone(&world))),
        };
        Self { world, changes }
    }

    async fn try_handle(&self, batch: Value, seconds: i64) -> Result<Value, BatchError> {
        let deadline = self.world.clock.now() + SignedDuration::from_secs(seconds);
        let answer = self.changes.handle(batch, deadline).await?;
        Ok(serde_json::to_value(answer).unwrap())
    }

    async fn handle(&self, batch: Value) -> Value {
        self.try_handle(batch, 60).await.unwrap()
    }

    /// `<id>:<last two digits of the sequence>` of what is on the bus.
    fn told(&self) -> Vec<String> {
        let short = |event: &vendorbridge::changes::Event| {
            let detail: Value = serde_json::from_str(&event.detail).unwrap();
            let sequence = detail["sequence"].as_str().unwrap().to_owned();
            format!(
                "{}:{}",
                detail["id"].as_str().unwrap(),
                sequence.strip_prefix("10").unwrap()
            )
        };
        self.world.published().iter().map(short).collect()
    }
}

fn record(key: &str, number: u32) -> Value {
    json!({
        "eventName": "MODIFY",
        "dynamodb": { "Keys": { "pk": { "S": key } }, "SequenceNumber": format!("10{number}") },
        "eventSourceARN": "arn:aws:dynamodb:eu-west-1:123456789012:table/Inventory/stream/2026-01-01T00:00:00.000",
    })
}

fn batch(records: &[Value]) -> Value {
    json!({ "Records": records })
}

fn success() -> Value {
    json!({ "batchItemFailures": [] })
}

fn failed_from(number: u32) -> Value {
    json!({ "batchItemFailures": [{ "itemIdentifier": format!("10{number}") }] })
}

#[rstest]
#[case::mapping(LAMBDA)]
#[case::pipe(PIPE)]
#[tokio::test]
async fn a_mappings_and_a_pipes_batch_say_the_same(#[case] text: &str) {
    let bench = Bench::new();
    assert_eq!(bench.handle(serde_json::from_str(text).unwrap()).await, success());
    let events = bench.world.published();
    let details: Vec<Value> = events
        .iter()
        .map(|event| serde_json::from_str(&event.detail).unwrap())
        .collect();
    let change = |change: &str, second: u32, number: u32| {
        json!({
            "id": "SKU#blackTShirt-M", "keys": { "pk": "SKU#blackTShirt-M" }, "change": change,
            "sequence": format!("11111100000000000000000{number}"), "at": format!("2026-01-29T14:36:{second}Z"),
        })
    };
    assert_eq!(
        details,
        [
            change("INSERT", 26, 1),
            change("MODIFY", 27, 2),
            change("REMOVE", 28, 3)
        ]
    );
    assert!(
        events
            .iter()
            .all(|event| event.source == "inventory" && event.detail_type == "InventoryItemChanged")
    );
    // One key: one at a time.
    assert_eq!(bench.world.requests().len(), 3);
}

#[tokio::test]
async fn an_expiry_is_told_unless_it_is_to_be_passed_over() {
    let mut bench = Bench::new();
    let expired: Value = serde_json::from_str(EXPIRED).unwrap();
    assert_eq!(bench.handle(expired.clone()).await, success());
    assert_eq!(bench.world.published(), []);
    bench.changes.streams[0].ignore_ttl_deletes = false;
    assert_eq!(bench.handle(expired).await, success());
    assert_eq!(bench.world.published().len(), 1);
}

#[tokio::test]
async fn different_keys_share_a_request_and_a_key_follows_itself() {
    let bench = Bench::new();
    let mut records: Vec<_> = (10..22)
        .map(|number| record(&format!("k{number}"), number))
        .collect();
    records.push(record("k21", 22));
    assert_eq!(bench.handle(batch(&records)).await, success());
    let sizes: Vec<_> = bench.world.requests().iter().map(Vec::len).collect();
    assert_eq!(sizes, [10, 2, 1]);
}

#[tokio::test]
async fn only_what_was_refused_is_put_again() {
    let bench = Bench::new();
    let throttled = Fault::Entries(vec![1], "ThrottlingException".to_owned());
    bench.world.script([
        Some(throttled.clone()),
        Some(Fault::Entries(vec![0], "ThrottlingException".to_owned())),
    ]);
    let records: Vec<_> = (10..13)
        .map(|number| record(&format!("k{number}"), number))
        .collect();
    assert_eq!(bench.handle(batch(&records)).await, success());
    let sizes: Vec<_> = bench.world.requests().iter().map(Vec::len).collect();
    assert_eq!(sizes, [3, 1, 1]);
    assert_eq!(bench.told(), ["k10:10", "k12:12", "k11:11"]);
}

#[tokio::test]
async fn nothing_behind_a_failure_is_put() {
    let bench = Bench::new();
    bench
        .world
        .script(std::iter::repeat_n(Some(Fault::Down), 20).chain([None]));
    bench.world.script([None]);
    let records = [record("a", 10), record("b", 11), record("a", 12)];
    assert_eq!(bench.handle(batch(&records)).await, failed_from(10));
    // The window is tried again a few times; what is behind it is not touched.
    assert_eq!(bench.world.requests().len(), 8);
    assert!(bench.world.requests().iter().all(|request| request.len() == 2));
}

#[tokio::test]
async fn the_first_failure_is_reported() {
    let bench = Bench::new();
    // The second and third of the first request fail to the end.
    let first = Fault::Entries(vec![1, 2], "InternalFailure".to_owned());
    let again = Fault::Entries(vec![0, 1], "InternalFailure".to_owned());
    bench.world.script(
        [Some(first)]
            .into_iter()
            .chain(std::iter::repeat_n(Some(again), 7)),
    );
    let records = [record("a", 10), record("b", 11), record("c", 12), record("a", 13)];
    assert_eq!(bench.handle(batch(&records)).await, failed_from(11));
    assert_eq!(bench.told(), ["a:10"]);
}

#[tokio::test]
async fn what_time_does_not_suffice_for_comes_again() {
    let bench = Bench::new();
    bench.world.script([Some(Fault::Slow(7))]);
    let records = [record("a", 10), record("a", 11)];
    assert_eq!(
        bench.try_handle(batch(&records), 20).await.unwrap(),
        failed_from(11)
    );
    assert_eq!(bench.told(), ["a:10"]);
}

#[rstest]
#[case::no_keys(json!({ "eventName": "MODIFY", "dynamodb": { "SequenceNumber": "1011" }, "eventSourceARN": "arn:aws:dynamodb:r:1:table/Inventory/stream/x" }))]
#[case::another_table(json!({ "eventName": "MODIFY", "dynamodb": { "Keys": { "pk": { "S": "x" } }, "SequenceNumber": "1011" }, "eventSourceARN": "arn:aws:dynamodb:r:1:table/Other/stream/x" }))]
#[case::another_key(json!({ "eventName": "MODIFY", "dynamodb": { "Keys": { "id": { "S": "x" } }, "SequenceNumber": "1011" }, "eventSourceARN": "arn:aws:dynamodb:r:1:table/Inventory/stream/x" }))]
#[case::no_sequence(json!({ "eventName": "MODIFY", "dynamodb": { "Keys": { "pk": { "S": "x" } } }, "eventSourceARN": "arn:aws:dynamodb:r:1:table/Inventory/stream/x" }))]
#[case::no_record(json!("text"))]
#[tokio::test]
async fn what_cannot_be_understood_is_set_aside_and_not_in_the_way(#[case] poison: Value) {
    let bench = Bench::new();
    let records = [record("a", 10), poison.clone(), record("a", 12)];
    assert_eq!(bench.handle(batch(&records)).await, success());
    assert_eq!(bench.told(), ["a:10", "a:12"]);
    let kept = bench.world.kept();
    assert_eq!(kept.len(), 1);
    assert_eq!(kept[0]["record"], poison);
    assert!(
        kept[0]["reason"].as_str().unwrap().starts_with("expected "),
        "{}",
        kept[0]
    );
}

#[tokio::test]
async fn what_the_bus_refuses_for_good_is_set_aside() {
    let bench = Bench::new();
    bench
        .world
        .script([Some(Fault::Entries(vec![0], "MalformedDetail".to_owned()))]);
    let records = [record("a", 10), record("b", 11)];
    assert_eq!(bench.handle(batch(&records)).await, success());
    assert_eq!(bench.told(), ["b:11"]);
    assert_eq!(
        bench.world.kept()[0]["reason"],
        "the bus refuses the event: MalformedDetail"
    );
}

/// The ledger's images can hold what an event carried; they are in the table to be read.
#[tokio::test]
async fn an_outcome_is_set_aside_without_what_the_ledger_holds() {
    let bench = Bench::new();
    bench
        .world
        .script([Some(Fault::Entries(vec![0], "MalformedDetail".to_owned()))]);
    let mut before = entity("PARKED", "e-1", None);
    before["parked"] = json!({ "M": { "carried": { "S": "ada@lovelace.example" } } });
    let records = [settled(Some(&before), &entity("REJECTED", "e-1", None), 10)];
    assert_eq!(bench.handle(batch(&records)).await, success());
    let kept = bench.world.kept();
    assert_eq!(kept[0]["record"]["dynamodb"]["SequenceNumber"], "1010");
    assert!(!kept[0].to_string().contains("lovelace"));
}

#[tokio::test]
async fn a_request_refused_as_a_whole_goes_entry_by_entry() {
    let bench = Bench::new();
    let invalid = || Some(Fault::Invalid("ValidationException".to_owned()));
    // All three, then the first alone passes, the second does not, the third does.
    bench.world.script([invalid(), None, invalid()]);
    let records = [record("a", 10), record("b", 11), record("c", 12)];
    assert_eq!(bench.handle(batch(&records)).await, success());
    assert_eq!(bench.told(), ["a:10", "c:12"]);
    assert_eq!(
        bench.world.kept()[0]["record"]["dynamodb"]["SequenceNumber"],
        "1011"
    );
}

#[tokio::test]
async fn what_cannot_even_be_set_aside_is_reported() {
    let bench = Bench::new();
    bench
        .world
        .queue_script(std::iter::repeat_n(Some(Fault::Down), 8));
    let mut poison = record("b", 11);
    poison["eventName"] = json!("UPSERT");
    assert_eq!(
        bench
            .handle(batch(&[record("a", 10), poison, record("c", 12)]))
            .await,
        failed_from(11)
    );
    assert_eq!(bench.told(), ["a:10", "c:12"]);
}

#[tokio::test]
async fn a_record_without_a_number_is_never_named_by_an_empty_identifier() {
    let bench = Bench::new();
    bench
        .world
        .queue_script(std::iter::repeat_n(Some(Fault::Down), 8));
    let answer = bench
        .try_handle(batch(&[json!({ "dynamodb": { "SequenceNumber": "" } })]), 60)
        .await;
    assert_eq!(answer, Err(BatchError::Nameless));
}

#[rstest]
#[case(json!({ "records": [] }))]
#[case(json!({ "Records": {} }))]
#[case(json!(null))]
#[tokio::test]
async fn another_shape_fails_the_batch(#[case] batch: Value) {
    assert!(matches!(
        Bench::new().try_handle(batch, 60).await,
        Err(BatchError::Shape(_))
    ));
}

#[tokio::test]
async fn a_long_record_is_kept_without_its_images() {
    let bench = Bench::new();
    let mut poison = record("b", 11);
    poison["eventName"] = json!("UPSERT");
    poison["dynamodb"]["NewImage"] = json!({ "text": { "S": "x".repeat(300_000) } });
    let garbage = json!({ "text": "y".repeat(300_000) });
    assert_eq!(bench.handle(batch(&[poison, garbage])).await, success());
    let kept = bench.world.kept();
    assert_eq!(
        (
            &kept[0]["without"],
            &kept[0]["record"]["dynamodb"]["SequenceNumber"]
        ),
        (&json!("images"), &json!("1011"))
    );
    assert_eq!(kept[1]["without"], "the end");
    assert!(kept.iter().all(|body| body.to_string().len() < 256 * 1024));
}

fn entity(status: &str, event: &str, link: Option<&str>) -> Value {
    let mut image = json!({
        "pk": { "S": "mailchimp#customer/c-1" }, "sk": { "S": "entity" }, "vendor": { "S": "mailchimp" },
        "entity": { "S": "customer/c-1" }, "status": { "S": status }, "revision": { "N": "1" },
        "settled_at": { "S": "2026-01-29T14:36:27.120Z" },
        "recent": { "L": [{ "M": {
            "event_id": { "S": event }, "time": { "N": "1769697386000" }, "status": { "S": status },
            "at": { "N": "1769697387120" },
        } }] },
    });
    if let Some(link) = link {
        image["link"] = json!({ "S": link });
        image["pushed_hash"] = json!({ "S": "00" });
    }
    if ["REJECTED", "DEAD"].contains(&status) {
        image["error"] = json!({ "M": {
            "kind": { "S": "invalid" }, "verdict": { "S": "permanent" }, "stage": { "S": "map" },
            "pointer": { "S": "/email" }, "message": { "S": "expected an e-mail address, found none" },
        } });
    }
    image
}

fn settled(old: Option<&Value>, new: &Value, number: u32) -> Value {
    let mut record = json!({
        "eventName": if old.is_some() { "MODIFY" } else { "INSERT" },
        "dynamodb": {
            "Keys": { "pk": new["pk"], "sk": new["sk"] }, "SequenceNumber": format!("10{number}"), "NewImage": new,
        },
        "eventSourceARN": "arn:aws:dynamodb:eu-west-1:123456789012:table/ledger/stream/2026-01-01T00:00:00.000",
    });
    if let Some(old) = old {
        record["dynamodb"]["OldImage"] = old.clone();
    }
    record
}

fn link_without_push() -> Value {
    let mut image = entity("PARKED", "e-1", Some("m-1"));
    image.as_object_mut().unwrap().remove("pushed_hash");
    image
}

#[rstest]
#[case::first_link(None, entity("SYNCED", "e-1", Some("m-1")), Some("SyncSucceeded"))]
#[case::parked_before(
    Some(entity("PARKED", "e-1", None)),
    entity("SYNCED", "e-1", Some("m-1")),
    Some("SyncSucceeded")
)]
#[case::found_before(
    Some(link_without_push()),
    entity("SYNCED", "e-1", Some("m-1")),
    Some("SyncSucceeded")
)]
#[case::another_link(
    Some(entity("SYNCED", "e-1", Some("m-0"))),
    entity("SYNCED", "e-2", Some("m-1")),
    Some("SyncSucceeded")
)]
#[case::same_link(
    Some(entity("SYNCED", "e-1", Some("m-1"))),
    entity("SYNCED", "e-2", Some("m-1")),
    None
)]
#[case::parked_with_link(
    Some(entity("PARKED", "e-1", Some("m-1"))),
    entity("SYNCED", "e-1", Some("m-1")),
    None
)]
#[case::rejected(None, entity("REJECTED", "e-1", None), Some("SyncRejected"))]
#[case::rejected_again(Some(entity("REJECTED", "e-1", None)), entity("REJECTED", "e-1", None), None)]
#[case::rejected_anew(
    Some(entity("REJECTED", "e-1", None)),
    entity("REJECTED", "e-2", None),
    Some("SyncRejected")
)]
#[case::given_up(
    Some(entity("PARKED", "e-1", None)),
    entity("DEAD", "e-1", None),
    Some("SyncDead")
)]
#[case::parked(None, entity("PARKED", "e-1", None), None)]
#[case::deleted(
    Some(entity("SYNCED", "e-1", Some("m-1"))),
    entity("DELETED", "e-2", None),
    None
)]
#[tokio::test]
async fn an_outcome_is_told_once(#[case] old: Option<Value>, #[case] new: Value, #[case] told: Option<&str>) {
    let bench = Bench::new();
    assert_eq!(
        bench.handle(batch(&[settled(old.as_ref(), &new, 10)])).await,
        success()
    );
    let events = bench.world.published();
    assert_eq!(events.first().map(|event| event.detail_type.as_str()), told);
    assert_eq!(bench.world.kept(), Vec::<Value>::new());
}

#[tokio::test]
async fn an_outcome_says_what_became_of_whom_and_why() {
    let bench = Bench::new();
    let linked = entity("SYNCED", "e-0", Some("m-1"));
    let other = entity("SYNCED", "e-1", Some("m-2"));
    let rejected = entity("REJECTED", "e-2", Some("m-2"));
    let records = [
        settled(Some(&linked), &other, 10),
        settled(Some(&other), &rejected, 11),
    ];
    assert_eq!(bench.handle(batch(&records)).await, success());
    let events = bench.world.published();
    let details: Vec<Value> = events
        .iter()
        .map(|event| serde_json::from_str(&event.detail).unwrap())
        .collect();
    let (vendor, entity, at) = ("mailchimp", "customer/c-1", "2026-01-29T14:36:27.12Z");
    assert_eq!(
        details,
        [
            json!({
                "vendor": vendor, "entity": entity, "event_id": "e-1", "at": at, "link": "m-2", "previous_link": "m-1",
            }),
            json!({
                "vendor": vendor, "entity": entity, "event_id": "e-2", "at": at, "link": "m-2",
                "reason": {
                    "kind": "invalid", "stage": "map", "pointer": "/email",
                    "message": "expected an e-mail address, found none",
                },
            }),
        ]
    );
    assert!(events.iter().all(|event| event.source == "vendorbridge"));
}

#[tokio::test]
async fn the_ledgers_other_records_tell_nothing() {
    let bench = Bench::new();
    let mut event = settled(None, &entity("REJECTED", "e-1", None), 10);
    event["dynamodb"]["Keys"]["sk"] = json!({ "S": "customer/c-1#2026-01-29T14:36:27.120Z#e-1" });
    let mut removed = settled(
        Some(&entity("REJECTED", "e-1", None)),
        &entity("REJECTED", "e-1", None),
        11,
    );
    removed["eventName"] = json!("REMOVE");
    removed["dynamodb"].as_object_mut().unwrap().remove("NewImage");
    assert_eq!(bench.handle(batch(&[event, removed])).await, success());
    assert_eq!((bench.world.published().len(), bench.world.kept().len()), (0, 0));
}
