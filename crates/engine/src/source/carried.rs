//! Event-carried state: there is nothing to ask.

use futures::future::BoxFuture;

use super::{Fetched, Source};
use crate::{EntityKey, Error, ErrorKind, Stage};

/// The events bring the state themselves ([`Announcement::carries`](crate::Announcement::carries)); nobody is asked.
///
/// A message that brings none, such as a `SyncRequested`, is refused: only the sender can send the state again.
#[derive(Debug, Clone, Copy, Default)]
pub struct CarriedState;

impl CarriedState {
    /// Why a message that brings no state cannot be worked on.
    pub(crate) fn refusal() -> Error {
        let message = "expected an event that carries the state, found one without; there is no source to ask: have its \
                       sender send the state again";
        Error::permanent(ErrorKind::Invalid, Stage::Source, message)
    }
}

impl Source for CarriedState {
    fn fetch<'a>(&'a self, _: &'a EntityKey) -> BoxFuture<'a, Result<Fetched, Error>> {
        Box::pin(async { Err(Self::refusal()) })
    }

    fn is_readable(&self) -> bool {
        false
    }
}
