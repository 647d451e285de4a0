//! Changes at the source, and their notifications.

use jiff::Timestamp;
use serde_json::{Value, json};
use vendorbridge::clock::{Clock, SystemClock};
use vendorbridge_cli::publish::{self, Draft};
use vendorbridge_testkit::cloud::{CloudError, World};
use vendorbridge_testkit::sandbox::infoservice::{Channel, NewPreference};

/// An event on its way.
#[derive(Debug, Clone)]
pub struct Published {
    /// The id that EventBridge gave it.
    pub event_id: String,
    /// Just before PutEvents was called.
    pub at: Timestamp,
}

/// The address of a customer in these tests.
#[must_use]
pub fn email(customer: usize) -> String {
    format!("customer-{customer}@mail.example")
}

/// Changes a customer at the source; `round` makes the state differ from any other. Answers with the version.
pub fn change(world: &World, customer: usize, round: usize) -> u64 {
    world.sandbox.infoservice.put(NewPreference {
        channel: [Channel::Email, Channel::Paper, Channel::Both][round % 3],
        first_name: format!("Name {round}"),
        ..NewPreference::by_email(&format!("c-{customer}"), &email(customer))
    })
}

/// A notification that a customer has a version.
#[must_use]
pub fn notification(customer: usize, version: u64) -> Draft {
    announcement(&format!("c-{customer}"), Some(version))
}

/// A notification that a customer changed; one that was deleted has no version.
#[must_use]
pub fn announcement(customer_id: &str, version: Option<u64>) -> Draft {
    Draft {
        source: "infoservice".to_owned(),
        detail_type: "DeliveryPreferenceUpdated".to_owned(),
        detail: json!({"customerId": customer_id, "version": version}),
        resources: Vec::new(),
        file: "a test".to_owned(),
        number: 1,
    }
}

/// An event in its whole envelope, as another source would send it.
///
/// # Errors
/// If it is no event.
pub fn event_of(source: &str, mut envelope: Value) -> Result<Draft, CloudError> {
    envelope["source"] = source.into();
    let mut drafts = publish::parse("a test", envelope.to_string().as_bytes())?;
    drafts.pop().ok_or_else(|| CloudError::Late {
        what: "an event in what was read".to_owned(),
        seconds: 0,
    })
}

/// Changes customers and announces each change, ten to a request.
///
/// # Errors
/// If the bus refuses one.
pub async fn changes(world: &World, customers: &[usize]) -> Result<Vec<Published>, CloudError> {
    let mut published = Vec::with_capacity(customers.len());
    for (batch, customers) in customers.chunks(10).enumerate() {
        let announce = |(at, customer): (usize, &usize)| {
            notification(*customer, change(world, *customer, batch * 10 + at))
        };
        let drafts: Vec<_> = customers.iter().enumerate().map(announce).collect();
        published.extend(publish(world, &drafts).await?);
    }
    Ok(published)
}

/// Publishes events as they are.
///
/// # Errors
/// If the bus refuses one.
pub async fn publish(world: &World, drafts: &[Draft]) -> Result<Vec<Published>, CloudError> {
    let at = SystemClock.now();
    let ids = publish::publish(&world.aws.eventbridge, &world.stack.deployment.bus, drafts).await?;
    Ok(ids
        .into_iter()
        .map(|event_id| Published { event_id, at })
        .collect())
}
