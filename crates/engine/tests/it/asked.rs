//! Pages of source and vendor: what passes is tried again, and what is not known is not answered.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use futures::future::BoxFuture;
use serde::{Deserialize, Serialize};
use serde_json::json;
use vendorbridge::ask::{Answer, Page, PageRequest, Question, SourceRecord};
use vendorbridge::ledger::{Ledger, VendorRecord};
use vendorbridge::source::{Fetched, Listed, Source};
use vendorbridge::vendor::{Held, Invalid, Push, Vendor};
use vendorbridge::{Entity, EntityKey, Error, ErrorKind, Stage};

use super::bench::Bench;

const PANICS: &str = "panics";

/// Source and vendor in one.
#[derive(Clone, Default)]
struct Both {
    /// What the next lists fail with.
    fail_list: Arc<Mutex<VecDeque<ErrorKind>>>,
    /// What every read of a single record fails with.
    fail_read: Arc<Mutex<Option<Error>>>,
    lists: Arc<Mutex<u32>>,
}

impl Both {
    fn listed(&self, stage: Stage) -> Result<(), Error> {
        *self.lists.lock().unwrap() += 1;
        let failure = self.fail_list.lock().unwrap().pop_front();
        failure.map_or(Ok(()), |kind| Err(Error::retry(kind, stage, "told to fail")))
    }

    fn lists(&self) -> u32 {
        *self.lists.lock().unwrap()
    }
}

impl Source for Both {
    fn fetch<'a>(&'a self, entity: &'a EntityKey) -> BoxFuture<'a, Result<Fetched, Error>> {
        let failure = self.fail_read.lock().unwrap().as_ref().map(Error::copied);
        let found = Fetched::found(json!({"name": entity.id()}), None);
        Box::pin(async move { failure.map_or(Ok(found), Err) })
    }

    fn lists(&self) -> bool {
        true
    }

    fn list<'a>(&'a self, _: PageRequest<'a>) -> BoxFuture<'a, Result<Page<Listed>, Error>> {
        let ids = ["1", PANICS, "no\u{0}key"];
        let listed = ids.map(|id| Listed {
            id: id.to_owned(),
            state: None,
        });
        Box::pin(async move {
            self.listed(Stage::Source)
                .map(|()| Page::new(listed.into(), None))
        })
    }
}

#[derive(Serialize, Deserialize)]
struct Named {
    name: String,
}

impl Vendor for Both {
    type Entity = Named;
    type Payload = Named;

    fn map(&self, named: &Named) -> Result<Named, Invalid> {
        assert_ne!(named.name, PANICS, "told to panic");
        let name = named.name.clone();
        Ok(Named { name })
    }

    async fn push(&self, push: &mut Push<'_>, _: &Named) -> Result<String, Error> {
        Ok(push.entity.id().to_owned())
    }

    async fn remove(&self, _: &mut Push<'_>) -> Result<(), Error> {
        Ok(())
    }

    fn lists(&self) -> bool {
        true
    }

    async fn list(&self, _: PageRequest<'_>) -> Result<Page<Held>, Error> {
        self.listed(Stage::Push).map(|()| Page::new(Vec::new(), None))
    }
}

fn bench() -> (Bench, Both) {
    let both = Both::default();
    (
        Bench::with(Entity::new("person", both.clone(), both.clone())),
        both,
    )
}

fn source_page() -> Question {
    Question::SourcePage {
        entity_type: "person".to_owned(),
        page: None,
        limit: 10,
        with_fields: true,
    }
}

fn vendor_page() -> Question {
    Question::VendorPage {
        entity_type: "person".to_owned(),
        page: None,
        limit: 10,
    }
}

async fn source(bench: &Bench) -> Page<SourceRecord> {
    match bench.ask(&source_page()).await {
        Answer::SourcePage(page) => page,
        other => panic!("expected a page, found {other:?}"),
    }
}

async fn failure(bench: &Bench, question: &Question) -> ErrorKind {
    match bench.ask(question).await {
        Answer::Failed { error } => error.kind,
        other => panic!("expected a failure, found {other:?}"),
    }
}

#[tokio::test]
async fn a_record_that_panics_fails_alone_and_one_without_a_key_is_counted() {
    let (bench, _) = bench();
    let page = source(&bench).await;
    assert_eq!((page.records.len(), page.unnameable), (2, 1));
    assert_eq!(page.records[0].error, None);
    assert_eq!(page.records[1].error.as_ref().unwrap().kind, ErrorKind::Panicked);
}

#[tokio::test]
async fn what_passes_is_tried_again() {
    let (bench, both) = bench();
    let failures = [ErrorKind::RateLimited, ErrorKind::Unavailable, ErrorKind::Timeout];
    both.fail_list.lock().unwrap().extend(failures);
    assert_eq!(source(&bench).await.records.len(), 2);
    assert_eq!(both.lists(), 4);
    both.fail_list.lock().unwrap().extend([ErrorKind::RateLimited; 4]);
    assert_eq!(failure(&bench, &vendor_page()).await, ErrorKind::RateLimited);
    assert_eq!(both.lists(), 8);
}

#[tokio::test]
async fn a_source_that_may_still_say_makes_no_page() {
    let (bench, both) = bench();
    let down = Error::retry(ErrorKind::Unavailable, Stage::Source, "down");
    *both.fail_read.lock().unwrap() = Some(down);
    assert_eq!(failure(&bench, &source_page()).await, ErrorKind::Unavailable);
    let refused = Error::permanent(ErrorKind::Refused, Stage::Source, "never");
    *both.fail_read.lock().unwrap() = Some(refused);
    let page = source(&bench).await;
    assert!(
        page.records
            .iter()
            .all(|record| record.error.as_ref().unwrap().kind == ErrorKind::Refused)
    );
}

#[tokio::test]
async fn a_page_that_is_too_large_says_what_to_do() {
    let (bench, both) = bench();
    both.fail_list.lock().unwrap().push_back(ErrorKind::TooLarge);
    let Answer::Failed { error } = bench.ask(&vendor_page()).await else {
        panic!("expected a failure");
    };
    assert!(error.message.ends_with("ask for fewer at once"), "{error:?}");
    assert_eq!(both.lists(), 1);
}

#[tokio::test]
async fn a_paused_vendor_is_not_asked() {
    let (bench, both) = bench();
    let paused = VendorRecord::new("names").paused(None, bench.now()).unwrap();
    bench.ledger.settle_vendor(&paused).await.unwrap();
    assert_eq!(failure(&bench, &vendor_page()).await, ErrorKind::Paused);
    assert_eq!(both.lists(), 0);
    assert_eq!(source(&bench).await.records.len(), 2);
}
