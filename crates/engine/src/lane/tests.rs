use std::collections::{HashMap, HashSet};

use proptest::prelude::*;
use rstest::rstest;

use super::*;

fn key(id: &str) -> EntityKey {
    EntityKey::new("customer", id).unwrap()
}

#[test]
fn a_plain_key_is_its_own_lane() {
    assert_eq!(lane(&key("1042")), "customer/1042");
}

#[test]
fn a_long_or_foreign_key_is_hashed() {
    assert!(lane(&key(&"x".repeat(200))).starts_with("sha256:"));
    assert!(lane(&key("å")).starts_with("sha256:"));
    assert!(lane(&key("a b")).starts_with("sha256:"));
}

/// Changing what a key is hashed to would put one entity into two lanes while a deployment rolls out.
#[test]
fn a_hashed_lane_never_changes() {
    assert_eq!(
        lane(&key("å")),
        "sha256:cf1b5d3e47e603aa558f48c8cc0608cea7c40de74890f76913ec200dc79ae665"
    );
}

#[rstest]
#[case::last_plain(91, false)]
#[case::first_hashed(92, true)]
fn the_limit_is_exact(#[case] id_chars: usize, #[case] hashed: bool) {
    let key = key(&"x".repeat(id_chars));
    assert_eq!(key.as_str().len(), "customer/".len() + id_chars);
    assert_eq!(lane(&key) != key.as_str(), hashed);
}

/// The text of another entity's lane, or a part of it, is a legal id: it must not lead into that lane.
#[test]
fn an_id_that_looks_like_a_lane_has_its_own() {
    let foreign = lane(&key("å"));
    let hex = foreign.strip_prefix("sha256:").unwrap();
    let impostors = [
        key(&foreign),
        key(hex),
        EntityKey::new("sha256", hex).unwrap(),
        EntityKey::new("sha256", &foreign).unwrap(),
        EntityKey::new("intake", "intake").unwrap(),
    ];
    for impostor in impostors {
        assert_ne!(lane(&impostor), foreign);
        assert_ne!(lane(&impostor), "intake");
    }
    // And no key can begin as a hashed lane does.
    assert!(EntityKey::new("sha256:", hex).is_err());
    assert!(foreign.parse::<EntityKey>().is_err());
}

/// Ids that differ in as little as two ids can: case, blanks, look-alikes, forms of one letter, what nobody sees.
const NEAR: [&str; 18] = [
    "a",
    "A",
    "а",
    "a ",
    " a",
    "a\u{a0}",
    "a\u{200b}",
    "a\u{feff}",
    "a/",
    "/a",
    "a//",
    "é",
    "e\u{301}",
    "ß",
    "ss",
    "ﬁ",
    "fi",
    "１",
];

/// A family of near-collisions around one id.
fn near(id: &str) -> Vec<String> {
    let filled = |length: usize| format!("{}{}", "x".repeat(length), id);
    let mut ids: Vec<String> = NEAR.iter().map(|near| format!("{id}{near}")).collect();
    // Around the length from which a key is hashed, and beyond what one would cut it to.
    ids.extend([89, 90, 91, 92, 93, 127, 128].map(filled));
    ids.extend([
        id.to_lowercase(),
        id.to_uppercase(),
        id.trim().to_owned(),
        id.repeat(2),
    ]);
    ids.extend([lane(&key(id)), format!("customer/{id}"), format!("sha256:{id}")]);
    ids.push(hex::encode(Sha256::digest(format!("customer/{id}"))));
    ids.retain(|id| EntityKey::new("customer", id).is_ok());
    ids
}

fn legal(lane: &str) -> bool {
    (1..=100).contains(&lane.len()) && lane.bytes().all(|byte| byte.is_ascii_graphic())
}

fn distinct(entities: impl IntoIterator<Item = EntityKey>) -> Result<(), TestCaseError> {
    let mut owners: HashMap<String, EntityKey> = HashMap::new();
    for entity in entities {
        let lane = lane(&entity);
        prop_assert!(legal(&lane), "{}", lane);
        prop_assert_ne!(&lane, "intake");
        if let Some(owner) = owners.insert(lane, entity.clone()) {
            prop_assert_eq!(owner, entity, "two entities share a lane");
        }
    }
    Ok(())
}

proptest! {
    #[test]
    fn lanes_are_legal_and_distinct(ids in prop::collection::hash_set("[^\\p{Cc}]{1,128}", 1..40)) {
        let lanes: HashSet<_> = ids.iter().map(|id| lane(&key(id))).collect();
        prop_assert_eq!(lanes.len(), ids.len());
        distinct(ids.iter().map(|id| key(id)))?;
    }

    #[test]
    fn what_looks_alike_is_kept_apart(id in prop_oneof!["[^\\p{Cc}]{1,60}", "[!-~]{1,100}", "[a-z0-9/:]{1,100}"]) {
        distinct(near(&id).iter().chain([&id]).map(|id| key(id)))?;
    }

    /// Where the type ends and the id begins is part of an entity's identity.
    #[test]
    fn types_are_kept_apart(keys in prop::collection::hash_set(("[a-b-]{1,3}", "[a-bå/-]{1,3}"), 2..60)) {
        let all = keys.len();
        let lanes: HashSet<_> = keys.iter().map(|(kind, id)| lane(&EntityKey::new(kind, id).unwrap())).collect();
        prop_assert_eq!(lanes.len(), all);
    }
}
