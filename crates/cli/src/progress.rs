//! How far long work has got, on standard error: a bar on a terminal, else a line now and then.

mod words;

use std::io::{IsTerminal, Write};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle};

use words::words;

/// Where nobody sees a bar, a line is written this often.
const LINE_EVERY: Duration = Duration::from_secs(10);
const KNOWN: &str = "{msg} [{bar:30}] {words} · {elapsed}";
const UNKNOWN: &str = "{spinner} {msg} {words} · {elapsed}";

/// How far something has got.
#[derive(Debug)]
pub struct Progress {
    bar: ProgressBar,
    label: String,
    /// When the next line is due; `None` where there is a bar.
    next_line: Option<Instant>,
}

impl Progress {
    /// Work called `label`, of so many pieces if that is known. With `--json`, or without a terminal, there is no bar.
    #[must_use]
    pub fn new(json: bool, label: &str, total: Option<u64>) -> Self {
        let target = if !json && std::io::stderr().is_terminal() {
            ProgressDrawTarget::stderr()
        } else {
            ProgressDrawTarget::hidden()
        };
        Self::on(target, label, total)
    }

    fn on(target: ProgressDrawTarget, label: &str, total: Option<u64>) -> Self {
        let is_drawn = !target.is_hidden();
        let bar = ProgressBar::with_draw_target(total, target).with_message(label.to_owned());
        let progress = Self {
            bar,
            label: label.to_owned(),
            next_line: (!is_drawn).then(|| Instant::now() + LINE_EVERY),
        };
        progress.style(total.is_some());
        progress
    }

    /// So many pieces were done before: they count for nothing in rate and time left.
    pub fn resume(&mut self, done: u64) {
        self.bar.set_position(done);
        self.bar.reset_eta();
    }

    /// So many pieces there are in all, as is known by now. A total that was passed is none.
    pub fn set_total(&mut self, total: Option<u64>) {
        let total = total.filter(|total| *total >= self.bar.position());
        if total == self.bar.length() {
            return;
        }
        // The length draws the bar.
        self.style(total.is_some());
        match total {
            Some(total) => self.bar.set_length(total),
            None => self.bar.unset_length(),
        }
    }

    /// So many more pieces are done.
    pub fn add(&mut self, pieces: u64) {
        self.bar.inc(pieces);
        self.set_total(self.bar.length());
        self.say_if_due();
    }

    /// Why it stands still, behind the label; nothing if it does not.
    pub fn hold(&mut self, why: Option<&str>) {
        let label = match why {
            Some(why) => format!("{} ({why})", self.label),
            None => self.label.clone(),
        };
        self.bar.set_message(label);
        self.say_if_due();
    }

    /// A line of its own above the bar.
    pub fn note(&self, line: &str) {
        if self.next_line.is_some() {
            print(line);
        } else {
            self.bar.println(line);
        }
    }

    /// The work is over.
    pub fn finish(self) {
        self.bar.finish_and_clear();
    }

    fn say_if_due(&mut self) {
        let now = Instant::now();
        if self.next_line.is_some_and(|due| due <= now) {
            self.next_line = Some(now + LINE_EVERY);
            print(&self.line());
        }
    }

    fn line(&self) -> String {
        let bar = &self.bar;
        format!(
            "{}: {}",
            bar.message(),
            words(bar.position(), bar.length(), bar.per_sec())
        )
    }

    fn style(&self, is_total_known: bool) {
        let template = if is_total_known { KNOWN } else { UNKNOWN };
        // A template that is not understood leaves indicatif's own style.
        if let Ok(style) = ProgressStyle::with_template(template) {
            let said = |state: &ProgressState, text: &mut dyn std::fmt::Write| {
                _ = text.write_str(&words(state.pos(), state.len(), state.per_sec()));
            };
            self.bar.set_style(style.with_key("words", said));
        }
    }
}

/// Nobody may be listening.
fn print(line: &str) {
    _ = writeln!(std::io::stderr(), "{line}");
}

#[cfg(test)]
mod tests;
