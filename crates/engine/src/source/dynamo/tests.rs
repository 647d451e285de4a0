use std::sync::Mutex;

use serde_json::json;

use super::*;

/// Answers every request with the same item.
struct Fixed(Option<Value>, Mutex<Vec<ItemRequest>>);

impl Items for Fixed {
    fn get<'a>(
        &'a self,
        request: &'a ItemRequest,
    ) -> BoxFuture<'a, Result<Option<Map<String, Value>>, Error>> {
        self.1.lock().unwrap().push(request.clone());
        let item = self.0.as_ref().and_then(Value::as_object).cloned();
        Box::pin(async { Ok(item) })
    }

    fn scan<'a>(&'a self, request: &'a ScanRequest) -> BoxFuture<'a, Result<Scanned, Error>> {
        NoItems.scan(request)
    }
}

async fn fetch(settings: Value, item: Option<Value>, id: &str) -> (Result<Fetched, Error>, Vec<ItemRequest>) {
    let items = Arc::new(Fixed(item, Mutex::default()));
    let settings = serde_json::from_value(settings).unwrap();
    let source = DynamoSource::new(Arc::clone(&items) as _, settings, &["title", "stock", "pk"]);
    let fetched = source.fetch(&EntityKey::new("inventory-item", id).unwrap()).await;
    let requests = items.1.lock().unwrap().clone();
    (fetched, requests)
}

#[tokio::test]
async fn reads_what_the_mapping_needs_and_the_key() {
    let settings = json!({"table": "Inventory", "key": {"pk": "SKU#{id}"}, "version": "version"});
    let item = json!({"pk": "SKU#a", "title": "A", "version": 7});
    let (fetched, requests) = fetch(settings, Some(item.clone()), "a").await;
    let expected = Fetched::found(item, Some(Version::Number(7))).current();
    assert_eq!(fetched.unwrap(), expected);
    let [request] = requests.try_into().unwrap();
    assert_eq!(request.table, "Inventory");
    assert_eq!(request.key["pk"], KeyValue::Text("SKU#a".to_owned()));
    assert_eq!(
        request.attributes,
        ["pk", "stock", "title", "version"],
        "each once: a path that stands twice is refused"
    );
}

#[tokio::test]
async fn no_item_is_a_deletion_that_is_certain() {
    let (fetched, _) = fetch(json!({"table": "Inventory", "key": {"pk": "{id}"}}), None, "a").await;
    assert_eq!(fetched.unwrap(), Fetched::gone().current());
}

#[tokio::test]
async fn an_id_that_makes_no_key_is_not_asked_for() {
    let settings = json!({"table": "Inventory", "key": {"pk": {"N": "{id}"}}});
    let (fetched, requests) = fetch(settings, None, "a").await;
    let error = fetched.unwrap_err();
    assert_eq!((error.kind(), error.stage()), (ErrorKind::Invalid, Stage::Source));
    assert!(requests.is_empty());
}
