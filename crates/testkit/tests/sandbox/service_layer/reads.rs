use rstest::rstest;
use serde_json::json;
use vendorbridge_testkit::sandbox::servicelayer::{Kind, NewDocument, Partner};

use super::{Session, refusal};
use crate::{dec, start, start_by_hand};

#[rstest]
#[case::text("BusinessPartners('C1')", 200, "")]
#[case::text_encoded("BusinessPartners(%27C1%27)", 200, "")]
#[case::unknown_text("BusinessPartners('c1')", 404, "-2028")]
#[case::text_without_quotes("BusinessPartners(C1)", 400, "-1000")]
#[case::text_half_open("BusinessPartners('C1)", 400, "-1000")]
#[case::lone_quote("BusinessPartners('O'Neil')", 400, "-1000")]
#[case::empty_text("BusinessPartners('')", 400, "-1000")]
#[case::number("Invoices(1)", 200, "")]
#[case::unknown_number("Invoices(2)", 404, "-2028")]
#[case::of_another_table("CreditNotes(1)", 404, "-2028")]
#[case::number_in_quotes("Invoices('1')", 400, "-1000")]
#[case::no_number("Invoices(one)", 400, "-1000")]
#[case::no_key("Invoices()", 400, "-1000")]
#[case::a_collection("Invoices", 200, "")]
#[case::unknown_collection("Orders(1)", 404, "-1000")]
#[tokio::test]
async fn keys_are_written_as_odata_writes_them(#[case] path: &str, #[case] status: u16, #[case] code: &str) {
    let sandbox = start().await;
    sandbox
        .service_layer
        .add_partner(Partner::customer("C1", "Urist"));
    sandbox.service_layer.add_invoice(NewDocument::of("C1", dec("1")));
    let session = Session::open(&sandbox).await;

    let answer = session.get(path).await;

    assert_eq!(answer.status, status, "{}", answer.body);
    if !code.is_empty() {
        assert_eq!(refusal(&answer).1, code);
    }
}

#[tokio::test]
async fn a_key_may_have_quotes_slashes_and_brackets() {
    let sandbox = start().await;
    let code = "O'Neil & Söhne/1 (neu)";
    sandbox
        .service_layer
        .add_partner(Partner::customer(code, "O'Neil"));
    let session = Session::open(&sandbox).await;

    let path = "BusinessPartners('O''Neil%20%26%20S%C3%B6hne%2F1%20(neu)')";
    assert_eq!(session.get(path).await.body["CardCode"], json!(code));
    assert_eq!(sandbox.service_layer.calls_for(code), 1);
}

#[tokio::test]
async fn a_partner_has_these_properties() {
    let (sandbox, _) = start_by_hand().await;
    let mut partner = Partner::customer("C1", "Urist");
    (partner.phone1, partner.portabilling_id) = (None, Some("1001".to_owned()));
    sandbox.service_layer.add_partner(partner);
    let session = Session::open(&sandbox).await;

    let answer = session.get("BusinessPartners('C1')").await;

    let etag = answer.header("etag");
    assert!(etag.starts_with("W/\"") && etag.ends_with('"'), "{etag}");
    assert_eq!(
        answer.body,
        json!({
            "@odata.context": "/b1s/v2/$metadata#BusinessPartners/$entity", "@odata.etag": etag,
            "CardCode": "C1", "CardName": "Urist", "CardType": "cCustomer", "GroupCode": 100, "Currency": "EUR",
            "EmailAddress": "office@sandbox.test", "Phone1": null, "Address": "Hauptstr. 1", "City": "Berlin",
            "ZipCode": "10115", "Country": "DE", "Valid": "tYES", "UpdateDate": "2026-01-29T00:00:00Z",
            "UpdateTime": "14:36:25", "U_PortaBilling": "1001",
        })
    );
}

#[tokio::test]
async fn documents_and_payments_have_these_properties() {
    let sandbox = start().await;
    let b1 = &sandbox.service_layer;
    b1.add_partner(Partner::customer("C1", "Urist"));
    let invoice = b1.add_invoice(NewDocument::of("C1", dec("119.90")));
    b1.add_payment(NewDocument {
        comments: "Thanks".to_owned(),
        invoices: vec![(invoice, dec("100.1"))],
        ..NewDocument::of("C1", dec("1000000000000.01"))
    });
    let session = Session::open(&sandbox).await;
    let read = async |path: &str| {
        let mut body = session.get(path).await.body;
        body.as_object_mut()
            .unwrap()
            .retain(|name, _| !name.starts_with('@'));
        body
    };

    assert_eq!(
        read("Invoices(1)").await,
        json!({
            "DocEntry": 1, "DocNum": 100_001, "CardCode": "C1", "DocDate": "2026-01-29T00:00:00Z",
            "DocCurrency": "EUR", "DocTotal": 119.9, "DocTotalFc": 0.0, "Series": 1, "Cancelled": "tNO", "CancelStatus": "csNo",
            "Comments": "", "U_PortaBilling": null,
        })
    );
    assert_eq!(
        read("IncomingPayments(1)").await,
        json!({
            "DocEntry": 1, "DocNum": 100_001, "CardCode": "C1", "DocDate": "2026-01-29T00:00:00Z",
            "DocCurrency": "EUR", "CashSum": 0.0, "TransferSum": 1_000_000_000_000.01, "Series": 1,
            "BillOfExchangeAmount": 0.0, "PaymentChecks": [], "PaymentCreditCards": [],
            "Cancelled": "tNO", "Remarks": "Thanks", "U_PortaBilling": null,
            "PaymentInvoices": [
                {"LineNum": 0, "DocEntry": 1, "SumApplied": 100.1, "InvoiceType": "it_Invoice"},
            ],
        })
    );
    let kept = b1.document(Kind::Payment, 1).unwrap();
    assert_eq!(
        (kept.total, kept.invoices),
        (dec("1000000000000.01"), vec![(1, dec("100.1"))])
    );
}

#[rstest]
#[case::some("$select=DocEntry,DocTotal", 200, "")]
#[case::encoded("%24select=DocEntry%2C%20DocTotal", 200, "")]
#[case::unknown("$select=DocEntry,Total", 400, "-1000")]
#[case::wrong_case("$select=docentry", 400, "-1000")]
#[case::empty("$select=", 400, "-1000")]
#[case::of_payments("$select=TransferSum", 400, "-1000")]
#[case::another_option("$expand=BusinessPartner", 400, "-1000")]
#[tokio::test]
async fn select_names_properties(#[case] query: &str, #[case] status: u16, #[case] code: &str) {
    let sandbox = start().await;
    sandbox
        .service_layer
        .add_partner(Partner::customer("C1", "Urist"));
    sandbox.service_layer.add_invoice(NewDocument::of("C1", dec("5")));
    let session = Session::open(&sandbox).await;

    let answer = session.get(&format!("Invoices(1)?{query}")).await;

    assert_eq!(answer.status, status, "{}", answer.body);
    if status == 200 {
        let names: Vec<_> = answer.body.as_object().unwrap().keys().collect();
        assert_eq!(names, ["@odata.context", "@odata.etag", "DocEntry", "DocTotal"]);
    } else {
        assert_eq!(refusal(&answer).1, code);
    }
}
