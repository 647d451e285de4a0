//! People: instructors, and whoever else is on a run's staff.

use serde_json::{Map, Value, json};

use super::{
    error::Refusal,
    said::{Said, Wrong, object, text, text_or_blank, text_or_null},
};

/// A person as the application holds it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    /// The key.
    pub uuid: String,
    /// Made from the name; `-2` and so on is added to one that is taken.
    pub slug: String,
    /// The first name.
    pub given_name: String,
    /// The last name.
    pub family_name: Option<String>,
    /// About the person.
    pub bio: Option<String>,
    /// What the person wrote.
    pub major_works: String,
    /// What the person is.
    pub position: Position,
    /// Addresses on the web.
    pub urls: Vec<PersonUrl>,
    /// What the person knows.
    pub areas_of_expertise: Vec<Expertise>,
}

/// A person's position.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Position {
    /// The title.
    pub title: String,
    /// The organisation, as a text: `organization_override`.
    pub organization: Option<String>,
}

/// One of a person's addresses on the web.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PersonUrl {
    /// Made by the application.
    pub id: u64,
    /// `facebook`, `twitter`, `blog` or `others`.
    pub kind: String,
    /// What it is called.
    pub title: String,
    /// The address.
    pub url: String,
}

/// One of a person's areas of expertise.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expertise {
    /// Made by the application.
    pub id: u64,
    /// The area.
    pub value: String,
}

/// Nobody caught it.
struct Uncaught;

impl Person {
    pub(super) fn new(uuid: String) -> Self {
        Self {
            uuid,
            slug: String::new(),
            given_name: String::new(),
            family_name: None,
            bio: None,
            major_works: String::new(),
            position: Position::default(),
            urls: Vec::new(),
            areas_of_expertise: Vec::new(),
        }
    }

    /// First and last name.
    #[must_use]
    pub fn name(&self) -> String {
        let mut name = self.given_name.clone();
        if let Some(family) = self.family_name.as_deref().filter(|family| !family.is_empty()) {
            name.push(' ');
            name.push_str(family);
        }
        name
    }

    /// What `POST people/` says. Measured: without a position it is the view that fails, not the serializer.
    pub(super) fn fill(
        &mut self,
        said: &mut Said<'_>,
        body: &Map<String, Value>,
        next_id: &mut u64,
    ) -> Result<(), Refusal> {
        if let Some(name) = said.require("given_name", text) {
            self.given_name = name;
        }
        let position = self.read(said);
        said.check()?;
        if position.is_none() {
            return Err(failed_to_add());
        }
        self.list(body, next_id, false)
            .map_err(|Uncaught| failed_to_add())
    }

    /// What `PATCH people/{uuid}/` says. Measured: without a position, and with an item that has no member `id`, the
    /// application fails; what is not listed is deleted, also when there is no list.
    pub(super) fn change(
        &mut self,
        said: &mut Said<'_>,
        body: &Map<String, Value>,
        next_id: &mut u64,
    ) -> Result<(), Refusal> {
        said.set("given_name", text, &mut self.given_name);
        let position = self.read(said);
        said.check()?;
        if position.is_none() {
            return Err(Refusal::Crash);
        }
        self.list(body, next_id, true).map_err(|Uncaught| Refusal::Crash)
    }

    /// What is the same for both; answers with the position if there is one.
    fn read(&mut self, said: &mut Said<'_>) -> Option<()> {
        said.set("family_name", text_or_null, &mut self.family_name);
        said.set("bio", text_or_null, &mut self.bio);
        said.set("major_works", text_or_blank, &mut self.major_works);
        said.know(&["urls_detailed", "areas_of_expertise"]);
        // The application removed addresses, and keeps the name of the field.
        said.know(&[
            "email",
            "salutation",
            "profile_image",
            "published",
            "partner",
            "slug",
        ]);
        let position = said.take("position", position)?;
        self.position = position;
        Some(())
    }

    fn list(&mut self, body: &Map<String, Value>, next_id: &mut u64, by_id: bool) -> Result<(), Uncaught> {
        let urls = items(body, "urls_detailed")?.iter().map(|item| {
            let text = |name: &str| Some(item.get(name)?.as_str()?.to_owned());
            let id = id(item, next_id, by_id)?;
            let read = || Some((text("type")?, text("title")?, text("url")?));
            let (kind, title, url) = read().ok_or(Uncaught)?;
            Ok(PersonUrl { id, kind, title, url })
        });
        let urls = urls.collect::<Result<_, _>>()?;
        let areas = items(body, "areas_of_expertise")?.iter().map(|item| {
            let id = id(item, next_id, by_id)?;
            let value = item.get("value").and_then(Value::as_str).ok_or(Uncaught)?;
            Ok(Expertise {
                id,
                value: value.to_owned(),
            })
        });
        let areas = areas.collect::<Result<_, _>>()?;
        (self.urls, self.areas_of_expertise) = (urls, areas);
        Ok(())
    }

    pub(super) fn to_json(&self) -> Value {
        let urls = self.urls.iter().map(|at| {
            json!({"id": at.id, "type": at.kind, "title": at.title, "display_title": at.title, "url": at.url})
        });
        let areas = self.areas_of_expertise.iter();
        let areas = areas.map(|area| json!({"id": area.id, "value": area.value}));
        let first = |kind: &str| self.urls.iter().find(|at| at.kind == kind).map(|at| &at.url);
        json!({
            "uuid": self.uuid, "slug": self.slug, "salutation": null, "given_name": self.given_name,
            "family_name": self.family_name, "bio": self.bio, "major_works": self.major_works, "published": true,
            "position": {
                "title": self.position.title, "organization_override": self.position.organization,
                "organization_name": self.position.organization, "organization_id": null,
                "organization_marketing_url": null,
            },
            "urls": {"facebook": first("facebook"), "twitter": first("twitter"), "blog": first("blog")},
            "urls_detailed": urls.collect::<Vec<_>>(), "areas_of_expertise": areas.collect::<Vec<_>>(),
            "works": [], "email": null, "profile_image_url": null,
        })
    }
}

/// Where the slug begins: lower case, everything else than letters and digits a hyphen.
pub(super) fn slug_of(name: &str) -> String {
    let words = name.split(|c: char| !c.is_alphanumeric());
    let words: Vec<_> = words.filter(|word| !word.is_empty()).collect();
    words.join("-").to_lowercase()
}

fn position(value: &Value) -> Result<Position, Wrong> {
    let said = object(value)?;
    let title = said.get("title").ok_or("title: This field is required.")?;
    let organization = said.get("organization_override").map_or(Ok(None), text_or_null)?;
    Ok(Position {
        title: text(title)?,
        organization,
    })
}

fn items<'a>(body: &'a Map<String, Value>, name: &str) -> Result<&'a [Value], Uncaught> {
    body.get(name)
        .map_or(Ok(&[]), |list| list.as_array().map(Vec::as_slice).ok_or(Uncaught))
}

/// An `id` that says nothing, such as null, makes a new item; without the member the application fails.
fn id(item: &Value, next_id: &mut u64, by_id: bool) -> Result<u64, Uncaught> {
    let said = item.get("id").filter(|_| by_id);
    if by_id && said.is_none() {
        return Err(Uncaught);
    }
    if let Some(id) = said.and_then(Value::as_u64).filter(|id| *id > 0) {
        return Ok(id);
    }
    *next_id += 1;
    Ok(*next_id)
}

fn failed_to_add() -> Refusal {
    Refusal::bad("Failed to add person data.")
}
