//! OAuth 2 client credentials.

use rstest::rstest;
use vendorbridge::ErrorKind;

use super::server::Service;
use super::*;

struct Stand {
    service: Service,
    vault: Vault,
    clock: Arc<ManualClock>,
    instance: Instance,
}

impl Stand {
    async fn start() -> Self {
        let clock = clock();
        let service = Service::start(Arc::clone(&clock) as _).await;
        let (id, secret) = service.books().client.clone();
        let vault = Vault::new(&json!({"acme_client_id": id, "acme_client_secret": secret}));
        let instance = Instance::new(&vault, Arc::clone(&clock) as _);
        Self {
            service,
            vault,
            clock,
            instance,
        }
    }

    fn auth(&self) -> Auth {
        self.instance
            .auth(json!({"kind": "client-credentials", "token_url": self.service.token_url}))
    }

    async fn call(&self, auth: &Auth) -> Result<Answer, Error> {
        self.instance.get(auth, &self.service.api_url).await
    }

    fn asked(&self) -> usize {
        self.service.books().asked.len()
    }
}

#[rstest]
#[case("basic", false)]
#[case("body", true)]
#[tokio::test]
async fn the_client_shows_its_secret_where_it_is_wanted(#[case] client_auth: &str, #[case] in_body: bool) {
    let stand = Stand::start().await;
    stand.service.books().in_body = in_body;
    let auth = stand.instance.auth(json!({
        "kind": "client-credentials", "token_url": stand.service.token_url, "client_auth": client_auth,
        "scope": "read write", "audience": "https://acme.example", "parameters": {"token_type": "jwt"},
    }));
    assert_eq!(stand.call(&auth).await.unwrap().status, 200);
    let books = stand.service.books();
    let asked = &books.asked[0];
    assert_eq!(asked["grant_type"], "client_credentials");
    assert_eq!(asked["scope"], "read write");
    assert_eq!(asked["audience"], "https://acme.example");
    assert_eq!(asked["token_type"], "jwt");
    assert_eq!(asked.contains_key("client_secret"), in_body);
}

#[tokio::test]
async fn a_batch_shares_one_token() {
    let stand = Stand::start().await;
    let auth = stand.auth();
    let calls = (0..10).map(|_| stand.call(&auth));
    for answer in futures::future::join_all(calls).await {
        assert_eq!(answer.unwrap().status, 200);
    }
    assert_eq!(stand.asked(), 1);
}

#[rstest]
#[case::long(3600, 3539, 3541)]
#[case::short(100, 79, 81)]
#[tokio::test]
async fn a_token_is_renewed_before_it_ends(#[case] life: i64, #[case] good: u64, #[case] due: u64) {
    let stand = Stand::start().await;
    stand.service.books().life = life;
    let auth = stand.auth();
    stand.call(&auth).await.unwrap();
    stand.clock.advance(seconds(good));
    stand.call(&auth).await.unwrap();
    assert_eq!(stand.asked(), 1);
    stand.clock.advance(seconds(due - good));
    stand.call(&auth).await.unwrap();
    assert_eq!(stand.asked(), 2);
    assert_eq!(stand.service.books().calls, 3, "nothing was refused on the way");
}

#[tokio::test]
async fn a_revoked_token_is_replaced_once_for_all() {
    let stand = Stand::start().await;
    let auth = stand.auth();
    stand.call(&auth).await.unwrap();
    stand.service.revoke_access();
    let calls = (0..10).map(|_| stand.call(&auth));
    for answer in futures::future::join_all(calls).await {
        assert_eq!(answer.unwrap().status, 200);
    }
    assert_eq!(stand.asked(), 2);
}

