use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use futures::future::BoxFuture;
use rstest::rstest;
use vendorbridge::Error;
use vendorbridge::clock::SystemClock;
use vendorbridge::secret::{SecretText, Secrets};

use super::*;

struct Fixed(&'static str, Arc<AtomicUsize>);

impl Secrets for Fixed {
    fn fetch(&self) -> BoxFuture<'_, Result<SecretText, Error>> {
        self.1.fetch_add(1, Ordering::Relaxed);
        Box::pin(async { Ok(SecretText::fixed(self.0)) })
    }
}

fn store(text: &'static str) -> (Arc<SecretStore>, Arc<AtomicUsize>) {
    let fetches = Arc::new(AtomicUsize::new(0));
    let secrets = Box::new(Fixed(text, Arc::clone(&fetches)));
    (SecretStore::new(secrets, Arc::new(SystemClock)), fetches)
}

fn headers(values: &[&str]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for value in values {
        headers.append(AUTHORIZATION, value.parse().unwrap());
    }
    headers
}

fn basic(pair: &str) -> String {
    format!("Basic {}", BASE64_STANDARD.encode(pair))
}

async fn enters(secret: &'static str, header: &str) -> Result<(), Refused> {
    let shown = Shown::of(&headers(&[header])).ok_or(Refused::Unknown)?;
    check(&shown, &store(secret).0).await
}

const BOTH: &str = r#"{"sapb1_user":"b1if","sapb1_password":"pa:ss","sapb1_password_next":"neu-é","sapb1_token":"old","sapb1_token_next":"new"}"#;

#[rstest]
#[case(&basic("b1if:pa:ss"))]
#[case(&basic("b1if:neu-é"))]
#[case(&basic("b1if:pa:ss").replace("Basic", "bASIC"))]
#[case("Bearer old")]
#[case("bearer  new")]
#[tokio::test]
async fn the_present_and_the_next_credentials_get_in(#[case] header: &str) {
    assert_eq!(enters(BOTH, header).await, Ok(()));
}

#[rstest]
#[case(&basic("b1if:pa"))]
#[case(&basic("b1if:"))]
#[case(&basic("other:pa:ss"))]
#[case(&basic(":pa:ss"))]
#[case(&basic("b1if"))]
#[case("Basic not-base64!")]
#[case("Basic")]
#[case("Bearer")]
#[case("Bearer ")]
#[case("Bearer ol")]
#[case("Bearer older")]
#[case("Bearer pa:ss")]
#[case("Digest old")]
#[case("old")]
#[tokio::test]
async fn nothing_else_does(#[case] header: &str) {
    assert_eq!(enters(BOTH, header).await, Err(Refused::Unknown));
}

#[rstest]
#[case("{}")]
#[case(r#"{"placeholder":"x"}"#)]
#[case(r#"{"sapb1_user":"","sapb1_password":"","sapb1_token":"","sapb1_token_next":""}"#)]
#[case(r#"{"sapb1_token":null,"sapb1_password":"p"}"#)]
#[tokio::test]
async fn nothing_configured_lets_nobody_in(#[case] secret: &'static str) {
    for header in [
        basic(":"),
        basic(":p"),
        "Bearer ".to_owned(),
        "Bearer null".to_owned(),
    ] {
        assert_eq!(enters(secret, &header).await, Err(Refused::Unknown), "{header}");
    }
}

#[tokio::test]
async fn without_a_secret_nobody_can_be_checked() {
    assert_eq!(
        enters("no JSON", "Bearer t").await,
        Err(Refused::Unchecked("deauthorized"))
    );
}

#[test]
fn two_authorizations_are_none() {
    assert!(Shown::of(&headers(&["Bearer old", "Bearer new"])).is_none());
    assert!(Shown::of(&headers(&[])).is_none());
}

#[tokio::test]
async fn guessing_does_not_make_secrets_manager_work() {
    let (store, fetches) = store(BOTH);
    for guess in 0..200 {
        let shown = Shown::of(&headers(&[&format!("Bearer {guess}")])).unwrap();
        assert_eq!(check(&shown, &store).await, Err(Refused::Unknown));
    }
    assert_eq!(fetches.load(Ordering::Relaxed), 2);
}

struct Changing(AtomicUsize);

impl Secrets for Changing {
    fn fetch(&self) -> BoxFuture<'_, Result<SecretText, Error>> {
        let text = match self.0.fetch_add(1, Ordering::Relaxed) {
            0 => r#"{"sapb1_token":"old"}"#,
            _ => r#"{"sapb1_token":"new"}"#,
        };
        Box::pin(async move { Ok(SecretText::fixed(text)) })
    }
}

#[tokio::test]
async fn a_changed_secret_is_read_when_it_is_needed() {
    let store = SecretStore::new(Box::new(Changing(AtomicUsize::new(0))), Arc::new(SystemClock));
    for token in ["old", "new"] {
        let shown = Shown::of(&headers(&[&format!("Bearer {token}")])).unwrap();
        assert_eq!(check(&shown, &store).await, Ok(()));
    }
}
