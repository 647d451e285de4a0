//! Partners and documents of B1 → customers and transactions of PortaBilling. Pure.

mod customer;
mod document;

use rust_decimal::Decimal;
use serde_json::Number;
use vendorbridge::vendor::Invalid;

pub(crate) use customer::{Customer, PARTNER_FIELDS, Partner};
pub(crate) use document::{Booking, Document, Kind};

/// PortaBilling keeps five decimals (<https://docs.portaone.com/docs/mr100-balance-adjustment>).
const MAX_DECIMALS: u32 = 5;

/// The exact amount: a JSON number is read by its digits, not by its float.
fn amount(pointer: &str, number: &Number) -> Result<Decimal, Invalid> {
    let invalid = |message: &str| Invalid::new(pointer, message);
    let amount = Decimal::from_str_exact(&number.to_string())
        .map_err(|_| invalid("expected an amount, found a number without end or too large"))?
        .normalize();
    if amount.scale() > MAX_DECIMALS {
        return Err(invalid("expected an amount of at most five decimals, found more"));
    }
    Ok(amount)
}
