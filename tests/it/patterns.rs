//! The patterns beside notification and re-query, each from an event or a write to the vendor.

use std::collections::HashMap;
use std::time::Duration;

use aws_sdk_dynamodb::types::AttributeValue;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use vendorbridge::clock::{Clock, SystemClock};
use vendorbridge::ledger::{EventRecord, Status};
use vendorbridge_cli::publish::Draft;
use vendorbridge_testkit::cloud::{ALL_VENDORS, AUTH0_LOG_SOURCE, AUTH0_SOURCE, INDEX, World, until};
use vendorbridge_testkit::sandbox::auth0::{self, Change, NewUser, User};
use vendorbridge_testkit::sandbox::mailchimp::{MergeValue, Status as Subscription};
use vendorbridge_testkit::sandbox::shortlist::NewShortlist;
use vendorbridge_tests::{LIST, event_of, outcomes, publish};

use crate::stage;

const WITHIN: Duration = Duration::from_mins(1);

async fn world(name: &str) -> World {
    stage::world(name, |options| {
        options.enforce_roles = true;
        options.vendors = ALL_VENDORS.map(str::to_owned).to_vec();
    })
    .await
}

/// What became of these events at a vendor.
async fn settled(world: &World, vendor: &str, drafts: &[Draft]) -> Vec<EventRecord> {
    let events = publish(world, drafts).await.unwrap();
    let is_final = |record: &EventRecord| record.status != Status::Parked;
    outcomes(world, vendor, &events, WITHIN, is_final).await.unwrap()
}

async fn settled_one(world: &World, vendor: &str, draft: Draft) -> EventRecord {
    settled(world, vendor, &[draft]).await.remove(0)
}

/// A user as it was so many seconds ago.
fn user(id: &str, email: Option<&str>, name: &str, seconds_ago: i64) -> User {
    let new = NewUser {
        email: email.map(str::to_owned),
        given_name: Some(name.to_owned()),
        ..NewUser::by_email(id, "")
    };
    let at = ago(seconds_ago);
    new.at(at, at)
}

fn ago(seconds: i64) -> Timestamp {
    SystemClock.now() - SignedDuration::from_secs(seconds)
}

fn carrying(change: Change, user: &User, seconds_ago: i64) -> Draft {
    event_of(AUTH0_SOURCE, auth0::event(change, user, "e", ago(seconds_ago))).unwrap()
}

