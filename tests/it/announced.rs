//! What the stack announces itself: changes of a database, and outcomes.

use std::collections::HashMap;
use std::time::Duration;

use aws_sdk_dynamodb::types::AttributeValue;
use serde_json::{Value, json};
use vendorbridge_testkit::cloud::{World, until};
use vendorbridge_testkit::sandbox::infoservice::{Channel, NewPreference};
use vendorbridge_tests::{VENDORS, announcement, changes, publish, settle_everything};

use crate::stage;

const WITHIN: Duration = Duration::from_mins(1);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn changes_of_the_inventory_and_outcomes_reach_the_bus() {
    let world = stage::world("announced", |options| options.enforce_roles = true).await;
    inventory(&world).await;
    outcomes(&world).await;
    assert_eq!(world.queue_depth("ChangesFailureQueueUrl").await.unwrap(), 0);
    stage::end(world).await;
}

async fn inventory(world: &World) {
    const ID: &str = "SKU#blackTShirt-M";
    let tap = world
        .tap("inventory", &json!({ "detail-type": ["InventoryItemChanged"] }))
        .await
        .unwrap();
    for stock in ["12", "11"] {
        let item = HashMap::from([
            ("pk".to_owned(), AttributeValue::S(ID.to_owned())),
            ("stock".to_owned(), AttributeValue::N(stock.to_owned())),
        ]);
        world.inventory.put(&world.aws, item).await.unwrap();
    }
    world.inventory.remove(&world.aws, ID).await.unwrap();
    let events = until("the inventory's events", WITHIN, async || {
        let events = tap.received(&world.aws).await?;
        Ok((events.len() >= 3).then_some(events))
    })
    .await
    .unwrap();
    let mut details: Vec<Value> = events.iter().map(|event| event["detail"].clone()).collect();
    // A standard queue keeps no order; the sequence number does.
    let sequence = |detail: &Value| {
        let digits = detail["sequence"].as_str().unwrap().to_owned();
        (digits.len(), digits)
    };
    details.sort_by_key(sequence);
    let changes: Vec<_> = details
        .iter()
        .map(|detail| detail["change"].as_str().unwrap())
        .collect();
    assert_eq!(changes, ["INSERT", "MODIFY", "REMOVE"]);
    for (event, detail) in events.iter().zip(&details) {
        assert_eq!(
            (&event["source"], &detail["id"], &detail["keys"]),
            (&json!("inventory"), &json!(ID), &json!({ "pk": ID }))
        );
    }
}

async fn outcomes(world: &World) {
    // Mailchimp cannot take a customer without an address; the webhook can.
    let version = world.sandbox.infoservice.put(NewPreference {
        channel: Channel::Paper,
        email: None,
        ..NewPreference::by_email("c-2", "")
    });
    let mut events = changes(world, &[1]).await.unwrap();
    events.extend(
        publish(world, &[announcement("c-2", Some(version))])
            .await
            .unwrap(),
    );
    settle_everything(world, &events, WITHIN).await.unwrap();
    // The same customer again, in another state: the link stays, and nobody is told.
    let again = changes(world, &[1]).await.unwrap();
    settle_everything(world, &again, WITHIN).await.unwrap();
    // The last word of the ledger's stream: whatever was told before it is here by then.
    let last = changes(world, &[3]).await.unwrap();
    settle_everything(world, &last, WITHIN).await.unwrap();

    let mut expected = vec![(
        "SyncRejected".to_owned(),
        "mailchimp".to_owned(),
        "customer/c-2".to_owned(),
    )];
    for vendor in VENDORS {
        for customer in ["c-1", "c-2", "c-3"] {
            if (vendor, customer) != ("mailchimp", "c-2") {
                let entity = format!("customer/{customer}");
                expected.push(("SyncSucceeded".to_owned(), vendor.to_owned(), entity));
            }
        }
    }
    expected.sort();
    let told = until("the outcomes", WITHIN, async || {
        let told = world.outcomes().await?;
        let has_last = VENDORS.iter().all(|vendor| {
            told.iter().any(|event| {
                event["detail"]["vendor"] == *vendor && event["detail"]["entity"] == "customer/c-3"
            })
        });
        Ok(has_last.then_some(told))
    })
    .await
    .unwrap();
    let text = |event: &Value, pointer: &str| {
        event
            .pointer(pointer)
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_owned()
    };
    let mut found: Vec<_> = told
        .iter()
        .map(|event| {
            (
                text(event, "/detail-type"),
                text(event, "/detail/vendor"),
                text(event, "/detail/entity"),
            )
        })
        .collect();
    found.sort();
    assert_eq!(found, expected);
    let rejected = told
        .iter()
        .find(|event| event["detail-type"] == "SyncRejected")
        .unwrap();
    assert_eq!(
        (
            &rejected["detail"]["reason"]["pointer"],
            &rejected["detail"]["event_id"]
        ),
        (&json!("/email"), &json!(events[1].event_id))
    );
}
