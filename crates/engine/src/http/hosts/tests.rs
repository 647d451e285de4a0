use futures::future::BoxFuture;
use http::{HeaderMap, StatusCode};

use super::*;
use crate::{ErrorKind, Stage};

/// Every call takes as long as it may.
struct Steps(Mutex<Timestamp>);

impl Steps {
    fn advance(&self, by: Duration) {
        let mut now = self.0.lock().unwrap();
        *now = now.saturating_add(by).unwrap();
    }
}

impl Clock for Steps {
    fn now(&self) -> Timestamp {
        *self.0.lock().unwrap()
    }

    fn sleep(&self, by: Duration) -> BoxFuture<'_, ()> {
        self.advance(by);
        Box::pin(async {})
    }
}

#[derive(Clone, Copy)]
enum Does {
    Answers(u16),
    TimesOut,
    RefusesConnections,
    LacksCredential,
}

use Does::{Answers, LacksCredential, RefusesConnections, TimesOut};

struct Stand {
    hosts: Hosts,
    clock: Arc<Steps>,
    asked: Mutex<Vec<(String, u64)>>,
}

impl Stand {
    fn new(count: usize) -> Self {
        let clock = Arc::new(Steps(Mutex::new(Timestamp::UNIX_EPOCH)));
        let url = |n: usize| format!("https://host-{n}.example").parse().unwrap();
        let hosts = Hosts::new(
            &Http::new(false).unwrap(),
            Arc::clone(&clock) as _,
            fastrand::Rng::with_seed(1),
            url(0),
            (1..count).map(url).collect(),
        );
        Self {
            hosts: hosts.unwrap(),
            clock,
            asked: Mutex::default(),
        }
    }

    /// The n-th host asked does the n-th of `does`.
    async fn send(&self, does: &[Does]) -> Reply {
        self.asked.lock().unwrap().clear();
        let until = self.clock.now().saturating_add(Duration::from_secs(10)).unwrap();
        let patience = Patience {
            first: Duration::from_secs(2),
            until,
        };
        self.hosts
            .send(patience, async |url, timeout| {
                let mut asked = self.asked.lock().unwrap();
                let does = does[asked.len()];
                asked.push((url.host_str().unwrap().to_owned(), timeout.as_secs()));
                let unknown = || {
                    Error::new(
                        ErrorKind::Timeout,
                        Verdict::Unknown,
                        Stage::Push,
                        "no answer in time",
                    )
                };
                match does {
                    Answers(status) => Ok(Answer {
                        status: StatusCode::from_u16(status).unwrap(),
                        headers: HeaderMap::new(),
                        body: bytes::Bytes::new(),
                    }),
                    TimesOut => {
                        self.clock.advance(timeout);
                        Err(unknown())
                    }
                    RefusesConnections => {
                        Err(Error::retry(ErrorKind::Unavailable, Stage::Push, "could not connect").brief())
                    }
                    LacksCredential => Err(Error::retry(ErrorKind::Deauthorized, Stage::Push, "no key")),
                }
            })
            .await
    }

    fn asked(&self) -> Vec<(String, u64)> {
        self.asked.lock().unwrap().clone()
    }

    fn names(&self) -> Vec<String> {
        self.asked().into_iter().map(|(name, _)| name).collect()
    }
}

fn status(reply: &Reply) -> u16 {
    reply.result.as_ref().unwrap().status.as_u16()
}

#[tokio::test]
async fn the_first_host_is_enough_while_it_answers() {
    let stand = Stand::new(4);
    for status_of in [200, 400, 403, 429] {
        let reply = stand.send(&[Answers(status_of)]).await;
        assert_eq!((status(&reply), reply.is_in_doubt), (status_of, false));
        assert_eq!(stand.names(), ["host-0.example"]);
    }
}

#[tokio::test]
async fn a_host_that_fails_is_left_out_for_five_minutes() {
    let stand = Stand::new(4);
    let reply = stand
        .send(&[RefusesConnections, Answers(503), Answers(200)])
        .await;
    assert_eq!(
        (status(&reply), reply.is_in_doubt),
        (200, false),
        "neither was carried out"
    );
    let [first, second, third] = stand.names().try_into().unwrap();
    assert_eq!(first, "host-0.example");
    stand.send(&[Answers(200)]).await;
    assert_eq!(stand.names(), [third]);
    stand.clock.advance(Duration::from_secs(299));
    stand.send(&[Answers(500), Answers(200)]).await;
    assert!(!stand.names().contains(&second));
    stand.clock.advance(Duration::from_secs(1));
    stand.send(&[Answers(200)]).await;
    assert_eq!(stand.names(), [first]);
}

#[tokio::test]
async fn each_host_may_take_longer_and_all_together_no_more_than_the_whole() {
    let stand = Stand::new(4);
    let reply = stand.send(&[TimesOut; 4]).await;
    assert_eq!(reply.result.unwrap_err().kind(), ErrorKind::Timeout);
    let seconds: Vec<_> = stand.asked().into_iter().map(|(_, seconds)| seconds).collect();
    assert_eq!(seconds, [2, 4, 4]);
}

#[tokio::test]
async fn an_answer_after_a_timeout_is_in_doubt() {
    let stand = Stand::new(2);
    let reply = stand.send(&[TimesOut, Answers(400)]).await;
    assert_eq!((status(&reply), reply.is_in_doubt), (400, true));
    assert!(
        stand.send(&[Answers(500)]).await.result.is_ok(),
        "the only one left"
    );
    assert_eq!(stand.names(), ["host-1.example"]);
}

#[tokio::test]
async fn if_all_failed_all_are_asked_again() {
    let stand = Stand::new(2);
    stand.send(&[Answers(500); 2]).await;
    stand.send(&[Answers(500), Answers(200)]).await;
    assert_eq!(stand.names(), ["host-0.example", "host-1.example"]);
}

#[tokio::test]
async fn what_no_host_can_mend_is_no_hosts_fault() {
    let stand = Stand::new(2);
    let reply = stand.send(&[LacksCredential]).await;
    assert_eq!(reply.result.unwrap_err().kind(), ErrorKind::Deauthorized);
    stand.send(&[Answers(200)]).await;
    assert_eq!(stand.names(), ["host-0.example"]);
}

#[test]
fn the_order_of_the_others_is_drawn() {
    let order = |seed| {
        let url = |n: usize| format!("https://host-{n}.example").parse().unwrap();
        let clock = Arc::new(Steps(Mutex::new(Timestamp::UNIX_EPOCH)));
        let http = Http::new(false).unwrap();
        let rng = fastrand::Rng::with_seed(seed);
        let hosts = Hosts::new(&http, clock, rng, url(0), (1..4).map(url).collect()).unwrap();
        let urls = hosts.to_ask();
        assert_eq!(urls[0], url(0));
        urls
    };
    assert!((1..20).any(|seed| order(seed) != order(0)));
}
