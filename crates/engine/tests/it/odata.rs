//! Records of a Service Layer, over HTTP and with its sessions.

mod server;
mod stand;

use std::sync::Arc;
use std::time::Duration;

use rstest::rstest;
use serde_json::{Value, json};
use vendorbridge::source::odata::{KeyKind, ODataEntity, ODataSource};
use vendorbridge::source::{Fetched, Source};
use vendorbridge::{EntityKey, Error, ErrorKind, Stage, Verdict, Version};

use server::{Books, Change, Tags};
use stand::{Stand, invoices, partners};

const RETRY: Verdict = Verdict::Retry { after: None };
/// A record that every Service Layer here has.
const INVOICE: &str = "Invoices(1)";
/// The invoice's partner.
const LINDA: &str = "BusinessPartners('C1')";

async fn fetch(source: &ODataSource, id: &str) -> Result<Fetched, Error> {
    source.fetch(&EntityKey::new("record", id).unwrap()).await
}

fn nothing() -> Change {
    Box::new(|_| {})
}

fn put(path: &'static str, properties: Value) -> Change {
    Box::new(move |books| books.put(path, &properties))
}

fn remove(path: &'static str) -> Change {
    Box::new(move |books| _ = books.records.remove(path))
}

#[rstest]
#[case(Tags::Frozen, None)]
#[case(Tags::Given, Some("V1"))]
#[case(Tags::None, None)]
#[tokio::test]
async fn the_selected_properties_are_the_state(#[case] tags: Tags, #[case] version: Option<&str>) {
    let stand = Stand::start(tags).await;
    let version = version.map(|tag| Version::Tag(tag.to_owned()));
    let expected = Fetched::found(json!({"CardCode": "C1", "Total": 1}), version);
    assert_eq!(fetch(&stand.source(invoices()), "1").await.unwrap(), expected);
    assert_eq!(
        fetch(&stand.source(invoices()), "2").await.unwrap(),
        Fetched::gone()
    );
}

#[rstest]
#[case("O'Neil")]
#[case("C 1/2")]
#[case("Ä+B%2F")]
#[case("..")]
#[tokio::test]
async fn a_key_arrives_as_it_is(#[case] key: &str) {
    let stand = Stand::start(Tags::Frozen).await;
    let path = format!("BusinessPartners('{}')", key.replace('\'', "''"));
    stand.layer.books().put(&path, &json!({"CardName": key}));
    let found = stand.client().get(&partners(), key).await.unwrap().unwrap();
    assert_eq!(found.state, json!({"CardName": key}));
}

#[rstest]
#[case(Tags::Frozen)]
#[case(Tags::Given)]
#[case(Tags::None)]
#[tokio::test]
async fn an_invoice_comes_with_its_partner(#[case] tags: Tags) {
    let stand = Stand::start(tags).await;
    let fetched = stand.invoice().await.unwrap();
    let expected = json!({"CardCode": "C1", "Total": 1, "Partner": {"CardName": "Linda"}});
    assert_eq!(fetched.state, Some(expected));
    let calls = [INVOICE, LINDA, INVOICE].map(|path| format!("GET {path}"));
    assert_eq!(stand.layer.calls(), calls);
}

#[rstest]
#[case(Tags::Frozen)]
#[case(Tags::Given)]
#[case(Tags::None)]
#[tokio::test]
async fn an_invoice_that_changes_meanwhile_is_read_again(#[case] tags: Tags) {
    let stand = Stand::start(tags).await;
    let mary = "BusinessPartners('C2')";
    stand.layer.books().put(mary, &json!({"CardName": "Mary"}));
    stand.then([nothing(), put(INVOICE, json!({"CardCode": "C2"}))]);
    let fetched = stand.invoice().await.unwrap();
    let expected = json!({"CardCode": "C2", "Total": 1, "Partner": {"CardName": "Mary"}});
    assert_eq!(fetched.state, Some(expected));
    let calls = [INVOICE, LINDA, INVOICE, mary, INVOICE].map(|path| format!("GET {path}"));
    assert_eq!(stand.layer.calls(), calls);
}

#[tokio::test]
async fn an_invoice_that_never_rests_is_a_retry() {
    let stand = Stand::start(Tags::Frozen).await;
    stand.then((2..20).map(|total| put(INVOICE, json!({"Total": total}))));
    let error = stand.invoice().await.unwrap_err();
    assert_eq!((error.kind(), error.verdict()), (ErrorKind::Conflict, RETRY));
    assert_eq!(stand.layer.calls().len(), 7);
}

/// Whatever is changed before whichever of the calls: what comes back was the truth at one moment.
#[rstest]
#[case(Tags::Frozen)]
#[case(Tags::Given)]
#[case(Tags::None)]
#[tokio::test]
async fn what_is_read_was_so_at_one_moment(#[case] tags: Tags) {
    let stand = Stand::start(tags).await;
    for script in 0..4_u32.pow(4) {
        let (mut total, mut name) = (0, 0);
        let mut moments = vec![(total, name)];
        let mut changes: Vec<Change> = Vec::new();
        for call in 0..4 {
            let change = script / 4_u32.pow(call) % 4;
            total += change & 1;
            name += change >> 1;
            moments.push((total, name));
            changes.push(Box::new(move |books| {
                books.put(INVOICE, &json!({"Total": total}));
                books.put(LINDA, &json!({"CardName": name}));
            }));
        }
        {
            let mut books = stand.layer.books();
            books.put(INVOICE, &json!({"Total": 0}));
            books.put(LINDA, &json!({"CardName": 0}));
            books.script.clear();
            books.then(changes);
        }
        let state = stand.invoice().await.unwrap().state.unwrap();
        let moment = (state["Total"].as_u64(), state["Partner"]["CardName"].as_u64());
        let was_so = |&(total, name): &(u32, u32)| moment == (Some(total.into()), Some(name.into()));
        assert!(
            moments.iter().any(was_so),
            "script {script}: {moment:?} of {moments:?}"
        );
    }
}

