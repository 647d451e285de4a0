//! Business partners: what B1 keeps of them, and their JSON.

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::{document::fields, error::Refusal};

/// What a partner is to the company.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CardType {
    /// `cCustomer`.
    Customer,
    /// `cSupplier`.
    Supplier,
    /// `cLid`: somebody who may become a customer.
    Lead,
}

impl CardType {
    const ALL: [Self; 3] = [Self::Customer, Self::Supplier, Self::Lead];

    fn name(self) -> &'static str {
        match self {
            Self::Customer => "cCustomer",
            Self::Supplier => "cSupplier",
            Self::Lead => "cLid",
        }
    }
}

/// A business partner.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Partner {
    /// The key.
    pub card_code: String,
    /// The name.
    pub card_name: String,
    /// Customer, supplier or lead.
    pub card_type: CardType,
    /// The partner group.
    pub group_code: i32,
    /// A currency, or `##` for a partner that has documents in any of them.
    pub currency: String,
    /// `EmailAddress`.
    pub email: Option<String>,
    /// `Phone1`.
    pub phone1: Option<String>,
    /// `Address`.
    pub address: Option<String>,
    /// `City`.
    pub city: Option<String>,
    /// `ZipCode`.
    pub zip_code: Option<String>,
    /// `Country`: two letters.
    pub country: Option<String>,
    /// `Valid`.
    pub valid: bool,
    /// The user field `U_PortaBilling`.
    pub portabilling_id: Option<String>,
}

impl Partner {
    /// A customer with an address, in EUR.
    #[must_use]
    pub fn customer(card_code: &str, card_name: &str) -> Self {
        Self {
            card_code: card_code.to_owned(),
            card_name: card_name.to_owned(),
            card_type: CardType::Customer,
            group_code: 100,
            currency: "EUR".to_owned(),
            email: Some("office@sandbox.test".to_owned()),
            phone1: Some("+49 30 5550100".to_owned()),
            address: Some("Hauptstr. 1".to_owned()),
            city: Some("Berlin".to_owned()),
            zip_code: Some("10115".to_owned()),
            country: Some("DE".to_owned()),
            valid: true,
            portabilling_id: None,
        }
    }

    pub(super) fn to_json(&self, changed: Timestamp) -> Map<String, Value> {
        fields(json!({
            "CardCode": self.card_code, "CardName": self.card_name, "CardType": self.card_type.name(),
            "GroupCode": self.group_code, "Currency": self.currency, "EmailAddress": self.email,
            "Phone1": self.phone1, "Address": self.address, "City": self.city, "ZipCode": self.zip_code,
            "Country": self.country, "Valid": if self.valid { "tYES" } else { "tNO" },
            "UpdateDate": changed.strftime("%Y-%m-%dT00:00:00Z").to_string(),
            "UpdateTime": changed.strftime("%H:%M:%S").to_string(),
            "U_PortaBilling": self.portabilling_id,
        }))
    }

    /// Sets what is said and leaves the rest alone.
    pub(super) fn patch(&mut self, said: &Map<String, Value>) -> Result<(), Refusal> {
        for (name, value) in said {
            let wrong = || Refusal::wrong_type(name);
            match name.as_str() {
                "CardName" => value.as_str().ok_or_else(wrong)?.clone_into(&mut self.card_name),
                "CardType" => {
                    let named = |kind: &CardType| Some(kind.name()) == value.as_str();
                    self.card_type = CardType::ALL.into_iter().find(named).ok_or_else(wrong)?;
                }
                "GroupCode" => {
                    let code = value.as_i64().and_then(|code| i32::try_from(code).ok());
                    self.group_code = code.ok_or_else(wrong)?;
                }
                "Currency" => value.as_str().ok_or_else(wrong)?.clone_into(&mut self.currency),
                "EmailAddress" => self.email = text(value).ok_or_else(wrong)?,
                "Phone1" => self.phone1 = text(value).ok_or_else(wrong)?,
                "Address" => self.address = text(value).ok_or_else(wrong)?,
                "City" => self.city = text(value).ok_or_else(wrong)?,
                "ZipCode" => self.zip_code = text(value).ok_or_else(wrong)?,
                "Country" => self.country = text(value).ok_or_else(wrong)?,
                "Valid" => {
                    self.valid = match value.as_str() {
                        Some("tYES") => true,
                        Some("tNO") => false,
                        _ => return Err(wrong()),
                    }
                }
                "U_PortaBilling" => self.portabilling_id = text(value).ok_or_else(wrong)?,
                "CardCode" | "UpdateDate" | "UpdateTime" => return Err(Refusal::not_changeable(name)),
                _ => return Err(Refusal::unknown_property(name, "BusinessPartner")),
            }
        }
        Ok(())
    }
}

/// `null` and the empty text are the same to B1. None for what is no text.
#[expect(
    clippy::option_option,
    reason = "the outer one says whether it is a text at all"
)]
fn text(value: &Value) -> Option<Option<String>> {
    match value {
        Value::Null => Some(None),
        Value::String(text) => Some((!text.is_empty()).then(|| text.clone())),
        _ => None,
    }
}
