//! What B1 tells the world: events of its Integration Framework and rows of the post-transaction notice.

use serde_json::{Value, json};

/// One event. It says what changed, never what it changed to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct B1Event {
    /// The company database.
    pub company: String,
    /// B1's number for the kind of object: `2`, `13`, `14`, `24`.
    pub object_type: &'static str,
    /// `A` added, `U` updated, `D` deleted, `C` cancelled.
    pub transaction_type: char,
    /// `CardCode` or `DocEntry`.
    pub key_name: &'static str,
    /// Its value.
    pub key: String,
    /// Who did it.
    pub user: String,
}

impl B1Event {
    /// The `b1events` envelope in JSON.
    #[must_use]
    pub fn to_json(&self) -> Value {
        json!({"b1events": [{
            "EventSource": self.company, "ObjectType": self.object_type,
            "TransactionType": self.transaction_type.to_string(), "UserCode": self.user, "UserId": self.user,
            "keys": [{"Name": self.key_name, "Value": self.key}],
        }]})
    }

    /// The same in XML, as the Integration Framework writes it.
    #[must_use]
    pub fn to_xml(&self) -> String {
        let (company, user, key) = (escaped(&self.company), escaped(&self.user), escaped(&self.key));
        format!(
            "<Event xmlns:b1e=\"urn:com.sap.b1i.sim:b1event\"><b1e:b1events><b1e:b1event>\
             <b1e:eventsource>{company}</b1e:eventsource><b1e:objecttype>{}</b1e:objecttype>\
             <b1e:transactiontype>{}</b1e:transactiontype><b1e:usercode>{user}</b1e:usercode>\
             <b1e:userid>{user}</b1e:userid><b1e:keys count=\"1\"><b1e:key><b1e:name>{}</b1e:name>\
             <b1e:value>{key}</b1e:value></b1e:key></b1e:keys></b1e:b1event></b1e:b1events></Event>",
            self.object_type, self.transaction_type, self.key_name,
        )
    }

    /// The arguments of `SBO_SP_PostTransactionNotice`, which know neither company nor user (SAP note 1320484).
    #[must_use]
    pub fn to_notice(&self) -> Value {
        json!({
            "object_type": self.object_type, "transaction_type": self.transaction_type.to_string(),
            "num_of_cols_in_key": 1, "list_of_key_cols_tab_del": self.key_name, "list_of_cols_val_tab_del": self.key,
        })
    }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}
