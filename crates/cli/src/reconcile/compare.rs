//! Two lists of records, and where they differ. Pure: keys and hashes of fields only.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use vendorbridge::EntityKey;
use vendorbridge::ask::{Fields, SourceRecord, VendorEntry};

/// Both sides as they were read. Records are kept with names of fields and values as numbers: a million of them fit into memory.
#[derive(Debug, Default)]
pub(super) struct Sides {
    /// What the vendor holds beyond our fields is somebody else's, and no difference.
    leaves_alone: bool,
    names: Names,
    source: BTreeMap<EntityKey, Ours>,
    vendor: Vec<Theirs>,
    unmappable: BTreeMap<EntityKey, String>,
}

/// What the vendor is to hold of an entity.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Ours {
    /// A rule, or the mapping, may keep it out.
    is_wanted: bool,
    link: Option<String>,
    fields: Hashes,
}

/// A record of the vendor's.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Theirs {
    link: String,
    entity: Option<EntityKey>,
    fields: Hashes,
}

/// By the number of a field's name, the hash of its value; in the order of the numbers.
type Hashes = Box<[(u32, u64)]>;

/// Each name once.
#[derive(Debug, Default)]
struct Names {
    numbers: HashMap<String, u32>,
    names: Vec<String>,
}

/// Where a record differs.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Difference {
    /// The vendor is to hold it, and does not.
    Missing,
    /// The vendor holds something else, in these fields.
    Different(BTreeSet<String>),
    /// The vendor holds it under this id, and is not to.
    Extra {
        /// The vendor's id.
        link: String,
    },
}

/// What a comparison found.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Comparison {
    /// How many are the same.
    pub(super) same: u64,
    /// By the entity: at most one difference, and as many extra records as there are.
    pub(super) known: BTreeMap<EntityKey, Vec<Difference>>,
    /// Records of the vendor's of which nobody says which entity they are.
    pub(super) unknown: BTreeSet<String>,
    /// Entities that cannot be mapped, and why: what the vendor is to hold of them, nobody knows.
    pub(super) unmappable: BTreeMap<EntityKey, String>,
}

impl Sides {
    /// Nothing is read yet. `leaves_alone` as in [`Kept`](vendorbridge::ask::Kept).
    pub(super) fn new(leaves_alone: bool) -> Self {
        Self {
            leaves_alone,
            ..Self::default()
        }
    }

    /// An entity of the source.
    pub(super) fn ours(&mut self, record: SourceRecord) {
        if let Some(error) = record.error {
            let pointer = error.pointer.map(|pointer| format!("{pointer}: "));
            let reason = format!("{}{}", pointer.unwrap_or_default(), error.message);
            self.unmappable.insert(record.entity, reason);
            return;
        }
        let ours = Ours {
            is_wanted: record.is_wanted.unwrap_or(true),
            link: record.link,
            fields: self.names.hashes(record.fields),
        };
        self.source.insert(record.entity, ours);
    }

    /// A record of the vendor's.
    pub(super) fn theirs(&mut self, entry: VendorEntry) {
        let fields = self.names.hashes(entry.fields);
        self.vendor.push(Theirs {
            link: entry.link,
            entity: entry.entity,
            fields,
        });
    }

    /// How many records the source and the vendor have.
    pub(super) fn counts(&self) -> (u64, u64) {
        let source = self.source.len() + self.unmappable.len();
        (source as u64, self.vendor.len() as u64)
    }

    /// Entities whose record at the vendor cannot be told from the two lists: neither side names the other's key. The ledger may
    /// know the vendor's id.
    pub(super) fn unmatched(&self) -> Vec<EntityKey> {
        let entities: BTreeSet<_> = self
            .vendor
            .iter()
            .filter_map(|theirs| theirs.entity.as_ref())
            .collect();
        let is_anybodys = self.vendor.iter().any(|theirs| theirs.entity.is_none());
        let unmatched = self
            .source
            .iter()
            .filter(|(entity, ours)| is_anybodys && ours.link.is_none() && !entities.contains(entity));
        unmatched.map(|(entity, _)| entity.clone()).collect()
    }

