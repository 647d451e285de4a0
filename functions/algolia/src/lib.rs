//! Keeps the records of an Algolia index in step with the items of a table.

mod client;
mod config;
mod error;
mod mapping;

use vendorbridge::ask::{Page, PageRequest};
use vendorbridge::lambda::{Setup, StartError};
use vendorbridge::source::DynamoSource;
use vendorbridge::vendor::{Held, Invalid, Push, Vendor};
use vendorbridge::{Announcement, Entity, EntityKey, Error};

use client::Client;
use config::Settings;
use mapping::{Item, Listing};

/// Records of one index. The natural key is the `objectID`: the item's id.
struct Records {
    client: Client,
}

/// What this function listens to, asks and pushes.
///
/// # Errors
/// If a setting is missing or a host may not be called.
pub fn wire(setup: &Setup) -> Result<Vec<Entity>, StartError> {
    let settings: Settings = setup.settings()?;
    let source = DynamoSource::new(setup.items(), settings.source.clone(), &mapping::ATTRIBUTES);
    let client = Client::new(setup, &settings)?;
    let announcement = Announcement::new("InventoryItemChanged", "/id").version("/sequence");
    Ok(vec![
        Entity::new("inventory-item", source, Records { client }).announced_by(announcement),
    ])
}

impl Vendor for Records {
    type Entity = Item;
    type Payload = Listing;

    fn map(&self, item: &Item) -> Result<Listing, Invalid> {
        mapping::listing(item)
    }

    fn is_wanted(&self, listing: &Listing) -> bool {
        matches!(listing, Listing::Published(_))
    }

    async fn push(&self, push: &mut Push<'_>, listing: &Listing) -> Result<String, Error> {
        let task = match listing {
            Listing::Published(record) => self.client.save(push, record).await?,
            Listing::Unpublished => self.client.delete(push).await?,
        };
        push.set_receipt(task.to_string());
        Ok(push.entity.id().to_owned())
    }

    fn lists(&self) -> bool {
        true
    }

    async fn list(&self, asked: PageRequest<'_>) -> Result<Page<Held>, Error> {
        let browsed = self.client.browse(asked.page, asked.limit).await?;
        let held = browsed.hits.into_iter().map(|hit| Held {
            entity: hit
                .is_ours
                .then(|| EntityKey::new(asked.entity_type, &hit.object_id).ok())
                .flatten(),
            link: hit.object_id,
            payload: hit.record,
        });
        Ok(Page::new(held.collect(), browsed.cursor).counted(browsed.total))
    }

    async fn remove(&self, push: &mut Push<'_>) -> Result<(), Error> {
        let task = self.client.delete(push).await?;
        push.set_receipt(task.to_string());
        Ok(())
    }
}
