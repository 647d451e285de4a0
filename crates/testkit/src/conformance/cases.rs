//! The cases. Each starts its own sandbox.

#![expect(
    clippy::missing_panics_doc,
    clippy::expect_used,
    reason = "a case is a test: it fails by panicking"
)]

use std::time::Duration;

use vendorbridge::ErrorKind;
use vendorbridge::ledger::Status;

use super::{CUSTOMER, EMAIL, Stand, Subject};
use crate::sandbox::Fault;
use crate::sandbox::infoservice::Channel;

fn held<S: Subject>(stand: &Stand) -> Option<String> {
    S::held(&stand.sandbox, CUSTOMER, EMAIL)
}

async fn created<S: Subject>() -> Stand {
    let mut stand = Stand::start::<S>().await;
    stand.set(Channel::Email, EMAIL);
    assert_eq!(stand.announce().await, Status::Synced);
    stand
}

/// Parks on the next request, wakes when it is due, and ends with one record in the source's state.
async fn parks_and_recovers<S: Subject>(fault: Fault, kind: ErrorKind) {
    let mut stand = created::<S>().await;
    stand.set(Channel::Paper, EMAIL);
    S::faults(&stand.sandbox).at(1, fault);
    assert_eq!(stand.announce().await, Status::Parked);
    let parked = stand.record().parked.expect("a waiting retry");
    assert_eq!(parked.error.kind, kind, "{:?}", parked.error);
    stand.wake().await;
    assert_eq!(stand.record().status, Status::Synced);
    assert_eq!(held::<S>(&stand).as_deref(), Some("PAPER"));
    assert_eq!(S::records(&stand.sandbox), 1);
}

/// A new entity is created and linked.
pub async fn create<S: Subject>() {
    let stand = created::<S>().await;
    assert_eq!(held::<S>(&stand).as_deref(), Some("EMAIL"));
    assert_eq!(S::records(&stand.sandbox), 1);
    assert!(stand.record().link.is_some());
}

/// A changed entity is updated in place.
pub async fn update<S: Subject>() {
    let mut stand = created::<S>().await;
    stand.set(Channel::Both, EMAIL);
    assert_eq!(stand.announce().await, Status::Synced);
    assert_eq!(held::<S>(&stand).as_deref(), Some("BOTH"));
    assert_eq!(S::records(&stand.sandbox), 1);
}

/// What did not change is not pushed.
pub async fn unchanged<S: Subject>() {
    let mut stand = created::<S>().await;
    let calls = S::calls(&stand.sandbox);
    assert_eq!(stand.announce().await, Status::Unchanged);
    assert_eq!(S::calls(&stand.sandbox), calls);
}

/// What the source no longer has goes.
pub async fn delete<S: Subject>() {
    let mut stand = created::<S>().await;
    stand.sandbox.infoservice.remove(CUSTOMER);
    assert_eq!(stand.announce().await, Status::Deleted);
    assert_eq!(held::<S>(&stand), None);
    assert_eq!(S::records(&stand.sandbox), 0);
}

/// A redelivered message changes nothing.
pub async fn repeat<S: Subject>() {
    let mut stand = created::<S>().await;
    let calls = S::calls(&stand.sandbox);
    stand.redeliver().await;
    assert!(
        S::calls(&stand.sandbox) > calls,
        "a redelivery must not take the shortcut"
    );
    assert_eq!(held::<S>(&stand).as_deref(), Some("EMAIL"));
    assert_eq!(S::records(&stand.sandbox), 1);
    assert_eq!(stand.record().status, Status::Synced);
}

/// A 429 is waited out, as long as the vendor asks.
pub async fn rate_limited<S: Subject>() {
    let wait = Duration::from_secs(90);
    let mut stand = created::<S>().await;
    stand.set(Channel::Paper, EMAIL);
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
    assert_eq!(held::<S>(&stand).as_deref(), Some("PAPER"));
}

