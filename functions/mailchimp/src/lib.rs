//! Keeps the members of a Mailchimp audience in step with the customers' delivery preferences, and with the users of an Auth0
//! tenant.

mod client;
mod config;
mod error;
mod mapping;

use std::marker::PhantomData;

use url::Url;
use vendorbridge::ask::{Page, PageRequest};
use vendorbridge::auth::Auth;
use vendorbridge::lambda::{Setup, StartError};
use vendorbridge::source::{CarriedState, RestSource};
use vendorbridge::vendor::{Held, Invalid, Push, Vendor};
use vendorbridge::{Announcement, Entity, Error, Stage};

use client::{Base, Client};
use config::{Settings, StatusIfNew, UserSettings};
use mapping::{Listed, Member, Person, Preference, USER_FIELDS, User};

/// Members of one audience. The natural key is the MD5 of the lower-case address.
struct Members<P> {
    client: Client,
    status_if_new: StatusIfNew,
    person: PhantomData<fn() -> P>,
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
    .auth(setup.auth(&settings.source_auth, "source")?)
    .listed(settings.source_list.clone())?;
    let members = Members::<Preference>::new(setup, &settings, &settings.list_id, settings.status_if_new)?;
    let announcement = Announcement::new("DeliveryPreferenceUpdated", "/customerId").version("/version");
    let mut entities = vec![Entity::new("customer", source, members).announced_by(announcement)];
    if let Some(of) = &settings.users {
        let list_id = of.list_id.as_ref().unwrap_or(&settings.list_id);
        let members = Members::new(setup, &settings, list_id, of.status_if_new)?;
        entities.push(users(setup, of, members)?);
    }
    Ok(entities)
}

/// The users of a tenant: its event stream brings them, its log stream only says who signed up.
fn users(setup: &Setup, settings: &UserSettings, members: Members<User>) -> Result<Entity, StartError> {
    let entity = match &settings.auth0_url {
        Some(url) => Entity::new("user", management_api(setup, settings, url.clone())?, members),
        None => Entity::new("user", CarriedState, members),
    };
    // CloudEvents 1.0; older pages of Auth0's documents show another shape under other names. The bus's detail type is whatever
    // the rule lets in.
    let event = |kind: &str| {
        Announcement::new(kind, "/data/object/user_id")
            .of_any_type()
            .only_if("/type", kind)
            .requires("/specversion", "1.0")
    };
    let state = |kind: &str| {
        event(kind)
            .carries("/data/object")
            .keeping(&USER_FIELDS)
            .version_time("/data/object/updated_at")
    };
    Ok(entity
        .announced_by(Announcement::new("Auth0 log", "/data/user_id").only_if("/data/type", "ss"))
        .announced_by(state("user.created"))
        .announced_by(state("user.updated"))
        // The event's time may be cut to seconds, and the profile's is from before: the removal comes after both.
        .announced_by(
            event("user.deleted")
                .removes()
                .version_time("/time")
                .version_time("/data/object/updated_at"),
        ))
}

/// Asks for no more of a user than is used.
fn management_api(setup: &Setup, settings: &UserSettings, mut url: Url) -> Result<RestSource, StartError> {
    let auth = match &settings.auth {
        Some(auth) => setup.auth(auth, "auth0")?,
        None => Auth::bearer(setup.secret("auth0_token")),
    };
    url.query_pairs_mut()
        .append_pair("fields", &USER_FIELDS.join(","))
        .append_pair("include_fields", "true");
    let source = RestSource::new(setup.http(), setup.clock(), url, "/api/v2/users/{id}")?;
    Ok(source.auth(auth).version_time("/updated_at"))
}

impl<P> Members<P> {
    fn new(
        setup: &Setup,
        settings: &Settings,
        list_id: &str,
        status_if_new: StatusIfNew,
    ) -> Result<Self, StartError> {
        let auth = setup.auth(&settings.auth, "vendor")?;
        // A field that is asked for must be in the secret: only where it is used.
        let base = match &settings.api_url {
            Some(url) => Base::At(url.clone()),
            None => Base::OfKey(setup.secret("api_key")),
        };
        Ok(Self {
            client: Client::new(setup.http(), setup.clock(), auth, base, list_id.to_owned())?,
            status_if_new,
            person: PhantomData,
        })
    }
}

impl<P: Person> Vendor for Members<P> {
    type Entity = P;
    type Payload = Member;

    fn map(&self, person: &P) -> Result<Member, Invalid> {
        person.member(self.status_if_new)
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

    fn lists(&self) -> bool {
        true
    }

    async fn list(&self, asked: PageRequest<'_>) -> Result<Page<Held>, Error> {
        let offset = asked.offset(Stage::Push)?;
        let page = self.client.members(offset, asked.limit).await?;
        let held = page
            .records
            .into_iter()
            .filter(Listed::is_there)
            .filter_map(|member| {
                let owner = member.owner();
                let entity = P::entity(owner);
                // The marks of other types are another page's.
                (entity.is_some() || owner.is_empty()).then(|| Held {
                    link: member.id.clone(),
                    payload: member.payload(self.status_if_new),
                    entity,
                })
            });
        Ok(Page::new(held.collect(), page.next).counted(page.total))
    }

    fn leaves_alone(&self) -> bool {
        true
    }

    async fn remove(&self, push: &mut Push<'_>) -> Result<(), Error> {
        for hash in push.link.iter().chain(&push.maybe_links) {
            self.client.archive(push.now, hash, P::owner(push.entity)).await?;
        }
        Ok(())
    }
}
