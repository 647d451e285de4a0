//! The company database: records, their versions, and the events that changes to them raise.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

use super::{
    B1Event, Cancelled, Document, Kind, NewDocument, Partner,
    error::{Refusal, Refused},
};

/// Who does something, and when.
#[derive(Clone, Copy)]
pub(super) struct Deed<'a> {
    pub(super) user: &'a str,
    pub(super) at: Timestamp,
}

/// A record as of its last change.
pub(super) struct Held<T> {
    pub(super) record: T,
    pub(super) etag: String,
    pub(super) changed: Timestamp,
}

pub(super) struct Company {
    name: String,
    pub(super) partners: BTreeMap<String, Held<Partner>>,
    pub(super) documents: BTreeMap<(Kind, i64), Held<Document>>,
    last_entry: BTreeMap<Kind, i64>,
    changes: u64,
    pub(super) events: Vec<B1Event>,
}

/// `DocNum` is no `DocEntry`: who mixes them up must not be lucky.
const FIRST_NUMBER: i64 = 100_000;

impl Company {
    pub(super) fn new(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            partners: BTreeMap::new(),
            documents: BTreeMap::new(),
            last_entry: BTreeMap::new(),
            changes: 0,
            events: Vec::new(),
        }
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    pub(super) fn partner(&self, code: &str) -> Result<&Held<Partner>, Refused> {
        self.partners.get(code).ok_or(Refused::Unknown)
    }

    pub(super) fn document(&self, kind: Kind, entry: i64) -> Result<&Held<Document>, Refused> {
        self.documents.get(&(kind, entry)).ok_or(Refused::Unknown)
    }

    pub(super) fn add_partner(&mut self, partner: Partner, deed: Deed) -> Result<(), Refused> {
        let code = partner.card_code.clone();
        if self.partners.contains_key(&code) {
            return Err(Refused::Exists);
        }
        let held = self.held(partner, deed);
        self.partners.insert(code.clone(), held);
        self.tell_of_partner('A', &code, deed);
        Ok(())
    }

    /// The code of a partner is its key and stays.
    pub(super) fn change_partner<E: From<Refused>>(
        &mut self,
        code: &str,
        deed: Deed,
        change: impl FnOnce(&mut Partner) -> Result<(), E>,
    ) -> Result<(), E> {
        let mut partner = self.partner(code)?.record.clone();
        change(&mut partner)?;
        code.clone_into(&mut partner.card_code);
        let held = self.held(partner, deed);
        self.partners.insert(code.to_owned(), held);
        self.tell_of_partner('U', code, deed);
        Ok(())
    }

    pub(super) fn remove_partner(&mut self, code: &str, deed: Deed) -> Result<(), Refused> {
        self.partner(code)?;
        if self.documents.values().any(|held| held.record.card_code == code) {
            return Err(Refused::HasDocuments);
        }
        self.partners.remove(code);
        self.tell_of_partner('D', code, deed);
        Ok(())
    }

    pub(super) fn add_document(
        &mut self,
        kind: Kind,
        document: NewDocument,
        deed: Deed,
    ) -> Result<i64, Refused> {
        self.partner(&document.card_code)?;
        Ok(self.post(kind, document, Cancelled::No, deed))
    }

    fn post(&mut self, kind: Kind, document: NewDocument, cancelled: Cancelled, deed: Deed) -> i64 {
        let last = self.last_entry.entry(kind).or_default();
        *last += 1;
        let entry = *last;
        let mut document = document.post(entry, FIRST_NUMBER + entry);
        document.cancelled = cancelled;
        let held = self.held(document, deed);
        self.documents.insert((kind, entry), held);
        self.tell_of_document('A', kind, entry, deed);
        entry
    }

    /// The key of a document stays.
    pub(super) fn change_document<E: From<Refused>>(
        &mut self,
        kind: Kind,
        entry: i64,
        deed: Deed,
        change: impl FnOnce(&mut Document) -> Result<(), E>,
    ) -> Result<(), E> {
        let mut document = self.document(kind, entry)?.record.clone();
        change(&mut document)?;
        document.doc_entry = entry;
        let held = self.held(document, deed);
        self.documents.insert((kind, entry), held);
        self.tell_of_document('U', kind, entry, deed);
        Ok(())
    }

    /// An invoice or credit note is cancelled by another document, a payment by itself. Three events come of the
    /// first: the cancellation was added, the original was cancelled and, since it changed, updated.
    pub(super) fn cancel(&mut self, kind: Kind, entry: i64, deed: Deed) -> Result<Option<i64>, Refused> {
        let original = &self.document(kind, entry)?.record;
        if original.cancelled != Cancelled::No {
            return Err(Refused::Cancelled);
        }
        let mut original = original.clone();
        let cancellation = (kind != Kind::Payment).then(|| {
            let document = NewDocument {
                card_code: original.card_code.clone(),
                doc_date: original.doc_date,
                currency: original.currency.clone(),
                total: original.total,
                series: original.series,
                comments: format!("Cancellation of {}", original.doc_num),
                invoices: Vec::new(),
            };
            self.post(kind, document, Cancelled::Cancellation, deed)
        });
        original.cancelled = Cancelled::Yes;
        let held = self.held(original, deed);
        self.documents.insert((kind, entry), held);
        self.tell_of_document('C', kind, entry, deed);
        self.tell_of_document('U', kind, entry, deed);
        Ok(cancellation)
    }

    fn held<T>(&mut self, record: T, deed: Deed) -> Held<T> {
        self.changes += 1;
        let digest = hex::encode_upper(Sha256::digest(format!("{} {}", self.name, self.changes)));
        Held {
            record,
            etag: format!("W/\"{}\"", &digest[..40]),
            changed: deed.at,
        }
    }

    fn tell_of_partner(&mut self, transaction_type: char, code: &str, deed: Deed) {
        self.events.push(B1Event {
            company: self.name.clone(),
            object_type: "2",
            transaction_type,
            key_name: "CardCode",
            key: code.to_owned(),
            user: deed.user.to_owned(),
        });
    }

    fn tell_of_document(&mut self, transaction_type: char, kind: Kind, entry: i64, deed: Deed) {
        self.events.push(B1Event {
            company: self.name.clone(),
            object_type: kind.object_type(),
            transaction_type,
            key_name: "DocEntry",
            key: entry.to_string(),
            user: deed.user.to_owned(),
        });
    }
}

/// What a partner's or document's `PATCH` says.
pub(super) fn said(body: &[u8]) -> Result<Map<String, Value>, Refusal> {
    serde_json::from_slice(body).map_err(|_| Refusal::unreadable())
}