#[rstest]
#[case::no_such_partner(json!({"CardCode": "C9"}), 3)]
#[case::null(json!({"CardCode": null}), 1)]
#[case::empty(json!({"CardCode": ""}), 1)]
#[tokio::test]
async fn an_invoice_without_a_partner(#[case] properties: Value, #[case] calls: usize) {
    let stand = Stand::start(Tags::Frozen).await;
    stand.layer.books().put(INVOICE, &properties);
    let state = stand.invoice().await.unwrap().state.unwrap();
    assert_eq!(state["Partner"], Value::Null);
    assert_eq!(stand.layer.calls().len(), calls);
}

#[tokio::test]
async fn an_invoice_that_goes_meanwhile_is_gone() {
    let stand = Stand::start(Tags::Frozen).await;
    stand.then([nothing(), nothing(), remove(INVOICE)]);
    assert_eq!(stand.invoice().await.unwrap(), Fetched::gone());
}

#[tokio::test]
async fn a_partner_key_of_another_kind_is_refused() {
    let stand = Stand::start(Tags::Frozen).await;
    stand.layer.books().put(INVOICE, &json!({"CardCode": ["C1"]}));
    let error = stand.invoice().await.unwrap_err();
    let found = (error.kind(), error.verdict(), error.pointer());
    assert_eq!(found, (ErrorKind::Invalid, Verdict::Permanent, Some("/CardCode")));
}

#[tokio::test]
async fn the_calls_of_a_read_share_its_time() {
    let stand = Stand::start(Tags::Frozen).await;
    let clock = Arc::clone(&stand.clock);
    stand.then([Box::new(move |_: &mut Books| clock.advance(Duration::from_secs(5))) as Change]);
    let error = stand.invoice().await.unwrap_err();
    assert_eq!((error.kind(), error.verdict()), (ErrorKind::Timeout, RETRY));
    assert_eq!(stand.layer.calls().len(), 1);
}

#[tokio::test]
async fn one_login_serves_ten_reads_and_one_more_when_it_has_ended() {
    let stand = Stand::start(Tags::Frozen).await;
    let source = stand.invoices();
    for logins in 1..=2 {
        let reads = (0..10).map(|_| fetch(&source, "1"));
        for fetched in futures::future::join_all(reads).await {
            assert!(fetched.unwrap().state.is_some());
        }
        assert_eq!(stand.layer.books().logins, logins);
        stand.layer.books().sessions.clear();
    }
}

#[tokio::test]
async fn a_session_that_ends_between_the_calls_of_a_read_is_renewed() {
    let stand = Stand::start(Tags::Frozen).await;
    stand.then([Box::new(|books: &mut Books| books.sessions.clear()) as Change]);
    assert!(stand.invoice().await.unwrap().state.is_some());
    assert_eq!(stand.layer.books().logins, 2);
}

#[rstest]
#[case::gateway(404, "<html>no such host</html>", ErrorKind::NotFound, RETRY)]
#[case::too_large(200, &"x".repeat(2 << 20), ErrorKind::TooLarge, Verdict::Permanent)]
#[case::too_large_to_refuse(404, &"x".repeat(2 << 20), ErrorKind::TooLarge, Verdict::Permanent)]
#[case::no_record(200, "[]", ErrorKind::Unexpected, RETRY)]
#[tokio::test]
async fn an_answer_that_says_nothing_of_the_record_removes_nothing(
    #[case] status: u16,
    #[case] body: &str,
    #[case] kind: ErrorKind,
    #[case] verdict: Verdict,
) {
    let stand = Stand::start(Tags::Frozen).await;
    stand.layer.books().instead = Some((status, body.to_owned()));
    let error = stand.invoice().await.unwrap_err();
    assert_eq!((error.kind(), error.verdict()), (kind, verdict));
}

#[tokio::test]
async fn a_change_leaves_the_other_properties_alone() {
    let stand = Stand::start(Tags::Given).await;
    let client = stand.client();
    let link = json!({"U_Link": "42"});
    client.patch(&partners(), "C1", &link, Stage::Push).await.unwrap();
    let all = ODataEntity::new("BusinessPartners", KeyKind::Text, &[]).unwrap();
    let found = client.get(&all, "C1").await.unwrap().unwrap();
    assert_eq!(
        found.state,
        json!({"CardCode": "C1", "CardName": "Linda", "U_Link": "42"})
    );
    assert_eq!(found.etag.as_deref(), Some("W/\"V2\""));
    assert_eq!(stand.layer.calls()[0], format!("PATCH {LINDA}"));
}

#[tokio::test]
async fn a_change_of_nobody_is_permanent_and_a_large_answer_to_one_is_left_unread() {
    let stand = Stand::start(Tags::Frozen).await;
    let client = stand.client();
    let link = json!({"U_Link": "42"});
    let error = client
        .patch(&partners(), "C9", &link, Stage::Push)
        .await
        .unwrap_err();
    let found = (error.kind(), error.verdict(), error.stage());
    assert_eq!(found, (ErrorKind::NotFound, Verdict::Permanent, Stage::Push));
    stand.layer.books().instead = Some((200, "x".repeat(2 << 20)));
    client.patch(&partners(), "C1", &link, Stage::Push).await.unwrap();
}
