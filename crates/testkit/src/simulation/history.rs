//! What happened, in words: recorded only when asked for.

use std::fmt;

use super::agenda::Micros;

/// One line of a history.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// When, in virtual microseconds.
    pub at: Micros,
    /// Who.
    pub actor: &'static str,
    /// At which vendor.
    pub unit: usize,
    /// With which entity; `None` if it concerns all of them.
    pub entity: Option<usize>,
    /// What.
    pub text: String,
}

impl Line {
    /// Whether it is about what all vendors share.
    #[must_use]
    pub fn is_shared(&self) -> bool {
        self.actor == "bus" || (self.actor == "source" && self.text.starts_with("revision"))
    }
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            at,
            actor,
            unit,
            entity,
            text,
        } = self;
        let (seconds, micros) = (at / 1_000_000, at % 1_000_000);
        let (minutes, seconds) = (seconds / 60, seconds % 60);
        let entity = entity.map_or_else(|| "-".to_owned(), |entity| format!("#{entity}"));
        write!(
            f,
            "{minutes:>5}:{seconds:02}.{micros:06}  {actor:<9} v{unit} {entity:<4} {text}"
        )
    }
}

/// The lines of a run.
#[derive(Debug, Default)]
pub(crate) struct History {
    recording: bool,
    lines: Vec<Line>,
}

impl History {
    /// A history that keeps its lines, or not.
    pub(crate) fn new(recording: bool) -> Self {
        Self {
            recording,
            lines: Vec::new(),
        }
    }

    /// Whether lines are kept.
    pub(crate) fn is_recording(&self) -> bool {
        self.recording
    }

    /// Adds a line; `text` is not made if nobody asked.
    pub(crate) fn add(
        &mut self,
        at: Micros,
        actor: &'static str,
        unit: usize,
        entity: Option<usize>,
        text: impl FnOnce() -> String,
    ) {
        if self.recording {
            let text = text();
            self.lines.push(Line {
                at,
                actor,
                unit,
                entity,
                text,
            });
        }
    }

    /// The lines, in order.
    pub(crate) fn take(&mut self) -> Vec<Line> {
        std::mem::take(&mut self.lines)
    }
}
