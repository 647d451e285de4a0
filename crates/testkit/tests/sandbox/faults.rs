use std::time::Duration;

use reqwest::{Client, Method};
use serde_json::json;
use vendorbridge_testkit::sandbox::{
    Fault, Sandbox, SandboxConfig, infoservice::NewPreference, mailchimp::subscriber_hash,
};

use crate::{Answer, LIST, client, member, send, source, start, until};

const ONE: &str = "one@sandbox.test";

async fn put(client: &Client, sandbox: &Sandbox, email: &str) -> reqwest::Result<Answer> {
    let body = json!({"email_address": email, "status_if_new": "subscribed"}).to_string();
    send(member(client, sandbox, Method::PUT, &subscriber_hash(email)).body(body)).await
}

#[tokio::test]
async fn the_nth_request_fails_and_the_others_do_not() {
    let (sandbox, client) = (start().await, client());
    let faults = sandbox.mailchimp.faults();
    faults.at(
        2,
        Fault::TooManyRequests {
            retry_after: Some(Duration::from_millis(1500)),
        },
    );
    faults.at(3, Fault::Status(500));
    faults.at(4, Fault::Forbidden);
    faults.at(5, Fault::TooManyRequests { retry_after: None });

    let mut seen = Vec::new();
    for _ in 0..6 {
        let answer = put(&client, &sandbox, ONE).await.unwrap();
        seen.push((
            answer.status,
            answer.header("retry-after").to_owned(),
            answer.title().to_owned(),
        ));
    }

    let expected = [
        (200, "", ""),
        (429, "2", "Too Many Requests"),
        (500, "", "Internal Server Error"),
        (403, "", ""),
        (429, "", "Too Many Requests"),
        (200, "", ""),
    ];
    assert_eq!(
        seen,
        expected.map(|(status, wait, title)| (status, wait.to_owned(), title.to_owned()))
    );
    assert_eq!(
        faults.how_many(|fault| matches!(fault, Fault::TooManyRequests { .. })),
        2
    );
    assert_eq!(faults.injected()[&Fault::Forbidden], 1);
    assert_eq!(
        (sandbox.mailchimp.calls(), sandbox.mailchimp.writes(LIST).len()),
        (6, 2)
    );
}

#[tokio::test]
async fn a_cut_connection_ends_without_an_answer() {
    let (sandbox, client) = (start().await, client());
    // The second request comes by a connection that was used before.
    put(&client, &sandbox, ONE).await.unwrap();
    sandbox.mailchimp.faults().at(1, Fault::CutConnection);
    sandbox.mailchimp.faults().at(2, Fault::AcceptThenCut);

    for writes in [1, 2] {
        let error = put(&client, &sandbox, ONE)
            .await
            .err()
            .expect("there is no answer");
        assert!(
            error.is_request() && !error.is_timeout() && !error.is_connect(),
            "{error:?}"
        );
        assert_eq!(sandbox.mailchimp.writes(LIST).len(), writes);
    }
    assert_eq!(put(&client, &sandbox, ONE).await.unwrap().status, 200);
    assert_eq!(sandbox.mailchimp.calls(), 4);
}

#[tokio::test]
async fn a_held_request_gets_no_answer() {
    let (sandbox, client) = (start().await, client());
    sandbox.mailchimp.faults().at(1, Fault::Timeout);
    sandbox.mailchimp.faults().at(2, Fault::AcceptThenTimeout);

    for (writes, requests) in [(0, 1), (1, 2)] {
        let body = json!({"email_address": ONE, "status_if_new": "subscribed"}).to_string();
        let held = tokio::spawn(send(member(&client, &sandbox, Method::PUT, ONE).body(body)));
        until(async || sandbox.mailchimp.faults().how_many(|_| true) == requests).await;
        until(async || sandbox.mailchimp.writes(LIST).len() == writes).await;
        assert!(!held.is_finished());
        held.abort();
    }
}

