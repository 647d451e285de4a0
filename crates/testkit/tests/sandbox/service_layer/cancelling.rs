use rstest::rstest;
use serde_json::json;
use vendorbridge_testkit::sandbox::servicelayer::{Cancelled, Kind, NewDocument, Refused};

use super::{Session, events, refusal, with_partner};
use crate::dec;

#[rstest]
#[case(Kind::Invoice, "13")]
#[case(Kind::CreditNote, "14")]
#[tokio::test]
async fn a_document_is_cancelled_by_another_one(
    #[case] kind: Kind,
    #[case] object: &str,
    #[values(true, false)] by_hand: bool,
) {
    let sandbox = with_partner().await;
    let b1 = &sandbox.service_layer;
    b1.add_document(kind, NewDocument::of("C1", dec("119.9")));
    let session = Session::open(&sandbox).await;
    events(&sandbox);
    let path = format!("{}(1)", kind.collection());
    let etag = session.get(&path).await.header("etag").to_owned();

    let user = if by_hand {
        assert_eq!(b1.cancel(kind, 1), Ok(Some(2)));
        "manager"
    } else {
        assert_eq!(session.post(&format!("{path}/Cancel")).await.status, 204);
        "vendorbridge"
    };

    let told = [("A", 2), ("C", 1), ("U", 1)];
    assert_eq!(
        events(&sandbox),
        told.map(|(what, key)| format!("{object}/{what} {key} {user}"))
    );
    let (original, cancellation) = (b1.document(kind, 1).unwrap(), b1.document(kind, 2).unwrap());
    assert_eq!(
        (original.cancelled, original.total),
        (Cancelled::Yes, dec("119.90"))
    );
    assert_eq!(
        (cancellation.cancelled, cancellation.total),
        (Cancelled::Cancellation, dec("119.90"))
    );
    let original = session.get(&path).await;
    assert_ne!(original.header("etag"), etag);
    assert_eq!(
        (&original.body["Cancelled"], &original.body["CancelStatus"]),
        (&json!("tYES"), &json!("csYes"))
    );
    let cancellation = session.get(&path.replace('1', "2")).await;
    assert_eq!(cancellation.body["CancelStatus"], json!("csCancellation"));
    for entry in [1, 2] {
        assert_eq!(b1.cancel(kind, entry), Err(Refused::Cancelled));
        let cancel = format!("{}({entry})/Cancel", kind.collection());
        assert_eq!(refusal(&session.post(&cancel).await), (400, "-5006"));
    }
    assert_eq!((b1.documents(kind).len(), events(&sandbox).len()), (2, 0));
}

#[tokio::test]
async fn a_payment_is_cancelled_by_itself() {
    let sandbox = with_partner().await;
    sandbox.service_layer.add_payment(NewDocument::of("C1", dec("5")));
    let session = Session::open(&sandbox).await;
    events(&sandbox);

    assert_eq!(session.post("IncomingPayments(1)/Cancel").await.status, 204);

    assert_eq!(sandbox.service_layer.documents(Kind::Payment).len(), 1);
    assert_eq!(
        session.get("IncomingPayments(1)").await.body["Cancelled"],
        json!("tYES")
    );
    assert_eq!(events(&sandbox), ["24/C 1 vendorbridge", "24/U 1 vendorbridge"]);
}

#[rstest]
#[case::partner("BusinessPartners('C1')/Cancel", 404, "-1000")]
#[case::another_action("Invoices(1)/Explode", 404, "-1000")]
#[case::unknown("Invoices(1)/Cancel", 404, "-2028")]
#[case::no_key("Invoices/Cancel", 404, "-1000")]
#[case::bad_key("Invoices('1')/Cancel", 400, "-1000")]
#[case::create("Invoices", 404, "-1000")]
#[tokio::test]
async fn other_actions_are_refused(#[case] path: &str, #[case] status: u16, #[case] code: &str) {
    let sandbox = with_partner().await;
    let session = Session::open(&sandbox).await;

    assert_eq!(refusal(&session.post(path).await), (status, code));
    assert_eq!(events(&sandbox), [] as [&str; 0]);
}
