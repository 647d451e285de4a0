use serde_json::json;
use vendorbridge_testkit::sandbox::servicelayer::{NewDocument, Partner, Refused};

use super::{Session, events, refusal, with_partner};
use crate::{dec, start};

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