/// A refused credential is waited out: somebody will mend it. Until then the vendor is not asked about anybody.
pub async fn deauthorized<S: Subject>() {
    let (other, their_email) = ("c-4712", "grace@hopper.example");
    let mut stand = created::<S>().await;
    stand.set(Channel::Paper, EMAIL);
    S::faults(&stand.sandbox).at(1, Fault::Status(401));
    assert_eq!(stand.announce().await, Status::Parked);
    let parked = stand.record().parked.expect("a waiting retry");
    assert_eq!(parked.error.kind, ErrorKind::Deauthorized, "{:?}", parked.error);
    let calls = S::calls(&stand.sandbox);
    stand.set_of(other, Channel::Email, their_email);
    assert_eq!(stand.announce_of(other).await, Status::Parked);
    assert_eq!(S::calls(&stand.sandbox), calls, "the circuit is open");
    let parked = stand.record_of(other).parked.expect("a waiting retry");
    assert_eq!(parked.error.kind, ErrorKind::CircuitOpen, "{:?}", parked.error);
    stand.wake().await;
    assert_eq!(stand.record().status, Status::Synced);
    assert_eq!(held::<S>(&stand).as_deref(), Some("PAPER"));
    let circuit = stand.ledger.vendor().and_then(|vendor| vendor.circuit);
    assert_eq!(circuit, None, "the probe went well");
    stand.wake_of(other).await;
    assert_eq!(
        S::held(&stand.sandbox, other, their_email).as_deref(),
        Some("EMAIL")
    );
    assert_eq!(S::records(&stand.sandbox), 2);
}

/// Removing what is gone already succeeds.
pub async fn gone<S: Subject>() {
    let mut stand = created::<S>().await;
    stand.sandbox.infoservice.remove(CUSTOMER);
    assert_eq!(stand.announce().await, Status::Deleted);
    stand.redeliver().await;
    assert_eq!(stand.record().status, Status::Deleted);
    assert_eq!(S::records(&stand.sandbox), 0);
}

/// A push that got through unnoticed leaves one record.
pub async fn unknown_outcome<S: Subject>() {
    parks_and_recovers::<S>(Fault::AcceptThenCut, ErrorKind::Unavailable).await;
    let mut stand = Stand::start::<S>().await;
    stand.set(Channel::Email, EMAIL);
    S::faults(&stand.sandbox).at(S::CREATING_REQUEST, Fault::AcceptThenCut);
    assert_eq!(stand.announce().await, Status::Parked);
    assert_eq!(S::records(&stand.sandbox), 1, "the fake accepted it");
    assert!(stand.record().unsure);
    stand.wake().await;
    assert_eq!(stand.record().status, Status::Synced);
    assert_eq!(S::records(&stand.sandbox), 1);
}

/// A push that never arrived is made again.
pub async fn never_sent<S: Subject>() {
    parks_and_recovers::<S>(Fault::CutConnection, ErrorKind::Unavailable).await;
}

/// What the vendor finds too large is rejected, not retried.
pub async fn too_large<S: Subject>() {
    let mut stand = created::<S>().await;
    stand.set(Channel::Paper, EMAIL);
    S::faults(&stand.sandbox).at(1, Fault::Status(413));
    assert_eq!(stand.announce().await, Status::Rejected);
    let error = stand.record().error.expect("the reason");
    assert_eq!(error.kind, ErrorKind::TooLarge);
    assert_eq!(
        stand.announce().await,
        Status::Synced,
        "a later notification tries afresh"
    );
    assert_eq!(held::<S>(&stand).as_deref(), Some("PAPER"));
}

/// What was removed and is there again comes back.
pub async fn comes_back<S: Subject>() {
    let mut stand = created::<S>().await;
    stand.sandbox.infoservice.remove(CUSTOMER);
    assert_eq!(stand.announce().await, Status::Deleted);
    stand.set(Channel::Both, EMAIL);
    assert_eq!(stand.announce().await, Status::Synced);
    assert_eq!(held::<S>(&stand).as_deref(), Some("BOTH"));
    assert_eq!(S::records(&stand.sandbox), 1);
}
