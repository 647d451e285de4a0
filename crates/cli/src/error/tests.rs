use vendorbridge::ledger::UNPROCESSED_KEYS;

use super::*;

#[test]
fn codes_become_what_to_do() {
    let text = |code| CliError::of_code("reading the stack", code, "not\nallowed").to_string();
    assert_eq!(
        text("AccessDenied"),
        "expected permission for reading the stack, found none: not allowed (AccessDenied)"
    );
    assert!(text("ExpiredToken").ends_with("sign in again"));
    assert_eq!(
        text("Throttling"),
        "reading the stack failed: not allowed (Throttling)"
    );
    assert!(CliError::of_code("reading the stack", "Throttling", "slow down").is_passing());
    assert!(!CliError::of_code("reading the stack", "ValidationError", "no").is_passing());
    assert!(CliError::of_code("reading the ledger's table", UNPROCESSED_KEYS, "left").is_passing());
}

#[test]
fn many_refused_events_stay_one_line() {
    let missing = Unsent {
        place: "a.json: event 1".into(),
        code: "InternalFailure".into(),
        message: "try later".into(),
    };
    let error = CliError::Unsent {
        sent: 2,
        missing: vec![missing; 5],
    };
    let text = error.to_string();
    assert!(text.contains("accept 7 events, found 5 refused"), "{text}");
    assert!(text.ends_with("and 2 more; the other 2 were sent"), "{text}");
}
