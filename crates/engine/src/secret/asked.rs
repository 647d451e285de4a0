//! Which fields of the secret somebody cannot do without, and which of them it lacks.

use std::sync::PoisonError;

use super::SecretStore;
use crate::Error;

impl SecretStore {
    /// Somebody cannot do without this field.
    pub(crate) fn asks_for(&self, name: &str) {
        let mut asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        asked.insert(name.to_owned());
    }

    /// The fields that were asked for and are not there, in the secret as it is now.
    ///
    /// # Errors
    /// If the secret cannot be fetched or is no JSON object.
    pub async fn missing(&self) -> Result<Vec<String>, Error> {
        let snapshot = self.read_now().await?;
        let asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        let is_missing = |name: &&String| snapshot.get(name).is_none();
        Ok(asked.iter().filter(is_missing).cloned().collect())
    }
}