#[tokio::test]
async fn a_service_that_takes_no_token_is_not_stormed() {
    let stand = Stand::start().await;
    stand.service.books().takes_none = true;
    let auth = stand.auth();
    for _ in 0..20 {
        assert_eq!(stand.call(&auth).await.unwrap().status, 401);
    }
    assert_eq!(stand.asked(), 2, "the first token and one in its place");
    assert_eq!(stand.service.books().calls, 21, "one request was repeated, once");
    stand.service.books().takes_none = false;
    stand.service.revoke_access();
    stand.clock.advance(seconds(31));
    assert_eq!(stand.call(&auth).await.unwrap().status, 200);
}

#[tokio::test]
async fn a_refused_client_is_deauthorized_and_asks_no_more_for_a_while() {
    let stand = Stand::start().await;
    stand.vault.set("acme_client_secret", "hunter2 of yesterday");
    let auth = stand.auth();
    let calls = (0..10).map(|_| stand.call(&auth));
    for error in futures::future::join_all(calls).await {
        let error = error.unwrap_err();
        assert_eq!(
            (error.kind(), error.stage()),
            (ErrorKind::Deauthorized, Stage::Push)
        );
        assert_eq!(error.vendor_code(), Some("invalid_client"));
        assert_silent(&error);
    }
    assert_eq!((stand.asked(), stand.service.books().calls), (1, 0));
    assert_eq!(stand.vault.reads(), 2, "a refusal looks into the secret at once");
    stand.clock.advance(seconds(11));
    stand.call(&auth).await.unwrap_err();
    assert_eq!((stand.asked(), stand.vault.reads()), (2, 2));
}

#[tokio::test]
async fn a_rotated_client_secret_is_used_without_a_failure() {
    let stand = Stand::start().await;
    let auth = stand.auth();
    stand.call(&auth).await.unwrap();
    stand.service.books().client.1 = "hunter2 of tomorrow".to_owned();
    stand.vault.set("acme_client_secret", "hunter2 of tomorrow");
    stand.service.revoke_access();
    assert_eq!(stand.call(&auth).await.unwrap().status, 200);
}

#[rstest]
#[case(503, ErrorKind::Unavailable)]
#[case(500, ErrorKind::Unavailable)]
#[case(429, ErrorKind::RateLimited)]
#[case(404, ErrorKind::NotFound)]
#[case(200, ErrorKind::Unexpected)]
#[case(401, ErrorKind::Deauthorized)]
#[tokio::test]
async fn an_outage_of_the_endpoint_is_no_refusal(#[case] status: u16, #[case] kind: ErrorKind) {
    let stand = Stand::start().await;
    let auth = stand.auth();
    stand.call(&auth).await.unwrap();
    stand.service.books().outage = Some(status);
    // Due, but not at its end: the old one still serves.
    stand.clock.advance(seconds(3560));
    assert_eq!(stand.call(&auth).await.unwrap().status, 200);
    assert_eq!(stand.call(&auth).await.unwrap().status, 200);
    assert_eq!(stand.asked(), 2);
    stand.clock.advance(seconds(41));
    let error = stand.call(&auth).await.unwrap_err();
    assert_eq!(error.kind(), kind, "{error}");
    assert!(matches!(error.verdict(), vendorbridge::Verdict::Retry { .. }));
    assert_silent(&error);
    stand.service.books().outage = None;
    // A refused credential is shown less and less often.
    stand.clock.advance(seconds(if status == 401 { 21 } else { 11 }));
    assert_eq!(stand.call(&auth).await.unwrap().status, 200);
}

#[tokio::test]
async fn an_endpoint_that_nobody_answers_at_is_unavailable() {
    let stand = Stand::start().await;
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    drop(listener);
    let auth = stand
        .instance
        .auth(json!({"kind": "client-credentials", "token_url": url}));
    let error = stand.call(&auth).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable);
}

#[tokio::test]
async fn debug_names_fields_only() {
    let stand = Stand::start().await;
    let auth = stand.auth();
    stand.call(&auth).await.unwrap();
    let text = format!("{auth:?}");
    assert!(
        text.contains("acme_client_secret") && !text.contains(HUNTER),
        "{text}"
    );
}
