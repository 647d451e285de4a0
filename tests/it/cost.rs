//! What an event costs in each pattern: requests to the source, to the vendor and to DynamoDB, ten entities at a time.

use std::collections::HashMap;
use std::time::Duration;

use aws_sdk_dynamodb::types::AttributeValue;
use serde_json::{Value, json};
use vendorbridge::clock::Clock;
use vendorbridge::message::Delivery;
use vendorbridge_testkit::cloud::World;
use vendorbridge_testkit::sandbox::auth0::{self, Change, NewUser};
use vendorbridge_testkit::sandbox::shortlist::NewShortlist;
use vendorbridge_tests::change;

use crate::meter::{Meter, Subject};
use crate::stage;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_pattern_asks_no_more_than_it_must() {
    // Algolia is not deployed here: its function would follow the table, too, and be counted.
    let world = stage::world("cost", |_| {}).await;
    preferences(&world).await;
    users(&world).await;
    shortlists(&world).await;
    inventory(&world).await;
    stage::end(world).await;
}

async fn preferences(world: &World) {
    let mut meter = Meter::new(world, Subject::Mailchimp).await;
    for (round, what) in ["GET, created", "GET, updated"].into_iter().enumerate() {
        let versions: Vec<_> = (0..10).map(|customer| change(world, customer, round)).collect();
        let batch: Vec<_> = (0..10)
            .zip(versions)
            .map(|(customer, version)| meter.preference(customer, Some(version)))
            .collect();
        let (read, _) = meter.pattern(world, what, &batch).await;
        assert_eq!(read, 10);
    }
}

fn user(meter: &mut Meter, number: usize, name: &str) -> Delivery {
    let id = format!("auth0|{number}");
    let new = NewUser {
        given_name: Some(name.to_owned()),
        ..NewUser::by_email(&id, &format!("user-{number}@mail.example"))
    };
    let now = meter.clock.now();
    let event = auth0::event(Change::Updated, &new.at(now, now), "e", now);
    meter.event(&format!("user/{id}"), event)
}

async fn users(world: &World) {
    let mut meter = Meter::new(world, Subject::Mailchimp).await;
    let late: Vec<_> = (0..10).map(|number| user(&mut meter, number, "Late")).collect();
    meter.clock.advance(Duration::from_secs(10));
    for (name, what) in [
        ("Ada", "carried, created"),
        ("Grace", "carried, updated"),
        ("Grace", "carried, unchanged"),
    ] {
        let batch: Vec<_> = (0..10).map(|number| user(&mut meter, number, name)).collect();
        let (read, _) = meter.pattern(world, what, &batch).await;
        assert_eq!(read, 0, "nobody is asked");
    }
    let (read, called) = meter.pattern(world, "carried, overtaken", &late).await;
    assert_eq!((read, called), (0, 0));
}

async fn shortlists(world: &World) {
    let mut meter = Meter::new(world, Subject::Webhook).await;
    for what in ["GraphQL, first", "GraphQL, updated"] {
        let mut batch = Vec::new();
        for number in 0..10 {
            let id = format!("s-{number}");
            let revision = world.sandbox.shortlists.put(NewShortlist::of(&id, &[what]));
            let event = json!({
                "detail-type": "ShortlistChanged", "source": "shortlist",
                "detail": {"shortlistId": id, "revision": revision},
            });
            batch.push(meter.event(&format!("shortlist/{id}"), event));
        }
        let (_, called) = meter.pattern(world, what, &batch).await;
        assert_eq!(called, 10);
    }
}

async fn inventory(world: &World) {
    let mut meter = Meter::new(world, Subject::Algolia).await;
    for (stock, what) in [(1, "table, created"), (2, "table, updated")] {
        let mut batch = Vec::new();
        for number in 0..10 {
            let id = format!("SKU#{number}");
            world.inventory.put(&world.aws, item(&id, stock)).await.unwrap();
            let event: Value = json!({
                "detail-type": "InventoryItemChanged", "source": "inventory",
                "detail": {"id": id, "sequence": format!("{}", stock * 100 + number)},
            });
            batch.push(meter.event(&format!("inventory-item/{id}"), event));
        }
        let (_, called) = meter.pattern(world, what, &batch).await;
        assert_eq!(called, 1, "all of a batch go out as one");
    }
}

fn item(id: &str, stock: u32) -> HashMap<String, AttributeValue> {
    HashMap::from([
        ("pk".to_owned(), AttributeValue::S(id.to_owned())),
        ("title".to_owned(), AttributeValue::S("A thing".to_owned())),
        ("stock".to_owned(), AttributeValue::N(stock.to_string())),
        ("published".to_owned(), AttributeValue::Bool(true)),
    ])
}
