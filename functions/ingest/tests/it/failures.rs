//! Every step fails in every way, while the caller waits and after it has gone; the request comes again. Each completed step
//! happened once at the vendor, and the answer names the right point.

use std::time::Duration;

use futures::StreamExt;
use futures::stream::iter;
use serde_json::{Value, json};
use vendorbridge_testkit::cloud::until;
use vendorbridge_testkit::sandbox::Fault;
use vendorbridge_testkit::sandbox::discovery::Write;

use crate::events::{course, event, instructor, run};
use crate::front::{Answer, Front};

const WITHIN: Duration = Duration::from_mins(1);

/// Each step, and the requests that it makes; the first of them that changes something is the one that fails.
const STEPS: [(&str, &str); 6] = [
    ("person", "POST people"),
    ("course", "POST courses"),
    ("run r-1", "POST course_runs"),
    ("metadata", "PATCH courses"),
    ("staff r-1", "staff"),
    ("publish r-1", "publish"),
];

const FAULTS: [Fault; 5] = [
    Fault::Status(500),
    Fault::Status(503),
    Fault::CutConnection,
    Fault::AcceptThenCut,
    Fault::AcceptThenTimeout,
];

fn product() -> Value {
    let mut run = run("r-1");
    run["staff"] = json!(["p-1"]);
    run["publish"] = json!(true);
    let mut course = course("1");
    course["outcome"] = json!("Skills");
    json!({"course": course, "runs": [run], "instructors": [instructor("p-1")]})
}

fn names(value: &Value) -> Vec<&str> {
    let each = value.as_array().into_iter().flatten();
    each.filter_map(|step| step["name"].as_str().or(step.as_str()))
        .collect()
}

/// Everything is there once.
fn once(front: &Front, when: &str) {
    let discovery = &front.sandbox.discovery;
    let counts = (
        discovery.people().len(),
        discovery.courses().len(),
        discovery.runs().len(),
    );
    assert_eq!(counts, (1, 1, 1), "{when}");
    let run = &discovery.runs()[0];
    assert_eq!(run.staff.len(), 1, "{when}");
    let writes = discovery.writes();
    let is_publication = |write: &&Write| write.resource == "course_runs" && write.fields.contains("draft");
    let published = writes.iter().filter(is_publication).count();
    assert_eq!(published, 1, "{when}: {writes:?}");
}

fn point(answer: &Answer) -> &Value {
    let problem = &answer.body["problem"];
    let problem = if problem.is_null() { &answer.body } else { problem };
    &problem["point_of_failure"]
}

async fn broken(step: &str, subject: &str, fault: Fault, waits: bool) {
    let when = format!("{step}, {fault:?}, waits: {waits}");
    let front = Front::open().await;
    if step != "person" {
        // Else it is a race whether the product finds the person there, or waits for it.
        let person = event("instructor.created", "e-0", &instructor("p-1"));
        assert_eq!(front.event(&[], &person).await.status, 200, "{when}");
    }
    front.sandbox.discovery.faults().always_for(subject, fault);
    let event = event("product.created", "e-1", &product());
    let headers: &[(&str, &str)] = if waits {
        &[]
    } else {
        &[("prefer", "respond-async")]
    };
    let answer = front.event(headers, &event).await;
    let failed = if waits && answer.status != 202 {
        assert_eq!(
            (answer.status.as_u16(), &answer.body["code"]),
            (502, &json!("vendor-failed")),
            "{when}: {}",
            answer.body
        );
        answer
    } else {
        assert_eq!(answer.status, 202, "{when}: {}", answer.body);
        told(&front, |body| body["status"] == "retrying").await
    };
    let point = point(&failed);
    assert_eq!(point["step"], step, "{when}: {}", failed.body);
    let problem = failed.body.get("problem").unwrap_or(&failed.body);
    assert_eq!(problem["retry"]["will_be_retried"], true, "{when}");
    assert!(problem["retry"]["at"].is_string(), "{when}");
    if let Fault::Status(status) = fault {
        assert_eq!(point["vendor_status"], status, "{when}");
    }
    let order: Vec<_> = STEPS.iter().map(|(name, _)| *name).collect();
    let at = order.iter().position(|name| *name == step).unwrap();
    // Of the product nothing is known then, or that it waits for the person.
    if at > 0 {
        let before = if at == 1 { "people" } else { order[at - 1] };
        assert_eq!(names(&problem["done"]).last(), Some(&before), "{when}: {problem}");
        assert_eq!(names(&problem["not_done"]), &order[at..], "{when}: {problem}");
    }
    // The caller sends it again, meanwhile and afterwards.
    let again = front.event(headers, &event).await;
    assert!(
        matches!(again.status.as_u16(), 202 | 502),
        "{when}: {}",
        again.body
    );
    front.sandbox.discovery.faults().heal(subject);
    front.recover().await;
    let done = front.event(&[], &event).await;
    assert_eq!(
        (done.status.as_u16(), &done.body["status"]),
        (200, &json!("done")),
        "{when}: {}",
        done.body
    );
    once(&front, &when);
}

