use reqwest::Method;
use rstest::rstest;
use serde_json::{Value, json};
use vendorbridge_testkit::sandbox::{
    Fault,
    servicelayer::{Kind, NewDocument, Partner},
};

use super::{Session, events, refusal, with_partner};
use crate::{dec, send};

#[tokio::test]
async fn a_patch_sets_what_it_says_and_raises_version_and_event() {
    let sandbox = with_partner().await;
    let session = Session::open(&sandbox).await;
    let before = session.get("BusinessPartners('C1')").await;

    let said = json!({"U_PortaBilling": "1001", "Valid": "tNO", "City": null, "GroupCode": 101});
    let answer = session.patch("BusinessPartners('C1')", &said).await;

    assert_eq!((answer.status, answer.body), (204, Value::Null));
    let after = session.get("BusinessPartners('C1')").await;
    assert_ne!(after.header("etag"), before.header("etag"));
    let partner = sandbox.service_layer.partner("C1").unwrap();
    let mut expected = Partner::customer("C1", "Urist");
    (expected.valid, expected.city, expected.group_code) = (false, None, 101);
    expected.portabilling_id = Some("1001".to_owned());
    assert_eq!(partner, expected);
    assert_eq!(events(&sandbox), ["2/U C1 vendorbridge"]);
}

#[rstest]
#[case::unknown_property("BusinessPartners('C1')", r#"{"City": "Bonn", "U_Porta": "1"}"#, 400, "-1000")]
#[case::wrong_type(
    "BusinessPartners('C1')",
    r#"{"City": "Bonn", "U_PortaBilling": 1}"#,
    400,
    "-1000"
)]
#[case::wrong_enum("BusinessPartners('C1')", r#"{"Valid": true}"#, 400, "-1000")]
#[case::key("BusinessPartners('C1')", r#"{"CardCode": "C2"}"#, 400, "-5002")]
#[case::no_object("BusinessPartners('C1')", "[]", 400, "-1000")]
#[case::no_json("BusinessPartners('C1')", "{", 400, "-1000")]
#[case::nobody("BusinessPartners('C2')", "{}", 404, "-2028")]
#[case::posted_total("Invoices(1)", r#"{"U_PortaBilling": "7", "DocTotal": 1}"#, 400, "-5002")]
#[case::posted_comments("Invoices(1)", r#"{"Comments": "x"}"#, 400, "-5002")]
#[case::unknown_user_field("Invoices(1)", r#"{"U_Porta": "7"}"#, 400, "-1000")]
#[case::user_field_is_a_text("Invoices(1)", r#"{"U_PortaBilling": 7}"#, 400, "-1000")]
#[case::no_such_payment("IncomingPayments(1)", r#"{"U_PortaBilling": "7"}"#, 404, "-2028")]
#[tokio::test]
async fn a_refused_patch_changes_nothing(
    #[case] path: &str,
    #[case] said: &'static str,
    #[case] status: u16,
    #[case] code: &str,
) {
    let sandbox = with_partner().await;
    sandbox.service_layer.add_invoice(NewDocument::of("C1", dec("5")));
    events(&sandbox);
    let session = Session::open(&sandbox).await;

    let answer = send(session.request(Method::PATCH, path).body(said))
        .await
        .unwrap();

    assert_eq!(refusal(&answer), (status, code));
    assert_eq!(
        sandbox.service_layer.partner("C1"),
        Some(Partner::customer("C1", "Urist"))
    );
    assert_eq!(
        sandbox
            .service_layer
            .document(Kind::Invoice, 1)
            .unwrap()
            .portabilling_id,
        None
    );
    assert_eq!(events(&sandbox), [] as [&str; 0]);
}

#[rstest]
#[case(Kind::Invoice, "13")]
#[case(Kind::CreditNote, "14")]
#[case(Kind::Payment, "24")]
#[tokio::test]
async fn the_user_field_of_a_document_can_be_set_and_cleared(#[case] kind: Kind, #[case] object: &str) {
    let sandbox = with_partner().await;
    sandbox
        .service_layer
        .add_document(kind, NewDocument::of("C1", dec("5")));
    let session = Session::open(&sandbox).await;
    let path = format!("{}(1)", kind.collection());

    for id in [Some("500001"), None] {
        let etag = session.get(&path).await.header("etag").to_owned();
        assert_eq!(
            session.patch(&path, &json!({"U_PortaBilling": id})).await.status,
            204
        );
        let kept = sandbox.service_layer.document(kind, 1).unwrap();
        assert_eq!((kept.portabilling_id.as_deref(), kept.total), (id, dec("5.00")));
        assert_ne!(session.get(&path).await.header("etag"), etag);
    }

    let (added, updated) = (
        format!("{object}/A 1 manager"),
        format!("{object}/U 1 vendorbridge"),
    );
    assert_eq!(events(&sandbox), [added, updated.clone(), updated]);
}

#[tokio::test]
async fn if_match_keeps_a_stale_write_out() {
    let sandbox = with_partner().await;
    let session = Session::open(&sandbox).await;
    let path = "BusinessPartners('C1')";
    let old = session.get(path).await.header("etag").to_owned();
    sandbox
        .service_layer
        .update_partner("C1", |partner| partner.valid = false);
    let current = session.get(path).await.header("etag").to_owned();
    let write = async |etag: &str, city: &str| {
        let request = session
            .request(Method::PATCH, path)
            .header("if-match", etag)
            .body(json!({"City": city}).to_string());
        send(request).await.unwrap()
    };

    assert_eq!(refusal(&write(&old, "Bonn").await), (412, "-2039"));
    let city = || sandbox.service_layer.partner("C1").unwrap().city.unwrap();
    assert_eq!(city(), "Berlin");
    assert_eq!(write(&current, "Bonn").await.status, 204);
    assert_eq!(city(), "Bonn");
    assert_eq!(write("*", "Trier").await.status, 204);
    assert_eq!(city(), "Trier");
    assert_eq!(refusal(&write(&current, "Ulm").await), (412, "-2039"));
    assert_eq!(
        events(&sandbox),
        ["2/U C1 manager", "2/U C1 vendorbridge", "2/U C1 vendorbridge"]
    );
}

#[tokio::test]
async fn a_change_is_made_though_its_answer_is_lost() {
    let sandbox = with_partner().await;
    let session = Session::open(&sandbox).await;
    sandbox
        .service_layer
        .faults()
        .always_for("C1", Fault::AcceptThenCut);
    let said = json!({"U_PortaBilling": "1001"}).to_string();

    let lost = send(
        session
            .request(Method::PATCH, "BusinessPartners('C1')")
            .body(said),
    )
    .await;

    assert!(lost.is_err());
    let partner = sandbox.service_layer.partner("C1").unwrap();
    assert_eq!(partner.portabilling_id.as_deref(), Some("1001"));
    assert_eq!(events(&sandbox), ["2/U C1 vendorbridge"]);
}
