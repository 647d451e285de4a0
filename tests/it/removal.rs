//! A vendor is removed from the template, and comes back; the other one does not notice.

use std::time::Duration;

use vendorbridge::ledger::Status;
use vendorbridge_testkit::cloud::{Stack, World, project, without_vendor};
use vendorbridge_tests::{changes, differences, email, outcomes, settle_everything};

use crate::stage;

const WITHIN: Duration = Duration::from_mins(1);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_vendor_can_be_removed_and_added_back() {
    let mut world = stage::world("removal", |_| {}).await;
    let first = changes(&world, &[1]).await.unwrap();
    settle_everything(&world, &first, WITHIN).await.unwrap();

    let work = world.folder.join("without-webhook");
    let template = without_vendor("webhook", &work).unwrap();
    deploy(&mut world, &template, &["mailchimp"]).await;
    assert_eq!(world.stack.deployment.vendors, ["mailchimp"]);
    assert!(world.stack.output("QueueUrlwebhook").is_err());
    let second = changes(&world, &[2]).await.unwrap();
    let records = outcomes(&world, "mailchimp", &second, WITHIN, |_| true)
        .await
        .unwrap();
    assert_eq!(records[0].status, Status::Synced);
    assert!(world.sandbox.mailchimp.member("a1b2c3d4e5", &email(2)).is_some());
    assert_eq!(world.sandbox.webhook.last("c-2"), None);

    deploy(
        &mut world,
        &project().join("template.yaml"),
        &["mailchimp", "webhook"],
    )
    .await;
    world.set_secrets().await.unwrap();
    let third = changes(&world, &[1, 2]).await.unwrap();
    settle_everything(&world, &third, WITHIN).await.unwrap();
    assert_eq!(differences(&world), Vec::<String>::new());
    stage::end(world).await;
}

async fn deploy(world: &mut World, template: &std::path::Path, vendors: &[&str]) {
    let parameters = world.parameters(vendors);
    let stack = Stack::deploy(
        &world.aws,
        &world.stack.name,
        template,
        &parameters,
        &world.folder,
    )
    .await;
    world.stack = stack.unwrap();
}
