//! Vendors: what the engine is told to call, and what stands behind it.
//!
//! Each kind is a real implementation of [`Vendor`](vendorbridge::vendor::Vendor), written as a vendor function would be.
//! Behind them is one [`Desk`] that keeps records, and a [`Line`] on which calls fail in every way that HTTP calls do.

mod booking;
mod books;
pub(crate) mod desk;
mod fault;
mod line;
mod natural;
mod once;
mod plan;
mod upsert;
mod webhook;

use fastrand::Rng;
use serde::{Deserialize, Serialize};
use vendorbridge::source::Source;
use vendorbridge::vendor::Invalid;
use vendorbridge::{Entity, Error, ErrorKind, Stage};

use super::source::{Content, UNMAPPABLE};

pub(crate) use booking::{Paper, RULES};
pub(crate) use books::{Role, amount, is_refused, role};
pub(crate) use desk::{Answer, Desk, Request};
pub(crate) use line::Line;

/// How a vendor takes records.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// Upserts by the entity's key.
    Upsert,
    /// Upserts by a key that follows from the payload and can change, like an e-mail address.
    Natural,
    /// Every create makes another record, which can be found a while later.
    Once,
    /// An ordered plan: the first step creates, two more complete the record; undone if it fails for good.
    Plan,
    /// A receiver of messages, which drops repeats of an idempotency key.
    Webhook,
    /// A billing system: documents are booked once each, for customers who must be there first.
    Booking,
}

impl Kind {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::Upsert,
        Self::Natural,
        Self::Once,
        Self::Plan,
        Self::Webhook,
        Self::Booking,
    ];

    /// Any of them.
    pub(crate) fn any(rng: &mut Rng) -> Self {
        Self::ALL[rng.usize(0..Self::ALL.len())]
    }
}

/// What the source says, as far as a vendor is concerned.
#[derive(Deserialize)]
pub(crate) struct State {
    id: usize,
    revision: u64,
    value: u8,
    mail: u8,
}

/// What a vendor is given.
#[derive(Debug, Clone, Copy, Serialize)]
pub(crate) struct Card {
    /// What the entity is.
    pub(crate) value: u8,
    /// Its address.
    pub(crate) mail: u8,
    /// The source's revision: not part of the payload, but known to the judge.
    #[serde(skip)]
    pub(crate) revision: u64,
}

impl Card {
    /// Whether it says the same of an entity.
    pub(crate) fn shows(&self, content: Content) -> bool {
        (self.value, self.mail) == (content.value, content.mail)
    }

    /// Whether both say the same.
    pub(crate) fn equals(&self, other: &Self) -> bool {
        (self.value, self.mail) == (other.value, other.mail)
    }
}

/// An entity type of this kind of vendor.
pub(crate) fn entity(kind: Kind, family: usize, source: impl Source + 'static, line: Line) -> Entity {
    match kind {
        Kind::Upsert => Entity::new("customer", source, upsert::Upsert(line)),
        Kind::Natural => Entity::new("customer", source, natural::Natural(line)),
        Kind::Once => Entity::new("customer", source, once::Once(line)),
        Kind::Plan => Entity::new("customer", source, plan::Plan(line)),
        Kind::Webhook => Entity::new("customer", source, webhook::Webhook(line)),
        Kind::Booking => Entity::new("customer", source, booking::Booking { line, family }),
    }
}

fn map(state: &State) -> Result<Card, Invalid> {
    if state.value == UNMAPPABLE {
        return Err(Invalid::new(
            "/value",
            "expected a value that can be mapped, found another",
        ));
    }
    Ok(Card {
        value: state.value,
        mail: state.mail,
        revision: state.revision,
    })
}

fn link(key: u64) -> String {
    format!("r-{key}")
}

fn key(link: &str) -> Result<u64, Error> {
    link.strip_prefix("r-")
        .and_then(|key| key.parse().ok())
        .ok_or_else(|| {
            Error::permanent(
                ErrorKind::Unexpected,
                Stage::Push,
                "expected a link of this vendor, found another",
            )
        })
}
