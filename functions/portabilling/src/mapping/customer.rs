//! Business partner → customer.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use vendorbridge::vendor::{Field, Invalid};

use crate::config::Settings;

/// The properties of a partner that are asked for, besides the one that takes our link
/// (<https://help.sap.com/doc/056f69366b5345a386bb8149f1700c19/10.0/en-US/Service%20Layer%20API%20Reference.html>).
pub(crate) const PARTNER_FIELDS: [&str; 12] = [
    "CardCode",
    "CardName",
    "CardType",
    "GroupCode",
    "Currency",
    "EmailAddress",
    "Phone1",
    "Address",
    "City",
    "ZipCode",
    "Country",
    "Valid",
];

/// A business partner.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Partner {
    pub(crate) card_code: String,
    #[serde(default)]
    card_name: Field<String>,
    pub(crate) currency: String,
    #[serde(default)]
    email_address: Field<String>,
    #[serde(default)]
    phone1: Field<String>,
    #[serde(default)]
    address: Field<String>,
    #[serde(default)]
    city: Field<String>,
    #[serde(default)]
    zip_code: Field<String>,
    #[serde(default)]
    country: Field<String>,
    #[serde(flatten)]
    others: Map<String, Value>,
}

/// `customer_info`: what PortaBilling is to hold. Texts that B1 has emptied are emptied there, too.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Customer {
    /// The unique, visible id.
    pub(crate) name: String,
    /// Our `CardCode`: what a customer is found by.
    pub(crate) refnum: String,
    pub(crate) iso_4217: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    companyname: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    email: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    phone1: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    baddr1: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    city: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    zip: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    country: Option<String>,
    /// The id that B1 has for it; no part of what is pushed.
    #[serde(skip)]
    pub(crate) linked: Option<String>,
}

impl Partner {
    /// The customer that this partner is to be.
    pub(crate) fn customer(&self, settings: &Settings) -> Result<Customer, Invalid> {
        if self.card_code.is_empty() {
            return Err(Invalid::new("/CardCode", "expected a code, found an empty text"));
        }
        let linked = self.others.get(settings.link_field.as_str());
        Ok(Customer {
            name: format!("{}{}", settings.name_prefix, self.card_code),
            refnum: self.card_code.clone(),
            iso_4217: currency(settings, "/Currency", &self.currency)?,
            companyname: text(&self.card_name),
            email: text(&self.email_address),
            phone1: text(&self.phone1),
            baddr1: text(&self.address),
            city: text(&self.city),
            zip: text(&self.zip_code),
            country: text(&self.country),
            linked: linked.and_then(Value::as_str).map(str::to_owned),
        })
    }
}

/// The ISO 4217 code of a currency that stands at `pointer`.
pub(super) fn currency(settings: &Settings, pointer: &str, name: &str) -> Result<String, Invalid> {
    settings.iso_4217(name).ok_or_else(|| {
        let message = "expected a currency that is an ISO 4217 code, or that the setting `currencies` (`default_currency` for all currencies) translates, found another";
        Invalid::new(pointer, message)
    })
}

fn text(field: &Field<String>) -> Option<String> {
    match field {
        Field::Leave => None,
        Field::Clear => Some(String::new()),
        Field::Set(text) => Some(text.clone()),
    }
}
