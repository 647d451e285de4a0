//! What the function keeps, and whether it reaches what it needs.

use super::Engine;
use crate::Error;
use crate::ask::{Check, Description, Kept};
use crate::message::Announcement;

impl Engine {
    pub(super) async fn describe(&self) -> Description {
        let kept = self.parts.entities.iter().map(|entity| Kept {
            entity_type: entity.name.clone(),
            is_readable: entity.source.is_readable(),
            lists_source: entity.source.lists(),
            lists_vendor: entity.vendor.lists(),
            leaves_alone: entity.vendor.leaves_alone(),
            announced_by: entity.announcements.iter().map(Announcement::announced).collect(),
        });
        let (ledger, secret) = futures::join!(self.check_ledger(), self.check_secret());
        Description {
            vendor: self.vendor().to_owned(),
            entities: kept.collect(),
            checks: [Some(ledger), secret].into_iter().flatten().collect(),
        }
    }

    async fn check_ledger(&self) -> Check {
        let read = self.parts.ledger.read(&[]).await;
        Check {
            name: "ledger".to_owned(),
            problem: read.err().as_ref().map(words),
        }
    }

    async fn check_secret(&self) -> Option<Check> {
        let secrets = self.secrets.as_ref()?;
        let problem = match secrets.missing().await {
            Ok(missing) if missing.is_empty() => None,
            Ok(missing) => Some(format!(
                "expected the text fields {} in the vendor's secret, found none of that name",
                missing
                    .iter()
                    .map(|name| format!("`{name}`"))
                    .collect::<Vec<_>>()
                    .join(", ")
            )),
            Err(error) => Some(words(&error)),
        };
        Some(Check {
            name: "secret".to_owned(),
            problem,
        })
    }
}

fn words(error: &Error) -> String {
    match error.vendor_code() {
        Some(code) => format!("{} ({code})", error.message()),
        None => error.message().to_owned(),
    }
}
