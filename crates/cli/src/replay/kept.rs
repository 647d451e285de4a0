//! What the vendor's function keeps, and what of a choice it can be asked for.

use vendorbridge::EntityKey;
use vendorbridge::ask::Kept;

use super::options::Choice;
use crate::CliError;
use crate::ask::{describe, unknown_type};
use crate::session::Session;

/// The entities that the source can be asked for, and how many of the others there are: what their events carried is not ours to
/// send again. Of a function that does not say, all.
///
/// # Errors
/// If the function cannot be asked, or a person named an entity of a type that it does not keep.
pub(super) async fn readable(
    session: &Session,
    vendor: &str,
    choice: &Choice,
    entities: Vec<EntityKey>,
) -> Result<(Vec<EntityKey>, u64), CliError> {
    if entities.is_empty() {
        return Ok((entities, 0));
    }
    match describe(session, vendor).await {
        Ok(description) => {
            if let Choice::Entities(named) = choice {
                all_known(named, &description.entities)?;
            }
            Ok(without_carried(entities, &description.entities))
        }
        Err(CliError::Unanswered { .. } | CliError::Answered { .. }) => Ok((entities, 0)),
        Err(error) => Err(error),
    }
}

/// A wrong name that a person typed would only be refused in the ledger, where nobody looks for it.
fn all_known(named: &[EntityKey], kept: &[Kept]) -> Result<(), CliError> {
    let is_known = |entity: &EntityKey| kept.iter().any(|kept| kept.entity_type == entity.entity_type());
    match named.iter().find(|entity| !is_known(entity)) {
        Some(unknown) => Err(unknown_type(kept, unknown.entity_type())),
        None => Ok(()),
    }
}

fn without_carried(entities: Vec<EntityKey>, kept: &[Kept]) -> (Vec<EntityKey>, u64) {
    let is_carried = |entity: &EntityKey| {
        kept.iter()
            .any(|kept| kept.entity_type == entity.entity_type() && !kept.is_readable)
    };
    let all = entities.len();
    let readable: Vec<_> = entities
        .into_iter()
        .filter(|entity| !is_carried(entity))
        .collect();
    let left_out = all - readable.len();
    (readable, left_out as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept() -> Vec<Kept> {
        let kept = [("product", true), ("order", false)];
        kept.map(|(entity_type, is_readable)| Kept {
            entity_type: entity_type.to_owned(),
            is_readable,
            lists_source: is_readable,
            lists_vendor: false,
            leaves_alone: false,
            announced_by: Vec::new(),
        })
        .to_vec()
    }

    #[test]
    fn what_only_its_events_carry_is_left_out() {
        let entities = ["order/1", "other/1", "product/1"].map(|key| key.parse().unwrap());
        let (readable, left_out) = without_carried(entities.to_vec(), &kept());
        assert_eq!(left_out, 1);
        assert_eq!(
            readable,
            entities[1..],
            "of a type that the function does not name, nothing is known"
        );
    }

    #[test]
    fn a_type_that_a_person_named_has_to_be_one() {
        let keys = |keys: [&str; 2]| keys.map(|key| key.parse().unwrap());
        assert!(all_known(&keys(["order/1", "product/1"]), &kept()).is_ok());
        let error = all_known(&keys(["order/1", "prodcut/1"]), &kept()).unwrap_err();
        let expected = "expected one of the types product, order, found `prodcut`";
        assert_eq!(
            (error.to_string().as_str(), error.exit()),
            (expected, crate::Exit::Wrong)
        );
    }
}
