//! Tells any HTTPS endpoint the current state of an entity, signed by the Standard Webhooks scheme
//! (<https://www.standardwebhooks.com/>). It is how a vendor without a function of its own is reached.

mod client;
mod config;
mod error;
mod mapping;

use serde_json::{Map, Value, json};
use vendorbridge::auth::AuthSettings;
use vendorbridge::lambda::{Setup, StartError};
use vendorbridge::source::{GraphQlQuery, GraphQlSource, RestSource};
use vendorbridge::vendor::{Invalid, Push, Vendor};
use vendorbridge::{Announcement, Entity, Error};

use client::Client;
use config::{Settings, ShortlistSettings};
use mapping::Message;

/// What the web shop is asked of a shortlist.
const SHORTLIST: &str = "query Shortlist($id: ID!) {
  shortlist(id: $id) { id userId revision name items { sku price { amount currency } } }
}";

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
    let signed = AuthSettings::StandardWebhooks {
        field: Some("signing_secret".to_owned()),
    };
    let auth = setup
        .auth(&signed, "vendor")?
        .and(setup.auth(&settings.auth, "vendor")?);
    let receiver = |fields| -> Result<Receiver, StartError> {
        let client = Client::new(setup.http(), auth.clone(), settings.url.clone())?;
        Ok(Receiver { client, fields })
    };
    let source = RestSource::new(
        setup.http(),
        setup.clock(),
        settings.source_url,
        "/customers/{id}/delivery-preference",
    )?
    .auth(setup.auth(&settings.source_auth, "source")?);
    let announcement = Announcement::new("DeliveryPreferenceUpdated", "/customerId").version("/version");
    let customers = Entity::new("customer", source, receiver(settings.fields)?).announced_by(announcement);
    let mut entities = vec![customers];
    if let Some(shortlist) = settings.shortlist {
        let source = shortlists(setup, &shortlist)?;
        let announcement = Announcement::new("ShortlistChanged", "/shortlistId").version("/revision");
        let receiver = receiver(shortlist.fields)?;
        entities.push(Entity::new("shortlist", source, receiver).announced_by(announcement));
    }
    Ok(entities)
}

fn shortlists(setup: &Setup, settings: &ShortlistSettings) -> Result<GraphQlSource, StartError> {
    let query = GraphQlQuery {
        document: SHORTLIST.to_owned(),
        operation: Some("Shortlist".to_owned()),
        variables: json!({"id": "{id}"}),
        state: "/data/shortlist".to_owned(),
    };
    let source = GraphQlSource::new(setup.http(), setup.clock(), settings.url.clone(), query)?
        .version_field("/revision")
        .harmless(settings.harmless.iter().map(String::as_str));
    let source = match &settings.auth {
        Some(auth) => source.auth(setup.auth(auth, "shortlist")?),
        None => source,
    };
    Ok(if settings.persisted_query {
        source.persisted()
    } else {
        source
    })
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
