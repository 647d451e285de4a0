//! Tells any HTTPS endpoint the current state of an entity, signed by the Standard Webhooks scheme
//! (<https://www.standardwebhooks.com/>). It is how a vendor without a function of its own is reached.

mod client;
mod config;
mod error;
mod mapping;

use serde_json::{Map, Value};
use vendorbridge::auth::AuthSettings;
use vendorbridge::lambda::{Setup, StartError};
use vendorbridge::source::RestSource;
use vendorbridge::vendor::{Invalid, Push, Vendor};
use vendorbridge::{Announcement, Entity, Error};

use client::Client;
use config::Settings;
use mapping::Message;

/// The receiver behind one URL.
struct Receiver {
    client: Client,
    fields: Option<Vec<String>>,
}

/// What this function listens to, asks and pushes.
///
/// # Errors
/// If a setting is missing or a URL may not be called.
pub fn wire(setup: &Setup) -> Result<Vec<Entity>, StartError> {
    let settings: Settings = setup.settings()?;
    let source = RestSource::new(
        setup.http(),
        setup.clock(),
        settings.source_url,
        "/customers/{id}/delivery-preference",
    )?
    .auth(setup.auth(&settings.source_auth, "source")?);
    let signed = AuthSettings::StandardWebhooks {
        field: Some("signing_secret".to_owned()),
    };
    let auth = setup
        .auth(&signed, "vendor")?
        .and(setup.auth(&settings.auth, "vendor")?);
    let client = Client::new(setup.http(), auth, settings.url)?;
    let receiver = Receiver {
        client,
        fields: settings.fields,
    };
    let announcement = Announcement::new("DeliveryPreferenceUpdated", "/customerId").version("/version");
    Ok(vec![
        Entity::new("customer", source, receiver).announced_by(announcement),
    ])
}

impl Vendor for Receiver {
    type Entity = Map<String, Value>;
    type Payload = Map<String, Value>;

    fn map(&self, state: &Self::Entity) -> Result<Self::Payload, Invalid> {
        mapping::state(state, self.fields.as_deref())
    }

    async fn push(&self, push: &mut Push<'_>, state: &Self::Payload) -> Result<String, Error> {
        let message = Message::new(push.entity, push.event_time, push.version, Some(state));
        let id = self.client.send(push, &message).await?;
        Ok(id.unwrap_or_else(|| push.entity.id().to_owned()))
    }

    async fn remove(&self, push: &mut Push<'_>) -> Result<(), Error> {
        let message = Message::new(push.entity, push.event_time, push.version, None);
        self.client.send(push, &message).await.map(|_| ())
    }
}
