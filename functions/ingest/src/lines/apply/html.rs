//! Texts of HTML with the caller's texts in them.

use super::Reading;
use crate::lines::reader::text_of;
use crate::lines::rule::{Part, Piece, Place};

/// A text of HTML that grows.
#[derive(Default)]
struct Html {
    text: String,
    /// The tokens that the pointers of all places have in common.
    common: Option<Vec<String>>,
}

impl Html {
    fn came_from(&mut self, pointer: &str) {
        let tokens = pointer.split('/').map(str::to_owned);
        self.common = Some(match self.common.take() {
            None => tokens.collect(),
            Some(common) => {
                let same = common
                    .into_iter()
                    .zip(tokens)
                    .take_while(|(ours, theirs)| ours == theirs);
                same.map(|(token, _)| token).collect()
            }
        });
    }
}

impl<'a> Reading<'a> {
    /// The text, and the place that holds all that it was made of; `None` if there is nothing to make it of.
    pub(super) fn html(&mut self, pieces: &[Piece], item: &Place<'a>) -> Option<(String, String)> {
        let mut html = Html::default();
        self.pieces(pieces, item, &mut html);
        let pointer = html.common.unwrap_or_default().join("/");
        (!html.text.is_empty()).then_some((html.text, pointer))
    }

    fn pieces(&mut self, pieces: &[Piece], item: &Place<'a>, html: &mut Html) {
        for piece in pieces {
            match piece {
                Piece::Text(parts) => self.piece(parts, item, html),
                Piece::Each(each, pieces) => {
                    for item in self.items(each, item) {
                        self.pieces(pieces, &item, html);
                    }
                }
            }
        }
    }

    fn piece(&self, parts: &[Part], item: &Place<'a>, html: &mut Html) {
        let mut text = String::new();
        let (mut has_places, mut found) = (false, Vec::new());
        for part in parts {
            match part {
                Part::Literal(literal) => text.push_str(literal),
                Part::From(path) => {
                    has_places = true;
                    let place = path.find(self.root, item);
                    let value = place.as_ref().and_then(|place| text_of(place.value));
                    if let (Some(place), Some(value)) = (place, value.filter(|value| !value.is_empty())) {
                        escape(&value, &mut text);
                        found.push(place.pointer);
                    }
                }
            }
        }
        if !has_places || !found.is_empty() {
            html.text.push_str(&text);
            for pointer in &found {
                html.came_from(pointer);
            }
        }
    }
}
fn escape(text: &str, html: &mut String) {
    for character in text.chars() {
        match character {
            '&' => html.push_str("&amp;"),
            '<' => html.push_str("&lt;"),
            '>' => html.push_str("&gt;"),
            '"' => html.push_str("&quot;"),
            '\'' => html.push_str("&#39;"),
            _ => html.push(character),
        }
    }
}
