//! What a sandbox is started with.

use std::{
    net::{IpAddr, Ipv4Addr},
    time::Duration,
};

use super::{Clock, discovery};

/// What a sandbox is started with. The defaults are made up and open nothing but a sandbox.
#[derive(Clone)]
pub struct SandboxConfig {
    /// The address to listen on. Default: 127.0.0.1.
    pub bind: IpAddr,
    /// The port to listen on; `None`, the default, takes a free one.
    pub port: Option<u16>,
    /// The id of the Algolia application.
    pub algolia_app_id: String,
    /// The API key that Algolia expects; it may write and delete.
    pub algolia_api_key: String,
    /// How many bytes Algolia lets a record have.
    ///
    /// Default: 10,000, the smallest plan's: <https://www.algolia.com/doc/guides/scaling/algolia-service-limits/>.
    pub algolia_record_bytes: usize,
    /// How long Algolia takes until a task is published. Default: 300 ms.
    pub algolia_publishes_after: Duration,
    /// The token that the source expects.
    pub source_token: String,
    /// The API key that Mailchimp expects, ending in its data centre.
    pub api_key: String,
    /// The ids of the lists (audiences) that exist.
    pub lists: Vec<String>,
    /// How many requests Mailchimp serves at a time before it answers 429.
    ///
    /// Default: 10, "10 simultaneous connections" in
    /// <https://mailchimp.com/developer/marketing/docs/fundamentals/#api-limits>.
    pub connections: usize,
    /// Whether Mailchimp refuses reserved addresses such as `@example.com` as the real one does. Default: no,
    /// so that examples can use them.
    pub refuse_reserved_addresses: bool,
    /// The secret that the webhook's deliveries are signed with: `whsec_<base64>`.
    pub signing_secret: String,
    /// The token that the web shop's backend expects.
    pub shortlist_token: String,
    /// The client that Auth0 gives tokens to.
    pub auth0_client_id: String,
    /// Its secret.
    pub auth0_client_secret: String,
    /// The company database that the Service Layer serves.
    pub service_layer_company: String,
    /// The user that may log in to the Service Layer. What is done by hand is done by `manager`.
    pub service_layer_user: String,
    /// Its password.
    pub service_layer_password: String,
    /// The user that may log in to PortaBilling.
    pub portabilling_login: String,
    /// Its password.
    pub portabilling_password: String,
    /// Its API token, which it may log in with instead of the password.
    pub portabilling_token: String,
    /// The client that course-discovery's LMS gives tokens to.
    pub discovery_client_id: String,
    /// Its secret.
    pub discovery_client_secret: String,
    /// The organisation that course-discovery has, by its key. Default: [`discovery::ORGANIZATION`].
    pub discovery_organization: String,
    /// Its product source, by its slug. Default: [`discovery::PRODUCT_SOURCE`].
    pub discovery_product_source: String,
    /// Its course type, by its uuid. Default: [`discovery::COURSE_TYPE`].
    pub discovery_course_type: String,
    /// Its run type, by its uuid. Default: [`discovery::RUN_TYPE`].
    pub discovery_run_type: String,
    /// How long a request that is not to be answered is held before its connection is closed.
    ///
    /// Default: 120 s, Mailchimp's own call timeout (same page as `connections`).
    pub hold: Duration,
    /// Whether [`Sandbox::requests`](super::Sandbox::requests) has something to tell. Default: no.
    pub log_requests: bool,
    /// Where the time comes from. Default: the system.
    pub clock: Clock,
}

impl Default for SandboxConfig {
    fn default() -> Self {
        Self {
            bind: Ipv4Addr::LOCALHOST.into(),
            port: None,
            algolia_app_id: "SANDBOXAPP".to_owned(),
            algolia_api_key: "sandbox-algolia-key".to_owned(),
            algolia_record_bytes: 10_000,
            algolia_publishes_after: Duration::from_millis(300),
            source_token: "sandbox-source-token".to_owned(),
            api_key: "sandbox-api-key-us21".to_owned(),
            lists: vec!["a1b2c3d4e5".to_owned()],
            connections: 10,
            refuse_reserved_addresses: false,
            signing_secret: "whsec_dmVuZG9yYnJpZGdlLXNhbmRib3gtc2lnbmluZy1rZXk=".to_owned(),
            shortlist_token: "sandbox-shortlist-token".to_owned(),
            auth0_client_id: "sandbox-client".to_owned(),
            auth0_client_secret: "sandbox-client-secret".to_owned(),
            service_layer_company: "SBODEMOUS".to_owned(),
            service_layer_user: "vendorbridge".to_owned(),
            service_layer_password: "sandbox-service-layer-password".to_owned(),
            portabilling_login: "vendorbridge".to_owned(),
            portabilling_password: "sandbox-portabilling-password".to_owned(),
            portabilling_token: "sandbox-portabilling-token".to_owned(),
            discovery_client_id: "sandbox-discovery-client".to_owned(),
            discovery_client_secret: "sandbox-discovery-secret".to_owned(),
            discovery_organization: discovery::ORGANIZATION.to_owned(),
            discovery_product_source: discovery::PRODUCT_SOURCE.to_owned(),
            discovery_course_type: discovery::COURSE_TYPE.to_owned(),
            discovery_run_type: discovery::RUN_TYPE.to_owned(),
            hold: Duration::from_mins(2),
            log_requests: false,
            clock: Clock::system(),
        }
    }
}
