//! Stateful stand-ins for the source and the vendors: small working services in one process.
//!
//! Each keeps state, decodes what arrives into its own types, refuses what the real one refuses, can be told
//! to misbehave ([`fault`]) and answers typed questions. They read the vendors' documents on their own and
//! share no code with the functions that call them, so that one misreading does not hide the other.
//!
//! | path | plays |
//! |---|---|
//! | `/algolia/1/indexes/{index}`, the same below `/algolia-1` to `/algolia-3` | the Search API and its other hosts, [`Algolia`] |
//! | `/infoservice/api/v1/customers/{id}/delivery-preference` | the source, [`Infoservice`] |
//! | `/mailchimp/3.0/lists/{list_id}/members/{subscriber_hash}` | the Marketing API, [`Mailchimp`] |
//! | `/webhook` | a receiver of signed deliveries, [`Webhook`] |
//! | `/shop/graphql` | a web shop's backend, [`Shortlists`] |
//! | `/auth0/api/v2/users/{id}` | the Management API, [`Auth0`] |
//! | `/b1s/v2/{resource}` | SAP Business One's Service Layer, [`ServiceLayer`] |
//! | `/porta/rest/{service}/{method}` | PortaBilling's API, [`PortaBilling`] |
//! | `/discovery/api/v1/{resource}/`, `/discovery/oauth2/access_token` | Open edX course-discovery, [`Discovery`] |

pub mod algolia;
pub mod auth0;
mod clock;
mod config;
mod desk;
pub mod discovery;
pub mod fault;
pub mod infoservice;
mod line;
mod log;
pub mod mailchimp;
pub mod portabilling;
mod problem;
pub mod servicelayer;
pub mod shortlist;
pub mod webhook;

