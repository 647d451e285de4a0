//! Making and changing people.

use axum::http::Method;
use serde_json::{Map, Value};

use super::Catalog;
use crate::sandbox::discovery::{Person, error::Refusal, person::slug_of, said::Said};

impl Catalog {
    pub(in crate::sandbox::discovery) fn add_person(
        &mut self,
        body: &Map<String, Value>,
    ) -> Result<Person, Refusal> {
        let person = self.make_person(body)?;
        self.wrote(Method::POST, "people", &person.uuid, body);
        Ok(person)
    }

    /// What somebody did by hand is not among the writes.
    pub(in crate::sandbox::discovery) fn make_person(
        &mut self,
        body: &Map<String, Value>,
    ) -> Result<Person, Refusal> {
        let mut person = Person::new(self.uuid());
        let mut said = Said::new(body);
        person.fill(&mut said, body, &mut self.ids)?;
        self.note(&said);
        person.slug = self.free_slug(&person.name());
        self.people.push(person.clone());
        Ok(person)
    }

    pub(in crate::sandbox::discovery) fn change_person(
        &mut self,
        uuid: &str,
        body: &Map<String, Value>,
    ) -> Result<Person, Refusal> {
        let place = self.place(uuid)?;
        let mut person = self.people[place].clone();
        let mut said = Said::new(body);
        person.change(&mut said, body, &mut self.ids)?;
        self.note(&said);
        self.people[place] = person.clone();
        self.wrote(Method::PATCH, "people", uuid, body);
        Ok(person)
    }

    /// Whoever is deleted is on nobody's staff any more.
    pub(in crate::sandbox::discovery) fn delete_person(&mut self, uuid: &str) -> Result<(), Refusal> {
        let place = self.place(uuid)?;
        self.people.remove(place);
        for run in &mut self.runs {
            run.draft.staff.retain(|staff| staff != uuid);
            if let Some(official) = &mut run.official {
                official.staff.retain(|staff| staff != uuid);
            }
        }
        self.wrote(Method::DELETE, "people", uuid, &Map::new());
        Ok(())
    }

    pub(in crate::sandbox::discovery) fn person(&self, uuid: &str) -> Option<&Person> {
        self.people.iter().find(|person| person.uuid == uuid)
    }

    fn place(&self, uuid: &str) -> Result<usize, Refusal> {
        let place = self.people.iter().position(|person| person.uuid == uuid);
        place.ok_or_else(Refusal::not_found)
    }

    fn free_slug(&self, name: &str) -> String {
        let slug = slug_of(name);
        let is_free = |slug: &String| !self.people.iter().any(|person| person.slug == *slug);
        let numbered = (2..).map(|number: u64| format!("{slug}-{number}"));
        let mut candidates = std::iter::once(slug.clone()).chain(numbered);
        candidates.find(is_free).unwrap_or(slug)
    }
}
