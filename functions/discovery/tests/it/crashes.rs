//! The function dies at every request, before and after it takes effect; the message comes again; everything is there once.

use vendorbridge::ledger::Status;
use vendorbridge_testkit::conformance::crash::at_every_request;
use vendorbridge_testkit::conformance::{Stand, State, Subject};
use vendorbridge_testkit::sandbox::Faults;
use vendorbridge_testkit::sandbox::discovery::Status as RunStatus;

use crate::subject::{Instructors, KEY, Whole};

fn faults<S: Subject>(stand: &Stand<S>) -> Faults {
    stand.sandbox.discovery.faults().clone()
}

#[tokio::test]
async fn a_product_is_there_once() {
    let check = |stand: &Stand<Whole>, when: &str| {
        assert_eq!(stand.record().status, Status::Synced, "{when}");
        let discovery = &stand.sandbox.discovery;
        assert_eq!(discovery.people().len(), 2, "{when}");
        assert_eq!(discovery.courses().len(), 1, "{when}");
        let runs = discovery.runs_of(KEY);
        assert_eq!((runs.len(), discovery.runs().len()), (2, 2), "{when}");
        assert_eq!(runs[0].status, RunStatus::LegalReview, "{when}");
        assert_eq!((runs[0].staff.len(), runs[1].staff.len()), (2, 1), "{when}");
        assert!(
            discovery.course(KEY).unwrap().additional_metadata.is_some(),
            "{when}"
        );
        assert_eq!(stand.record().link.as_deref(), Some(KEY), "{when}");
    };
    let broken = at_every_request(Whole::ID, faults, Whole::stand, check).await;
    assert_eq!(
        broken,
        2 * 8,
        "a look, the course, two runs, its texts, those of the runs, the publication"
    );
}

#[tokio::test]
async fn an_instructor_is_one_person() {
    let stand = async || {
        let mut stand = Stand::<Instructors>::start().await;
        stand.set(State::First);
        stand
    };
    let check = |stand: &Stand<Instructors>, when: &str| {
        assert_eq!(
            (stand.record().status, stand.records()),
            (Status::Synced, 1),
            "{when}"
        );
        let uuid = stand.sandbox.discovery.people().remove(0).uuid;
        assert_eq!(stand.record().link, Some(uuid), "{when}");
    };
    let broken = at_every_request(Instructors::ID, faults, stand, check).await;
    assert_eq!(broken, 2 * 4, "a token, two looks, the creation");
}
