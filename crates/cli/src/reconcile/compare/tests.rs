//! Random damage is found exactly, whatever the order and whichever side names the other.

use std::collections::BTreeMap;

use proptest::prelude::*;
use rstest::rstest;
use serde_json::{Value, json};

use super::*;

/// What is done to a record of the vendor's that was right.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Damage {
    None,
    Lost,
    FieldChanged,
    FieldLost,
    FieldAdded,
    Doubled,
    /// Nobody at the source knows it any more.
    Orphaned,
    /// A rule keeps it out by now.
    Unwanted,
}

const DAMAGES: [Damage; 8] = [
    Damage::None,
    Damage::Lost,
    Damage::FieldChanged,
    Damage::FieldLost,
    Damage::FieldAdded,
    Damage::Doubled,
    Damage::Orphaned,
    Damage::Unwanted,
];

/// Which side says what belongs together.
#[derive(Debug, Clone, Copy)]
enum Match {
    Link,
    Entity,
    Both,
    /// Neither: the ledger knows.
    Ledger,
}

fn entity(id: usize) -> EntityKey {
    EntityKey::new("product", &id.to_string()).unwrap()
}

fn fields(id: usize) -> Fields {
    let value = |name: &str| vendorbridge::lane::short_hash(&format!("{name} {id}"));
    BTreeMap::from(["/name", "/price", "/tags"].map(|name| (name.to_owned(), value(name))))
}

fn ours(id: usize, by: Match) -> SourceRecord {
    SourceRecord {
        entity: entity(id),
        is_wanted: Some(true),
        link: matches!(by, Match::Link | Match::Both).then(|| format!("v-{id}")),
        fields: fields(id),
        rule: None,
        error: None,
    }
}

fn theirs(id: usize, by: Match) -> VendorEntry {
    VendorEntry {
        link: format!("v-{id}"),
        entity: matches!(by, Match::Entity | Match::Both).then(|| entity(id)),
        fields: fields(id),
    }
}

/// Two sides with damage, and what is to be found.
fn damaged(damages: &[Damage], by: Match, seed: u64) -> (Sides, Comparison) {
    let (mut source, mut vendor) = (Vec::new(), Vec::new());
    let mut expected = Comparison::default();
    for (id, damage) in damages.iter().enumerate() {
        let (mut one, mut other) = (ours(id, by), theirs(id, by));
        let changed = |name: &str| Difference::Different(BTreeSet::from([name.to_owned()]));
        let is_told = other.entity.is_some();
        let mut extra = |link: String, is_told: bool| {
            let entity = is_told.then(|| entity(id));
            expected.extra(entity.as_ref(), &link);
        };
        match damage {
            Damage::None => expected.same += 1,
            Damage::Lost => expected.is(&entity(id), Difference::Missing),
            Damage::FieldChanged => {
                other.fields.insert("/price".into(), "0".into());
                expected.is(&entity(id), changed("/price"));
            }
            Damage::FieldLost => {
                other.fields.remove("/name");
                expected.is(&entity(id), changed("/name"));
            }
            Damage::FieldAdded => {
                other.fields.insert("/old".into(), "1".into());
                expected.is(&entity(id), changed("/old"));
            }
            Damage::Doubled => {
                expected.same += 1;
                let mut second = other.clone();
                second.link = format!("second-{id}");
                expected.extra(second.entity.as_ref(), &second.link);
                vendor.push(second);
            }
            Damage::Orphaned => extra(other.link.clone(), is_told),
            // Where the link tells which entity it is, a record that is kept out is known.
            Damage::Unwanted => extra(other.link.clone(), true),
        }
        match damage {
            Damage::Orphaned => vendor.push(other),
            Damage::Lost => source.push(one),
            Damage::Unwanted => {
                one.is_wanted = Some(false);
                source.push(one);
                vendor.push(other);
            }
            _ => {
                source.push(one);
                vendor.push(other);
            }
        }
    }
    let mut random = fastrand::Rng::with_seed(seed);
    random.shuffle(&mut source);
    if matches!(by, Match::Entity) {
        // By name alone, which of two records is the first is the order's matter.
        vendor.sort_by_key(|entry| entry.link.starts_with("second"));
    } else {
        random.shuffle(&mut vendor);
    }
    let mut sides = Sides::default();
    for record in source {
        sides.ours(record);
    }
    for entry in vendor {
        sides.theirs(entry);
    }
    if matches!(by, Match::Ledger) {
        for unmatched in sides.unmatched() {
            sides.link(&unmatched, format!("v-{}", unmatched.id()));
        }
    }
    (sides, expected)
}

