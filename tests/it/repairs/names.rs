//! An empty ledger, an empty source, and names that are wrong.

use serde_json::json;

use super::*;

/// Before the first event, and with nothing at the source: there is nothing to repair, and that is no failure.
pub(super) async fn nothing_is_there_yet(world: &World) {
    for (arguments, expected) in [
        (
            vec!["replay", VENDOR, "--status", "REJECTED"],
            json!({"chosen": 0, "sent": 0}),
        ),
        (
            vec!["replay", VENDOR, "--since", "1h"],
            json!({"chosen": 0, "sent": 0}),
        ),
        (
            vec!["replay", VENDOR, "--since", "1h", "--dry-run"],
            json!({"chosen": 0, "left_out": 0, "would": {}}),
        ),
        (
            vec!["redrive", VENDOR],
            json!({"found": 0, "redriven": 0, "letters": []}),
        ),
        (vec!["backfill", VENDOR, TYPE], json!({"found": 0, "sent": 0})),
        (
            vec!["reconcile", VENDOR, TYPE, "--repair"],
            json!({"at_source": 0, "at_vendor": 0, "differences": [], "repair": {"sent": 0, "left": 0}}),
        ),
        (
            vec!["vendor", "probe", VENDOR],
            json!({"result": "not-open", "woken": []}),
        ),
        (
            vec!["vendor", "resume", VENDOR],
            json!({"state": "running", "changed": false}),
        ),
        (
            vec!["vendor", "pause", VENDOR],
            json!({"state": "paused", "changed": true}),
        ),
        (
            vec!["vendor", "resume", VENDOR],
            json!({"state": "running", "changed": true}),
        ),
    ] {
        let answer = ends(world, 0, &arguments).await;
        for (field, value) in expected.as_object().unwrap() {
            assert_eq!(&answer[field], value, "{field} of {arguments:?}: {answer}");
        }
    }
}

pub(super) async fn wrong_names_are_explained(world: &World) {
    for (code, arguments, expected) in [
        (1, vec!["replay", "algolla", "--entity", "a/1"], "algolia"),
        (1, vec!["redrive", "algolla"], "algolia"),
        (1, vec!["backfill", "algolla", TYPE], "algolia"),
        (1, vec!["reconcile", "algolla", TYPE], "algolia"),
        (1, vec!["vendor", "pause", "algolla"], "algolia"),
        (1, vec!["vendor", "probe", "algolla"], "algolia"),
        (2, vec!["backfill", VENDOR, "product"], TYPE),
        (2, vec!["reconcile", VENDOR, "product"], TYPE),
        (2, vec!["replay", VENDOR, "--entity", "product/1"], TYPE),
        (
            2,
            vec!["replay", VENDOR, "--entity", "product/1", "--dry-run"],
            TYPE,
        ),
        (2, vec!["replay", VENDOR], "what to replay"),
        (2, vec!["replay", VENDOR, "--status", "SYNCED"], "--since"),
        (
            1,
            vec!["replay", VENDOR, "--file", "no-such.json"],
            "no-such.json",
        ),
    ] {
        let refused = ends(world, code, &arguments).await;
        assert!(
            refused.as_str().unwrap_or_default().contains(expected),
            "{arguments:?}: {refused}"
        );
    }
}
