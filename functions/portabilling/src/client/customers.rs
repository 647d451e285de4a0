//! Customers: found by `refnum`, unique by `name`.

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};
use vendorbridge::{Error, ErrorKind, Stage};

use super::Client;
use crate::error;
use crate::mapping::Customer;

/// What matters of a customer that is there.
#[derive(Debug, Clone, Deserialize)]
struct Found {
    i_customer: i64,
    #[serde(default)]
    refnum: Option<String>,
    /// `C` is closed for good.
    #[serde(default)]
    bill_status: Option<String>,
}

impl Client {
    /// Creates the customer or brings it up to date. Answers with its number. One that has lost its reference number is still
    /// found by the number that it is `linked` under.
    pub(crate) async fn put(
        &self,
        now: Timestamp,
        customer: &Customer,
        linked: Option<i64>,
    ) -> Result<i64, Error> {
        let mut found = self.by_refnum(now, &customer.refnum).await?;
        if let (None, Some(i_customer)) = (&found, linked) {
            let known = self.find(now, json!({"i_customer": i_customer})).await?;
            found = known.filter(|known| !known.is_closed());
        }
        let found = match found {
            Some(found) => found,
            None => match self.add(now, customer).await? {
                Added::New(i_customer) => return Ok(i_customer),
                Added::There(found) => found,
            },
        };
        found.must_be_open()?;
        let mut info = serde_json::to_value(customer).unwrap_or_default();
        info["i_customer"] = found.i_customer.into();
        // The visible id is the administrators' to change, once there is one.
        if let Value::Object(fields) = &mut info {
            fields.remove("name");
        }
        self.call(now, "update_customer", json!({"customer_info": info}))
            .await?;
        Ok(found.i_customer)
    }

    /// The customer's number; created if it is not there yet, else left as it is: bringing it up to date is the partner's own
    /// event's work.
    pub(crate) async fn ensure(&self, now: Timestamp, customer: &Customer) -> Result<i64, Error> {
        if let Some(found) = self.by_refnum(now, &customer.refnum).await? {
            return Ok(found.i_customer);
        }
        match self.add(now, customer).await? {
            Added::New(i_customer) => Ok(i_customer),
            Added::There(found) => Ok(found.i_customer),
        }
    }

    /// Closes the customer; its history stays. One that is not there, or closed already, is what was wanted.
    pub(crate) async fn terminate(&self, now: Timestamp, refnum: &str) -> Result<(), Error> {
        match self.by_refnum(now, refnum).await? {
            Some(found) if !found.is_closed() => {
                let params = json!({"i_customer": found.i_customer});
                self.call(now, "terminate_customer", params).await?;
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// Two who add the same customer at once, or a repeat of an addition that got through: the second one is refused, for the
    /// name is taken. By which fault is not documented, so any refusal is looked into.
    async fn add(&self, now: Timestamp, customer: &Customer) -> Result<Added, Error> {
        let added = self
            .call(now, "add_customer", json!({"customer_info": customer}))
            .await;
        match added {
            Ok(answer) => answer["i_customer"]
                .as_i64()
                .map(Added::New)
                .ok_or_else(|| error::missing("i_customer")),
            Err(refused) if error::is_refused(&refused) => {
                let found = self.find(now, json!({"name": customer.name})).await?;
                match found {
                    Some(found) if found.refnum.as_deref() == Some(&customer.refnum) => {
                        Ok(Added::There(found))
                    }
                    Some(_) => {
                        let message = "expected a name that no customer has, found one with another reference number; give that customer this CardCode as its reference number, or set `name_prefix`";
                        Err(Error::permanent(ErrorKind::Refused, Stage::Push, message).at("/CardCode"))
                    }
                    None => Err(refused),
                }
            }
            Err(error) => Err(error),
        }
    }

    async fn by_refnum(&self, now: Timestamp, refnum: &str) -> Result<Option<Found>, Error> {
        self.find(now, json!({"refnum": refnum})).await
    }

    async fn find(&self, now: Timestamp, by: Value) -> Result<Option<Found>, Error> {
        let mut answer = self.call(now, "get_customer_info", by).await?;
        match answer.get_mut("customer_info").map(Value::take) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::Object(info)) if info.is_empty() => Ok(None),
            Some(info) => Found::deserialize(info)
                .map(Some)
                .map_err(|_| error::missing("customer_info/i_customer")),
        }
    }
}

enum Added {
    New(i64),
    /// It was there by then.
    There(Found),
}

impl Found {
    fn is_closed(&self) -> bool {
        self.bill_status.as_deref() == Some("C")
    }

    fn must_be_open(&self) -> Result<(), Error> {
        if !self.is_closed() {
            return Ok(());
        }
        let message = "expected an open customer, found one that is closed for good; give another one this CardCode as its reference number";
        Err(Error::permanent(ErrorKind::Refused, Stage::Push, message).at("/CardCode"))
    }
}
