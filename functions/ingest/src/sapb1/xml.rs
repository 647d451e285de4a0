//! `b1events` in XML, as the JSON that says the same. Elements count by their local names: prefix and namespace are the
//! sender's choice, and so is what stands around `b1events`.
//!
//! No document type, so that nothing can be declared, and no entity but the five of XML itself.

use quick_xml::Reader;
use quick_xml::events::{BytesRef, Event};
use serde_json::{Map, Value, json};

/// Deeper elements are refused; an event needs five levels and what stands around it.
const MAX_DEPTH: usize = 32;
/// A hundred events with all their keys are a third of it.
const MAX_ELEMENTS: usize = 20_000;
const EVENTS: &str = "b1events";

/// Why a text is no XML that is read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum XmlError {
    #[error("expected XML, found something else at byte {0}")]
    Malformed(u64),
    #[error("expected no document type, found one at byte {0}")]
    DocumentType(u64),
    #[error("expected no entity but those of XML itself, found another at byte {0}")]
    Entity(u64),
    #[error("expected UTF-8, found another encoding in the XML declaration")]
    Encoding,
    #[error("expected at most {MAX_DEPTH} levels of elements, found more at byte {0}")]
    Depth(u64),
    #[error("expected at most {MAX_ELEMENTS} elements, found more")]
    Elements,
    #[error("expected one root element, found {0}")]
    Roots(&'static str),
}

/// An element that is not closed yet.
struct Open {
    name: String,
    text: String,
    children: Map<String, Value>,
}

struct Tree {
    open: Vec<Open>,
    /// How deep the `b1events` stands that is open.
    inside: Option<usize>,
    events: Vec<Value>,
    elements: usize,
    has_root: bool,
}

/// `{"b1events": [...]}` with all events of the document, in its order.
pub(super) fn value(text: &str) -> Result<Value, XmlError> {
    let mut reader = Reader::from_str(text);
    let mut tree = Tree {
        open: Vec::new(),
        inside: None,
        events: Vec::new(),
        elements: 0,
        has_root: false,
    };
    loop {
        let at = reader.buffer_position();
        let event = reader
            .read_event()
            .map_err(|_| XmlError::Malformed(reader.error_position()))?;
        match event {
            Event::Start(start) => tree.start(start.local_name().as_ref(), at)?,
            Event::Empty(start) => {
                tree.start(start.local_name().as_ref(), at)?;
                tree.end();
            }
            Event::End(_) => tree.end(),
            Event::Text(text) => tree.text(&text.xml10_content())?,
            Event::CData(text) => tree.text(&text.xml10_content())?,
            Event::GeneralRef(reference) => tree.text(resolve(&reference, at)?.encode_utf8(&mut [0; 4]))?,
            Event::Decl(declaration) => {
                let encoding = declaration
                    .encoding()
                    .transpose()
                    .map_err(|_| XmlError::Malformed(at))?;
                if encoding.is_some_and(|name| !name.eq_ignore_ascii_case("utf-8")) {
                    return Err(XmlError::Encoding);
                }
            }
            Event::DocType(_) => return Err(XmlError::DocumentType(at)),
            Event::Comment(_) | Event::PI(_) => {}
            Event::Eof => break,
        }
    }
    match (tree.has_root, tree.open.is_empty()) {
        (false, _) => Err(XmlError::Roots("none")),
        (true, false) => Err(XmlError::Roots("one that is not closed")),
        (true, true) => Ok(json!({ EVENTS: tree.events })),
    }
}

impl Tree {
    fn start(&mut self, name: &str, at: u64) -> Result<(), XmlError> {
        if self.open.is_empty() && std::mem::replace(&mut self.has_root, true) {
            return Err(XmlError::Roots("more"));
        }
        self.elements += 1;
        if self.elements > MAX_ELEMENTS {
            return Err(XmlError::Elements);
        }
        if self.open.len() == MAX_DEPTH {
            return Err(XmlError::Depth(at));
        }
        let name = name.to_ascii_lowercase();
        if self.inside.is_none() && name == EVENTS {
            self.inside = Some(self.open.len());
        }
        self.open.push(Open {
            name,
            text: String::new(),
            children: Map::new(),
        });
        Ok(())
    }

    /// The reader has checked that the names of start and end agree.
    fn end(&mut self) {
        let Some(closed) = self.open.pop() else {
            return;
        };
        let Some(inside) = self.inside else {
            return;
        };
        match self.open.len() {
            depth if depth == inside => self.inside = None,
            depth if depth == inside + 1 => {
                if closed.name == "b1event" {
                    self.events.push(closed.value());
                }
            }
            _ => {
                if let Some(parent) = self.open.last_mut() {
                    parent.adopt(closed);
                }
            }
        }
    }

    fn text(&mut self, text: &str) -> Result<(), XmlError> {
        match self.open.last_mut() {
            Some(element) if self.inside.is_some() => element.text.push_str(text),
            Some(_) => {}
            None if text.chars().all(char::is_whitespace) => {}
            None => return Err(XmlError::Roots("text beside it")),
        }
        Ok(())
    }
}

impl Open {
    /// Text, or an object where there are elements in it.
    fn value(self) -> Value {
        if self.children.is_empty() {
            Value::String(self.text)
        } else {
            Value::Object(self.children)
        }
    }

    /// What is there more than once is a list.
    fn adopt(&mut self, child: Open) {
        let name = child.name.clone();
        let value = child.value();
        match self.children.get_mut(&name) {
            None => {
                self.children.insert(name, value);
            }
            Some(Value::Array(list)) => list.push(value),
            Some(first) => *first = Value::Array(vec![first.take(), value]),
        }
    }
}

fn resolve(reference: &BytesRef<'_>, at: u64) -> Result<char, XmlError> {
    match reference.resolve_char_ref() {
        Ok(Some(character)) => Ok(character),
        Ok(None) => match &**reference {
            "amp" => Ok('&'),
            "lt" => Ok('<'),
            "gt" => Ok('>'),
            "quot" => Ok('"'),
            "apos" => Ok('\''),
            _ => Err(XmlError::Entity(at)),
        },
        Err(_) => Err(XmlError::Malformed(at)),
    }
}

#[cfg(test)]
mod tests;
