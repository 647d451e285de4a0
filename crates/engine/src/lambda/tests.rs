use super::*;

fn message(json: serde_json::Value) -> SqsMessage {
    serde_json::from_value(json).unwrap()
}

#[test]
fn a_message_is_read_without_its_aws_type() {
    let read = delivery(message(serde_json::json!({
        "messageId": "m-1", "body": "{}",
        "attributes": {"MessageGroupId": "intake", "ApproximateReceiveCount": "3"},
        "messageAttributes": {},
    })))
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
        assert!(delivery(message(json)).is_err());
    }
}

#[test]
fn an_unknown_receive_count_takes_no_shortcut() {
    let json = serde_json::json!({"messageId": "m", "attributes": {}, "messageAttributes": {}});
    assert_eq!(delivery(message(json)).unwrap().receive_count, 2);
}

fn source(arn: Option<&str>) -> u32 {
    let message = serde_json::json!({"messageId": "m", "attributes": {}, "messageAttributes": {}, "eventSourceARN": arn});
    let payload = serde_json::from_value(serde_json::json!({"Records": [message]})).unwrap();
    batch(LambdaEvent::new(payload, lambda_runtime::Context::default()))
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
