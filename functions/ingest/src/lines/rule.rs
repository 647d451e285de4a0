//! The mapping language, as read from a shape's file. docs/LINES.md describes it.

use std::collections::BTreeMap;

use serde_json::Value;

use super::reader::Reader;
use super::violation::{escaped, unescaped};

/// What a member of the state is made of.
#[derive(Debug, Clone)]
pub(super) enum Rule {
    /// What is there, as it is.
    Copy {
        from: Path,
        except: Vec<String>,
        with: BTreeMap<String, Self>,
    },
    /// The first that is there, read.
    Read { from: Vec<Path>, reader: Reader },
    /// An object of these members; nothing if none of them is there.
    Set(BTreeMap<String, Self>),
    /// A list of those that are there.
    List(Vec<Self>),
    /// For each item something: a list, or an object if there is a key.
    Each {
        each: Each,
        key: Option<Path>,
        item: Box<Self>,
    },
    /// A text of pieces of HTML, with the caller's texts escaped in it.
    Html(Vec<Piece>),
}

/// Where a list's items are: in any of these places.
#[derive(Debug, Clone)]
pub(super) struct Each {
    pub(super) from: Vec<Path>,
    /// What is expected if there is no item at all and that is not allowed.
    pub(super) required: Option<String>,
}

/// A piece of HTML.
#[derive(Debug, Clone)]
pub(super) enum Piece {
    /// Left out if it has places and none of them holds a text.
    Text(Vec<Part>),
    /// For each item the pieces.
    Each(Each, Vec<Self>),
}

/// A part of a piece.
#[derive(Debug, Clone)]
pub(super) enum Part {
    Literal(String),
    From(Path),
}

/// A place in the caller's data.
#[derive(Debug, Clone)]
pub(super) struct Path {
    /// From the item that is being read, not from the data's root.
    is_of_item: bool,
    tokens: Vec<String>,
}

/// A place that is there.
#[derive(Debug, Clone)]
pub(super) struct Place<'a> {
    pub(super) pointer: String,
    pub(super) value: &'a Value,
}

impl Path {
    /// `""`, `"/a/b"`, or in an item `"."`, `"./a/b"`.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (is_of_item, pointer) = match text.strip_prefix('.') {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        if !pointer.is_empty() && !pointer.starts_with('/') {
            return None;
        }
        let tokens = pointer.split('/').skip(1).map(unescaped).collect();
        Some(Self { is_of_item, tokens })
    }

    pub(super) fn is_of_item(&self) -> bool {
        self.is_of_item
    }

    /// Where it leads to.
    pub(super) fn pointer(&self, item: &Place<'_>) -> String {
        let start = if self.is_of_item {
            item.pointer.as_str()
        } else {
            ""
        };
        let tokens = self.tokens.iter();
        tokens.fold(start.to_owned(), |pointer, token| {
            format!("{pointer}/{}", escaped(token))
        })
    }

    /// What is there.
    pub(super) fn find<'a>(&self, root: &'a Value, item: &Place<'a>) -> Option<Place<'a>> {
        let start = if self.is_of_item { item.value } else { root };
        let value = self.tokens.iter().try_fold(start, |value, token| match value {
            Value::Object(members) => members.get(token),
            Value::Array(items) => token.parse::<usize>().ok().and_then(|at| items.get(at)),
            _ => None,
        })?;
        let pointer = self.pointer(item);
        Some(Place { pointer, value })
    }
}