#[tokio::test]
async fn a_held_request_is_cut_when_the_bound_is_over() {
    let hold = Duration::from_millis(20);
    let sandbox = Sandbox::start(SandboxConfig {
        hold,
        ..SandboxConfig::default()
    })
    .await
    .unwrap();
    sandbox.infoservice.faults().at(1, Fault::Timeout);

    let error = send(source(&client(), &sandbox, Method::GET, "c-1"))
        .await
        .err()
        .expect("there is no answer");

    assert!(!error.is_timeout(), "{error:?}");
}

#[tokio::test]
async fn one_subject_fails_until_it_is_healed() {
    let (sandbox, client) = (start().await, client());
    sandbox
        .infoservice
        .put(NewPreference::by_email("c-2", "two@sandbox.test"));
    sandbox.infoservice.faults().always_for("c-1", Fault::Status(503));
    sandbox
        .mailchimp
        .faults()
        .always_for("One@sandbox.test", Fault::Status(500));
    let read = async |customer| {
        send(source(&client, &sandbox, Method::GET, customer))
            .await
            .unwrap()
            .status
    };

    assert_eq!(
        (read("c-1").await, read("c-2").await, read("c-1").await),
        (503, 200, 503)
    );
    assert_eq!(put(&client, &sandbox, ONE).await.unwrap().status, 500);
    let by_hash = member(&client, &sandbox, Method::DELETE, &subscriber_hash(ONE));
    assert_eq!(send(by_hash).await.unwrap().status, 500);
    assert_eq!(
        put(&client, &sandbox, "two@sandbox.test").await.unwrap().status,
        200
    );

    sandbox.infoservice.faults().heal("c-1");
    sandbox.mailchimp.faults().heal(ONE);
    assert_eq!(read("c-1").await, 404);
    assert_eq!(put(&client, &sandbox, ONE).await.unwrap().status, 200);
}

#[tokio::test]
async fn an_outage_hits_everyone_of_one_service_until_it_is_over() {
    let (sandbox, client) = (start().await, client());
    sandbox.webhook.faults().for_all(Fault::Status(503));

    assert_eq!(
        send(client.post(sandbox.webhook_url())).await.unwrap().status,
        503
    );
    assert_eq!(put(&client, &sandbox, ONE).await.unwrap().status, 200);
    sandbox.webhook.faults().recover();
    assert_eq!(
        send(client.post(sandbox.webhook_url())).await.unwrap().status,
        401
    );
}

#[tokio::test]
async fn rates_are_the_same_for_the_same_seed() {
    let (sandbox, client) = (start().await, client());
    let faults = sandbox.infoservice.faults();
    let mut runs = Vec::new();
    for _ in 0..2 {
        faults.rates(
            7,
            &[
                (0.2, Fault::Status(500)),
                (0.1, Fault::TooManyRequests { retry_after: None }),
            ],
        );
        let mut run = Vec::new();
        for _ in 0..200 {
            run.push(
                send(source(&client, &sandbox, Method::GET, "c-1"))
                    .await
                    .unwrap()
                    .status,
            );
        }
        runs.push(run);
    }
    let how_many = |status| runs[0].iter().filter(|&&seen| seen == status).count();

    assert_eq!(runs[0], runs[1]);
    assert!(
        (20..60).contains(&how_many(500)) && (8..35).contains(&how_many(429)),
        "{:?}",
        runs[0]
    );
    faults.clear();
    assert_eq!(
        send(source(&client, &sandbox, Method::GET, "c-1"))
            .await
            .unwrap()
            .status,
        404
    );
    assert_eq!(
        faults.how_many(|_| true),
        2 * (how_many(500) + how_many(429)) as u64
    );
}

#[tokio::test]
async fn latency_lets_requests_pile_up() {
    let (sandbox, client) = (start().await, client());
    sandbox.infoservice.latency(Duration::from_mins(1));
    let waiting: Vec<_> = (0..3)
        .map(|_| tokio::spawn(send(source(&client, &sandbox, Method::GET, "c-1"))))
        .collect();

    until(async || sandbox.infoservice.max_concurrent() == 3).await;

    assert_eq!(sandbox.infoservice.reads(), 0);
    waiting.iter().for_each(tokio::task::JoinHandle::abort);
}
