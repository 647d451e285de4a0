//! The cases. Each starts its own sandbox.

#![expect(
    clippy::missing_panics_doc,
    clippy::expect_used,
    reason = "a case is a test: it fails by panicking"
)]

use std::time::Duration;

use vendorbridge::ErrorKind;
use vendorbridge::ledger::Status;

use super::{Stand, State, Subject};
use crate::sandbox::Fault;

pub use super::asking::{describes, lists, previews};

pub(super) async fn created<S: Subject>() -> Stand<S> {
    let mut stand = Stand::<S>::start().await;
    stand.set(State::First);
    assert_eq!(stand.announce().await, Status::Synced);
    stand
}

/// Parks on the next request, wakes when it is due, and ends with one record in the source's state.
async fn parks_and_recovers<S: Subject>(fault: Fault, kind: ErrorKind) {
    let mut stand = created::<S>().await;
    stand.set(State::Second);
    S::faults(&stand.sandbox).at(1, fault);
    assert_eq!(stand.announce().await, Status::Parked);
    let parked = stand.record().parked.expect("a waiting retry");
    assert_eq!(parked.error.kind, kind, "{:?}", parked.error);
    stand.wake().await;
    assert_eq!(stand.record().status, Status::Synced);
    assert_eq!(stand.held(), Some(State::Second));
    assert_eq!(stand.records(), 1);
}

/// A new entity is created and linked.
pub async fn create<S: Subject>() {
    let stand = created::<S>().await;
    assert_eq!(stand.held(), Some(State::First));
    assert_eq!(stand.records(), 1);
    assert!(stand.record().link.is_some());
}

/// A changed entity is updated in place.
pub async fn update<S: Subject>() {
    let mut stand = created::<S>().await;
    stand.set(State::Third);
    assert_eq!(stand.announce().await, Status::Synced);
    assert_eq!(stand.held(), Some(State::Third));
    assert_eq!(stand.records(), 1);
}

/// What did not change is not pushed.
pub async fn unchanged<S: Subject>() {
    let mut stand = created::<S>().await;
    let calls = stand.calls();
    assert_eq!(stand.announce().await, Status::Unchanged);
    assert_eq!(stand.calls(), calls);
}

/// What the source no longer has goes.
pub async fn delete<S: Subject>() {
    let mut stand = created::<S>().await;
    stand.remove();
    assert_eq!(stand.announce().await, Status::Deleted);
    assert_eq!(stand.held(), None);
    assert_eq!(stand.records(), 0);
}

/// A redelivered message changes nothing.
pub async fn repeat<S: Subject>() {
    let mut stand = created::<S>().await;
    let calls = stand.calls();
    stand.redeliver().await;
    assert!(stand.calls() > calls, "a redelivery must not take the shortcut");
    assert_eq!(stand.held(), Some(State::First));
    assert_eq!(stand.records(), 1);
    assert_eq!(stand.record().status, Status::Synced);
}

/// A 429 is waited out, as long as the vendor asks.
pub async fn rate_limited<S: Subject>() {
    let wait = Duration::from_secs(90);
    let mut stand = created::<S>().await;
    stand.set(State::Second);
    S::faults(&stand.sandbox).at(
        1,
        Fault::TooManyRequests {
            retry_after: Some(wait),
        },
    );
    assert_eq!(stand.announce().await, Status::Parked);
    let parked = stand.record().parked.expect("a waiting retry");
    assert_eq!(parked.error.kind, ErrorKind::RateLimited);
    assert!(
        parked.wake_at.duration_since(stand.now()).as_secs() >= 90,
        "{:?}",
        parked.wake_at
    );
    stand.wake().await;
    assert_eq!(stand.held(), Some(State::Second));
}

/// A refused credential is waited out: somebody will mend it. Until then the vendor is not asked about anybody.
pub async fn deauthorized<S: Subject>() {
    let mut stand = created::<S>().await;
    stand.set(State::Second);
    S::faults(&stand.sandbox).at(1, S::REFUSES_CREDENTIAL);
    assert_eq!(stand.announce().await, Status::Parked);
    let parked = stand.record().parked.expect("a waiting retry");
    assert_eq!(parked.error.kind, ErrorKind::Deauthorized, "{:?}", parked.error);
    let calls = stand.calls();
    stand.change(S::OTHER_ID, Some(State::First));
    assert_eq!(stand.announce_of(S::OTHER_ID).await, Status::Parked);
    assert_eq!(stand.calls(), calls, "the circuit is open");
    let parked = stand.record_of(S::OTHER_ID).parked.expect("a waiting retry");
    assert_eq!(parked.error.kind, ErrorKind::CircuitOpen, "{:?}", parked.error);
    stand.wake().await;
    assert_eq!(stand.record().status, Status::Synced);
    assert_eq!(stand.held(), Some(State::Second));
    let circuit = stand.ledger.vendor().and_then(|vendor| vendor.circuit);
    assert_eq!(circuit, None, "the probe went well");
    stand.wake_of(S::OTHER_ID).await;
    assert_eq!(S::held(&stand.sandbox, S::OTHER_ID), Some(State::First));
    assert_eq!(stand.records(), 2);
}

/// Removing what is gone already succeeds.
pub async fn gone<S: Subject>() {
    let mut stand = created::<S>().await;
    stand.remove();
    assert_eq!(stand.announce().await, Status::Deleted);
    stand.redeliver().await;
    assert_eq!(stand.record().status, Status::Deleted);
    assert_eq!(stand.records(), 0);
}

/// A push that got through unnoticed leaves one record.
pub async fn unknown_outcome<S: Subject>() {
    parks_and_recovers::<S>(Fault::AcceptThenCut, ErrorKind::Unavailable).await;
    let mut stand = Stand::<S>::start().await;
    stand.set(State::First);
    S::faults(&stand.sandbox).at(S::CREATING_REQUEST, Fault::AcceptThenCut);
    assert_eq!(stand.announce().await, Status::Parked);
    assert_eq!(stand.records(), 1, "the fake accepted it");
    assert!(stand.record().unsure);
    stand.wake().await;
    assert_eq!(stand.record().status, Status::Synced);
    assert_eq!(stand.records(), 1);
}

/// A push that never arrived is made again.
pub async fn never_sent<S: Subject>() {
    parks_and_recovers::<S>(Fault::CutConnection, ErrorKind::Unavailable).await;
}

/// What the vendor finds too large is rejected, not retried.
pub async fn too_large<S: Subject>() {
    let mut stand = created::<S>().await;
    stand.set(State::Second);
    S::faults(&stand.sandbox).at(1, Fault::Status(413));
    assert_eq!(stand.announce().await, Status::Rejected);
    let error = stand.record().error.expect("the reason");
    assert_eq!(error.kind, ErrorKind::TooLarge);
    assert_eq!(
        stand.announce().await,
        Status::Synced,
        "a later notification tries afresh"
    );
    assert_eq!(stand.held(), Some(State::Second));
}

/// What was removed and is there again comes back.
pub async fn comes_back<S: Subject>() {
    let mut stand = created::<S>().await;
    stand.remove();
    assert_eq!(stand.announce().await, Status::Deleted);
    stand.set(State::Third);
    assert_eq!(stand.announce().await, Status::Synced);
    assert_eq!(stand.held(), Some(State::Third));
    assert_eq!(stand.records(), 1);
}
