//! People: known by a uuid that course-discovery makes.

use http::Method;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use vendorbridge::{Error, ErrorKind, Stage};

use super::Client;
use crate::error::{self, Fields};
use crate::mapping::{Area, Identity, Link, PERSON_FIELDS, Person, Position};

/// Numbers behind a slug that are looked at, and how many in a row may be free before the rest is taken to be.
const MAX_NUMBER: u32 = 30;
const FREE: u32 = 2;
/// People per page, and pages that are looked through where a slug is not certain.
const PAGE: &str = "50";
const MAX_PAGES: u32 = 100;

/// Whom a creation is about: kept in the ledger from before the call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Wanted {
    pub(crate) identity: Identity,
    /// The uuids of those who had the same name and position before, who are others.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) others: Vec<String>,
}

#[derive(Debug, Deserialize)]
struct FoundPerson {
    uuid: String,
    given_name: String,
    #[serde(default)]
    family_name: Option<String>,
    #[serde(default)]
    position: Option<Position>,
    #[serde(default)]
    urls_detailed: Vec<Link>,
    #[serde(default)]
    areas_of_expertise: Vec<Area>,
}

#[derive(Debug, Deserialize)]
struct Page {
    results: Vec<FoundPerson>,
    #[serde(default)]
    next: Option<String>,
}

impl Client {
    /// Creates a person. Not repeatable: a second one with the same name gets another slug. So a failure says that it was not
    /// created only where that is certain.
    pub(crate) async fn create_person(
        &self,
        now: Timestamp,
        person: &Person,
        wanted: &Wanted,
    ) -> Result<String, Error> {
        let body = person.create(&wanted.identity);
        let sent = self.write(Method::POST, &["people"], &body).await;
        let created = sent.and_then(|answer| {
            error::check(&answer, now, &of_person())?;
            answer.json::<FoundPerson>().ok_or_else(|| error::missing("uuid"))
        });
        created.map(|created| created.uuid).map_err(error::unless_certain)
    }

    /// Writes a person's fields, over what is there.
    pub(crate) async fn update_person(
        &self,
        now: Timestamp,
        uuid: &str,
        person: &Person,
    ) -> Result<(), Error> {
        let answer = self.get(&["people", uuid], &[]).await?;
        error::check(&answer, now, &of_person())?;
        let found: FoundPerson = answer.json().ok_or_else(|| error::missing("uuid"))?;
        let body = person.update(&found.urls_detailed, &found.areas_of_expertise);
        let answer = self.write(Method::PATCH, &["people", uuid], &body).await?;
        error::check(&answer, now, &of_person())
    }

    /// Whom a creation would make one more of: the uuids of those with the same name and position. Nobody where they cannot be found
    /// by their slug.
    pub(crate) async fn others(&self, now: Timestamp, identity: &Identity) -> Result<Vec<String>, Error> {
        match identity.slug() {
            Some(slug) => Ok(alike(self.by_slug(now, &slug).await?, identity).collect()),
            None => Ok(Vec::new()),
        }
    }

    /// Looks for a person that may have been created.
    pub(crate) async fn find_person(&self, now: Timestamp, wanted: &Wanted) -> Result<Option<String>, Error> {
        let people = match wanted.identity.slug() {
            Some(slug) => self.by_slug(now, &slug).await?,
            None => self.everybody(now).await?,
        };
        let found = alike(people, &wanted.identity).find(|uuid| !wanted.others.contains(uuid));
        Ok(found)
    }

    /// Those who got this slug, and those who got it with a number behind it because it was taken.
    async fn by_slug(&self, now: Timestamp, slug: &str) -> Result<Vec<FoundPerson>, Error> {
        let mut people = Vec::new();
        let mut free = 0;
        for number in 1..=MAX_NUMBER {
            let slug = match number {
                1 => slug.to_owned(),
                number => format!("{slug}-{number}"),
            };
            let found = self.people(now, &[("slug", &slug)]).await?.results;
            free = if found.is_empty() { free + 1 } else { 0 };
            people.extend(found);
            if free == FREE {
                return Ok(people);
            }
        }
        Err(too_many())
    }

    async fn everybody(&self, now: Timestamp) -> Result<Vec<FoundPerson>, Error> {
        let mut people = Vec::new();
        for page in 1..=MAX_PAGES {
            let page = self
                .people(now, &[("page_size", PAGE), ("page", &page.to_string())])
                .await?;
            people.extend(page.results);
            if page.next.is_none() {
                return Ok(people);
            }
        }
        Err(too_many())
    }

    async fn people(&self, now: Timestamp, query: &[(&str, &str)]) -> Result<Page, Error> {
        let answer = self.get(&["people"], query).await?;
        error::check(&answer, now, &of_person())?;
        answer.json().ok_or_else(|| error::missing("results"))
    }
}

fn alike(people: Vec<FoundPerson>, identity: &Identity) -> impl Iterator<Item = String> {
    let is_alike = |person: &FoundPerson| {
        let family_name = person.family_name.as_deref().filter(|name| !name.is_empty());
        let position = person.position.as_ref();
        let organization =
            |position: &Position| position.organization.clone().filter(|name| !name.is_empty());
        person.given_name == identity.given_name
            && family_name == identity.family_name.as_deref()
            && position.is_some_and(|position| {
                position.title == identity.position.title
                    && organization(position) == identity.position.organization
            })
    };
    people.into_iter().filter(is_alike).map(|person| person.uuid)
}

fn too_many() -> Error {
    let message = "expected to have seen everybody who may be the person that was created, found more people";
    Error::retry(ErrorKind::TooLarge, Stage::Push, message)
}

fn of_person() -> Fields {
    Fields {
        below: String::new(),
        renamed: PERSON_FIELDS,
    }
}