use std::{
    io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use axum::Router;
use tokio::{net::TcpListener, sync::watch, task::JoinHandle};

pub use self::{
    algolia::Algolia,
    auth0::Auth0,
    clock::Clock,
    config::SandboxConfig,
    discovery::Discovery,
    fault::{Fault, Faults},
    infoservice::Infoservice,
    log::{Logged, RequestLog},
    mailchimp::Mailchimp,
    portabilling::PortaBilling,
    servicelayer::ServiceLayer,
    shortlist::Shortlists,
    webhook::Webhook,
};
use self::{
    desk::Shared,
    line::{Line, Lines},
};

/// How long [`Sandbox::stop`] waits for answers under way.
const STOP_WITHIN: Duration = Duration::from_secs(5);

/// The running services. Stops when dropped; [`stop`](Self::stop) also waits for it.
pub struct Sandbox {
    /// The Search API.
    pub algolia: Algolia,
    /// The source.
    pub infoservice: Infoservice,
    /// The Marketing API.
    pub mailchimp: Mailchimp,
    /// The receiver of signed deliveries.
    pub webhook: Webhook,
    /// The web shop's backend.
    pub shortlists: Shortlists,
    /// The Management API.
    pub auth0: Auth0,
    /// SAP Business One.
    pub service_layer: ServiceLayer,
    /// PortaBilling.
    pub portabilling: PortaBilling,
    /// Open edX course-discovery.
    pub discovery: Discovery,
    config: SandboxConfig,
    address: SocketAddr,
    log: RequestLog,
    stopping: watch::Sender<bool>,
    server: Option<JoinHandle<()>>,
}

impl Sandbox {
    /// Listens, and serves from then on.
    ///
    /// # Errors
    ///
    /// When the port is taken, or the signing secret is not of the form `whsec_<base64 of 24 to 64 bytes>`
    /// ([`io::ErrorKind::InvalidInput`]).
    pub async fn start(config: SandboxConfig) -> io::Result<Self> {
        let (stopping, stopped) = watch::channel(false);
        let log = RequestLog::new(config.log_requests);
        let shared = Arc::new(Shared {
            clock: config.clock.clone(),
            hold: config.hold,
            log: log.clone(),
            stopping: stopped.clone(),
        });
        let algolia = Algolia::new(&config, &shared);
        let infoservice = Infoservice::new(&config, &shared);
        let mailchimp = Mailchimp::new(&config, &shared);
        let webhook = Webhook::new(&config, &shared)?;
        let shortlists = Shortlists::new(&config, &shared);
        let auth0 = Auth0::new(&config, &shared);
        let service_layer = ServiceLayer::new(&config, &shared);
        let portabilling = PortaBilling::new(&config, &shared);
        let discovery = Discovery::new(&config, &shared);
        let services = Router::new()
            .merge(algolia.router())
            .nest("/infoservice", infoservice.router())
            .nest("/mailchimp", mailchimp.router())
            .nest("/shop", shortlists.router())
            .nest("/auth0", auth0.router())
            .nest("/b1s", service_layer.router())
            .nest("/porta", portabilling.router())
            .nest(discovery::MOUNT, discovery.router())
            .merge(webhook.router())
            .into_make_service_with_connect_info::<Line>();

        let listener = TcpListener::bind((config.bind, config.port.unwrap_or(0))).await?;
        let address = listener.local_addr()?;
        let server =
            axum::serve(Lines::new(listener), services).with_graceful_shutdown(asked_to_stop(stopped));
        let server = tokio::spawn(async move {
            // Infallible in practice: axum keeps accepting whatever a single connection does.
            let _ = server.await;
        });
        Ok(Self {
            algolia,
            infoservice,
            mailchimp,
            webhook,
            shortlists,
            auth0,
            service_layer,
            portabilling,
            discovery,
            config,
            address,
            log,
            stopping,
            server: Some(server),
        })
    }

    /// What it was started with.
    #[must_use]
    pub fn config(&self) -> &SandboxConfig {
        &self.config
    }

    /// `http://host:port`, without a slash at the end.
    #[must_use]
    pub fn url(&self) -> String {
        let host = match self.address.ip() {
            IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
            IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
            ip => ip,
        };
        format!("http://{}", SocketAddr::new(host, self.address.port()))
    }

    /// The Search API's hosts, to which `/1/indexes/…` is appended; the one for writes first.
    #[must_use]
    pub fn algolia_urls(&self) -> Vec<String> {
        algolia::HOSTS
            .iter()
            .map(|host| format!("{}/{host}", self.url()))
            .collect()
    }

    /// The source's base, to which `/customers/{id}/delivery-preference` is appended.
    #[must_use]
    pub fn source_url(&self) -> String {
        format!("{}/infoservice/api/v1", self.url())
    }

    /// The Marketing API's base, to which `/lists/…` is appended.
    #[must_use]
    pub fn mailchimp_url(&self) -> String {
        format!("{}/mailchimp/3.0", self.url())
    }

    /// Where signed deliveries go.
    #[must_use]
    pub fn webhook_url(&self) -> String {
        format!("{}/webhook", self.url())
    }

    /// The web shop's GraphQL endpoint.
    #[must_use]
    pub fn shortlist_url(&self) -> String {
        format!("{}/shop/graphql", self.url())
    }

    /// The Auth0 tenant, to which `/api/v2/users/{id}` and `/oauth/token` are appended.
    #[must_use]
    pub fn auth0_url(&self) -> String {
        format!("{}/auth0", self.url())
    }

    /// The Service Layer's base, to which `/Login`, `/Invoices(1)` … are appended.
    #[must_use]
    pub fn service_layer_url(&self) -> String {
        format!("{}/b1s/v2", self.url())
    }

    /// PortaBilling's base, to which `/{service}/{method}` is appended.
    #[must_use]
    pub fn portabilling_url(&self) -> String {
        format!("{}/porta/rest", self.url())
    }

    /// Course-discovery's base, to which `/api/v1/…` and `/oauth2/access_token` are appended.
    #[must_use]
    pub fn discovery_url(&self) -> String {
        format!("{}{}", self.url(), discovery::MOUNT)
    }

    /// The requests served so far, oldest first; empty unless `log_requests` is set.
    #[must_use]
    pub fn requests(&self) -> Vec<Logged> {
        self.log.entries()
    }

    /// Takes no more connections, lets held requests go and waits for the answers under way (at most five
    /// seconds).
    pub async fn stop(mut self) {
        self.stopping.send_replace(true);
        if let Some(mut server) = self.server.take()
            && tokio::time::timeout(STOP_WITHIN, &mut server).await.is_err()
        {
            server.abort();
        }
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        self.stopping.send_replace(true);
    }
}

/// Returns when the sandbox is stopped or gone.
async fn asked_to_stop(mut stopping: watch::Receiver<bool>) {
    // An error says that the sender is gone, which means the same.
    let _ = stopping.wait_for(|asked| *asked).await;
}

/// A panic in a test's own closure must not turn every later question into a second panic.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
