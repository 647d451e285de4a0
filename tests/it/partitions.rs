//! The number of a vendor's partitions is changed under a stream of events, as docs/OPERATIONS.md says.

use std::cell::Cell;
use std::collections::HashSet;
use std::time::Duration;

use serde_json::Value;
use vendorbridge::lane::{Partitions, partition};
use vendorbridge::ledger::Status;
use vendorbridge_testkit::cloud::{Stack, World, project, until};
use vendorbridge_testkit::sandbox::infoservice::Preference;
use vendorbridge_tests::{Published, change, changes, notification, outcomes, publish};

use crate::{command, stage};

const VENDOR: &str = "webhook";
const CUSTOMERS: usize = 24;
const WITHIN: Duration = Duration::from_mins(3);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn partitions_come_and_go_under_load() {
    let mut world = stage::world("partitions", |options| {
        options.vendors = vec![VENDOR.to_owned()];
        options.enforce_roles = true;
        options.park_base_seconds = 1;
    })
    .await;
    let mut events = Vec::new();
    assert_eq!(queues(&world).await, ["vendorbridge-webhook.fifo"]);

    // More: pause, deploy, resume.
    let stack = Box::pin(under_load(&world, &mut events, async {
        vendor(&world, &["pause", VENDOR]).await;
        deploy(&world, 2).await
    }))
    .await;
    world.stack = stack;
    Box::pin(under_load(&world, &mut events, async {
        vendor(&world, &["resume", VENDOR]).await;
        settle(&world, &changes(&world, &[1, 2, 3]).await.unwrap()).await;
    }))
    .await;
    settle(&world, &events).await;
    assert_eq!(differences(&world), Vec::<String>::new());
    both_are_used(&world).await;

    // Fewer: pause, keep events where they come in, wait until the other queue is empty, deploy, go on.
    let stack = Box::pin(under_load(&world, &mut events, async {
        vendor(&world, &["pause", VENDOR]).await;
        enable(&world, "webhook.fifo", false).await;
        empty(&world, 1).await;
        deploy(&world, 1).await
    }))
    .await;
    world.stack = stack;
    assert_eq!(queues(&world).await, ["vendorbridge-webhook.fifo"]);
    enable(&world, "webhook.fifo", true).await;
    vendor(&world, &["resume", VENDOR]).await;
    settle(&world, &events).await;

    assert_eq!(differences(&world), Vec::<String>::new());
    assert_eq!(world.queue_depth("DeadLetterQueueUrlwebhook").await.unwrap(), 0);
    assert!(events.len() > 50, "only {} events", events.len());
    eprintln!("partitions: {} events", events.len());
    stage::end(world).await;
}

/// While the second queue's mapping is off, its entities wait there, each in its own lane, and the others do not.
async fn both_are_used(world: &World) {
    let two = Partitions::try_from(2).unwrap();
    let is_second = |customer: &usize| {
        let entity = format!("customer/c-{customer}").parse().unwrap();
        partition(&entity, two) == 1
    };
    let (second, first): (Vec<usize>, Vec<usize>) = (0..CUSTOMERS).partition(is_second);
    assert!(!first.is_empty() && !second.is_empty());
    empty(world, 1).await;
    enable(world, "webhook_1.fifo", false).await;
    let (mut here, mut there) = (Vec::new(), Vec::new());
    for (customers, events) in [(&first, &mut here), (&second, &mut there)] {
        for customer in customers {
            let draft = notification(*customer, change(world, *customer, 77));
            events.extend(publish(world, &[draft]).await.unwrap());
        }
    }
    settle(world, &here).await;
    until("messages in the second partition", WITHIN, async || {
        Ok((depth(world, 1).await == second.len() as u64).then_some(()))
    })
    .await
    .unwrap();
    let waiting = world.events_since(VENDOR, there[0].at).await.unwrap();
    let waiting: HashSet<_> = waiting.iter().map(|record| &record.event_id).collect();
    assert!(there.iter().all(|event| !waiting.contains(&event.event_id)));
    enable(world, "webhook_1.fifo", true).await;
    settle(world, &there).await;
}

