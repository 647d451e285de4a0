//! What each vendor of the local cloud is told: settings that point to the sandbox, and the secrets that it expects.

use serde_json::{Value, json};

use super::Inventory;
use crate::sandbox::{Sandbox, SandboxConfig};

/// The vendors that a world deploys unless it is told otherwise.
pub(super) const VENDORS: [&str; 2] = ["mailchimp", "webhook"];
/// The audience that the sandbox's Mailchimp has.
const LIST: &str = "a1b2c3d4e5";
/// Stands in for the source of Auth0's event stream: `aws.` is reserved.
pub const AUTH0_SOURCE: &str = "auth0.test/acme";
/// The same for its log stream.
pub const AUTH0_LOG_SOURCE: &str = "auth0.test/acme/auth0.logs";

/// `VENDOR_SETTINGS`. `reachable` turns an address of the sandbox into the one that functions reach it under.
pub(super) fn settings(
    vendor: &str,
    sandbox: &Sandbox,
    inventory: &Inventory,
    reachable: &dyn Fn(String) -> String,
) -> Value {
    let source = reachable(sandbox.source_url());
    match vendor {
        "mailchimp" => json!({
            "source_url": source, "list_id": LIST, "api_url": reachable(sandbox.mailchimp_url()),
            "status_if_new": "subscribed",
        }),
        "algolia" => json!({
            "app_id": "SANDBOX", "index": "inventory", "table": inventory.table, "key": { "pk": "{id}" },
        }),
        _ => json!({"source_url": source, "url": reachable(sandbox.webhook_url())}),
    }
}

/// The value of the vendor's secret.
pub(super) fn secret(vendor: &str, config: &SandboxConfig) -> Value {
    match vendor {
        "mailchimp" => json!({"api_key": config.api_key, "source_token": config.source_token}),
        "algolia" => json!({"api_key": config.api_key}),
        _ => json!({"signing_secret": config.signing_secret, "source_token": config.source_token}),
    }
}
