use rstest::rstest;

use super::*;

fn line() -> LineTerms {
    let organizations = [("ACME".to_owned(), "ACMEx".to_owned())].into();
    LineTerms {
        name: "acme".to_owned(),
        organizations,
    }
}

#[rstest]
#[case("7–10 hours per week", Some((7, 10)))]
#[case("7-10 hours per week", Some((7, 10)))]
#[case("7 — 10", Some((7, 10)))]
#[case("7 to 10 hours/week", Some((7, 10)))]
#[case("7 a 10 horas por semana", Some((7, 10)))]
#[case("entre 7 y 10 horas semanales", Some((7, 10)))]
#[case("10–7 hours", Some((7, 10)))]
#[case("8 hours per week", Some((8, 9)))]
#[case("8–8 hours per week", Some((8, 9)))]
#[case("8", Some((8, 9)))]
#[case("10 weeks, 7–10 hours per week", None)]
#[case("7.5 hours", None)]
#[case("7,5–10 horas", None)]
#[case("0 hours", None)]
#[case("168 hours", None)]
#[case("7–1000 hours", None)]
#[case("99999999999999999999 hours", None)]
#[case("siete horas", None)]
#[case("٧ ساعات", None)]
#[case("", None)]
fn effort_is_read_from_any_text(#[case] text: &str, #[case] hours: Option<(u32, u32)>) {
    assert_eq!(effort(text), hours);
}

#[rstest]
#[case(
    "aHR0cHM6Ly9jZG4uZXhhbXBsZS9jYXJkLmpwZw==",
    Some("https://cdn.example/card.jpg")
)]
#[case(
    "aHR0cHM6Ly9jZG4uZXhhbXBsZS9jYXJkLmpwZw",
    Some("https://cdn.example/card.jpg")
)]
#[case("https://cdn.example/a b", Some("https://cdn.example/a%20b"))]
#[case("aHR0cDovL2Nkbi5leGFtcGxlL2MuanBn", None)]
#[case("http://cdn.example/", None)]
#[case("amF2YXNjcmlwdDphbGVydCgxKQ==", None)]
#[case("????", None)]
#[case("/////w==", None)]
fn urls_are_decoded(#[case] text: &str, #[case] url: Option<&str>) {
    let read = Reader::Base64Url.read(&json!(text), &line());
    match url {
        Some(url) => assert_eq!(read, Ok(Some(json!(url)))),
        None => assert_eq!(read.unwrap_err().0, "an https URL in base64"),
    }
}

#[rstest]
#[case(json!(2450.0), Some("2450.00"))]
#[case(json!(2450), Some("2450.00"))]
#[case(json!("2450.5"), Some("2450.50"))]
#[case(json!(0.1), Some("0.10"))]
#[case(json!(1e3), Some("1000.00"))]
#[case(json!(2.005), Some("2.01"))]
#[case(json!(99_999_999.99), Some("99999999.99"))]
#[case(json!(0), Some("0.00"))]
#[case(json!(100_000_000), None)]
#[case(json!(99_999_999.999), None)]
#[case(json!(-1), None)]
#[case(json!(1e300), None)]
#[case(json!("2,450.00"), None)]
#[case(json!([1]), None)]
fn prices_have_two_decimals(#[case] value: Value, #[case] price: Option<&str>) {
    let read = Reader::Money.read(&value, &line());
    assert_eq!(read.ok().flatten(), price.map(|price| json!(price)));
}

#[rstest]
#[case(Reader::DayStart, "2026-03-20", Some("2026-03-20T00:00:00Z"))]
#[case(Reader::DayEnd, "2026-03-20", Some("2026-03-20T23:59:59Z"))]
#[case(Reader::DayEnd, "2026-03-20T10:00:00Z", Some("2026-03-20T10:00:00Z"))]
#[case(Reader::DayStart, "2026-03-20T10:00:00+02:00", Some("2026-03-20T08:00:00Z"))]
#[case(Reader::DayStart, "2026-03-20T10:00:00", None)]
#[case(Reader::DayStart, "2026-02-30", None)]
#[case(Reader::DayStart, "20260320", None)]
#[case(Reader::DayStart, "20.03.2026", None)]
fn days_become_times(#[case] reader: Reader, #[case] text: &str, #[case] time: Option<&str>) {
    let read = reader.read(&json!(text), &line());
    assert_eq!(read.ok().flatten(), time.map(|time| json!(time)));
}

#[rstest]
#[case(Reader::Text, json!(" a "), Ok(Some(json!("a"))))]
#[case(Reader::Text, json!(7), Ok(Some(json!("7"))))]
#[case(Reader::Text, json!({}), Err(("a text".to_owned(), "an object of 0".to_owned())))]
#[case(Reader::Words, json!(" a, b c,,"), Ok(Some(json!(["a", "b c"]))))]
#[case(Reader::Words, json!(", ,"), Ok(None))]
#[case(Reader::EffortMin, json!("siete"), Ok(None))]
#[case(Reader::Organization, json!("ACME"), Ok(Some(json!("ACMEx"))))]
#[case(Reader::Organization, json!("acme"), Err(("an organisation of this line".to_owned(), "`acme`".to_owned())))]
fn values_are_read(#[case] reader: Reader, #[case] value: Value, #[case] read: Result<Option<Value>, Wrong>) {
    assert_eq!(reader.read(&value, &line()), read);
}