/// Customers change and are announced, again and again, until the work is done; the change that has begun is announced, too.
async fn under_load<T>(world: &World, events: &mut Vec<Published>, work: impl Future<Output = T>) -> T {
    let is_done = Cell::new(false);
    let stream = async {
        // The load: nothing is synchronised by it.
        let mut pace = tokio::time::interval(Duration::from_millis(100));
        for customer in (0..CUSTOMERS).cycle() {
            pace.tick().await;
            events.extend(changes(world, &[customer]).await.unwrap());
            if is_done.get() {
                break;
            }
        }
    };
    let work = async {
        let value = work.await;
        is_done.set(true);
        value
    };
    tokio::join!(work, stream).0
}

async fn deploy(world: &World, partitions: u32) -> Stack {
    let mut parameters = world.parameters(&[VENDOR]);
    parameters.insert(format!("{VENDOR}Partitions"), partitions.to_string());
    let template = project().join("template.yaml");
    let name = &world.stack.name;
    let stack = Stack::deploy(&world.aws, name, &template, &parameters, &world.folder).await;
    stack.unwrap()
}

/// Lets the waker run until every event has a final status.
async fn settle(world: &World, events: &[Published]) {
    let waking = async {
        loop {
            world.wake(VENDOR).await.unwrap();
            // Stands in for the schedule, which calls once a minute; nothing is synchronised by it.
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
    };
    let settled = outcomes(world, VENDOR, events, WITHIN, |record| {
        record.status != Status::Parked
    });
    tokio::select! {
        () = waking => {}
        settled = settled => assert_eq!(settled.unwrap().len(), events.len()),
    }
}

/// Where the receiver holds something else than the source.
fn differences(world: &World) -> Vec<String> {
    let held = world.sandbox.webhook.held();
    let preferences = world.sandbox.infoservice.all();
    let is_other = |preference: &&Preference| {
        let state = held
            .get(&preference.customer_id)
            .and_then(|data| data.get("state"));
        state != serde_json::to_value(preference).ok().as_ref()
    };
    let others = preferences.iter().filter(is_other);
    others.map(|preference| preference.customer_id.clone()).collect()
}

/// Turns the mapping of a queue on or off.
async fn enable(world: &World, queue: &str, enabled: bool) {
    let function = world.stack.output(&format!("FunctionName{VENDOR}")).unwrap();
    let mappings = world
        .aws
        .lambda
        .list_event_source_mappings()
        .function_name(function);
    let mappings = mappings.send().await.unwrap();
    let is_wanted = |arn: Option<&str>| arn.is_some_and(|arn| arn.ends_with(&format!("-{queue}")));
    let mapping = mappings
        .event_source_mappings()
        .iter()
        .find(|mapping| is_wanted(mapping.event_source_arn()));
    let id = mapping
        .and_then(|mapping| mapping.uuid())
        .expect("a mapping of the queue");
    let update = world.aws.lambda.update_event_source_mapping();
    update.uuid(id).enabled(enabled).send().await.unwrap();
}

async fn vendor(world: &World, arguments: &[&str]) -> Value {
    let answer = command::run(world, &[&["vendor"], arguments, &["--json"]].concat()).await;
    assert!(
        answer.status.success(),
        "{}",
        String::from_utf8_lossy(&answer.stderr)
    );
    serde_json::from_slice(&answer.stdout).unwrap()
}

/// The names of the vendor's queues, as the command shows them.
async fn queues(world: &World) -> Vec<String> {
    let shown = vendor(world, &["show", VENDOR]).await;
    let queues = shown["queues"].as_array().unwrap();
    queues
        .iter()
        .map(|queue| queue["name"].as_str().unwrap().to_owned())
        .collect()
}

/// Waits until a partition holds no message.
async fn empty(world: &World, partition: usize) {
    let is_empty = async || Ok((depth(world, partition).await == 0).then_some(()));
    until("an empty partition", WITHIN, is_empty).await.unwrap();
}

/// How many messages a partition holds, in flight or not.
async fn depth(world: &World, partition: usize) -> u64 {
    let shown = vendor(world, &["show", VENDOR]).await;
    let queue = &shown["queues"][partition];
    queue["visible"].as_u64().unwrap() + queue["in_flight"].as_u64().unwrap()
}
