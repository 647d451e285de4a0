//! Applies a rule to the caller's data. Pure.

mod html;

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::LineTerms;
use super::origin::Source;
use super::reader::{Reader, text_of};
use super::rule::{Each, Path, Place, Rule};
use super::violation::{Violation, described, escaped};

/// The data that rules are applied to, and what is wrong with it.
pub(super) struct Reading<'a> {
    root: &'a Value,
    line: &'a LineTerms,
    pub(super) violations: Vec<Violation>,
}

/// A part of the state, and where it came from.
type Made = (Value, Source);

impl<'a> Reading<'a> {
    pub(super) fn new(root: &'a Value, line: &'a LineTerms) -> Self {
        let violations = Vec::new();
        Self {
            root,
            line,
            violations,
        }
    }

    /// The whole data.
    pub(super) fn whole(&self) -> Place<'a> {
        Place {
            pointer: String::new(),
            value: self.root,
        }
    }

    fn wrong(&mut self, pointer: impl Into<String>, expected: impl Into<String>, found: impl Into<String>) {
        self.violations.push(Violation::new(pointer, expected, found));
    }

    /// An id, which the rest cannot be read without.
    pub(super) fn id(&mut self, path: &Path, item: &Place<'a>) -> Option<(String, String)> {
        let place = path.find(self.root, item);
        let id = place
            .as_ref()
            .and_then(|place| text_of(place.value))
            .filter(|id| is_id(id));
        if id.is_none() {
            let found = place.map_or_else(|| "nothing".to_owned(), |place| described(place.value));
            self.wrong(
                path.pointer(item),
                "an id of 1 to 64 letters, digits, `.`, `_` and `-`",
                found,
            );
        }
        Some((id?, path.pointer(item)))
    }

    /// The items of all lists.
    pub(super) fn items(&mut self, each: &Each, item: &Place<'a>) -> Vec<Place<'a>> {
        let mut items = Vec::new();
        for path in &each.from {
            match path.find(self.root, item) {
                Some(Place {
                    pointer,
                    value: Value::Array(list),
                }) => {
                    let numbered = list.iter().enumerate();
                    items.extend(numbered.map(|(at, value)| Place {
                        pointer: format!("{pointer}/{at}"),
                        value,
                    }));
                }
                Some(place) if place.value.is_object() => items.push(place),
                Some(place) if !place.value.is_null() => {
                    self.wrong(place.pointer, "a list", described(place.value));
                }
                _ => {}
            }
        }
        if let Some(required) = each.required.as_ref().filter(|_| items.is_empty()) {
            let pointer = each.from.first().map(|path| path.pointer(item));
            self.wrong(pointer.unwrap_or_default(), required, "none");
        }
        items
    }

    /// What a rule makes of the data; `None` if nothing is there that it could be made of.
    pub(super) fn apply(&mut self, rule: &Rule, item: &Place<'a>) -> Option<Made> {
        match rule {
            Rule::Copy { from, except, with } => {
                let place = from.find(self.root, item)?;
                match place.value {
                    Value::Object(members) => Some(self.copy(members, &place.pointer, except, with, item)),
                    value => Some((value.clone(), Source::copied(&place.pointer))),
                }
            }
            Rule::Read { from, reader } => self.read(from, reader, item),
            Rule::Set(rules) => {
                let (mut values, mut sources) = (Map::new(), BTreeMap::new());
                for (name, rule) in rules {
                    if let Some((value, source)) = self.apply(rule, item) {
                        values.insert(name.clone(), value);
                        sources.insert(name.clone(), source);
                    }
                }
                let at = Some(item.pointer.clone());
                (!values.is_empty())
                    .then_some((Value::Object(values), Source::Object { at, members: sources }))
            }
            Rule::List(rules) => {
                let made = rules.iter().filter_map(|rule| self.apply(rule, item));
                list(made.collect())
            }
            Rule::Each {
                each,
                key,
                item: rule,
            } => {
                let items = self.items(each, item);
                match key {
                    Some(key) => self.keyed(&items, key, rule),
                    None => list(items.iter().filter_map(|item| self.apply(rule, item)).collect()),
                }
            }
            Rule::Html(pieces) => {
                let (text, pointer) = self.html(pieces, item)?;
                Some((Value::String(text), Source::made(pointer)))
            }
        }
    }

    fn copy(
        &mut self,
        members: &Map<String, Value>,
        pointer: &str,
        except: &[String],
        with: &BTreeMap<String, Rule>,
        item: &Place<'a>,
    ) -> Made {
        let (mut values, mut sources) = (Map::new(), BTreeMap::new());
        let copied = members
            .iter()
            .filter(|(name, _)| !except.contains(name) && !with.contains_key(*name));
        for (name, value) in copied {
            values.insert(name.clone(), value.clone());
            let source = Source::copied(&format!("{pointer}/{}", escaped(name)));
            sources.insert(name.clone(), source);
        }
        for (name, rule) in with {
            if let Some((value, source)) = self.apply(rule, item) {
                values.insert(name.clone(), value);
                sources.insert(name.clone(), source);
            }
        }
        let at = Some(pointer.to_owned());
        (Value::Object(values), Source::Object { at, members: sources })
    }

    /// The first place that holds something. If none does but one is null, that is null, too.
    fn read(&mut self, from: &[Path], reader: &Reader, item: &Place<'a>) -> Option<Made> {
        let places: Vec<_> = from
            .iter()
            .filter_map(|path| path.find(self.root, item))
            .collect();
        let is_full = |place: &&Place<'_>| match place.value {
            Value::Null => false,
            Value::String(text) => !text.trim().is_empty(),
            _ => true,
        };
        let Some(place) = places.iter().find(is_full) else {
            let null = places.iter().find(|place| place.value.is_null())?;
            return Some((Value::Null, Source::made(&null.pointer)));
        };
        if matches!(reader, Reader::Joined) {
            let texts: String = places.iter().filter_map(|place| text_of(place.value)).collect();
            return Some((Value::String(texts), Source::made(&place.pointer)));
        }
        match reader.read(place.value, self.line) {
            Ok(value) => Some((value?, Source::made(&place.pointer))),
            Err((expected, found)) => {
                self.wrong(&place.pointer, expected, found);
                None
            }
        }
    }

    fn keyed(&mut self, items: &[Place<'a>], key: &Path, rule: &Rule) -> Option<Made> {
        let (mut values, mut members) = (Map::new(), BTreeMap::new());
        for item in items {
            let Some((id, pointer)) = self.id(key, item) else {
                continue;
            };
            if values.contains_key(&id) {
                self.wrong(pointer, "an id of its own", "one that an item before it has");
                continue;
            }
            let empty = || {
                let at = Some(item.pointer.clone());
                let source = Source::Object {
                    at,
                    members: BTreeMap::new(),
                };
                (Value::Object(Map::new()), source)
            };
            let (value, mut source) = self.apply(rule, item).unwrap_or_else(empty);
            if let Source::Object { members, .. } = &mut source {
                members.insert("id".to_owned(), Source::made(&pointer));
            }
            values.insert(id.clone(), value);
            members.insert(id, source);
        }
        (!values.is_empty()).then_some((Value::Object(values), Source::Object { at: None, members }))
    }
}

fn list(made: Vec<Made>) -> Option<Made> {
    let (values, sources): (Vec<_>, Vec<_>) = made.into_iter().unzip();
    (!values.is_empty()).then_some((Value::Array(values), Source::List(sources)))
}

fn is_id(text: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
    (1..=64).contains(&text.len()) && text.bytes().all(is_plain)
}
