//! A line of business → course-discovery: products that are good, invalid and half-failed, and what the line is told of each.

use comfy_table::{ContentArrangement, Table};
use serde::Serialize;
use serde_json::{Value, json};
use vendorbridge::clock::{Clock, SystemClock};
use vendorbridge::ledger::Status;
use vendorbridge_testkit::cloud::{CloudError, LINE, LINE_ROLE, LineAnswer, LineCaller, World, until};
use vendorbridge_testkit::sandbox::{Fault, Sandbox};

use crate::demo::{Outcome, SETTLED_WITHIN, outcome};

const VENDOR: &str = "discovery";

/// What a line was told.
#[derive(Debug, Serialize)]
pub(crate) struct Told {
    what: &'static str,
    http_status: u16,
    expected: u16,
    answer: Value,
}

/// Sends three products, and waits until the half-failed one is complete.
pub(crate) async fn play(world: &World) -> Result<(Vec<Outcome>, Vec<Told>), CloudError> {
    if world.aws.endpoint.is_none() {
        // Who may call is set for the emulator's roles.
        return Ok((Vec::new(), Vec::new()));
    }
    let sent = SystemClock.now();
    let caller = world.line_caller(LINE_ROLE).await?;
    let post = async |event: Value| world.send_line(&caller, LINE, &[], &event).await;
    let mut told = vec![Told::new("a product", 200, post(product("1")).await?)];

    let mut invalid = product("2");
    invalid["data"]["course"]["title"] = json!(7);
    invalid["data"]["runs"][0]["start"] = json!("in spring");
    told.push(Told::new("an invalid one", 422, post(invalid).await?));

    let faults = world.sandbox.discovery.faults();
    faults.always_for("staff", Fault::Status(500));
    told.push(Told::new(
        "one whose staff the vendor cannot take",
        502,
        post(product("3")).await?,
    ));
    faults.heal("staff");
    told.push(Told::new(
        "the same, later",
        200,
        later(world, &caller, "/v1/events/product-3").await?,
    ));

    let entities = ["instructor/acme:p-1", "course/acme:1", "course/acme:3"];
    let events = world.events_since(VENDOR, sent).await?;
    let rows = entities.iter().filter_map(|entity| {
        let mut of_entity = events.iter().filter(|event| event.entity == *entity);
        of_entity.find(|event| event.status == Status::Synced).cloned()
    });
    let rows = rows.map(|event| outcome("a product", VENDOR, event, Status::Synced, sent));
    Ok((rows.collect(), told))
}

/// Where course-discovery differs from what was sent.
pub(crate) fn differences(sandbox: &Sandbox) -> Vec<String> {
    let discovery = &sandbox.discovery;
    let found = (
        discovery.people().len(),
        discovery.courses().len(),
        discovery.runs().len(),
    );
    // Nothing of it is there where the demo could not call.
    if [(0, 0, 0), (1, 2, 2)].contains(&found) {
        return Vec::new();
    }
    let (people, courses, runs) = found;
    vec![format!(
        "discovery: {people} people, {courses} courses and {runs} runs, expected 1, 2 and 2"
    )]
}

pub(crate) fn table(told: &[Told]) -> Table {
    let mut table = Table::new();
    table
        .load_style(comfy_table::presets::UTF8_FULL_CONDENSED)
        .set_content_arrangement(ContentArrangement::Dynamic)
        .set_header(["sent to the ingest API", "answer", "of it"]);
    for Told {
        what,
        http_status,
        answer,
        ..
    } in told
    {
        table.add_row([(*what).to_owned(), http_status.to_string(), in_short(answer)]);
    }
    table
}

impl Told {
    fn new(what: &'static str, expected: u16, answer: LineAnswer) -> Self {
        Self {
            what,
            expected,
            http_status: answer.status.as_u16(),
            answer: answer.body,
        }
    }

    /// What is wrong with the answer.
    pub(crate) fn fault(&self) -> Option<String> {
        let Self {
            what,
            http_status,
            expected,
            ..
        } = self;
        (http_status != expected)
            .then(|| format!("ingest: {what} is answered {http_status}, expected {expected}"))
    }
}

async fn later(world: &World, caller: &LineCaller, path: &str) -> Result<LineAnswer, CloudError> {
    until("the retry of a product", SETTLED_WITHIN, async || {
        world.wake(VENDOR).await?;
        let answer = world
            .call_line(caller, axum::http::Method::GET, path, &[], &Value::Null)
            .await?;
        Ok((answer.body["status"] == "done").then_some(answer))
    })
    .await
}

fn product(id: &str) -> Value {
    json!({
        "event": "product.created", "id": format!("product-{id}"),
        "data": {
            "course": {"id": id, "number": format!("DM{id}"), "organization": "ACME", "title": "Digital Marketing", "prices": {"verified": "2450.00"}},
            "runs": [{"id": "r-1", "start": "2026-03-20T00:00:00Z", "end": "2026-05-28T00:00:00Z", "staff": ["p-1"]}],
            "instructors": [{"id": "p-1", "given_name": "Ada", "family_name": "Lovelace", "position": {"title": "Professor", "organization": "ACME"}}],
        },
    })
}

fn in_short(answer: &Value) -> String {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let names = |steps: &Value| {
        let steps = steps.as_array().into_iter().flatten();
        let names: Vec<_> = steps.map(|step| text(step.get("name").unwrap_or(step))).collect();
        names.join(", ")
    };
    if let Some(violations) = answer["violations"].as_array() {
        let each = violations.iter().map(|violation| {
            format!(
                "{}: expected {}, found {}",
                text(&violation["pointer"]),
                text(&violation["expected"]),
                text(&violation["found"])
            )
        });
        return each.collect::<Vec<_>>().join("\n");
    }
    let point = &answer["point_of_failure"];
    if point.is_object() {
        let (step, words) = (text(&point["step"]), text(&point["vendor_message"]));
        return format!(
            "failed at `{step}`: {words}\ndone: {}\nnot done: {}\nagain at {}",
            names(&answer["done"]),
            names(&answer["not_done"]),
            text(&answer["retry"]["at"])
        );
    }
    let entities = answer["entities"].as_array().into_iter().flatten();
    let each = entities.map(|entity| {
        format!(
            "{} {}: {}",
            text(&entity["entity"]),
            text(&entity["status"]),
            names(&entity["steps"])
        )
    });
    each.collect::<Vec<_>>().join("\n")
}
