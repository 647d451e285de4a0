//! Lines of business send products over HTTPS: API Gateway, both real functions with their roles, and course-discovery's
//! stand-in.

use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};
use vendorbridge_testkit::cloud::{EXEC_LINE, LINE, LINE_ROLE, LineAnswer, LineCaller, World, until};
use vendorbridge_testkit::sandbox::Fault;

use crate::stage;

const VENDOR: &str = "discovery";
const WITHIN: Duration = Duration::from_mins(3);
const AT_ONCE: &[(&str, &str)] = &[("prefer", "respond-async")];

/// A product, and an event that brings all of it.
pub(crate) fn product(id: &str) -> Value {
    json!({
        "course": {"id": id, "number": format!("DM{id}"), "organization": "ACME", "title": format!("Marketing {id}"), "outcome": "Skills", "prices": {"verified": "2450.00"}},
        "runs": [{"id": "r-1", "start": "2026-03-20T00:00:00Z", "end": "2026-05-28T00:00:00Z", "staff": ["p-1"], "publish": true}],
        "instructors": [{"id": "p-1", "given_name": "Ada", "family_name": "Lovelace", "position": {"title": "Professor", "organization": "ACME"}}],
    })
}

pub(crate) fn created(id: &str) -> Value {
    json!({"event": "product.created", "id": format!("created-{id}"), "data": product(id)})
}

async fn world(name: &str) -> (World, LineCaller) {
    let world = stage::world(name, |options| {
        options.enforce_roles = true;
        options.park_base_seconds = 1;
        options.vendors = vec![VENDOR.to_owned()];
        options.ingest = true;
    })
    .await;
    let caller = world.line_caller(LINE_ROLE).await.unwrap();
    (world, caller)
}

struct Line<'a> {
    world: &'a World,
    caller: &'a LineCaller,
}

impl Line<'_> {
    async fn send(&self, headers: &[(&str, &str)], event: &Value) -> LineAnswer {
        self.world
            .send_line(self.caller, LINE, headers, event)
            .await
            .unwrap()
    }

    async fn get(&self, path: &str) -> LineAnswer {
        self.world
            .call_line(self.caller, Method::GET, path, &[], &Value::Null)
            .await
            .unwrap()
    }

    /// What is told of an event once it is so; what waits is woken.
    async fn told(&self, id: &str, status: &str) -> LineAnswer {
        until("the event's outcome", WITHIN, async || {
            self.world.wake(VENDOR).await?;
            let answer = self.get(&format!("/v1/events/{id}")).await;
            Ok((answer.body["status"] == status).then_some(answer))
        })
        .await
        .unwrap()
    }
}

