//! Before anything happened, and where a name is wrong.

use serde_json::json;
use vendorbridge_testkit::cloud::World;

use super::{ask, code, text};
use crate::command;

pub(super) async fn nothing_happened_yet(world: &World) {
    let (why, exit) = ask(world, &["why", "mailchimp", "customer/c-1"]).await;
    assert_eq!((why["status"].is_null(), exit), (true, 3), "{why}");
    assert_eq!(why["next"]["command"], "vendorbridge doctor --vendor mailchimp");
    let (timeline, exit) = ask(world, &["timeline", "mailchimp", "customer/c-1"]).await;
    assert_eq!((&timeline["events"], exit), (&json!([]), 0));
    let (report, exit) = ask(world, &["report"]).await;
    assert_eq!(
        (report["rows"][0]["total"].as_u64(), exit),
        (Some(0), 0),
        "{report}"
    );
    let (list, exit) = ask(world, &["vendor", "list"]).await;
    assert_eq!(
        (list["vendors"][0]["latest"].is_null(), exit),
        (true, 0),
        "{list}"
    );
    let (probe, exit) = ask(world, &["vendor", "probe", "mailchimp"]).await;
    assert_eq!((probe["result"].as_str(), exit), (Some("not-open"), 0), "{probe}");
}

pub(super) async fn wrong_names_are_explained(world: &World) {
    for (arguments, exit, expected) in [
        (
            vec!["why", "mailchamp", "customer/c-1"],
            1,
            "expected one of the vendors mailchimp",
        ),
        (vec!["why", "mailchimp", "c-1"], 2, "`type/id`"),
        (
            vec!["timeline", "mailchimp", "customer/c-1", "--since", "soon"],
            2,
            "such as 24h",
        ),
        (
            vec!["timeline", "mailchimp", "customer/c-1", "--since", "900d"],
            2,
            "at most 400 days",
        ),
        (
            vec!["report", "--vendor", "mailchamp"],
            1,
            "expected one of the vendors mailchimp",
        ),
        (vec!["report", "--by", "moon"], 2, "hour"),
        (vec!["tail", "--status", "LOST"], 2, "expected one of SYNCED"),
        (
            vec!["vendor", "probe", "mailchamp"],
            1,
            "expected one of the vendors mailchimp",
        ),
        (
            vec!["doctor", "--vendor", "mailchamp"],
            1,
            "expected one of the vendors mailchimp",
        ),
        (vec!["completions", "csh"], 2, "bash"),
        (
            vec!["vendor", "resume", "mailchamp"],
            1,
            "expected one of the vendors mailchimp",
        ),
        (
            vec!["vendor", "show", "mailchamp"],
            1,
            "expected one of the vendors mailchimp",
        ),
    ] {
        let refused = command::run(world, &arguments).await;
        assert_eq!(code(&refused), exit, "{arguments:?}");
        let error = text(&refused.stderr);
        assert!(error.contains(expected), "{arguments:?}: {error}");
    }
}
