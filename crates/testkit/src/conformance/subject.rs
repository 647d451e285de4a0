//! What a vendor function tells the suite about itself.

use jiff::Timestamp;
use serde_json::Value;
use vendorbridge::Entity;
use vendorbridge::lambda::{Setup, StartError};

use super::Stand;
use crate::sandbox::{Fault, Faults, Sandbox};

/// A vendor function, its source and its fake.
///
/// The suite knows no source and no event: it asks for a change of an entity, and for the event that announces it. So a source
/// that is asked and events that carry the state look the same to it.
pub trait Subject: Sized {
    /// The vendor's name.
    const VENDOR: &'static str;

    /// The type of the entities.
    const ENTITY_TYPE: &'static str;

    /// The entity that the suite works with.
    const ID: &'static str = "c-4711";

    /// Another one, for what must not concern it.
    const OTHER_ID: &'static str = "c-4712";

    /// Which request of a create is the one that writes; those before only look.
    const CREATING_REQUEST: u64 = 1;

    /// How the vendor refuses a credential.
    const REFUSES_CREDENTIAL: Fault = Fault::Status(401);

    /// Whether the source's pages say how many records there are in all.
    const SOURCE_COUNTS: bool = false;

    /// Whether the vendor's pages do.
    const VENDOR_COUNTS: bool = false;

    /// The function's `VENDOR_SETTINGS` for this sandbox.
    fn settings(sandbox: &Sandbox) -> Value;

    /// The text of the function's secret for this sandbox.
    fn secret(sandbox: &Sandbox) -> Value;

    /// The function's own wiring.
    ///
    /// # Errors
    /// If a setting cannot be used.
    fn wire(setup: &Setup) -> Result<Vec<Entity>, StartError>;

    /// Makes the change at the source. Nothing is to be done where the events carry the state.
    fn change(stand: &Stand<Self>, change: &Change);

    /// The event that announces the change: `detail-type`, `source` and `detail`. The stand adds `id` and `time`.
    fn event(change: &Change) -> Value;

    /// The fake's faults.
    fn faults(sandbox: &Sandbox) -> Faults;

    /// The state that the fake holds of this entity; `None` if it does not hold the entity.
    ///
    /// # Panics
    /// If it holds a state that is none of the suite's.
    fn held(sandbox: &Sandbox, id: &str) -> Option<State>;

    /// How many records the fake holds in all.
    fn records(sandbox: &Sandbox) -> usize;

    /// How many requests the fake got.
    fn calls(sandbox: &Sandbox) -> u64;
}

/// Three states of an entity. Each makes another payload.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// What an entity begins with.
    First,
    /// Another one.
    Second,
    /// A third one.
    Third,
}

/// The last change of an entity.
#[derive(Debug, Clone)]
pub struct Change {
    /// Which entity.
    pub id: String,
    /// What it was changed to; `None` if it was removed.
    pub state: Option<State>,
    /// Counts the changes of all entities, from 1: a later change has a higher number.
    pub number: u64,
    /// When it was made.
    pub at: Timestamp,
}
