use aws_lambda_events::event::sqs::SqsMessage;

use super::invocation::{delivery, is_sampled};
use super::*;

fn message(json: serde_json::Value) -> SqsMessage {
    serde_json::from_value(json).unwrap()
}

#[test]
fn a_message_is_read_without_its_aws_type() {
    let read = delivery(
        message(serde_json::json!({
            "messageId": "m-1", "body": "{}",
            "attributes": {"MessageGroupId": "intake", "ApproximateReceiveCount": "3"},
            "messageAttributes": {},
        })),
        None,
    )
    .unwrap();
    assert_eq!(
        (read.message_id.as_str(), read.group.as_str(), read.receive_count),
        ("m-1", "intake", 3)
    );
}

#[test]
fn a_nameless_message_fails_the_batch_and_is_never_named_by_an_empty_id() {
    for id in [serde_json::Value::Null, serde_json::json!("")] {
        let json =
            serde_json::json!({"messageId": id, "body": "{}", "attributes": {}, "messageAttributes": {}});
        assert!(delivery(message(json), None).is_err());
    }
}

#[test]
fn an_unknown_receive_count_takes_no_shortcut() {
    let json = serde_json::json!({"messageId": "m", "attributes": {}, "messageAttributes": {}});
    assert_eq!(delivery(message(json), None).unwrap().receive_count, 2);
}

fn source(arn: Option<&str>) -> u32 {
    let message = serde_json::json!({"messageId": "m", "attributes": {}, "messageAttributes": {}, "eventSourceARN": arn});
    let invocation: Invocation = serde_json::from_value(serde_json::json!({"Records": [message]})).unwrap();
    assert!(invocation.ask.is_none());
    batch(invocation.records, &lambda_runtime::Context::default())
        .unwrap()
        .partition
}

#[test]
fn a_batch_knows_its_queue() {
    assert_eq!(source(Some("arn:aws:sqs:eu-west-1:1:vb-webhook.fifo")), 0);
    assert_eq!(source(Some("arn:aws:sqs:eu-west-1:1:vb-webhook_5.fifo")), 5);
    assert_eq!(source(None), 0);
}

#[test]
fn a_schedule_names_the_partitions_or_there_is_one() {
    let read = |text: &str| serde_json::from_str::<WakeRequest>(text);
    let request = read(r#"{"vendor":"webhook","queue_url":"q","partitions":4}"#).unwrap();
    assert_eq!(request.partitions.count(), 4);
    assert_eq!(
        read(r#"{"vendor":"webhook","queue_url":"q"}"#)
            .unwrap()
            .partitions,
        Partitions::ONE
    );
    assert!(read(r#"{"vendor":"webhook","queue_url":"q","partitions":3}"#).is_err());
}

#[test]
fn a_question_is_no_batch_and_neither_is_anything_else() {
    let read = |text: &str| serde_json::from_str::<Invocation>(text).unwrap();
    let question = read(r#"{"ask": {"kind": "describe"}}"#);
    assert_eq!(question.ask, Some(serde_json::json!({"kind": "describe"})));
    let refused = batch(read("{}").records, &lambda_runtime::Context::default()).unwrap_err();
    assert_eq!(
        refused.to_string(),
        "expected `Records` of a queue, or a question in `ask`, found neither"
    );
}

#[rstest::rstest]
#[case::of_the_message(
    Some("Root=1-0af76519-16cd43dd8448eb211c80319c;Parent=b7ad6b7169203331"),
    "Sampled=1",
    Some("0af76519")
)]
#[case::of_an_invocation_that_is_traced(
    None,
    "Root=1-1bf76519-16cd43dd8448eb211c80319c;Parent=b7ad6b7169203331;Sampled=1",
    Some("1bf76519")
)]
#[case::of_one_that_is_not(
    None,
    "Root=1-1bf76519-16cd43dd8448eb211c80319c;Parent=b7ad6b7169203331;Sampled=0",
    None
)]
fn a_trace_is_the_messages_or_that_of_a_traced_invocation(
    #[case] of_message: Option<&str>,
    #[case] of_invocation: &str,
    #[case] expected: Option<&str>,
) {
    let mut json =
        serde_json::json!({"messageId": "m-1", "body": "{}", "attributes": {}, "messageAttributes": {}});
    if let Some(header) = of_message {
        json["attributes"]["AWSTraceHeader"] = header.into();
    }
    let of_invocation = Some(of_invocation).filter(|header| is_sampled(header));
    let read = delivery(message(json), of_invocation).unwrap().trace_header;
    assert_eq!(read.is_some(), expected.is_some());
    assert!(read.unwrap_or_default().contains(expected.unwrap_or_default()));
}
