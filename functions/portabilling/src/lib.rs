//! Keeps the customers of PortaBilling in step with the business partners of SAP Business One, and books its invoices, credit
//! notes and incoming payments there, once each.

mod client;
mod config;
mod error;
mod mapping;
mod transactions;

use std::sync::Arc;

use serde_json::json;
use vendorbridge::auth::Auth;
use vendorbridge::config::ConfigError;
use vendorbridge::lambda::{Setup, StartError};
use vendorbridge::source::ODataSource;
use vendorbridge::source::odata::{KeyKind, ODataClient, ODataEntity};
use vendorbridge::vendor::{Invalid, Push, Vendor};
use vendorbridge::{Announcement, Entity, Error, Stage};

use client::Client;
use config::Settings;
use mapping::{Customer, Kind, PARTNER_FIELDS, Partner};
use transactions::Transactions;

/// The detail type of what happens in B1.
const EVENT: &str = "SapObjectChanged";
/// The member of a document's state that its partner stands in.
const PARTNER: &str = "Partner";

/// Customers. They are found by the reference number, which is the `CardCode`.
struct Customers {
    shared: Arc<Shared>,
    client: Client,
}

/// What both kinds of vendor need: the way back to B1.
struct Shared {
    settings: Settings,
    sap: ODataClient,
    partners: ODataEntity,
}

/// What this function listens to, asks and pushes.
///
/// # Errors
/// If a setting is missing or a URL may not be called.
pub fn wire(setup: &Setup) -> Result<Vec<Entity>, StartError> {
    let settings: Settings = setup.settings()?;
    let rules = Arc::new(settings.rules().map_err(|error| not_usable(&error))?);
    // One session for all that is read and written back, and one for all that is pushed.
    let sap_auth = setup.auth(&settings.sap_auth().map_err(|error| not_usable(&error))?, "sap")?;
    let auth = setup.auth(
        &settings.auth().map_err(|error| not_usable(&error))?,
        "portabilling",
    )?;
    let sap = ODataClient::new(setup.http(), setup.clock(), settings.sap_url.clone())?.auth(sap_auth.clone());
    let link_field = settings.link_field.as_str().to_owned();
    let mut fields = PARTNER_FIELDS.to_vec();
    fields.push(&link_field);
    let partners = ODataEntity::new("BusinessPartners", KeyKind::Text, &fields)?;
    let shared = Arc::new(Shared {
        settings,
        sap,
        partners,
    });
    let source = |entity: ODataEntity, key: &str| -> Result<ODataSource, StartError> {
        let base = shared.settings.sap_url.clone();
        let source = ODataSource::new(setup.http(), setup.clock(), base, entity)?;
        Ok(source.auth(sap_auth.clone()).keyed_by(key)?)
    };
    let announced = |object_type: &str| {
        Announcement::new(EVENT, "/key")
            .only_if("/object_type", object_type)
            .ruled_by(&rules)
    };
    let client = |auth: &Auth| Client::new(setup.http(), auth.clone(), shared.settings.url.clone());
    let customers = Customers {
        shared: Arc::clone(&shared),
        client: client(&auth)?,
    };
    let mut entities = vec![
        Entity::new("partner", source(shared.partners.clone(), "CardCode")?, customers)
            .ruled_by(&rules)
            .announced_by(announced("2")),
    ];
    for kind in [Kind::Invoice, Kind::CreditNote, Kind::Payment] {
        let mut fields = kind.fields();
        fields.push(&link_field);
        let documents = ODataEntity::new(kind.collection(), KeyKind::Number, &fields)?;
        let source =
            source(documents.clone(), "DocEntry")?.with(PARTNER, "/CardCode", shared.partners.clone())?;
        let transactions = Transactions::new(kind, Arc::clone(&shared), client(&auth)?, documents);
        entities.push(
            Entity::new(kind.entity_type(), source, transactions)
                .ruled_by(&rules)
                .announced_by(announced(kind.object_type())),
        );
    }
    Ok(entities)
}

fn not_usable(error: &serde_json::Error) -> StartError {
    StartError::from(ConfigError::new(
        "VENDOR_SETTINGS",
        "a JSON object with usable rules",
        error.to_string(),
    ))
}

impl Shared {
    /// Writes the id at PortaBilling into the record of B1, unless it stands there. Repeatable.
    async fn link_back(
        &self,
        entity: &ODataEntity,
        key: &str,
        linked: Option<&str>,
        id: &str,
    ) -> Result<(), Error> {
        if linked == Some(id) {
            return Ok(());
        }
        let change = json!({self.settings.link_field.as_str(): id});
        self.sap
            .patch(entity, key, &change, Stage::Link)
            .await
            .map_err(|error| error.at_stage(Stage::Link).in_step("link"))
    }
}

impl Vendor for Customers {
    type Entity = Partner;
    type Payload = Customer;

    fn map(&self, partner: &Partner) -> Result<Customer, Invalid> {
        partner.customer(&self.shared.settings)
    }

    async fn push(&self, push: &mut Push<'_>, customer: &Customer) -> Result<String, Error> {
        let linked = push.link.as_deref().and_then(|link| link.parse().ok());
        let step = self.client.put(push.now, customer, linked);
        let id = step.await.map_err(|error| error.in_step("customer"))?.to_string();
        push.set_link(Some(id.clone()));
        let linked = customer.linked.as_deref();
        self.shared
            .link_back(&self.shared.partners, push.entity.id(), linked, &id)
            .await?;
        Ok(id)
    }

    async fn remove(&self, push: &mut Push<'_>) -> Result<(), Error> {
        self.client.terminate(push.now, push.entity.id()).await
    }
}
