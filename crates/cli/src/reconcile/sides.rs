//! Reads both sides, page by page, and side by side.

use std::time::Duration;

use vendorbridge::ask::Page;

use super::Options;
use super::compare::Sides;
use crate::CliError;
use crate::ask::{source_page, vendor_page};
use crate::progress::Progress;
use crate::session::Session;
use crate::work::Stop;

/// Entities that the ledger is asked for at once, and again if that fails in passing.
pub(super) const ENTITIES: usize = 1000;
/// What fails in passing is asked for again after each of these.
pub(super) const WAITS: [Duration; 4] = [
    Duration::from_secs(1),
    Duration::from_secs(2),
    Duration::from_secs(5),
    Duration::from_secs(15),
];

/// All pages of both sides, and the ledger's links where the sides do not name each other. `None` if Ctrl-C came first. `counted` is
/// how many records the source and the vendor had before, if they were read before.
///
/// # Errors
/// If a page or the ledger cannot be read.
pub(super) async fn read(
    session: &Session,
    options: &Options,
    leaves_alone: bool,
    stop: &Stop,
    progress: &mut Progress,
    counted: Option<(u64, u64)>,
) -> Result<Option<Sides>, CliError> {
    let mut sides = Sides::new(leaves_alone);
    let Options {
        vendor,
        entity_type,
        page: limit,
        ..
    } = options;
    let (mut source, mut theirs) = (Next::default(), Next::default());
    (source.told, theirs.told) = counted.unzip();
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
            progress.add(source.came(&page));
            for record in page.records {
                sides.ours(record);
            }
        }
        if let Some(page) = others {
            progress.add(theirs.came(&page));
            for entry in page.records {
                sides.theirs(entry);
            }
        }
        progress.set_total(in_all(&source, &theirs));
    }
    let reader = session.reader();
    for some in sides.unmatched().chunks(ENTITIES) {
        let links = patiently(&WAITS, stop, async || {
            reader.links(vendor, some).await.map_err(CliError::unread)
        });
        match links.await {
            Ok(links) => links
                .into_iter()
                .for_each(|(entity, link)| sides.link(&entity, link)),
            Err(_) if stop.is_told() => return Ok(None),
            Err(error) => return Err(error),
        }
    }
    Ok(Some(sides))
}

/// Asks again, after each of `waits`, while what fails may pass and nobody says stop.
pub(super) async fn patiently<T>(
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

/// How far a side is, and where it goes on.
#[derive(Debug, Default)]
struct Next {
    /// The page behind the last one; the first has no name.
    cursor: Option<String>,
    is_end: bool,
    /// How many records were on its pages.
    read: u64,
    /// How many it has in all, as far as it says.
    told: Option<u64>,
}

impl Next {
    /// A page was read. Answers with how many records it has.
    fn came<T>(&mut self, page: &Page<T>) -> u64 {
        let came = page.records.len() as u64;
        self.is_end = page.next.is_none();
        self.cursor.clone_from(&page.next);
        self.read += came;
        self.told = self.told.or(page.total);
        came
    }

    /// What to ask for; `None` if there is nothing more.
    fn asked(&self) -> Option<&Option<String>> {
        (!self.is_end).then_some(&self.cursor)
    }

    fn in_all(&self) -> Option<u64> {
        if self.is_end { Some(self.read) } else { self.told }
    }
}

/// How many records there are on both sides. A side that does not say it is taken to have as many as the other: that is what they
/// are compared for.
fn in_all(ours: &Next, theirs: &Next) -> Option<u64> {
    let source = ours.in_all().or(theirs.in_all())?;
    let vendor = theirs.in_all().unwrap_or(source);
    // One that has more than was told or taken is of a size that nobody knows.
    (source >= ours.read && vendor >= theirs.read).then(|| source.saturating_add(vendor))
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use rstest::rstest;

    use super::*;

    fn side(read: u64, told: Option<u64>, is_end: bool) -> Next {
        Next {
            cursor: None,
            is_end,
            read,
            told,
        }
    }

    #[rstest]
    #[case::both_say(side(250, Some(1_000), false), side(250, Some(900), false), Some(1_900))]
    #[case::the_vendor_says(side(250, None, false), side(250, Some(900), false), Some(1_800))]
    #[case::the_source_says(side(250, Some(1_000), false), side(250, None, false), Some(2_000))]
    #[case::nobody_says(side(250, None, false), side(250, None, false), None)]
    #[case::one_is_at_its_end(side(700, None, true), side(500, Some(900), false), Some(1_600))]
    #[case::one_is_at_its_end_and_the_other_says_nothing(
        side(700, None, true),
        side(500, None, false),
        Some(1_400)
    )]
    #[case::both_are(side(700, Some(1_000), true), side(900, None, true), Some(1_600))]
    #[case::more_than_was_told(side(1_001, Some(1_000), false), side(250, Some(900), false), None)]
    #[case::more_than_was_taken(side(250, Some(200), true), side(251, None, false), None)]
    #[case::more_than_can_be(side(0, Some(u64::MAX), false), side(0, None, false), Some(u64::MAX))]
    fn how_many_there_are_in_all(#[case] ours: Next, #[case] theirs: Next, #[case] expected: Option<u64>) {
        assert_eq!(in_all(&ours, &theirs), expected);
    }

    #[test]
    fn a_side_remembers_what_a_page_told() {
        let mut side = Next::default();
        let page = |next: Option<&str>, total| Page::new(vec![(); 3], next.map(str::to_owned)).counted(total);
        assert_eq!(side.came(&page(Some("2"), Some(7))), 3);
        assert_eq!(side.came(&page(Some("3"), None)), 3);
        assert_eq!(
            (side.in_all(), side.asked()),
            (Some(7), Some(&Some("3".to_owned())))
        );
        side.came(&page(None, None));
        assert_eq!((side.in_all(), side.asked()), (Some(9), None));
    }

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
