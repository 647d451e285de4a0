//! A function before a Service Layer.

use std::sync::Arc;

use futures::future::BoxFuture;
use serde_json::json;
use vendorbridge::Error;
use vendorbridge::auth::{Auth, AuthSettings};
use vendorbridge::clock::{Clock, SystemClock};
use vendorbridge::config::Config;
use vendorbridge::http::Http;
use vendorbridge::lambda::Setup;
use vendorbridge::secret::{SecretText, Secrets};
use vendorbridge::source::Fetched;
use vendorbridge::source::odata::{KeyKind, ODataClient, ODataEntity, ODataSource};
use vendorbridge_testkit::memory::ManualClock;

use super::server::{Change, ServiceLayer, Tags};
use super::{INVOICE, LINDA};

struct FixedSecret;

impl Secrets for FixedSecret {
    fn fetch(&self) -> BoxFuture<'_, Result<SecretText, Error>> {
        let secret = json!({"sap_user": "manager", "sap_password": "hunter2"});
        Box::pin(async move { Ok(SecretText::fixed(secret.to_string())) })
    }
}

/// A function before a Service Layer.
pub(super) struct Stand {
    pub(super) layer: ServiceLayer,
    pub(super) clock: Arc<ManualClock>,
    http: Http,
    auth: Auth,
}

impl Stand {
    /// Invoice 1 is the partner C1's, Linda's.
    pub(super) async fn start(tags: Tags) -> Self {
        let layer = ServiceLayer::start(tags).await;
        {
            let mut books = layer.books();
            books.put(INVOICE, &json!({"DocEntry": 1, "CardCode": "C1", "Total": 1}));
            books.put(
                LINDA,
                &json!({"CardCode": "C1", "CardName": "Linda", "U_Link": null}),
            );
        }
        let lookup = |name: &str| match name {
            "VENDOR" => Some("acme".to_owned()),
            "QUEUE_URL" | "LEDGER_TABLE" | "VENDOR_SECRET" => Some("in memory".to_owned()),
            "VENDOR_SETTINGS" => Some("{}".to_owned()),
            _ => None,
        };
        let http = Http::new(true).unwrap();
        let clock = Arc::new(ManualClock::new(SystemClock.now()));
        let config = Config::read(&lookup).unwrap();
        let setup = Setup::new(
            config,
            http.clone(),
            Arc::clone(&clock) as _,
            Box::new(FixedSecret),
        );
        let settings: AuthSettings = serde_json::from_value(json!({
            "kind": "session", "login_url": format!("{}/Login", layer.base),
            "document": {"CompanyDB": "SBODEMOUS"},
            "secrets": {"/UserName": "user", "/Password": "password"},
            "session": {"from": "cookies", "names": ["B1SESSION", "ROUTEID"]},
            "expired": [{"status": 401, "pointer": "/error/code", "codes": ["301"]}],
        }))
        .unwrap();
        let auth = setup.auth(&settings, "sap").unwrap();
        Self {
            layer,
            clock,
            http,
            auth,
        }
    }

    pub(super) fn source(&self, entity: ODataEntity) -> ODataSource {
        let clock = Arc::clone(&self.clock) as _;
        ODataSource::new(self.http.clone(), clock, self.layer.base.clone(), entity)
            .unwrap()
            .auth(self.auth.clone())
    }

    pub(super) fn client(&self) -> ODataClient {
        let clock = Arc::clone(&self.clock) as _;
        ODataClient::new(self.http.clone(), clock, self.layer.base.clone())
            .unwrap()
            .auth(self.auth.clone())
    }

    /// Invoices with their partner.
    pub(super) fn invoices(&self) -> ODataSource {
        self.source(invoices())
            .with("Partner", "/CardCode", partners())
            .unwrap()
    }

    pub(super) async fn invoice(&self) -> Result<Fetched, Error> {
        super::fetch(&self.invoices(), "1").await
    }

    pub(super) fn then(&self, changes: impl IntoIterator<Item = Change>) {
        self.layer.books().then(changes);
    }
}

pub(super) fn invoices() -> ODataEntity {
    ODataEntity::new("Invoices", KeyKind::Number, &["CardCode", "Total"]).unwrap()
}

pub(super) fn partners() -> ODataEntity {
    ODataEntity::new("BusinessPartners", KeyKind::Text, &["CardName"]).unwrap()
}
