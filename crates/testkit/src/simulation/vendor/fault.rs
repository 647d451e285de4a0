//! What goes wrong with a call, and what the engine's HTTP client makes of it.

use axum::body::Bytes;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use vendorbridge::http::{self, status_error};
use vendorbridge::{Error, ErrorKind, Stage, Verdict};

use crate::simulation::agenda::timestamp;
use crate::simulation::profile::Trouble;
use crate::simulation::world::World;

/// One way in which a call fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    /// The connection is refused: nothing was sent.
    Refused,
    /// This status; 500, 502 and 504 leave open whether it happened.
    Status {
        status: u16,
        retry_after: Option<u64>,
        applied: bool,
    },
    /// No answer in time.
    Timeout { applied: bool },
    /// The connection breaks before the answer.
    Cut { applied: bool },
}

impl Fault {
    /// Whether the vendor did what it was asked for all the same.
    pub(crate) fn takes_effect(self) -> bool {
        match self {
            Self::Refused => false,
            Self::Status { applied, .. } | Self::Timeout { applied } | Self::Cut { applied } => applied,
        }
    }

    /// Under what it is counted.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Refused => "fault: connection refused",
            Self::Status { status: 401, .. } => "fault: 401",
            Self::Status { status: 429, .. } => "fault: 429",
            Self::Status {
                status: 500,
                applied: true,
                ..
            } => "fault: 500, though done",
            Self::Status { status: 500, .. } => "fault: 500",
            Self::Status { .. } => "fault: 502, 503, 504",
            Self::Timeout { applied: true } => "fault: timeout, though done",
            Self::Timeout { .. } => "fault: timeout",
            Self::Cut { applied: true } => "fault: cut connection, though done",
            Self::Cut { .. } => "fault: cut connection",
        }
    }

    /// The failure that the engine is told, as its HTTP client would.
    pub(crate) fn error(self, world: &World) -> Error {
        match self {
            Self::Refused => {
                let again = Verdict::Retry { after: None };
                Error::new(ErrorKind::Unavailable, again, Stage::Push, "could not connect").brief()
            }
            Self::Status {
                status, retry_after, ..
            } => self::status(world, status, retry_after),
            Self::Timeout { .. } => Error::new(
                ErrorKind::Timeout,
                Verdict::Unknown,
                Stage::Push,
                "no answer in time",
            ),
            Self::Cut { .. } => Error::new(
                ErrorKind::Unavailable,
                Verdict::Unknown,
                Stage::Push,
                "the connection broke before the answer",
            ),
        }
    }
}

/// The failure that a status stands for: the engine's own table.
pub(crate) fn status(world: &World, status: u16, retry_after: Option<u64>) -> Error {
    let mut headers = HeaderMap::new();
    if let Some(seconds) = retry_after {
        headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    }
    let answer = http::Answer {
        status: StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR),
        headers,
        body: Bytes::new(),
    };
    status_error(Stage::Push, &answer, timestamp(world.agenda.now()))
}

/// Whether the next call about an entity fails, and how.
pub(crate) fn draw(world: &mut World, unit: usize, entity: usize) -> Option<Fault> {
    if world.is_calm {
        return None;
    }
    trouble(world, unit)
        .or_else(|| poison(world, entity))
        .or_else(|| chance(world))
}

fn trouble(world: &mut World, unit: usize) -> Option<Fault> {
    let now = world.agenda.now();
    let outage = world
        .profile
        .outages
        .iter()
        .find(|outage| outage.vendor == unit && (outage.from..outage.until).contains(&now))?;
    match outage.kind {
        Trouble::Down => Some(match world.rng.u8(0..4) {
            0 => Fault::Refused,
            1 => Fault::Timeout { applied: false },
            _ => plain(503),
        }),
        Trouble::Deauthorized => Some(plain(401)),
        Trouble::Limiting => (world.rng.u8(0..5) > 0).then(|| limited(world)),
        Trouble::Paused => None,
    }
}

fn poison(world: &mut World, entity: usize) -> Option<Fault> {
    if !world.profile.poison.contains(&entity) {
        return None;
    }
    Some(match world.rng.u8(0..3) {
        0 => Fault::Timeout { applied: false },
        1 => plain(503),
        _ => plain(500),
    })
}

fn chance(world: &mut World) -> Option<Fault> {
    let calls = world.profile.calls.clone();
    if world.chance(calls.rate_limited) {
        return Some(limited(world));
    }
    let applied = world.rng.bool();
    if world.chance(calls.failed) {
        let status = 500;
        return Some(Fault::Status {
            status,
            retry_after: None,
            applied,
        });
    }
    if world.chance(calls.unavailable) {
        // 503 says that it did not happen; a gateway's 502 and 504 say nothing.
        let status = 502 + world.rng.u16(0..3);
        let applied = applied && status != 503;
        return Some(Fault::Status {
            status,
            retry_after: None,
            applied,
        });
    }
    if world.chance(calls.refused) {
        return Some(Fault::Refused);
    }
    if world.chance(calls.timeout) {
        return Some(Fault::Timeout { applied });
    }
    world.chance(calls.cut).then_some(Fault::Cut { applied })
}

fn plain(status: u16) -> Fault {
    Fault::Status {
        status,
        retry_after: None,
        applied: false,
    }
}

fn limited(world: &mut World) -> Fault {
    let retry_after = world.rng.bool().then(|| world.rng.u64(1..120));
    Fault::Status {
        status: 429,
        retry_after,
        applied: false,
    }
}
