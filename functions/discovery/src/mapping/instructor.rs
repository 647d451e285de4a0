//! An instructor as a person.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use vendorbridge::vendor::{Field, Invalid};

use super::{Body, required};

/// The vendor's names of a person's fields.
pub(crate) const PERSON_FIELDS: &[(&str, &str)] = &[
    ("urls_detailed", "urls"),
    ("position/organization_override", "position/organization"),
];

/// The kinds of address that course-discovery knows.
const KINDS: [&str; 4] = ["facebook", "twitter", "blog", "others"];

/// What a line says of an instructor. course-discovery keeps no e-mail addresses, so theirs is not read.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct InstructorState {
    given_name: String,
    #[serde(default)]
    family_name: Field<String>,
    position: PositionState,
    #[serde(default)]
    bio: Field<String>,
    #[serde(default)]
    major_works: Field<String>,
    #[serde(default)]
    urls: Field<Vec<Link>>,
    #[serde(default)]
    areas_of_expertise: Field<Vec<String>>,
}

#[derive(Debug, Clone, Deserialize)]
struct PositionState {
    title: String,
    #[serde(default)]
    organization: Option<String>,
}

/// What course-discovery is to hold of an instructor.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Person {
    pub(crate) identity: Identity,
    /// Bio and works, as far as they are to be written, and whether there is a family name to be cleared.
    pub(crate) about: Map<String, Value>,
    /// `None` leaves them alone.
    pub(crate) links: Option<Vec<Link>>,
    /// `None` leaves them alone.
    pub(crate) areas: Option<Vec<String>>,
}

/// By what a person is known again. Nothing that a person has can hold an id of ours unseen: of all texts these are the ones that
/// course-discovery keeps as they were sent (a bio becomes other HTML, and the slug is its own).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Identity {
    pub(crate) given_name: String,
    pub(crate) family_name: Option<String>,
    pub(crate) position: Position,
}

/// A position is always sent: without it, course-discovery fails
/// (<https://github.com/openedx/course-discovery/blob/master/course_discovery/apps/api/serializers.py>).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Position {
    pub(crate) title: String,
    #[serde(rename = "organization_override")]
    pub(crate) organization: Option<String>,
}

/// An address on the web.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Link {
    /// Course-discovery's; a new one has none.
    #[serde(default)]
    pub(crate) id: Option<u64>,
    #[serde(rename = "type")]
    pub(crate) kind: String,
    #[serde(default)]
    pub(crate) title: String,
    pub(crate) url: String,
}

/// An area of expertise as course-discovery has it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Area {
    pub(crate) id: Option<u64>,
    pub(crate) value: String,
}

impl InstructorState {
    pub(crate) fn person(&self) -> Result<Person, Invalid> {
        let identity = Identity {
            given_name: required("/given_name", &self.given_name)?.to_owned(),
            family_name: match &self.family_name {
                Field::Set(name) => filled(name),
                Field::Leave | Field::Clear => None,
            },
            position: Position {
                title: required("/position/title", &self.position.title)?.to_owned(),
                organization: self.position.organization.as_deref().and_then(filled),
            },
        };
        let mut about = Body::default();
        if self.family_name == Field::Clear {
            about.set("family_name", Value::Null);
        }
        about.put("bio", &self.bio, "");
        about.put("major_works", &self.major_works, "");
        Ok(Person {
            identity,
            about: about.0,
            links: self.links()?,
            areas: match &self.areas_of_expertise {
                Field::Leave => None,
                Field::Clear => Some(Vec::new()),
                Field::Set(areas) => Some(areas.clone()),
            },
        })
    }

    fn links(&self) -> Result<Option<Vec<Link>>, Invalid> {
        let links = match &self.urls {
            Field::Leave => return Ok(None),
            Field::Clear => Vec::new(),
            Field::Set(links) => links.clone(),
        };
        if let Some(n) = links.iter().position(|link| !KINDS.contains(&link.kind.as_str())) {
            let message = "expected `facebook`, `twitter`, `blog` or `others`, found another text";
            return Err(Invalid::new(format!("/urls/{n}/type"), message));
        }
        Ok(Some(
            links.into_iter().map(|link| Link { id: None, ..link }).collect(),
        ))
    }
}

