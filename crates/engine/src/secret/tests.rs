use std::sync::atomic::{AtomicUsize, Ordering};

use super::*;

struct Fixed(&'static str, Arc<AtomicUsize>);

impl Secrets for Fixed {
    fn fetch(&self) -> BoxFuture<'_, Result<SecretText, Error>> {
        self.1.fetch_add(1, Ordering::Relaxed);
        Box::pin(async { Ok(SecretText::fixed(self.0)) })
    }
}

#[derive(Default)]
struct Steps(std::sync::Mutex<i64>);

impl Clock for Steps {
    fn now(&self) -> Timestamp {
        Timestamp::from_second(*self.0.lock().unwrap()).unwrap()
    }

    fn sleep(&self, _: Duration) -> BoxFuture<'_, ()> {
        Box::pin(async {})
    }
}

fn store(text: &'static str) -> (Arc<SecretStore>, Arc<AtomicUsize>, Arc<Steps>) {
    let fetches = Arc::new(AtomicUsize::new(0));
    let clock = Arc::new(Steps::default());
    let store = SecretStore::new(
        Box::new(Fixed(text, Arc::clone(&fetches))),
        Arc::clone(&clock) as _,
    );
    (store, fetches, clock)
}

#[tokio::test]
async fn is_fetched_once_until_it_is_old() {
    let (store, fetches, clock) = store(r#"{"api_key":"k"}"#);
    let key = store.field("api_key");
    let (a, b) = tokio::join!(key.get(), key.get());
    assert_eq!(
        (a.unwrap().expose_secret(), b.unwrap().expose_secret()),
        ("k", "k")
    );
    assert_eq!(fetches.load(Ordering::Relaxed), 1);
    *clock.0.lock().unwrap() = 301;
    key.get().await.unwrap();
    assert_eq!(fetches.load(Ordering::Relaxed), 2);
}

struct Broken(Arc<AtomicUsize>);

impl Secrets for Broken {
    fn fetch(&self) -> BoxFuture<'_, Result<SecretText, Error>> {
        let first = self.0.fetch_add(1, Ordering::Relaxed) == 0;
        Box::pin(async move {
            if first {
                Ok(SecretText::fixed(r#"{"api_key":"k"}"#))
            } else {
                Err(unusable("away"))
            }
        })
    }
}

#[tokio::test]
async fn the_last_good_value_outlives_a_failed_refresh() {
    let fetches = Arc::new(AtomicUsize::new(0));
    let clock = Arc::new(Steps::default());
    let store = SecretStore::new(Box::new(Broken(Arc::clone(&fetches))), Arc::clone(&clock) as _);
    let key = store.field("api_key");
    key.get().await.unwrap();
    *clock.0.lock().unwrap() = 301;
    for _ in 0..5 {
        assert_eq!(key.get().await.unwrap().expose_secret(), "k");
    }
    assert_eq!(fetches.load(Ordering::Relaxed), 2);
}

#[tokio::test]
async fn one_failed_fetch_serves_all_who_wait() {
    let fetches = Arc::new(AtomicUsize::new(1));
    let clock = Arc::new(Steps::default());
    let store = SecretStore::new(Box::new(Broken(Arc::clone(&fetches))), clock as _);
    let key = store.field("api_key");
    let (a, b) = tokio::join!(key.get(), key.get());
    assert!(a.is_err() && b.is_err());
    assert_eq!(fetches.load(Ordering::Relaxed), 2);
}

#[tokio::test]
async fn an_unusable_secret_is_named_without_its_text() {
    for text in [
        r#"{"other":"hunter2"}"#,
        r#"["hunter2"]"#,
        "hunter2",
        r#"{"api_key":{"hunter2":1}}"#,
    ] {
        let (store, ..) = store(text);
        let error = store.field("api_key").get().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Deauthorized);
        assert!(!format!("{error} {error:?} {:?}", store.field("api_key")).contains("hunter2"));
    }
}

#[tokio::test]
async fn fields_are_of_one_version_and_may_be_missing() {
    let (store, fetches, clock) = store(r#"{"token":"t","number":7}"#);
    let [token, next, number] = store.fields(["token", "token_next", "number"]).await.unwrap();
    assert_eq!(token.unwrap().expose_secret(), "t");
    assert!(next.is_none() && number.is_none());
    // Whoever guesses does not make Secrets Manager work.
    for second in 0..60 {
        *clock.0.lock().unwrap() = second;
        store.suspect().await;
        store.fields(["token"]).await.unwrap();
    }
    assert_eq!(fetches.load(Ordering::Relaxed), 3);
}

#[tokio::test]
async fn what_it_lacks_is_named_and_no_value_is() {
    let (mended, ..) = store(r#"{"api_key":"k","number":7}"#);
    let _ = ["api_key", "number", "token"].map(|name| mended.field(name));
    assert_eq!(mended.missing().await.unwrap(), ["number", "token"]);
    let (broken, ..) = store("hunter2");
    let error = broken.missing().await.unwrap_err();
    assert_eq!(
        error.message(),
        "expected the vendor's secret to be a JSON object, found something else"
    );
}
