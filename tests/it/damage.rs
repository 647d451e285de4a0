//! A ledger that somebody wrote into by hand.

use aws_sdk_dynamodb::types::AttributeValue;
use vendorbridge::ledger::EventRecord;
use vendorbridge_testkit::cloud::World;

/// What a damaged record holds, and nobody is to see.
pub(crate) const CONTENT: &str = "what-it-holds";

/// Writes a record with the keys of this event that has a status that nobody knows, and no time.
pub(crate) async fn damage(world: &World, event: &EventRecord) {
    let put = world.aws.dynamodb.put_item();
    let put = put.table_name(&world.stack.deployment.table);
    let text = |text: &str| AttributeValue::S(text.to_owned());
    put.item("pk", text(&event.partition_key()))
        .item("sk", text(&event.sort_key()))
        .item("entity", text(&event.entity))
        .item("status", text(CONTENT))
        .item("settled_at", text(&event.settled_at.to_string()))
        .send()
        .await
        .unwrap();
}
