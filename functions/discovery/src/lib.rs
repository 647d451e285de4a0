//! Brings the products of lines of business to Open edX course-discovery: their instructors, and courses with their runs.
//!
//! Every event carries the whole state, as the front door for lines of business has put it together.

mod client;
mod config;
mod courses;
mod error;
mod instructors;
mod mapping;

use vendorbridge::config::ConfigError;
use vendorbridge::lambda::{Setup, StartError};
use vendorbridge::source::DynamoSource;
use vendorbridge::{Announcement, Entity};

use client::Client;
use config::{Settings, states};
use courses::Courses;
use instructors::Instructors;

/// The detail type of a state that was put together.
const EVENT: &str = "LineStateChanged";

/// The code of a removal that the API has no call for.
const NOT_DELETABLE: &str = "not-deletable";

/// What this function listens to, asks and pushes.
///
/// # Errors
/// If a setting is missing or a URL may not be called.
pub fn wire(setup: &Setup) -> Result<Vec<Entity>, StartError> {
    let settings: Settings = setup.settings()?;
    let auth = setup.auth(&settings.auth, "discovery")?;
    let client = Client::new(setup.http(), auth, settings.url.clone())?;
    let source = |entity_type: &str, members: &[&str]| {
        let states = states(setup.ledger_table(), entity_type).map_err(|error| not_usable(&error))?;
        Ok::<_, StartError>(DynamoSource::new(setup.items(), states, members))
    };
    let announced = |entity_type: &str| {
        Announcement::new(EVENT, "/key")
            .only_if("/type", entity_type)
            .version("/revision")
            .carries("/state")
    };
    let instructors = source("instructor", &mapping::INSTRUCTOR_MEMBERS)?;
    let courses = source("course", &mapping::COURSE_MEMBERS)?;
    Ok(vec![
        Entity::new("instructor", instructors, Instructors::new(client.clone()))
            .announced_by(announced("instructor")),
        Entity::new("course", courses, Courses::new(client, settings, setup.clock()))
            .announced_by(announced("course")),
    ])
}

fn not_usable(error: &serde_json::Error) -> StartError {
    StartError::from(ConfigError::new(
        "LEDGER_TABLE",
        "the name of a table",
        error.to_string(),
    ))
}
