use std::collections::{HashMap, VecDeque};
use std::sync::Mutex;

use futures::future::BoxFuture;
use rstest::rstest;

use super::*;

type Answers = Result<Vec<Result<String, Refusal>>, Refusal>;

/// A bus that answers by a script of codes per detail, and takes everything else.
#[derive(Default)]
struct Scripted {
    entries: Mutex<HashMap<String, VecDeque<&'static str>>>,
    requests: Mutex<VecDeque<Option<&'static str>>>,
    seen: Mutex<Vec<Vec<String>>>,
}

impl Scripted {
    fn refuses(self, detail: &str, codes: &[&'static str]) -> Self {
        let codes = codes.iter().copied().collect();
        self.entries.lock().unwrap().insert(detail.to_owned(), codes);
        self
    }

    fn answers(self, codes: &[Option<&'static str>]) -> Self {
        self.requests.lock().unwrap().extend(codes);
        self
    }

    fn seen(&self) -> Vec<Vec<String>> {
        self.seen.lock().unwrap().clone()
    }
}

fn refusal(code: &str) -> Refusal {
    Refusal {
        code: code.to_owned(),
        is_permanent: code == "MalformedDetail" || code == "ValidationException",
    }
}

impl Bus for Scripted {
    fn put<'a>(&'a self, events: &'a [&'a Event]) -> BoxFuture<'a, Answers> {
        Box::pin(async move {
            let details = events.iter().map(|event| event.detail.clone()).collect();
            self.seen.lock().unwrap().push(details);
            if let Some(Some(code)) = self.requests.lock().unwrap().pop_front() {
                return Err(refusal(code));
            }
            let mut entries = self.entries.lock().unwrap();
            let mut entry =
                |event: &&Event| match entries.get_mut(&event.detail).and_then(VecDeque::pop_front) {
                    Some(code) => Err(refusal(code)),
                    None => Ok(format!("id-{}", event.detail)),
                };
            Ok(events.iter().map(&mut entry).collect())
        })
    }
}

/// Time that passes in sleeps only, and by `per_look` whenever it is looked at.
#[derive(Default)]
struct Watch {
    millis: Mutex<i64>,
    per_look: i64,
}

impl Clock for Watch {
    fn now(&self) -> Timestamp {
        let mut millis = self.millis.lock().unwrap();
        *millis += self.per_look;
        Timestamp::from_millisecond(*millis).unwrap()
    }

    fn sleep(&self, duration: Duration) -> BoxFuture<'_, ()> {
        *self.millis.lock().unwrap() += i64::try_from(duration.as_millis()).unwrap();
        Box::pin(async {})
    }
}

fn events(keys: &[&str]) -> Vec<Event> {
    let event = |(at, key): (usize, &&str)| Event {
        key: (*key).to_owned(),
        source: "s".to_owned(),
        detail_type: "D".to_owned(),
        detail: format!("{key}{at}"),
        time: None,
    };
    keys.iter().enumerate().map(event).collect()
}

fn different(count: usize) -> Vec<Event> {
    let keys: Vec<_> = (0..count).map(|n| format!("k{n}-")).collect();
    events(&keys.iter().map(String::as_str).collect::<Vec<_>>())
}

async fn put(bus: &Scripted, events: &[Event]) -> Vec<Result<String, String>> {
    let deadline = Timestamp::from_second(20).unwrap();
    let results = put_all(bus, &Watch::default(), deadline, events).await;
    results
        .into_iter()
        .map(|result| result.map_err(|refusal| refusal.code))
        .collect()
}

#[rstest]
#[case(0, &[])]
#[case(1, &[1])]
#[case(10, &[10])]
#[case(11, &[10, 1])]
#[case(100, &[10; 10])]
#[tokio::test]
async fn ten_at_a_time(#[case] count: usize, #[case] requests: &[usize]) {
    let (bus, events) = (Scripted::default(), different(count));
    let results = put(&bus, &events).await;
    let ids: Vec<_> = events
        .iter()
        .map(|event| Ok(format!("id-{}", event.detail)))
        .collect();
    assert_eq!(results, ids);
    assert_eq!(bus.seen().iter().map(Vec::len).collect::<Vec<_>>(), requests);
}

#[tokio::test]
async fn a_request_stays_within_its_bytes() {
    let mut events = different(3);
    for event in &mut events {
        event.detail = "x".repeat(100 * 1024);
    }
    let bus = Scripted::default();
    assert!(put(&bus, &events).await.iter().all(Result::is_ok));
    assert_eq!(bus.seen().iter().map(Vec::len).collect::<Vec<_>>(), [2, 1]);
}

#[tokio::test]
async fn events_of_one_key_follow_each_other() {
    let bus = Scripted::default().refuses("a0", &["InternalFailure"]);
    let results = put(&bus, &events(&["a", "b", "a"])).await;
    assert!(results.iter().all(Result::is_ok));
    assert_eq!(bus.seen(), [vec!["a0", "b1"], vec!["a0"], vec!["a2"]]);
}

#[tokio::test]
async fn an_entry_that_fails_is_tried_again_and_given_up() {
    let bus = Scripted::default().refuses("a0", &["ThrottlingException"; 9]);
    let results = put(&bus, &events(&["a", "b", "a"])).await;
    let expected = [
        Err("ThrottlingException".to_owned()),
        Ok("id-b1".to_owned()),
        Err("no time was left".to_owned()),
    ];
    assert_eq!(results, expected);
    assert_eq!(bus.seen().len(), 1 + PAUSES.len());
}

#[tokio::test]
async fn an_entry_that_can_never_pass_is_not_tried_again() {
    let bus = Scripted::default().refuses("a0", &["MalformedDetail"; 9]);
    let results = put(&bus, &events(&["a", "b", "a"])).await;
    assert_eq!(results[0], Err("MalformedDetail".to_owned()));
    assert!(results[1..].iter().all(Result::is_ok));
    assert_eq!(bus.seen(), [vec!["a0", "b1"], vec!["a2"]]);
}

#[tokio::test]
async fn a_request_that_fails_is_tried_again() {
    let bus = Scripted::default().answers(&[None, Some("InternalException")]);
    let results = put(&bus, &different(15)).await;
    assert!(results.iter().all(Result::is_ok));
    assert_eq!(bus.seen().iter().map(Vec::len).collect::<Vec<_>>(), [10, 5, 5]);
}

#[tokio::test]
async fn a_request_refused_as_a_whole_is_taken_apart() {
    let bus = Scripted::default().answers(&[Some("ValidationException"), None, Some("ValidationException")]);
    let results = put(&bus, &different(3)).await;
    assert_eq!(
        results.iter().map(Result::is_ok).collect::<Vec<_>>(),
        [true, false, true]
    );
    assert_eq!(bus.seen().len(), 4);
}

#[tokio::test]
async fn nothing_is_begun_that_could_outlast_the_deadline() {
    let bus = Scripted::default();
    let clock = Watch {
        per_look: 5_000,
        ..Watch::default()
    };
    let deadline = Timestamp::from_second(13).unwrap();
    let results = put_all(&bus, &clock, deadline, &events(&["a", "a", "a"])).await;
    assert_eq!(
        results.iter().map(Result::is_ok).collect::<Vec<_>>(),
        [true, false, false]
    );
}
