use futures::future::join_all;
use jiff::Timestamp;

use super::*;

/// A clock that nobody waits for.
struct Still;

impl Clock for Still {
    fn now(&self) -> Timestamp {
        Timestamp::UNIX_EPOCH
    }

    fn sleep(&self, _: Duration) -> BoxFuture<'_, ()> {
        Box::pin(async {})
    }
}

/// A clock whose waits never end: only a full round is sent.
struct Stopped;

impl Clock for Stopped {
    fn now(&self) -> Timestamp {
        Timestamp::UNIX_EPOCH
    }

    fn sleep(&self, _: Duration) -> BoxFuture<'_, ()> {
        Box::pin(std::future::pending())
    }
}

type Calls = Arc<Mutex<Vec<Vec<u32>>>>;

const LIMITS: Limits = Limits {
    items: 10,
    bytes: 100,
    linger: Duration::from_millis(5),
};

/// Answers twice the number, refuses 13, forgets what is behind 99 and panics at 666.
fn gatherer(clock: impl Clock + 'static, limits: Limits) -> (Gatherer<u32, u32>, Calls) {
    let calls = Calls::default();
    let seen = Arc::clone(&calls);
    let gatherer = Gatherer::new(Arc::new(clock), limits, move |items: Vec<u32>| {
        let seen = Arc::clone(&seen);
        async move {
            lock(&seen).push(items.clone());
            tokio::task::yield_now().await;
            assert!(!items.contains(&666), "told to");
            let answer = |item: &u32| match item {
                13 => Err(Error::permanent(ErrorKind::Refused, Stage::Push, "thirteen")),
                item => Ok(item * 2),
            };
            let kept = items.iter().take_while(|item| **item != 99);
            kept.map(answer).collect()
        }
        .boxed()
    });
    (gatherer, calls)
}

#[tokio::test]
async fn what_arrives_together_is_one_call_and_each_gets_its_own_answer() {
    let (gatherer, calls) = gatherer(Still, LIMITS);
    let answers = join_all([1, 13, 3].map(|item| gatherer.call(item, 1))).await;
    assert_eq!(*lock(&calls), [[1, 13, 3]]);
    assert_eq!(answers[0].as_ref().unwrap(), &2);
    assert_eq!(answers[1].as_ref().unwrap_err().kind(), ErrorKind::Refused);
    assert_eq!(answers[2].as_ref().unwrap(), &6);
    assert_eq!(gatherer.call(4, 1).await.unwrap(), 8, "the next round");
    assert_eq!(lock(&calls).len(), 2);
}

#[tokio::test]
async fn a_full_round_does_not_wait() {
    let limits = Limits { items: 2, ..LIMITS };
    let (gatherer, calls) = gatherer(Stopped, limits);
    join_all([1, 2, 3, 4].map(|item| gatherer.call(item, 1))).await;
    assert_eq!(*lock(&calls), [[1, 2], [3, 4]]);
}

#[tokio::test]
async fn a_round_ends_where_the_next_would_make_it_too_large() {
    let (gatherer, calls) = gatherer(Still, LIMITS);
    let sizes = [(1, 60), (2, 40), (3, 1), (4, 500), (5, 1)];
    join_all(sizes.map(|(item, bytes)| gatherer.call(item, bytes))).await;
    assert_eq!(*lock(&calls), [vec![1, 2], vec![3], vec![4], vec![5]]);
}

#[tokio::test]
async fn who_goes_away_before_the_call_is_not_sent_and_holds_nobody_up() {
    let (gatherer, calls) = gatherer(Still, LIMITS);
    let mut first = Box::pin(gatherer.call(1, 1));
    assert!(futures::poll!(&mut first).is_pending());
    let mut second = Box::pin(gatherer.call(2, 1));
    assert!(futures::poll!(&mut second).is_pending());
    drop(first);
    assert_eq!(second.await.unwrap(), 4);
    assert_eq!(*lock(&calls), [[2]]);
}

#[tokio::test]
async fn who_goes_away_during_the_call_does_not_stop_it() {
    let limits = Limits { items: 2, ..LIMITS };
    let (gatherer, calls) = gatherer(Stopped, limits);
    let mut first = Box::pin(gatherer.call(1, 1));
    assert!(futures::poll!(&mut first).is_pending());
    let mut second = Box::pin(gatherer.call(2, 1));
    assert!(futures::poll!(&mut second).is_pending());
    while lock(&calls).is_empty() {
        assert!(futures::poll!(&mut first).is_pending());
        tokio::task::yield_now().await;
    }
    drop(first);
    assert_eq!((&mut second).await.unwrap(), 4);
    assert_eq!(*lock(&calls), [[1, 2]]);
}

#[tokio::test]
async fn a_round_that_everybody_left_is_forgotten() {
    let (gatherer, calls) = gatherer(Still, LIMITS);
    let mut first = Box::pin(gatherer.call(1, 1));
    assert!(futures::poll!(&mut first).is_pending());
    drop(first);
    assert_eq!(gatherer.call(2, 1).await.unwrap(), 4);
    assert_eq!(*lock(&calls), [[2]]);
}

#[tokio::test]
async fn a_panic_fails_its_round_and_no_other() {
    let (gatherer, _) = gatherer(Still, LIMITS);
    for answer in join_all([1, 666].map(|item| gatherer.call(item, 1))).await {
        let error = answer.unwrap_err();
        assert_eq!(
            (error.kind(), error.verdict()),
            (ErrorKind::Panicked, Verdict::Unknown)
        );
    }
    assert_eq!(gatherer.call(2, 1).await.unwrap(), 4);
}

#[tokio::test]
async fn an_item_without_an_answer_is_of_unknown_outcome() {
    let (gatherer, _) = gatherer(Still, LIMITS);
    let answers = join_all([1, 99].map(|item| gatherer.call(item, 1))).await;
    assert!(answers[0].is_ok());
    assert_eq!(answers[1].as_ref().unwrap_err().verdict(), Verdict::Unknown);
}
