//! What each vendor of the local cloud is told: settings that point to the sandbox, and the secrets that it expects.

use serde_json::{Value, json};

use super::Inventory;
use crate::conformance::infoservice;
use crate::sandbox::{Sandbox, SandboxConfig};

/// The vendors that a world deploys unless it is told otherwise.
pub(super) const VENDORS: [&str; 2] = ["mailchimp", "webhook"];
/// All vendors of the template.
pub const ALL_VENDORS: [&str; 5] = ["mailchimp", "webhook", "algolia", "portabilling", "discovery"];
/// The index that the local cloud fills.
pub const INDEX: &str = "inventory";
/// How long the local PortaBilling may hide a transaction.
const XDR_DELAY_SECONDS: u32 = 3;
/// The audience that the sandbox's Mailchimp has.
const LIST: &str = "a1b2c3d4e5";
/// Stands in for the source of Auth0's event stream: `aws.` is reserved.
pub const AUTH0_SOURCE: &str = "auth0.test/acme";
/// The same for its log stream.
pub const AUTH0_LOG_SOURCE: &str = "auth0.test/acme/auth0.logs";

/// The company of SAP Business One whose events the local cloud takes.
pub const COMPANY: &str = "SBODEMOUS";
/// What its events are sent with.
pub const INGEST_TOKEN: &str = "ingest-3f9a1c7e5b2d8046";

/// `VENDOR_SETTINGS`. `reachable` turns an address of the sandbox into the one that functions reach it under.
pub(super) fn settings(
    vendor: &str,
    sandbox: &Sandbox,
    inventory: &Inventory,
    reachable: &dyn Fn(String) -> String,
) -> Value {
    let source = reachable(sandbox.source_url());
    let auth0 = reachable(sandbox.auth0_url());
    match vendor {
        "mailchimp" => json!({
            "source_url": source, "source_list": infoservice::list(true), "list_id": LIST, "api_url": reachable(sandbox.mailchimp_url()),
            "status_if_new": "subscribed",
            "users": {
                "status_if_new": "subscribed", "auth0_url": auth0,
                "auth": {
                    "kind": "client-credentials", "token_url": format!("{auth0}/oauth/token"),
                    "audience": format!("{auth0}/api/v2/"), "client_auth": "body",
                },
            },
        }),
        "algolia" => json!({
            "source": { "table": inventory.table, "key": { "pk": "{id}" } },
            "app_id": sandbox.config().algolia_app_id, "index": INDEX,
            "hosts": sandbox.algolia_urls().into_iter().map(reachable).collect::<Vec<_>>(),
        }),
        "portabilling" => json!({
            "sap_url": reachable(sandbox.service_layer_url()), "company": sandbox.config().service_layer_company,
            "sap_user": sandbox.config().service_layer_user, "url": reachable(sandbox.portabilling_url()),
            "login": sandbox.config().portabilling_login, "local_currency": "EUR", "xdr_delay_seconds": XDR_DELAY_SECONDS,
        }),
        "discovery" => {
            let url = reachable(sandbox.discovery_url());
            let token_url = format!("{url}/oauth2/access_token");
            json!({
                "url": url,
                "auth": {
                    "kind": "client-credentials", "token_url": token_url, "client_auth": "body", "scheme": "JWT",
                    "parameters": { "token_type": "jwt" },
                },
                "course_type": sandbox.config().discovery_course_type, "run_type": sandbox.config().discovery_run_type,
                "product_source": sandbox.config().discovery_product_source,
            })
        }
        _ => json!({
            "source_url": source, "url": reachable(sandbox.webhook_url()),
            "shortlist": {
                "url": reachable(sandbox.shortlist_url()), "auth": { "kind": "bearer" }, "persisted_query": true,
            },
        }),
    }
}

/// The value of the vendor's secret.
pub(super) fn secret(vendor: &str, config: &SandboxConfig) -> Value {
    match vendor {
        "mailchimp" => json!({
            "api_key": config.api_key, "source_token": config.source_token,
            "auth0_client_id": config.auth0_client_id, "auth0_client_secret": config.auth0_client_secret,
        }),
        "algolia" => json!({"api_key": config.algolia_api_key}),
        "portabilling" => json!({
            "sap_password": config.service_layer_password, "portabilling_password": config.portabilling_password,
        }),
        "discovery" => json!({
            "discovery_client_id": config.discovery_client_id,
            "discovery_client_secret": config.discovery_client_secret,
        }),
        _ => json!({
            "signing_secret": config.signing_secret, "source_token": config.source_token,
            "shortlist_token": config.shortlist_token,
        }),
    }
}

/// The value of the secret that senders of events are checked against.
pub(super) fn ingest_secret() -> Value {
    json!({ "sapb1_user": "b1if", "sapb1_password": "b1if-77c0e4d2a9f81b35", "sapb1_token": INGEST_TOKEN })
}