fn first_name(world: &World, email: &str) -> Option<String> {
    match world
        .sandbox
        .mailchimp
        .member(LIST, email)?
        .merge_fields
        .get("FNAME")?
    {
        MergeValue::Text(name) => Some(name.clone()),
        MergeValue::Number(_) | MergeValue::Address(_) => None,
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn users_are_carried_by_their_events() {
    const EMAIL: &str = "urist@freddiesjokes.example";
    let world = world("users").await;
    let created = carrying(Change::Created, &user("auth0|1", Some(EMAIL), "Urist", 60), 60);
    let record = settled_one(&world, "mailchimp", created).await;
    assert_eq!(
        (record.status, record.entity.as_str()),
        (Status::Synced, "user/auth0|1")
    );
    let updated = carrying(Change::Updated, &user("auth0|1", Some(EMAIL), "Dastot", 30), 30);
    assert_eq!(
        settled_one(&world, "mailchimp", updated).await.status,
        Status::Synced
    );
    let late = carrying(Change::Updated, &user("auth0|1", Some(EMAIL), "Kol", 45), 0);
    assert_eq!(
        settled_one(&world, "mailchimp", late).await.status,
        Status::Covered
    );
    assert_eq!(first_name(&world, EMAIL).as_deref(), Some("Dastot"));
    assert_eq!(world.sandbox.auth0.calls(), 0, "nobody is asked back");

    let nameless = carrying(Change::Created, &user("sms|2", None, "Onol", 20), 20);
    let rejected = settled_one(&world, "mailchimp", nameless).await;
    assert_eq!(rejected.status, Status::Rejected);
    assert_eq!(rejected.error.unwrap().pointer.as_deref(), Some("/email"));

    let gone = carrying(Change::Deleted, &user("auth0|1", Some(EMAIL), "Dastot", 30), 10);
    assert_eq!(
        settled_one(&world, "mailchimp", gone).await.status,
        Status::Deleted
    );
    let member = world.sandbox.mailchimp.member(LIST, EMAIL).unwrap();
    assert_eq!(member.status, Subscription::Archived);

    sign_up(&world).await;
    stage::end(world).await;
}

/// The older log stream says only who signed up: the Management API is asked, with a token of its token endpoint.
async fn sign_up(world: &World) {
    const EMAIL: &str = "grace@hopper.example";
    let user = world.sandbox.auth0.put(NewUser::by_email("auth0|3", EMAIL));
    let entry = event_of(AUTH0_LOG_SOURCE, auth0::sign_up(&user, "l", ago(0))).unwrap();
    assert_eq!(
        settled_one(world, "mailchimp", entry).await.status,
        Status::Synced
    );
    assert_eq!(first_name(world, EMAIL).as_deref(), Some("Urist"));
    assert_eq!(world.sandbox.auth0.reads_of("auth0|3"), 1);
    assert_eq!(world.sandbox.auth0.tokens_issued(), 1);
}

fn item(id: &str, title: &str, stock: u32) -> HashMap<String, AttributeValue> {
    HashMap::from([
        ("pk".to_owned(), AttributeValue::S(id.to_owned())),
        ("title".to_owned(), AttributeValue::S(title.to_owned())),
        ("stock".to_owned(), AttributeValue::N(stock.to_string())),
        ("price".to_owned(), AttributeValue::N("199.00".to_owned())),
        ("currency".to_owned(), AttributeValue::S("DKK".to_owned())),
        ("published".to_owned(), AttributeValue::Bool(true)),
    ])
}

async fn in_index(world: &World, id: &str, is_it: impl Fn(Option<&Value>) -> bool) {
    until("the index to follow", WITHIN, async || {
        let record = world.sandbox.algolia.record(INDEX, id);
        let stock = record.as_ref().and_then(|record| record.get("stock"));
        Ok(is_it(stock).then_some(()))
    })
    .await
    .unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_inventory_reaches_the_search_index() {
    const ID: &str = "SKU#blackTShirt-M";
    let world = world("inventory").await;
    let since = SystemClock.now();
    for stock in [12, 11] {
        let item = item(ID, "Black T-shirt (M)", stock);
        world.inventory.put(&world.aws, item).await.unwrap();
        in_index(&world, ID, |found| found == Some(&json!(stock))).await;
    }
    // Many at once: the function reads each, and writes them together.
    let calls = world.sandbox.algolia.calls();
    for number in 0..20 {
        let id = format!("SKU#sock-{number}");
        world
            .inventory
            .put(&world.aws, item(&id, "Sock", number))
            .await
            .unwrap();
    }
    for number in 0..20 {
        in_index(&world, &format!("SKU#sock-{number}"), |found| {
            found == Some(&json!(number))
        })
        .await;
    }
    let calls = world.sandbox.algolia.calls() - calls;
    eprintln!("figures: 20 items in {calls} calls of the Search API");
    assert!(calls < 20, "{calls} calls for 20 items");
    world.inventory.remove(&world.aws, ID).await.unwrap();
    in_index(&world, ID, |found| found.is_none()).await;

    let records = until("the outcomes", WITHIN, async || {
        let records = world.events_since("algolia", since).await?;
        Ok((records.len() >= 23).then_some(records))
    })
    .await
    .unwrap();
    let of_item: Vec<_> = records
        .iter()
        .filter(|record| record.entity == format!("inventory-item/{ID}"))
        .collect();
    let mut statuses: Vec<_> = of_item.iter().map(|record| record.status).collect();
    statuses.sort();
    assert_eq!(statuses, [Status::Synced, Status::Synced, Status::Deleted]);
    assert!(
        of_item.iter().all(|record| record.receipt.is_some()),
        "the task is kept"
    );
    stage::end(world).await;
}

fn shortlist(id: &str, revision: Option<u64>) -> Draft {
    let envelope = json!({
        "detail-type": "ShortlistChanged", "source": "", "detail": {"shortlistId": id, "revision": revision},
    });
    event_of("shortlist", envelope).unwrap()
}

fn request(detail: &Value) -> Draft {
    let envelope = json!({"detail-type": "SyncRequested", "source": "", "detail": detail});
    event_of("support-desk", envelope).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn shortlists_are_asked_for_over_graphql_and_on_demand() {
    let world = world("shortlists").await;
    let revision = world
        .sandbox
        .shortlists
        .put(NewShortlist::of("s-77", &["lamp", "sofa"]));
    let changed = shortlist("s-77", Some(revision));
    assert_eq!(
        settled_one(&world, "webhook", changed).await.status,
        Status::Synced
    );
    let held = world.sandbox.webhook.held();
    assert_eq!(held["s-77"]["state"]["items"][1]["sku"], json!("sofa"));

    on_demand(&world).await;

    world.sandbox.shortlists.remove("s-77");
    let gone = shortlist("s-77", None);
    assert_eq!(settled_one(&world, "webhook", gone).await.status, Status::Deleted);
    assert!(!world.sandbox.webhook.held().contains_key("s-77"));
    stage::end(world).await;
}

/// Any service may ask: all vendors that keep the type, or one.
async fn on_demand(world: &World) {
    let since = SystemClock.now();
    let deliveries = world.sandbox.webhook.calls();
    let all = request(&json!({"entity": "shortlist/s-77"}));
    assert_eq!(settled_one(world, "webhook", all).await.status, Status::Unchanged);
    let forced = request(&json!({"entity": "shortlist/s-77", "vendor": "webhook", "force": true}));
    assert_eq!(settled_one(world, "webhook", forced).await.status, Status::Synced);
    assert_eq!(world.sandbox.webhook.calls(), deliveries + 1);
    // A vendor that does not keep the type has nothing to say of it; one that is asked by name has.
    let named = request(&json!({"entity": "shortlist/s-77", "vendor": "mailchimp"}));
    let refused = settled_one(world, "mailchimp", named).await;
    assert_eq!(refused.status, Status::Rejected);
    let events = world.events_since("mailchimp", since).await.unwrap();
    assert_eq!(events.len(), 1, "{events:?}");
}
