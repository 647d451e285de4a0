//! What holds for any body, whoever wrote it.

use proptest::collection::{btree_map, vec};
use proptest::option;
use serde_json::{Value, json};

use super::*;

/// Stands in every text of a generated body: wherever it turns up again, the body was quoted.
const MARK: &str = "q7zk";
/// Enough for every sentence that the parser has.
const MAX_REASON_BYTES: usize = 300;
/// The earliest and the latest second that jiff knows.
const SECONDS: std::ops::RangeInclusive<i64> = -377_705_023_201..=253_402_207_200;

/// What a generated envelope says.
#[derive(Debug, Clone)]
struct Said {
    id: String,
    customer: Value,
    version: Option<Value>,
    time: Timestamp,
    replay: Option<String>,
    unknown: Vec<(String, Value)>,
}

impl Said {
    fn envelope(&self) -> Value {
        let mut body = json!({
            "id": self.id, "detail-type": "DeliveryPreferenceUpdated", "source": "infoservice", "time": self.time,
            "detail": {"customerId": self.customer},
        });
        if let Some(version) = &self.version {
            body["detail"]["version"] = version.clone();
        }
        if let Some(replay) = &self.replay {
            body["replay-name"] = json!(replay);
        }
        body
    }

    /// The same with fields that nobody reads, in the envelope and in the detail.
    fn with_unknown_fields(&self) -> Value {
        let mut body = self.envelope();
        for (name, value) in &self.unknown {
            body[format!("x-{name}")] = value.clone();
            body["detail"][format!("x-{name}")] = value.clone();
        }
        body
    }
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        ".{0,12}".prop_map(|text| Value::from(format!("{MARK}{text}"))),
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..4).prop_map(Value::from),
            btree_map(".{0,8}", inner, 0..4).prop_map(|fields| {
                let fields = fields
                    .into_iter()
                    .map(|(name, value)| (format!("{MARK}{name}"), value));
                Value::Object(fields.collect())
            }),
        ]
    })
}

fn time() -> impl Strategy<Value = Timestamp> {
    (SECONDS, 0..1_000_000_000_i32).prop_map(|(second, nanosecond)| {
        Timestamp::new(second, nanosecond.min(999_999_999)).unwrap_or(Timestamp::MAX)
    })
}

fn said() -> impl Strategy<Value = Said> {
    let id = prop_oneof!["[!-~]{1,128}", ".{1,32}"];
    let customer = prop_oneof![
        "[^\\p{Cc}]{1,128}".prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
    ];
    let version = prop_oneof![
        any::<u64>().prop_map(Value::from),
        ".{0,300}".prop_map(Value::from),
        any_json(),
    ];
    let unknown = vec((".{0,8}", any_json()), 0..3);
    (
        id,
        customer,
        option::of(version),
        time(),
        option::of(".{0,40}"),
        unknown,
    )
        .prop_map(|(id, customer, version, time, replay, unknown)| Said {
            id,
            customer,
            version,
            time,
            replay,
            unknown,
        })
}

/// An envelope with one thing wrong, every text of it marked.
fn spoiled() -> impl Strategy<Value = String> {
    let fields = ["id", "detail-type", "source", "time", "detail", "replay-name"];
    let whole = (any_json(), any_json(), 0..fields.len(), any::<bool>()).prop_map(move |(customer, other, at, drop)| {
        let mut body = json!({
            "id": format!("{MARK}-1"), "detail-type": "DeliveryPreferenceUpdated", "source": "infoservice",
            "time": "2026-01-29T14:36:26Z", "detail": {"customerId": customer, "version": MARK},
            "replay-name": MARK,
        });
        if drop {
            body.as_object_mut().map(|body| body.remove(fields[at]));
        } else {
            body[fields[at]] = other;
        }
        body.to_string()
    });
    (whole, any::<proptest::sample::Index>(), option::of(any::<char>())).prop_map(|(body, at, cut)| {
        let Some(instead) = cut else { return body };
        let at = at.index(body.len() + 1);
        let at = (0..=at).rev().find(|at| body.is_char_boundary(*at)).unwrap_or(0);
        format!("{}{instead}", &body[..at])
    })
}

fn keeps_its_bounds(body: &str) -> Result<(), TestCaseError> {
    match read(body) {
        Ok(message) => {
            let entity = message.entity();
            prop_assert_eq!(&entity.as_str().parse::<EntityKey>().unwrap(), entity);
            prop_assert!(entity.id().len() <= MAX_ID_BYTES);
        }
        Err(Malformed {
            reason,
            pointer,
            event_id,
            ..
        }) => {
            prop_assert!(
                !reason.is_empty() && reason.len() <= MAX_REASON_BYTES,
                "{}",
                reason
            );
            prop_assert!(!reason.contains(MARK), "quoted: {}", reason);
            prop_assert!(pointer.is_none_or(|pointer| !pointer.contains(MARK)));
            prop_assert!(event_id.is_none_or(|id| !id.is_empty() && id.len() <= MAX_EVENT_ID_BYTES + 17));
        }
    }
    Ok(())
}

