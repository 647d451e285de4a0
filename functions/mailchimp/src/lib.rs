//! Keeps the members of a Mailchimp audience in step with the customers' delivery preferences.

mod client;
mod config;
mod error;
mod mapping;

use vendorbridge::lambda::{Setup, StartError};
use vendorbridge::source::RestSource;
use vendorbridge::vendor::{Invalid, Push, Vendor};
use vendorbridge::{Announcement, Entity, Error};

use client::Client;
use config::Settings;
use mapping::{Member, Preference};

/// Members of one audience. The natural key is the MD5 of the lower-case address.
struct Members {
    client: Client,
    settings: Settings,
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
        settings.source_url.clone(),
        "/customers/{id}/delivery-preference",
    )?
    .auth(setup.auth(&settings.source_auth, "source")?);
    let client = Client::new(
        setup.http(),
        setup.auth(&settings.auth, "vendor")?,
        setup.secret("api_key"),
        &settings,
    )?;
    let members = Members { client, settings };
    let announcement = Announcement::new("DeliveryPreferenceUpdated", "/customerId").version("/version");
    Ok(vec![
        Entity::new("customer", source, members).announced_by(announcement),
    ])
}

impl Vendor for Members {
    type Entity = Preference;
    type Payload = Member;

    fn map(&self, preference: &Preference) -> Result<Member, Invalid> {
        mapping::member(preference, self.settings.status_if_new)
    }

    fn link(&self, member: &Member) -> Option<String> {
        Some(member.subscriber_hash())
    }

    async fn push(&self, push: &mut Push<'_>, member: &Member) -> Result<String, Error> {
        let hash = member.subscriber_hash();
        match push.link.as_deref() {
            Some(known) if known == hash => self.client.put(push.now, member).await?,
            Some(old) => self.client.rename(push.now, old, member).await?,
            None => self.client.claim(push.now, member).await?,
        }
        for left in push.maybe_links.iter().filter(|left| **left != hash) {
            self.client.archive(push.now, left, member.owner()).await?;
        }
        Ok(hash)
    }

    async fn remove(&self, push: &mut Push<'_>) -> Result<(), Error> {
        for hash in push.link.iter().chain(&push.maybe_links) {
            self.client.archive(push.now, hash, push.entity.id()).await?;
        }
        Ok(())
    }
}