impl Person {
    /// What `POST` is sent, under this identity.
    pub(crate) fn create(&self, identity: &Identity) -> Value {
        let links = self.links.iter().flatten().cloned();
        let areas = self.areas.iter().flatten().map(|value| Area {
            id: None,
            value: value.clone(),
        });
        self.body(identity, &links.collect::<Vec<_>>(), &areas.collect::<Vec<_>>())
    }

    /// What `PATCH` is sent. Lists are always sent, with the ids of what is there: course-discovery deletes what is not listed, and
    /// fails on an item without an id.
    pub(crate) fn update(&self, links: &[Link], areas: &[Area]) -> Value {
        let links = match &self.links {
            None => links.to_vec(),
            Some(wanted) => with_ids(wanted, links),
        };
        let areas = match &self.areas {
            None => areas.to_vec(),
            Some(wanted) => wanted.iter().map(|value| known_area(value, areas)).collect(),
        };
        self.body(&self.identity, &links, &areas)
    }

    fn body(&self, identity: &Identity, links: &[Link], areas: &[Area]) -> Value {
        let mut body = Body(self.about.clone());
        body.set("given_name", identity.given_name.as_str());
        if let Some(family_name) = &identity.family_name {
            body.set("family_name", family_name.as_str());
        }
        body.set("position", json(&identity.position));
        body.set("urls_detailed", json(links));
        body.set("areas_of_expertise", json(areas));
        body.0.into()
    }
}

impl Identity {
    /// Where the person's slug begins: `-2` and so on follow if it is taken. `None` where it depends on how course-discovery
    /// writes other letters, or cuts.
    pub(crate) fn slug(&self) -> Option<String> {
        let family_name = self.family_name.as_deref().unwrap_or_default();
        let name = format!("{} {family_name}", self.given_name);
        let is_certain = |c: char| c.is_ascii_alphanumeric() || matches!(c, ' ' | '-');
        if !name.chars().all(is_certain) {
            return None;
        }
        let words = name.split([' ', '-']).filter(|word| !word.is_empty());
        let slug = words.collect::<Vec<_>>().join("-").to_ascii_lowercase();
        (!slug.is_empty() && slug.len() <= MAX_SLUG).then_some(slug)
    }
}

/// A slug has 50 characters with its number (<https://docs.djangoproject.com/en/stable/ref/models/fields/#slugfield>).
const MAX_SLUG: usize = 46;

/// Each of these takes over the id of what is there and most like it.
fn with_ids(wanted: &[Link], there: &[Link]) -> Vec<Link> {
    let mut left = there.to_vec();
    let mut take = |is: &dyn Fn(&Link) -> bool| {
        let found = left.iter().position(is)?;
        left.remove(found).id
    };
    // Exact ones first, so that a new one of the same kind takes nothing away from them.
    let exact: Vec<_> = wanted
        .iter()
        .map(|link| take(&|there| there.kind == link.kind && there.url == link.url))
        .collect();
    let ids: Vec<_> = wanted
        .iter()
        .zip(exact)
        .map(|(link, exact)| exact.or_else(|| take(&|there| there.kind == link.kind)))
        .collect();
    wanted
        .iter()
        .zip(ids)
        .map(|(link, id)| Link { id, ..link.clone() })
        .collect()
}

fn known_area(value: &str, there: &[Area]) -> Area {
    Area {
        id: there
            .iter()
            .find(|area| area.value == value)
            .and_then(|area| area.id),
        value: value.to_owned(),
    }
}

fn filled(text: &str) -> Option<String> {
    let text = text.trim();
    (!text.is_empty()).then(|| text.to_owned())
}

/// Plain data of ours is always JSON.
fn json(value: &(impl Serialize + ?Sized)) -> Value {
    serde_json::to_value(value).unwrap_or_default()
}
