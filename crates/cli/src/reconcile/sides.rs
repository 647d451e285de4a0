//! Reads both sides, page by page, and side by side.

use std::time::Duration;

use futures::stream::{self, StreamExt, TryStreamExt};
use vendorbridge::EntityKey;
use vendorbridge::ledger::Reader;

use super::Options;
use super::compare::Sides;
use crate::CliError;
use crate::ask::{source_page, vendor_page};
use crate::progress::Progress;
use crate::session::Session;
use crate::work::Stop;

/// Records of the ledger read side by side.
const AT_ONCE: usize = 8;

/// A page that fails in passing is asked for again after each of these.
const WAITS: [Duration; 4] = [
    Duration::from_secs(1),
    Duration::from_secs(2),
    Duration::from_secs(5),
    Duration::from_secs(15),
];

/// All pages of both sides, and the ledger's links where the sides do not name each other. `None` if Ctrl-C came first.
///
/// # Errors
/// If a page or the ledger cannot be read.
pub(super) async fn read(
    session: &Session,
    options: &Options,
    leaves_alone: bool,
    stop: &Stop,
    progress: &mut Progress,
) -> Result<Option<Sides>, CliError> {
    let mut sides = Sides::new(leaves_alone);
    let Options {
        vendor,
        entity_type,
        page: limit,
        ..
    } = options;
    let (mut source, mut theirs) = (Next::start(), Next::start());
    while !(source.is_end && theirs.is_end) {
        if stop.is_told() {
            return Ok(None);
        }
        let ours = async {
            let Some(cursor) = source.asked() else {
                return Ok(None);
            };
            let page = patiently(&WAITS, stop, async || {
                source_page(session, vendor, entity_type, cursor.clone(), *limit, true).await
            });
            page.await.map(Some)
        };
        let others = async {
            let Some(cursor) = theirs.asked() else {
                return Ok(None);
            };
            let page = patiently(&WAITS, stop, async || {
                vendor_page(session, vendor, entity_type, cursor.clone(), *limit).await
            });
            page.await.map(Some)
        };
        let (ours, others) = match futures::try_join!(ours, others) {
            Ok(pages) => pages,
            Err(_) if stop.is_told() => return Ok(None),
            Err(error) => return Err(error),
        };
        if let Some(page) = ours {
            progress.add(page.records.len() as u64);
            for record in page.records {
                sides.ours(record);
            }
            source = Next::of(page.next);
        }
        if let Some(page) = others {
            progress.add(page.records.len() as u64);
            for entry in page.records {
                sides.theirs(entry);
            }
            theirs = Next::of(page.next);
        }
    }
    let unmatched = sides.unmatched();
    for (entity, link) in links(&session.reader(), vendor, unmatched).await? {
        sides.link(&entity, link);
    }
    Ok(Some(sides))
}

/// Asks again, after each of `waits`, while what fails may pass and nobody says stop.
async fn patiently<T>(
    waits: &[Duration],
    stop: &Stop,
    question: impl AsyncFn() -> Result<T, CliError>,
) -> Result<T, CliError> {
    for wait in waits {
        match question().await {
            Err(error) if error.is_passing() => {
                if !stop.sleep(*wait).await {
                    return Err(error);
                }
            }
            answer => return answer,
        }
    }
    question().await
}

/// The vendor's ids of entities, as the ledger has them.
async fn links(
    reader: &Reader,
    vendor: &str,
    entities: Vec<EntityKey>,
) -> Result<Vec<(EntityKey, String)>, CliError> {
    let reading = entities.into_iter().map(async |entity| {
        let record = reader.entity(vendor, &entity).await.map_err(CliError::unread)?;
        Ok(record.and_then(|record| record.link).map(|link| (entity, link)))
    });
    let links = stream::iter(reading).buffer_unordered(AT_ONCE);
    links.try_filter_map(async |link| Ok(link)).try_collect().await
}

/// Where a side goes on.
struct Next {
    /// The page behind the last one; the first has no name.
    cursor: Option<String>,
    is_end: bool,
}

impl Next {
    fn start() -> Self {
        Self {
            cursor: None,
            is_end: false,
        }
    }

    fn of(next: Option<String>) -> Self {
        Self {
            is_end: next.is_none(),
            cursor: next,
        }
    }

    /// What to ask for; `None` if there is nothing more.
    fn asked(&self) -> Option<&Option<String>> {
        (!self.is_end).then_some(&self.cursor)
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case::passes(true, 3, Some(4))]
    #[case::passes_too_late(true, 9, None)]
    #[case::stays(false, 1, None)]
    #[tokio::test]
    async fn a_page_is_asked_for_again_while_that_may_help(
        #[case] is_passing: bool,
        #[case] failures: u32,
        #[case] expected: Option<u32>,
    ) {
        let asked = Cell::new(0);
        let stop = Stop::never();
        let answer = patiently(&[Duration::ZERO; 4], &stop, async || {
            asked.set(asked.get() + 1);
            if asked.get() > failures {
                return Ok(asked.get());
            }
            Err(CliError::Answered {
                vendor: "algolia".into(),
                kind: vendorbridge::ErrorKind::RateLimited,
                code: None,
                message: "later".into(),
                is_passing,
            })
        });
        assert_eq!(answer.await.ok(), expected);
        let most = if is_passing { 5 } else { 1 };
        assert_eq!(asked.get(), most.min(failures + 1));
    }
}
