//! XML and JSON say the same, and nothing that is sent brings the parser down.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::super::*;
use super::{companies, read_json};

/// Texts as senders have them, with all that XML escapes.
fn text(max: usize) -> impl Strategy<Value = String> {
    let character = prop_oneof![
        8 => proptest::char::range('!', '~'),
        2 => Just(' '),
        1 => proptest::char::range('\u{a1}', '\u{2fff}'),
    ];
    proptest::collection::vec(character, 1..=max).prop_map(|characters| characters.into_iter().collect())
}

fn any_event() -> impl Strategy<Value = Value> {
    let keys = proptest::collection::vec((text(20), text(20)), 0..4);
    let company = prop_oneof![Just("SBODEMOUS".to_owned()), text(10)];
    (company, "[0-9A-Z_]{0,12}", "[AUDCLX]", text(8), keys).prop_map(|(source, object, kind, user, keys)| {
        let keys: Vec<_> = keys
            .iter()
            .map(|(name, value)| json!({ "name": name, "value": value }))
            .collect();
        json!({
            "eventsource": source, "objecttype": object, "transactiontype": kind, "usercode": user, "keys": keys,
        })
    })
}

/// The same event in XML; every second text as CDATA.
fn xml_of(event: &Value) -> String {
    let element = |name: &str, value: &Value, is_cdata: bool| {
        let text = value.as_str().unwrap_or_default();
        let inner = if is_cdata && !text.contains("]]>") {
            format!("<![CDATA[{text}]]>")
        } else {
            quick_xml::escape::escape(text).into_owned()
        };
        format!("<p:{name}>{inner}</p:{name}>\n")
    };
    let mut xml = String::new();
    for (at, name) in ["eventsource", "objecttype", "transactiontype", "usercode"]
        .iter()
        .enumerate()
    {
        xml.push_str(&element(name, &event[*name], at % 2 == 0));
    }
    let mut keys = String::new();
    for key in event["keys"].as_array().into_iter().flatten() {
        keys.push_str("<p:key>");
        keys.push_str(&element("name", &key["name"], true));
        keys.push_str(&element("value", &key["value"], false));
        keys.push_str("</p:key>");
    }
    format!("<p:b1event>{xml}<p:keys count=\"0\">{keys}</p:keys></p:b1event>")
}

proptest! {
    #[test]
    fn xml_and_json_of_the_same_events_are_the_same(events in proptest::collection::vec(any_event(), 1..5)) {
        let xml: String = events.iter().map(xml_of).collect();
        let companies = companies();
        let expected = Expected { company: None, companies: &companies };
        let xml = format!("<Any><p:b1events>{xml}</p:b1events></Any>");
        let of_xml = read(Format::Xml, xml.as_bytes(), &expected);
        let of_json = read(Format::Json, json!({ "b1events": events }).to_string().as_bytes(), &expected);
        match (of_xml, of_json) {
            (Ok(of_xml), Ok(of_json)) => prop_assert_eq!(of_xml, of_json),
            (Err(of_xml), Err(of_json)) => prop_assert_eq!(of_xml.code, of_json.code),
            (of_xml, of_json) => prop_assert!(false, "{:?} and {:?}", of_xml, of_json),
        }
    }

    #[test]
    fn any_bytes_are_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..200), is_xml: bool) {
        let companies = companies();
        let expected = Expected { company: None, companies: &companies };
        let _ = read(if is_xml { Format::Xml } else { Format::Json }, &bytes, &expected);
    }

    #[test]
    fn any_piece_of_xml_is_read_or_refused(
        pieces in proptest::collection::vec(proptest::sample::select(vec![
            "<b1events>", "</b1events>", "<b1event>", "</b1event>", "<keys>", "</keys>", "<key/>", "<a b='c'/>", "text", "&amp;", "&x;",
            "&#65;", "<![CDATA[", "]]>", "<!--", "-->", "<?", "?>", "<!DOCTYPE a>", "<", ">", "\"",
        ]), 0..30),
    ) {
        let companies = companies();
        let expected = Expected { company: None, companies: &companies };
        if let Ok(events) = read(Format::Xml, pieces.concat().as_bytes(), &expected) {
            prop_assert!(!events.is_empty());
        }
    }

    #[test]
    fn what_is_taken_keeps_the_limits(event in any_event()) {
        if let Ok(events) = read_json(&json!({ "b1events": [event] }), None) {
            let key = vendorbridge::EntityKey::new("sap", &events[0].key);
            prop_assert!(key.is_ok());
        }
    }
}
