use rstest::rstest;

use super::*;

const EVENT: &str = "<b1e:b1event><b1e:eventsource>DB</b1e:eventsource>\
    <b1e:keys count=\"1\"><b1e:key><b1e:name>DocEntry</b1e:name><b1e:value>4711</b1e:value></b1e:key></b1e:keys></b1e:b1event>";

fn event() -> Value {
    json!({ "eventsource": "DB", "keys": { "key": { "name": "DocEntry", "value": "4711" } } })
}

#[rstest]
#[case("<b1e:b1events>{}</b1e:b1events>", 1)]
#[case(
    "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Event xmlns:b1e=\"urn:x\"><b1e:b1events>{}{}</b1e:b1events></Event>\n",
    2
)]
#[case(
    "<!-- c --><?p x?><a><b><x:b1events>{}</x:b1events></b><x:B1Events>{}</x:B1Events></a>",
    2
)]
#[case("<a><b1events>between<other><b1event/></other>{}</b1events></a>", 1)]
#[case("<a/>", 0)]
#[case("<b1events/>", 0)]
#[case("<b1event/>", 0)]
fn events_are_found_under_any_prefix_and_root(#[case] document: &str, #[case] events: usize) {
    let document = document.replace(
        "{}",
        &EVENT.replace("<b1e:eventsource>", "<!-- c --><b1e:eventsource>"),
    );
    assert_eq!(value(&document), Ok(json!({ "b1events": vec![event(); events] })));
}

#[rstest]
#[case("a&amp;b&lt;c&gt;&quot;&apos;", "a&b<c>\"'")]
#[case("&#52;&#x37;11", "4711")]
#[case("<![CDATA[a & <b>]]>!", "a & <b>!")]
#[case(" 4711 ", " 4711 ")]
#[case("a<!-- c -->b", "ab")]
#[case("", "")]
fn text_is_taken_as_it_is(#[case] xml: &str, #[case] text: &str) {
    let document = format!("<b1events><b1event><usercode>{xml}</usercode></b1event></b1events>");
    assert_eq!(value(&document).unwrap()["b1events"][0]["usercode"], text);
}

#[test]
fn what_is_there_twice_is_a_list() {
    let document = "<b1events><b1event><a>1</a><a>2</a><a/></b1event></b1events>";
    assert_eq!(
        value(document).unwrap()["b1events"][0],
        json!({ "a": ["1", "2", ""] })
    );
}

#[rstest]
#[case("<!DOCTYPE a [<!ENTITY x \"y\">]><a>&x;</a>", XmlError::DocumentType(0))]
#[case("<!DOCTYPE a SYSTEM \"file:///etc/passwd\"><a/>", XmlError::DocumentType(0))]
#[case("<a>&x;</a>", XmlError::Entity(3))]
#[case("<?xml version=\"1.0\" encoding=\"ISO-8859-1\"?><a/>", XmlError::Encoding)]
#[case("", XmlError::Roots("none"))]
#[case("  ", XmlError::Roots("none"))]
#[case("{}", XmlError::Roots("text beside it"))]
#[case("<a/><b/>", XmlError::Roots("more"))]
#[case("<a/>x", XmlError::Roots("text beside it"))]
#[case("<a><b></b>", XmlError::Roots("one that is not closed"))]
fn what_is_refused(#[case] document: &str, #[case] error: XmlError) {
    assert_eq!(value(document), Err(error));
}

#[rstest]
#[case("<a></b>")]
#[case("<a>")]
#[case("</a>")]
#[case("<a")]
#[case("<a>&#0;</a>")]
#[case("<a>&")]
#[case("<a><![CDATA[</a>")]
#[case("<!")]
fn what_is_no_xml(#[case] document: &str) {
    assert!(value(document).is_err());
}

#[test]
fn depth_and_number_of_elements_are_limited() {
    let deep = |depth: usize| format!("{}{}", "<a>".repeat(depth), "</a>".repeat(depth));
    assert!(value(&deep(MAX_DEPTH)).is_ok());
    assert!(matches!(value(&deep(MAX_DEPTH + 1)), Err(XmlError::Depth(_))));
    assert!(matches!(value(&deep(100_000)), Err(XmlError::Depth(_))));
    let wide = |count: usize| format!("<a>{}</a>", "<b/>".repeat(count - 1));
    assert!(value(&wide(MAX_ELEMENTS)).is_ok());
    assert_eq!(value(&wide(MAX_ELEMENTS + 1)), Err(XmlError::Elements));
}
