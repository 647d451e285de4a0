//! Parts of an entity's state that are brought to the vendor by calls of their own.

use std::future::Future;

use serde::Serialize;
use serde_json::json;
use sha2::{Digest, Sha256};

use super::Push;
use super::push::unreadable;
use crate::Error;

impl Push<'_> {
    /// Brings one part of the entity's state to the vendor, unless it certainly stands there as it is: a [step](Self::step) that
    /// knows what it brought the last time. So a change of one part makes no call for the others.
    ///
    /// Before the call the ledger says that the part is uncertain, as of any step that is begun; what it knows of a completed part
    /// outlives the settle. So also a message that was delivered before passes over a part that is recorded, and only a sync
    /// without shortcuts brings all of them again. The vendor's own changes are not noticed otherwise.
    ///
    /// `work` must be one that may be repeated.
    ///
    /// # Errors
    /// What `work` answers, with the name; or that the ledger could not be written, which must be passed on.
    pub async fn part<T, F, Work>(&mut self, name: &str, state: &T, work: F) -> Result<(), Error>
    where
        T: Serialize + ?Sized,
        F: FnOnce() -> Work,
        Work: Future<Output = Result<(), Error>>,
    {
        let hash = hash(state).map_err(|error| unreadable(name, error))?;
        if self.journal.record.parts.get(name) == Some(&hash) {
            // An earlier try for this payload completed it: that is told again.
            if self.is_done(name) {
                return self.brought(name, hash, async || Ok(())).await;
            }
            self.passed(name);
            return Ok(());
        }
        // Kept with the step's beginning, and gone if it fails.
        self.journal.record.parts.remove(name);
        // An earlier try brought something else, which only looks like the same payload.
        if let Some(steps) = &mut self.journal.record.steps {
            let same = json!({ "state": hash });
            steps.done.retain(|step| step.name != name || step.output == same);
        }
        self.brought(name, hash.clone(), async || work().await).await?;
        self.journal.record.parts.insert(name.to_owned(), hash);
        Ok(())
    }

    async fn brought(
        &mut self,
        name: &str,
        hash: String,
        work: impl AsyncFnOnce() -> Result<(), Error>,
    ) -> Result<(), Error> {
        let step = self.step(name, |_| async {
            work().await?;
            Ok(json!({ "state": hash }))
        });
        step.await.map(|_| ())
    }

    /// Whether a part certainly stands at the vendor, in whatever state.
    #[must_use]
    pub fn has_part(&self, name: &str) -> bool {
        self.journal.record.parts.contains_key(name)
    }
}

/// 64 bits tell the states of one part apart and keep the record small.
fn hash<T: Serialize + ?Sized>(state: &T) -> Result<String, serde_json::Error> {
    let canonical = serde_json::to_vec(&serde_json::to_value(state)?)?;
    Ok(hex::encode(&Sha256::digest(canonical)[..8]))
}
