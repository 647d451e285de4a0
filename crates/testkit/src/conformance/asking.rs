//! The cases about questions.

#![expect(
    clippy::missing_panics_doc,
    reason = "a case is a test: it fails by panicking"
)]

use std::collections::{BTreeMap, BTreeSet};

use vendorbridge::ask::{
    Answer, Basis, Fields, Kept, Page, Preview, Question, SourceRecord, VendorEntry, Would,
};
use vendorbridge::ledger::Status;

use super::cases::created;
use super::{Stand, State, Subject};

impl<S: Subject> Stand<S> {
    /// What the function says of the subject's type of entities.
    async fn kept(&self) -> Kept {
        let Answer::Describe(description) = self.ask(Question::Describe).await else {
            panic!("expected a description")
        };
        assert_eq!(description.vendor, S::VENDOR);
        for check in &description.checks {
            assert_eq!(check.problem, None, "{}", check.name);
        }
        let mut kept = description.entities.into_iter();
        let ours = kept.find(|kept| kept.entity_type == S::ENTITY_TYPE);
        ours.unwrap_or_else(|| panic!("expected the type `{}`", S::ENTITY_TYPE))
    }

    /// All that the source has, three at a time, as one page.
    async fn at_source(&self, with_fields: bool) -> Page<SourceRecord> {
        let (mut all, mut page) = (Page::new(Vec::new(), None), None);
        loop {
            let question = Question::SourcePage {
                entity_type: S::ENTITY_TYPE.to_owned(),
                page,
                limit: 3,
                with_fields,
            };
            let answer = self.ask(question).await;
            let Answer::SourcePage(listed) = answer else {
                panic!("expected a page of the source, found {answer:?}")
            };
            assert!(listed.records.len() <= 3);
            all.records.extend(listed.records);
            all.total = all.total.or(listed.total);
            page = listed.next;
            if page.is_none() {
                return all;
            }
        }
    }

    /// All that the vendor holds, three at a time, as one page.
    async fn at_vendor(&self) -> Page<VendorEntry> {
        let (mut all, mut page) = (Page::new(Vec::new(), None), None);
        loop {
            let question = Question::VendorPage {
                entity_type: S::ENTITY_TYPE.to_owned(),
                page,
                limit: 3,
            };
            let answer = self.ask(question).await;
            let Answer::VendorPage(listed) = answer else {
                panic!("expected a page of the vendor, found {answer:?}")
            };
            assert!(listed.records.len() <= 3);
            all.records.extend(listed.records);
            all.total = all.total.or(listed.total);
            page = listed.next;
            if page.is_none() {
                return all;
            }
        }
    }

    async fn preview(&self, id: &str) -> Preview {
        let entities = vec![Self::entity(id)];
        let Answer::Preview { mut entities } = self.ask(Question::Preview { entities }).await else {
            panic!("expected previews")
        };
        entities.remove(0)
    }
}

/// The function says what it keeps, and that it reaches what it needs.
pub async fn describes<S: Subject>() {
    let stand = Stand::<S>::start().await;
    assert!(!stand.kept().await.announced_by.is_empty());
    assert_eq!(stand.calls(), 0, "a question is no call of the vendor");
}

/// What would be sent is told without a call of the vendor, and nothing is recorded.
pub async fn previews<S: Subject>() {
    let mut stand = created::<S>().await;
    let (calls, record) = (stand.calls(), stand.record());
    let is_readable = stand.kept().await.is_readable;
    let same = stand.preview(S::ID).await;
    if is_readable {
        assert_eq!((same.would, same.changes.len()), (Would::Repeat, 0));
        stand.set(State::Third);
        let changed = stand.preview(S::ID).await;
        assert_eq!((changed.would, changed.basis), (Would::Update, Basis::Fields));
        assert!(!changed.changes.is_empty());
        assert!(changed.changes.iter().all(|change| change.before.is_none()));
        stand.remove();
        assert_eq!(stand.preview(S::ID).await.would, Would::Remove);
        assert_eq!(stand.preview(S::OTHER_ID).await.would, Would::Nothing);
        stand.change(S::OTHER_ID, Some(State::First));
        let new = stand.preview(S::OTHER_ID).await;
        assert_eq!((new.would, new.basis), (Would::Create, Basis::Nothing));
        assert!(
            new.changes
                .iter()
                .all(|change| change.after.is_some() && !change.was_sent)
        );
    } else {
        assert_eq!(same.would, Would::Fail, "only an event brings the state");
        assert!(same.error.is_some());
    }
    assert_eq!(stand.calls(), calls);
    assert_eq!(stand.record(), record);
    assert!(record.sent.is_some());
    if !is_readable {
        stand.remove();
    }
    assert_eq!(stand.announce().await, Status::Deleted);
    assert_eq!(
        stand.record().sent,
        None,
        "nothing of what was sent is kept of what is gone"
    );
}

/// What the source has and what the vendor holds can be listed, and both say the same of an entity that was synced. Where it cannot
/// be listed the function says so.
pub async fn lists<S: Subject>() {
    const IDS: [&str; 7] = ["l-1", "l-2", "l-3", "l-4", "l-5", "l-6", "l-7"];
    let mut stand = Stand::<S>::start().await;
    let kept = stand.kept().await;
    if !(kept.lists_source && kept.lists_vendor) {
        let question = Question::VendorPage {
            entity_type: S::ENTITY_TYPE.to_owned(),
            page: None,
            limit: 3,
        };
        let is_refused = matches!(stand.ask(question).await, Answer::Failed { .. });
        assert!(is_refused || kept.lists_vendor);
        return;
    }
    for (id, state) in IDS
        .into_iter()
        .zip([State::First, State::Second, State::Third].into_iter().cycle())
    {
        stand.change(id, Some(state));
        assert_eq!(stand.announce_of(id).await, Status::Synced);
    }
    let expected: BTreeSet<_> = IDS.map(Stand::<S>::entity).into();
    let (source, vendor) = (stand.at_source(true).await, stand.at_vendor().await);
    let all = Some(IDS.len() as u64);
    assert_eq!(source.total, all.filter(|_| S::SOURCE_COUNTS));
    assert_eq!(vendor.total, all.filter(|_| S::VENDOR_COUNTS));
    let source: BTreeMap<_, Fields> = source
        .records
        .into_iter()
        .map(|record| {
            assert_eq!((record.is_wanted, &record.error), (Some(true), &None));
            (record.entity, record.fields)
        })
        .collect();
    let vendor: BTreeMap<_, Fields> = vendor
        .records
        .into_iter()
        .map(|entry| {
            assert!(!entry.link.is_empty());
            let entity = entry
                .entity
                .unwrap_or_else(|| panic!("expected the entity of a record that was pushed"));
            (entity, entry.fields)
        })
        .collect();
    assert!(source.keys().eq(&expected), "{source:?}");
    assert_eq!(vendor, source);
    let keys = stand.at_source(false).await.records;
    assert!(keys.iter().map(|record| &record.entity).eq(&expected));
    assert!(
        keys.iter()
            .all(|record| record.is_wanted.is_none() && record.fields.is_empty())
    );
    // What is gone at the source is not named any more, and is at the vendor until that is told.
    stand.change("l-4", None);
    assert_eq!(stand.at_source(true).await.records.len(), IDS.len() - 1);
    assert_eq!(stand.at_vendor().await.records.len(), IDS.len());
    assert_eq!(stand.announce_of("l-4").await, Status::Deleted);
    assert_eq!(stand.at_vendor().await.records.len(), IDS.len() - 1);
}