fn steps(answer: &LineAnswer) -> Vec<&str> {
    let entities = answer.body["entities"]
        .as_array()
        .unwrap_or_else(|| panic!("{answer:?}"));
    let steps = entities
        .iter()
        .flat_map(|entity| entity["steps"].as_array().unwrap());
    steps.map(|step| step["name"].as_str().unwrap()).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_line_learns_in_the_answer_what_happened() {
    let (world, caller) = world("lines").await;
    let line = Line {
        world: &world,
        caller: &caller,
    };

    // Who is nobody, or somebody else, gets nowhere.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let unsigned = reqwest::Client::builder()
        .no_proxy()
        .build()
        .unwrap()
        .get(format!("{}/v1/openapi.json", world.ingest_url().unwrap()));
    assert_eq!(unsigned.send().await.unwrap().status(), 403);
    let stranger = world.line_caller("stranger").await.unwrap();
    let refused = world
        .send_line(&stranger, LINE, &[], &created("0"))
        .await
        .unwrap();
    assert_eq!(
        (refused.status.as_u16(), &refused.body["code"]),
        (403, &json!("not-your-line"))
    );

    // Everything at once, in its order.
    let done = line.send(&[], &created("1")).await;
    assert_eq!(done.status, 200, "{}", done.body);
    let plan = [
        "person",
        "people",
        "course",
        "run r-1",
        "metadata",
        "staff r-1",
        "publish r-1",
    ];
    assert_eq!(steps(&done), plan, "{}", done.body);
    let repeat = line.send(&[], &created("1")).await;
    assert_eq!((repeat.status.as_u16(), &repeat.body), (200, &done.body));
    let update = json!({"event": "course.updated", "data": {"id": "1", "title": "Strategy"}});
    assert_eq!(steps(&line.send(&[], &update).await), ["metadata"]);

    // The other shape, as its system has it.
    let exec: Value = serde_json::from_str(include_str!(
        "../../functions/ingest/lines/executive-education/examples/product-created.json"
    ))
    .unwrap();
    let exec = json!({"event": "product.created", "id": "exec-1", "data": exec["data"]});
    let answer = world.send_line(&caller, EXEC_LINE, &[], &exec).await.unwrap();
    assert_eq!(answer.status, 200, "{}", answer.body);

    // What is invalid costs nothing but the answer.
    let before = (
        world.sandbox.discovery.calls(),
        world.queue_depth("QueueUrldiscovery").await.unwrap(),
    );
    let mut wrong = created("2");
    wrong["data"]["course"]["title"] = json!(["x"]);
    wrong["data"]["runs"][0]["start"] = json!("tomorrow");
    let invalid = line.send(&[], &wrong).await;
    assert_eq!(
        (
            invalid.status.as_u16(),
            invalid.body["violations"].as_array().map(Vec::len)
        ),
        (422, Some(2)),
        "{}",
        invalid.body
    );
    let after = (
        world.sandbox.discovery.calls(),
        world.queue_depth("QueueUrldiscovery").await.unwrap(),
    );
    assert_eq!(before, after);
    stage::end(world).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_step_that_fails_is_named_and_goes_on() {
    let (world, caller) = world("failing-lines").await;
    let line = Line {
        world: &world,
        caller: &caller,
    };
    let discovery = &world.sandbox.discovery;
    let person =
        json!({"event": "instructor.created", "id": "person", "data": product("0")["instructors"][0]});
    assert_eq!(line.send(&[], &person).await.status, 200);
    let broken = [
        ("course", "POST courses", Fault::Status(500)),
        ("run r-1", "POST course_runs", Fault::AcceptThenCut),
        ("metadata", "PATCH courses", Fault::Status(503)),
        ("staff r-1", "staff", Fault::CutConnection),
        ("publish r-1", "publish", Fault::AcceptThenTimeout),
    ];
    for (number, (step, subject, fault)) in broken.into_iter().enumerate() {
        for (waits, headers) in [(true, &[][..]), (false, AT_ONCE)] {
            let id = format!("{number}{}", u8::from(waits));
            discovery.faults().always_for(subject, fault);
            let answer = line.send(headers, &created(&id)).await;
            let told = match answer.status.as_u16() {
                502 if waits => answer.body,
                202 => line.told(&format!("created-{id}"), "retrying").await.body["problem"].clone(),
                _ => panic!("{step}: {answer:?}"),
            };
            assert_eq!(told["point_of_failure"]["step"], step, "{told}");
            assert_eq!(told["retry"]["will_be_retried"], true, "{told}");
            assert_eq!(told["not_done"][0], step, "{told}");
            // Sent again while it waits.
            assert!(matches!(
                line.send(headers, &created(&id)).await.status.as_u16(),
                202 | 502
            ));
            discovery.faults().heal(subject);
            let done = line.told(&format!("created-{id}"), "done").await;
            assert_eq!(
                done.body["entities"][1]["link"],
                format!("ACME+DM{id}"),
                "{}",
                done.body
            );
            let key = format!("ACME+DM{id}");
            let runs = discovery.runs_of(&key);
            assert_eq!((runs.len(), runs[0].staff.len()), (1, 1), "{step}");
            assert_eq!(line.send(&[], &created(&id)).await.status, 200);
        }
    }
    assert_eq!(
        (discovery.people().len(), discovery.courses().len()),
        (1, 2 * broken.len())
    );
    stage::end(world).await;
}