/// What `GET` says, once that is so.
async fn told(front: &Front, is_so: impl Fn(&Value) -> bool) -> Answer {
    let outcome = until("the event's outcome", WITHIN, async || {
        let answer = front.get("/v1/events/e-1").await;
        assert_eq!(answer.status, 200);
        Ok(is_so(&answer.body).then_some(answer))
    });
    outcome.await.unwrap()
}

#[tokio::test]
async fn every_step_breaks_in_every_way() {
    let cases = STEPS.iter().flat_map(|(step, subject)| {
        FAULTS
            .iter()
            .flat_map(move |fault| [true, false].map(|waits| broken(step, subject, *fault, waits)))
    });
    let cases: Vec<_> = cases.collect();
    assert_eq!(cases.len(), 60);
    // As many at a time as a busy machine bears.
    iter(cases).buffer_unordered(6).collect::<Vec<()>>().await;
}

/// What the vendor refuses for good is told with its words, and a mended event goes on.
#[tokio::test]
async fn a_refusal_names_the_callers_own_field() {
    let front = Front::open().await;
    let mut wrong = product();
    wrong["course"]["subjects"] = json!(["alchemy"]);
    let answer = front.event(&[], &event("product.created", "e-1", &wrong)).await;
    assert_eq!(
        (answer.status.as_u16(), &answer.body["code"]),
        (422, &json!("refused-by-vendor")),
        "{}",
        answer.body
    );
    let point = &answer.body["point_of_failure"];
    assert_eq!(
        (&point["step"], &point["vendor_status"], &point["entity"]),
        (&json!("metadata"), &json!(400), &json!("course/acme:1")),
        "{}",
        answer.body
    );
    assert!(!point["vendor_message"].as_str().unwrap().is_empty());
    assert_eq!(answer.body["retry"], json!({"will_be_retried": false}));
    // It names no field of courses, only of runs and persons.
    assert!(point["pointer"].is_null() && point["vendor_message"].as_str().unwrap().contains("alchemy"));
    assert_eq!(
        names(&answer.body["done"]),
        ["person", "people", "course", "run r-1"]
    );
    assert_eq!(
        names(&answer.body["not_done"]),
        ["metadata", "staff r-1", "publish r-1"]
    );
    // The same for ever under this id.
    let again = front.event(&[], &event("product.created", "e-1", &wrong)).await;
    assert_eq!((again.status.as_u16(), &again.body), (422, &answer.body));
}

#[tokio::test]
async fn a_refused_field_of_a_run_is_the_callers_own() {
    let front = Front::open().await;
    let mut wrong = product();
    wrong["runs"][0]["type"] = json!("00000000-0000-4000-8000-00000000000f");
    let answer = front.event(&[], &event("product.created", "e-1", &wrong)).await;
    assert_eq!(answer.status, 422, "{}", answer.body);
    let point = &answer.body["point_of_failure"];
    assert_eq!(
        (&point["step"], &point["pointer"]),
        (&json!("run r-1"), &json!("/data/runs/0/type")),
        "{}",
        answer.body
    );
    // Mended under a new id, it goes on behind what was done.
    wrong["runs"][0].as_object_mut().unwrap().remove("type");
    wrong["runs"][0]["type"] = json!(front.sandbox.config().discovery_run_type);
    let answer = front.event(&[], &event("product.created", "e-2", &wrong)).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    once(&front, "mended");
}