proptest! {
    #[test]
    fn no_text_panics(body in ".{0,300}") {
        keeps_its_bounds(&body)?;
    }

    /// A queue hands out text only: other bytes arrive as replacement characters.
    #[test]
    fn no_bytes_panic(bytes in vec(any::<u8>(), 0..300)) {
        keeps_its_bounds(&String::from_utf8_lossy(&bytes))?;
    }

    #[test]
    fn no_json_panics(body in any_json()) {
        keeps_its_bounds(&body.to_string())?;
    }

    #[test]
    fn what_is_wrong_is_said_without_the_body(body in spoiled()) {
        keeps_its_bounds(&body)?;
    }

    #[test]
    fn a_valid_envelope_says_what_was_put_in(said in said()) {
        prop_assume!(said.id.len() <= MAX_EVENT_ID_BYTES);
        let Ok(Message::Notification(read)) = read(&said.envelope().to_string()) else {
            return Err(TestCaseError::fail("expected a notification"));
        };
        if said.replay.is_some() {
            let hash = read.event_id.strip_prefix(&said.id).and_then(|rest| rest.strip_prefix('~'));
            prop_assert!(hash.is_some_and(|hash| hash.len() == 16));
        } else {
            prop_assert_eq!(&read.event_id, &said.id);
        }
        let id = said.customer.as_str().map_or_else(|| said.customer.to_string(), str::to_owned);
        prop_assert_eq!((read.entity.entity_type(), read.entity.id()), ("customer", id.as_str()));
        prop_assert_eq!(read.time, said.time);
        prop_assert_eq!(&read.version, &said.version.as_ref().and_then(Version::from_json));
        match (&said.version, &read.version) {
            (Some(Value::Number(number)), Some(version)) => prop_assert_eq!(number.to_string(), version.to_string()),
            (Some(Value::String(text)), Some(version)) if text.len() <= 128 => {
                prop_assert_eq!(text, &version.to_string());
            }
            (Some(Value::String(_)), version) => prop_assert!(version.is_some()),
            _ => {}
        }
    }

    #[test]
    fn unknown_fields_change_nothing(said in said()) {
        let plain = read(&said.envelope().to_string());
        prop_assert_eq!(read(&said.with_unknown_fields().to_string()), plain);
    }

    #[test]
    fn a_wake_reads_back(id in "[^\\p{Cc}]{1,128}", entity_type in "[a-z0-9-]{1,64}", now in time()) {
        let entity = EntityKey::new(&entity_type, &id).unwrap();
        prop_assert_eq!(read(&wake_body(&entity, "wake-1", now)), Ok(Message::Wake(entity)));
    }

    #[test]
    fn a_version_takes_little_room(text in "\\PC{0,400}") {
        let version = Version::from_json(&json!(text)).unwrap();
        prop_assert!(version.to_string().len() <= 128);
        prop_assert_eq!(Version::from_json(&json!(text)), Some(version));
    }
}

/// What somebody could send to bring a function down, or to fill the ledger.
#[rstest]
#[case::deep(&"[".repeat(200_000))]
#[case::deep_detail(&event(&json!({"customerId": "1"})).replace("\"customerId\"", &format!("\"x\":{},\"y\"", "[".repeat(10_000))))]
#[case::long_id(&event(&json!({"customerId": MARK.repeat(300_000)})))]
#[case::long_event_id(&event(&json!({"customerId": "1"})).replace("0b4bc671", &MARK.repeat(300_000)))]
#[case::long_type(&event(&json!({})).replace("DeliveryPreferenceUpdated", &MARK.repeat(300_000)))]
#[case::long_time(&event(&json!({})).replace("2026-01-29T14:36:26Z", &MARK.repeat(300_000)))]
#[case::long_number(&event(&json!({})).replace("\"detail\":{}", &format!("\"detail\":{{\"customerId\":{}}}", "9".repeat(500_000))))]
#[case::many_fields(&format!("{{{}}}", (0..50_000).map(|at| format!("\"{MARK}{at}\":0")).collect::<Vec<_>>().join(",")))]
#[case::many_values(&"{} ".repeat(200_000))]
fn hostile_sizes_stay_small(#[case] body: &str) {
    assert!(read(body).is_err());
    keeps_its_bounds(body).unwrap();
}