proptest! {
    #[test]
    fn damage_is_found_exactly(
        damages in prop::collection::vec(prop::sample::select(&DAMAGES[..]), 0..60),
        by in prop::sample::select(&[Match::Link, Match::Entity, Match::Both, Match::Ledger][..]),
        seed: u64,
    ) {
        let (sides, expected) = damaged(&damages, by, seed);
        prop_assert_eq!(sides.compare(), expected);
    }
}

#[rstest]
fn nothing_is_found_where_nothing_is(#[values(Match::Link, Match::Entity, Match::Both)] by: Match) {
    let (sides, _) = damaged(&[Damage::None; 40], by, 1);
    let found = sides.compare();
    assert!(!found.differs());
    assert_eq!((found.same, sides.counts()), (40, (40, 40)));
    assert_eq!(sides.unmatched(), Vec::<EntityKey>::new());
}

#[test]
fn what_cannot_be_mapped_is_neither_missing_nor_extra() {
    let error = json!({"kind": "invalid", "verdict": "permanent", "stage": "map", "pointer": "/price", "message": "expected a number"});
    let broken = |id: usize| SourceRecord {
        error: serde_json::from_value(error.clone()).unwrap(),
        ..ours(id, Match::Entity)
    };
    let mut sides = Sides::default();
    sides.ours(broken(1));
    sides.ours(broken(2));
    sides.theirs(theirs(2, Match::Entity));
    let found = sides.compare();
    assert_eq!(found.known, BTreeMap::new());
    let reasons: Vec<_> = found.unmappable.values().map(String::as_str).collect();
    assert_eq!(reasons, ["/price: expected a number"; 2]);
    assert!(!found.differs());
}

#[test]
fn empty_sides_are_the_same() {
    assert!(!Sides::default().compare().differs());
}

/// A field that one side has as null counts as absent, so it is never in a list; one that is an empty text is.
#[test]
fn an_empty_value_is_a_value() {
    let mut entry = theirs(1, Match::Both);
    entry.fields.insert(
        "/note".into(),
        vendorbridge::lane::short_hash(&Value::from("").to_string()),
    );
    let mut sides = Sides::default();
    sides.ours(ours(1, Match::Both));
    sides.theirs(entry);
    let differing = Difference::Different(BTreeSet::from(["/note".to_owned()]));
    assert_eq!(
        sides.compare().known,
        BTreeMap::from([(entity(1), vec![differing])])
    );
}

#[rstest]
#[case(false, true)]
#[case(true, false)]
fn what_others_keep_is_no_difference_where_it_is_left_alone(
    #[case] leaves_alone: bool,
    #[case] differs: bool,
) {
    let mut entry = theirs(1, Match::Both);
    entry.fields.insert("/theirs".into(), "1".into());
    let mut sides = Sides::new(leaves_alone);
    sides.ours(ours(1, Match::Both));
    sides.theirs(entry.clone());
    assert_eq!(sides.compare().differs(), differs);
    // What we are to bring is a difference in any case.
    entry.fields.remove("/name");
    let mut sides = Sides::new(leaves_alone);
    sides.ours(ours(1, Match::Both));
    sides.theirs(entry);
    assert!(sides.compare().differs());
}
