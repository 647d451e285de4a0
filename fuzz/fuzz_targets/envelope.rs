//! Whatever stands in a message body: parsing it ends with a message or a reason, and both keep to their bounds.

#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::{Corpus, fuzz_target};
use vendorbridge::lane::lane;
use vendorbridge::message::{
    MAX_EVENT_ID_BYTES, MAX_ID_BYTES, Malformed, Message, Parsed, WAKE_DETAIL_TYPE, parse,
};
use vendorbridge::{Announcement, EntityKey};

/// The first is what `events/` holds; the second takes any source, a nested id and no version.
static ANNOUNCEMENTS: LazyLock<[(&str, Announcement); 2]> = LazyLock::new(|| {
    [
        (
            "customer",
            Announcement::new("DeliveryPreferenceUpdated", "/customerId")
                .from_source("infoservice")
                .version("/version"),
        ),
        ("account", Announcement::new("AccountChanged", "/account/id")),
    ]
});

/// Long enough for every sentence that the parser has; no body fits in.
const MAX_REASON_BYTES: usize = 300;
/// A replay's id is the event's, `~`, and a hash of sixteen digits.
const MAX_DELIVERY_ID_BYTES: usize = MAX_EVENT_ID_BYTES + 17;
/// A shorter piece of a body may stand in a reason by chance: `1`, `id`, `text`.
const MIN_QUOTE_CHARS: usize = 12;

fuzz_target!(|data: &[u8]| -> Corpus {
    // A queue's messages are text.
    let Ok(body) = std::str::from_utf8(data) else {
        return Corpus::Reject;
    };
    let read = || {
        parse(
            body,
            "mailchimp",
            ANNOUNCEMENTS
                .iter()
                .map(|(name, announcement)| (*name, announcement)),
        )
    };
    let result = read();
    assert_eq!(result, read(), "the same body was read in two ways");
    match &result {
        Ok(Parsed::Message(message)) => check_message(message),
        Ok(Parsed::Excluded(_) | Parsed::NotOurs) => {}
        Err(malformed) => check_malformed(malformed, body),
    }
    Corpus::Keep
});

fn check_message(message: &Message) {
    let entity = message.entity();
    assert_eq!(entity.as_str().parse::<EntityKey>().as_ref(), Ok(entity));
    assert_eq!(
        EntityKey::new(entity.entity_type(), entity.id()).as_ref(),
        Ok(entity)
    );
    assert!(!entity.id().is_empty() && entity.id().len() <= MAX_ID_BYTES);
    let lane = lane(entity);
    assert!(!lane.is_empty() && lane.len() <= 100 && lane.bytes().all(|byte| byte.is_ascii_graphic()));
    if let Message::Notification(notification) = message {
        assert!(ANNOUNCEMENTS.iter().any(|(name, announcement)| {
            *name == entity.entity_type() && announcement.detail_type() == notification.detail_type
        }));
        let id = notification.event_id.len();
        assert!(
            (1..=MAX_DELIVERY_ID_BYTES).contains(&id),
            "an event id of {id} bytes"
        );
        let version = notification
            .version
            .as_ref()
            .map_or(0, |version| version.to_string().len());
        assert!(version <= 128, "a version of {version} bytes");
    }
}

fn check_malformed(malformed: &Malformed, body: &str) {
    let Malformed {
        reason,
        pointer,
        event_id,
        ..
    } = malformed;
    assert!(
        !reason.is_empty() && reason.len() <= MAX_REASON_BYTES,
        "a reason of {} bytes",
        reason.len()
    );
    assert!(
        pointer
            .as_ref()
            .is_none_or(|pointer| pointer.starts_with('/') && pointer.len() <= 64)
    );
    assert!(
        event_id
            .as_ref()
            .is_none_or(|id| (1..=MAX_DELIVERY_ID_BYTES).contains(&id.len()))
    );
    for text in [Some(reason), pointer.as_ref()].into_iter().flatten() {
        assert!(!quotes(text, body), "the body is quoted: {text}");
    }
}

/// Whether words of the body stand in a text that should be ours alone.
fn quotes(text: &str, body: &str) -> bool {
    body.split(|letter: char| !letter.is_alphanumeric())
        .filter(|word| word.chars().count() >= MIN_QUOTE_CHARS && !is_ours(word))
        .any(|word| text.contains(word))
}

/// The words of our own configuration stand in reasons, and a body may hold them too.
fn is_ours(word: &str) -> bool {
    ANNOUNCEMENTS
        .iter()
        .any(|(_, announcement)| announcement.detail_type().contains(word))
        || WAKE_DETAIL_TYPE.contains(word)
        || "EventBridge announced characters".contains(word)
}
