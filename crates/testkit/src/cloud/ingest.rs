//! The API by which other systems send events.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{COMPANY, CloudError, World};

/// What the template is told for it.
pub(super) fn parameters() -> BTreeMap<String, String> {
    BTreeMap::from([
        ("IngestApi".to_owned(), "public".to_owned()),
        ("Sapb1Companies".to_owned(), COMPANY.to_owned()),
    ])
}

impl World {
    /// Where other systems send events; paths such as `/v1/events/sapb1` follow.
    ///
    /// # Errors
    /// If the world was made without ingest.
    pub fn ingest_url(&self) -> Result<String, CloudError> {
        let url = self.stack.output("IngestUrl")?;
        let Some(endpoint) = &self.aws.endpoint else {
            return Ok(url.to_owned());
        };
        // Nobody resolves the host that an emulator makes up; its first label is the API's id.
        let host = url.split("://").nth(1).unwrap_or(url);
        let id = host.split('.').next().unwrap_or(host);
        Ok(format!("{endpoint}/_aws/execute-api/{id}/$default"))
    }

    /// Sets what senders of events are checked against.
    ///
    /// # Errors
    /// If Secrets Manager refuses it.
    pub async fn set_ingest_secret(&self, value: &Value) -> Result<(), CloudError> {
        self.stack.put_secret(&self.aws, "IngestSecretArn", value).await
    }
}
