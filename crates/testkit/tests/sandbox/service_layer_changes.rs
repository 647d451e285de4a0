//! Changes in SAP Business One, by hand and over the Service Layer, and the events that tell of them.

use reqwest::Method;
use rstest::rstest;
use serde_json::{Value, json};
use vendorbridge_testkit::sandbox::{
    Fault, Sandbox,
    servicelayer::{Cancelled, Kind, NewDocument, Partner, Refused},
};

use crate::{
    dec, send,
    service_layer::{Session, refusal},
    start,
};

/// With the partner C1; the events of that are taken.
async fn with_partner() -> Sandbox {
    let sandbox = start().await;
    sandbox
        .service_layer
        .add_partner(Partner::customer("C1", "Urist"));
    sandbox.service_layer.take_events();
    sandbox
}

/// The events since the last time, as `<object type>/<transaction type> <key> <user>`.
fn events(sandbox: &Sandbox) -> Vec<String> {
    let shown = |event: vendorbridge_testkit::sandbox::servicelayer::B1Event| {
        format!(
            "{}/{} {} {}",
            event.object_type, event.transaction_type, event.key, event.user
        )
    };
    sandbox
        .service_layer
        .take_events()
        .into_iter()
        .map(shown)
        .collect()
}

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

#[tokio::test]
async fn a_partner_goes_unless_it_has_documents() {
    let sandbox = with_partner().await;
    let b1 = &sandbox.service_layer;
    b1.add_partner(Partner::customer("C2", "Kadol"));
    b1.add_credit_note(NewDocument::of("C2", dec("5")));

    assert_eq!(b1.remove_partner("C1"), Ok(()));
    assert_eq!(b1.remove_partner("C1"), Err(Refused::Unknown));
    assert_eq!(b1.remove_partner("C2"), Err(Refused::HasDocuments));

    let session = Session::open(&sandbox).await;
    assert_eq!(
        refusal(&session.get("BusinessPartners('C1')").await),
        (404, "-2028")
    );
    let codes: Vec<_> = b1
        .partners()
        .into_iter()
        .map(|partner| partner.card_code)
        .collect();
    assert_eq!(codes, ["C2"]);
    assert_eq!(
        events(&sandbox),
        ["2/A C2 manager", "14/A 1 manager", "2/D C1 manager"]
    );
}

#[tokio::test]
#[should_panic(expected = "C1: No matching records found")]
async fn a_document_needs_a_partner() {
    start()
        .await
        .service_layer
        .add_invoice(NewDocument::of("C1", dec("5")));
}

#[tokio::test]
async fn each_table_counts_for_itself() {
    let sandbox = with_partner().await;
    let b1 = &sandbox.service_layer;
    let document = || NewDocument::of("C1", dec("5"));

    let entries = [
        b1.add_invoice(document()),
        b1.add_credit_note(document()),
        b1.add_payment(document()),
        b1.add_invoice(document()),
    ];

    assert_eq!(entries, [1, 1, 1, 2]);
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

#[tokio::test]
async fn an_event_has_three_forms() {
    let sandbox = start().await;
    let mut partner = Partner::customer("O'Neil & <Co>", "O'Neil");
    sandbox.service_layer.add_partner(partner.clone());
    partner.card_code = "C20000".to_owned();
    sandbox.service_layer.add_partner(partner);
    let events = sandbox.service_layer.take_events();

    assert_eq!(
        events[1].to_json(),
        json!({"b1events": [{
            "EventSource": "SBODEMOUS", "ObjectType": "2", "TransactionType": "A",
            "UserCode": "manager", "UserId": "manager", "keys": [{"Name": "CardCode", "Value": "C20000"}],
        }]})
    );
    assert_eq!(
        events[1].to_notice(),
        json!({
            "object_type": "2", "transaction_type": "A", "num_of_cols_in_key": 1,
            "list_of_key_cols_tab_del": "CardCode", "list_of_cols_val_tab_del": "C20000",
        })
    );
    assert_eq!(
        events[0].to_xml(),
        "<Event xmlns:b1e=\"urn:com.sap.b1i.sim:b1event\"><b1e:b1events><b1e:b1event>\
         <b1e:eventsource>SBODEMOUS</b1e:eventsource><b1e:objecttype>2</b1e:objecttype>\
         <b1e:transactiontype>A</b1e:transactiontype><b1e:usercode>manager</b1e:usercode>\
         <b1e:userid>manager</b1e:userid><b1e:keys count=\"1\"><b1e:key><b1e:name>CardCode</b1e:name>\
         <b1e:value>O'Neil &amp; &lt;Co&gt;</b1e:value></b1e:key></b1e:keys></b1e:b1event></b1e:b1events></Event>"
    );
}
