//! Instructors.

use rstest::rstest;
use serde_json::json;

use super::super::*;

fn person(state: Value) -> Result<Person, Invalid> {
    let state: InstructorState = serde_json::from_value(state).unwrap();
    state.person()
}

fn ada() -> Value {
    json!({
        "line": "acme", "id": "p-1", "given_name": "Ada", "family_name": " Lovelace ", "bio": "First.", "email": "ada@lovelace.example",
        "position": {"title": "Professor", "organization": "ACME"}, "major_works": "Notes",
        "urls": [{"type": "blog", "title": "Blog", "url": "https://ada.example"}], "areas_of_expertise": ["Engines"],
    })
}

#[test]
fn a_full_instructor_is_created() {
    let ada = person(ada()).unwrap();
    insta::assert_json_snapshot!(ada.create(&ada.identity), @r#"
    {
      "areas_of_expertise": [
        {
          "id": null,
          "value": "Engines"
        }
      ],
      "bio": "First.",
      "family_name": "Lovelace",
      "given_name": "Ada",
      "major_works": "Notes",
      "position": {
        "organization_override": "ACME",
        "title": "Professor"
      },
      "urls_detailed": [
        {
          "id": null,
          "title": "Blog",
          "type": "blog",
          "url": "https://ada.example"
        }
      ]
    }
    "#);
}

#[test]
fn an_update_takes_over_the_ids_of_what_is_there() {
    let mut state = ada();
    state["urls"] = json!([
        {"type": "twitter", "title": "T", "url": "https://t.example/new"},
        {"type": "blog", "title": "B2", "url": "https://b.example/2"},
        {"type": "blog", "title": "B1", "url": "https://b.example/1"},
        {"type": "others", "title": "O", "url": "https://o.example"},
    ]);
    state["areas_of_expertise"] = json!(["Poetry", "Engines"]);
    let there = |id, kind: &str, url: &str| Link {
        id: Some(id),
        kind: kind.to_owned(),
        title: String::new(),
        url: url.to_owned(),
    };
    let links = [
        there(1, "blog", "https://b.example/1"),
        there(2, "twitter", "https://t.example/old"),
        there(3, "facebook", "https://f.example"),
    ];
    let areas = [Area {
        id: Some(7),
        value: "Engines".to_owned(),
    }];
    let update = person(state).unwrap().update(&links, &areas);
    let ids = |name: &str| {
        update[name]
            .as_array()
            .unwrap()
            .iter()
            .map(|item| item["id"].clone())
            .collect::<Vec<_>>()
    };
    assert_eq!(
        ids("urls_detailed"),
        [json!(2), Value::Null, json!(1), Value::Null]
    );
    assert_eq!(ids("areas_of_expertise"), [Value::Null, json!(7)]);
}

/// What is not listed would be deleted, so what is left alone is sent back.
#[test]
fn what_a_line_never_said_of_a_person_is_sent_back_as_it_is() {
    let state = json!({"line": "acme", "id": "p-1", "given_name": "Ada", "position": {"title": "Professor", "organization": null}});
    let links = [Link {
        id: Some(1),
        kind: "blog".to_owned(),
        title: "B".to_owned(),
        url: "https://b.example".to_owned(),
    }];
    let areas = [Area {
        id: Some(7),
        value: "Engines".to_owned(),
    }];
    insta::assert_json_snapshot!(person(state).unwrap().update(&links, &areas), @r#"
    {
      "areas_of_expertise": [
        {
          "id": 7,
          "value": "Engines"
        }
      ],
      "given_name": "Ada",
      "position": {
        "organization_override": null,
        "title": "Professor"
      },
      "urls_detailed": [
        {
          "id": 1,
          "title": "B",
          "type": "blog",
          "url": "https://b.example"
        }
      ]
    }
    "#);
}

#[test]
fn null_clears_what_a_person_has() {
    let mut state = ada();
    for member in ["family_name", "bio", "major_works", "urls", "areas_of_expertise"] {
        state[member] = Value::Null;
    }
    let areas = [Area {
        id: Some(7),
        value: "Engines".to_owned(),
    }];
    insta::assert_json_snapshot!(person(state).unwrap().update(&[], &areas), @r#"
    {
      "areas_of_expertise": [],
      "bio": "",
      "family_name": null,
      "given_name": "Ada",
      "major_works": "",
      "position": {
        "organization_override": "ACME",
        "title": "Professor"
      },
      "urls_detailed": []
    }
    "#);
}

/// course-discovery keeps no addresses of people: a new one changes nothing there.
#[test]
fn an_e_mail_address_goes_nowhere() {
    let mut other = ada();
    other["email"] = json!("countess@lovelace.example");
    let json = |state| serde_json::to_value(person(state).unwrap()).unwrap();
    assert_eq!(json(ada()), json(other));
    assert!(!json(ada()).to_string().contains("lovelace.example"));
}

#[rstest]
#[case("/given_name", json!(" "), "expected a text, found an empty one")]
#[case("/position/title", json!(""), "expected a text, found an empty one")]
#[case("/urls/0/type", json!("myspace"), "expected `facebook`, `twitter`, `blog` or `others`, found another text")]
fn an_instructor_that_cannot_be_mapped(#[case] pointer: &str, #[case] value: Value, #[case] message: &str) {
    let mut state = ada();
    *state.pointer_mut(pointer).unwrap() = value;
    assert_eq!(person(state).unwrap_err(), Invalid::new(pointer, message));
}

#[rstest]
#[case("Ada", Some("Lovelace"), Some("ada-lovelace"))]
#[case("Ada", None, Some("ada"))]
#[case("Mary Ann", Some("Evans-Cross"), Some("mary-ann-evans-cross"))]
#[case("Søren", Some("Kierkegaard"), None)]
#[case("Peter", Some("O'Toole"), None)]
#[case("Wolfeschlegelsteinhausenbergerdorff", Some("Welchevoralternwaren"), None)]
fn slugs_that_are_certain(#[case] given: &str, #[case] family: Option<&str>, #[case] slug: Option<&str>) {
    let identity = Identity {
        given_name: given.to_owned(),
        family_name: family.map(str::to_owned),
        position: Position {
            title: "Professor".to_owned(),
            organization: None,
        },
    };
    assert_eq!(identity.slug().as_deref(), slug);
}
