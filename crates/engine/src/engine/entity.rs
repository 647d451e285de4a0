//! What a vendor function wires for each type of entity.

use std::sync::Arc;

use crate::message::Announcement;
use crate::rules::Rules;
use crate::source::Source;
use crate::vendor::{DynVendor, Vendor};

/// One type of entity: how it is announced, who holds its truth, and the vendor that must follow.
pub struct Entity {
    pub(super) name: String,
    pub(super) announcements: Vec<Announcement>,
    pub(super) source: Box<dyn Source>,
    pub(super) vendor: Box<dyn DynVendor>,
    pub(super) rules: Option<Arc<Rules>>,
}

impl Entity {
    /// Entities of this type are read from `source` and pushed to `vendor`.
    pub fn new(entity_type: &str, source: impl Source + 'static, vendor: impl Vendor) -> Self {
        Self {
            name: entity_type.to_owned(),
            announcements: Vec::new(),
            source: Box::new(source),
            vendor: Box::new(vendor),
            rules: None,
        }
    }

    /// These rules on states may keep its entities from the vendor, as long as it does not hold them. For rules on events see
    /// [`Announcement::ruled_by`].
    #[must_use]
    pub fn ruled_by(mut self, rules: &Arc<Rules>) -> Self {
        self.rules = Some(Arc::clone(rules));
        self
    }

    /// Adds an event type that announces changes.
    #[must_use]
    pub fn announced_by(mut self, announcement: Announcement) -> Self {
        self.announcements.push(announcement);
        self
    }
}