    /// The vendor's id of an entity, as the ledger has it.
    pub(super) fn link(&mut self, entity: &EntityKey, link: String) {
        if let Some(ours) = self.source.get_mut(entity) {
            ours.link = Some(link);
        }
    }

    /// Compares: records belong together by the vendor's id where ours is known, else by the entity.
    pub(super) fn compare(&self) -> Comparison {
        let mut found = Comparison {
            unmappable: self.unmappable.clone(),
            ..Comparison::default()
        };
        let links = self
            .source
            .iter()
            .filter_map(|(entity, ours)| Some((ours.link.as_deref()?, entity)));
        let links: HashMap<&str, &EntityKey> = links.collect();
        let mut matched = BTreeSet::new();
        for theirs in &self.vendor {
            let by_link = links.get(theirs.link.as_str()).copied();
            // An entity whose id at the vendor is known is not matched by name: this would be a second record of it.
            let is_free =
                |entity: &&EntityKey| self.source.get(*entity).is_none_or(|ours| ours.link.is_none());
            let by_name = theirs.entity.as_ref().filter(is_free);
            let entity = by_link.or(by_name).filter(|entity| !matched.contains(*entity));
            let Some(entity) = entity else {
                found.extra(theirs.entity.as_ref(), &theirs.link);
                continue;
            };
            if self.unmappable.contains_key(entity) {
                // Whether it is right, nobody can say.
                matched.insert(entity);
                continue;
            }
            match self.source.get(entity) {
                Some(ours) if ours.is_wanted => {
                    matched.insert(entity);
                    let differing = self.differing(&ours.fields, &theirs.fields);
                    if differing.is_empty() {
                        found.same += 1;
                    } else {
                        found.is(entity, Difference::Different(differing));
                    }
                }
                Some(_) | None => {
                    matched.insert(entity);
                    found.extra(Some(entity), &theirs.link);
                }
            }
        }
        for (entity, ours) in &self.source {
            if ours.is_wanted && !matched.contains(entity) {
                found.is(entity, Difference::Missing);
            }
        }
        found
    }

    /// The names of the fields that are not the same on both sides.
    fn differing(&self, ours: &Hashes, theirs: &Hashes) -> BTreeSet<String> {
        let (ours, theirs): (BTreeSet<_>, BTreeSet<_>) = (ours.iter().collect(), theirs.iter().collect());
        let mut numbers: BTreeSet<_> = ours.difference(&theirs).map(|(number, _)| *number).collect();
        if !self.leaves_alone {
            numbers.extend(theirs.difference(&ours).map(|(number, _)| *number));
        }
        let names = numbers
            .into_iter()
            .filter_map(|number| self.names.names.get(number as usize));
        names.cloned().collect()
    }
}

impl Comparison {
    fn is(&mut self, entity: &EntityKey, difference: Difference) {
        self.known.entry(entity.clone()).or_default().push(difference);
    }

    fn extra(&mut self, entity: Option<&EntityKey>, link: &str) {
        let link = link.to_owned();
        match entity {
            Some(entity) => self.is(entity, Difference::Extra { link }),
            None => _ = self.unknown.insert(link),
        }
    }

    /// Whether any record is missing, different or extra.
    pub(super) fn differs(&self) -> bool {
        !(self.known.is_empty() && self.unknown.is_empty())
    }
}

impl Names {
    fn number(&mut self, name: String) -> u32 {
        if let Some(number) = self.numbers.get(&name) {
            return *number;
        }
        let number = u32::try_from(self.names.len()).unwrap_or(u32::MAX);
        self.names.push(name.clone());
        self.numbers.insert(name, number);
        number
    }

    fn hashes(&mut self, fields: Fields) -> Hashes {
        let mut hashes: Vec<_> = fields
            .into_iter()
            .map(|(name, hash)| (self.number(name), value(&hash)))
            .collect();
        hashes.sort_unstable();
        hashes.into()
    }
}

/// The number that a short hash writes in hexadecimal digits; of anything else, a number made of its bytes.
fn value(hash: &str) -> u64 {
    u64::from_str_radix(hash, 16).unwrap_or_else(|_| {
        let short = vendorbridge::lane::short_hash(hash);
        u64::from_str_radix(&short, 16).unwrap_or_default()
    })
}

#[cfg(test)]
mod tests;
