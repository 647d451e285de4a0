//! Rows of `SBO_SP_PostTransactionNotice`, which SAP Business One calls after each transaction.

use super::check::{Checks, Place, changed, quoted};
use super::object::{Key, ObjectChanged};

const COLUMNS: &str = "list_of_key_cols_tab_del";
const VALUES: &str = "list_of_cols_val_tab_del";

/// Reads one row: the procedure's parameters under their names.
pub(super) fn read(place: &Place<'_>, checks: &mut Checks<'_>) -> Option<ObjectChanged> {
    let expected = "`b1events`, or a row of the post-transaction notice";
    let members = checks.object(place, expected)?;
    let object_type = checks.object_type(place, members, "object_type");
    let transaction_type = checks.transaction_type(place, members, "transaction_type");
    let count = checks.text(place, members, "num_of_cols_in_key", "the number of key columns");
    let names = checks.text(place, members, COLUMNS, "names of key columns, tab-separated");
    let values = checks.text(place, members, VALUES, "values of key columns, tab-separated");
    let (count, names, values) = (count?, names?, values?);
    let Some(columns) = count.1.parse().ok().filter(|_| count.1.len() <= 3) else {
        checks.wrong(&count.0, "the number of key columns", quoted(&count.1));
        return None;
    };
    checks.count(&count.0, columns)?;
    let names = split(names, columns, checks);
    let values = split(values, columns, checks);
    let (names, values) = (names?, values?);
    let (whole, mut keys) = (values[0].0.clone(), Vec::with_capacity(columns));
    for (name, value) in names.into_iter().zip(values) {
        let (name, value) = (checks.key_name(name), checks.key_value(value));
        keys.push(name.zip(value).map(|(name, value)| Key { name, value }));
    }
    let keys: Vec<_> = keys.into_iter().collect::<Option<_>>()?;
    let key = checks.key(&whole, &keys)?;
    // The query's, which was checked once for all rows.
    let company = checks.expected.company?.to_owned();
    Some(changed(
        company,
        object_type?,
        transaction_type?,
        (key, keys),
        None,
    ))
}

/// The columns of a list, which are as many as the row says.
fn split<'a>(
    (place, text): (Place<'a>, String),
    columns: usize,
    checks: &mut Checks<'_>,
) -> Option<Vec<(Place<'a>, String)>> {
    let found = text.split('\t').count();
    if found != columns {
        checks.wrong(
            &place,
            &format!("{columns} columns, tab-separated"),
            found.to_string(),
        );
        return None;
    }
    Some(
        text.split('\t')
            .map(|part| (place.clone(), part.to_owned()))
            .collect(),
    )
}
