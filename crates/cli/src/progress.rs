//! How far long work has got, on standard error: a bar on a terminal, else a line now and then.

use std::io::{IsTerminal, Write};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// Where nobody sees a bar, a line is written this often.
const LINE_EVERY: Duration = Duration::from_secs(10);
const KNOWN: &str =
    "{msg} [{bar:30}] {human_pos}/{human_len} {percent}% · {per_sec} · {elapsed} · {eta} left";
const UNKNOWN: &str = "{spinner} {msg} {human_pos} · {per_sec} · {elapsed}";

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
        let is_drawn = !json && std::io::stderr().is_terminal();
        let target = if is_drawn {
            ProgressDrawTarget::stderr()
        } else {
            ProgressDrawTarget::hidden()
        };
        let bar = ProgressBar::with_draw_target(total, target).with_message(label.to_owned());
        // A template that is not understood leaves indicatif's own style.
        if let Ok(style) = ProgressStyle::with_template(if total.is_some() { KNOWN } else { UNKNOWN }) {
            bar.set_style(style);
        }
        Self {
            bar,
            label: label.to_owned(),
            next_line: (!is_drawn).then(|| Instant::now() + LINE_EVERY),
        }
    }

    /// So many pieces were done before: they count for nothing in rate and time left.
    pub fn resume(&mut self, done: u64) {
        self.bar.set_position(done);
        self.bar.reset_eta();
    }

    /// So many more pieces are done.
    pub fn add(&mut self, pieces: u64) {
        self.bar.inc(pieces);
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
        let (done, rate) = (self.bar.position(), self.bar.per_sec());
        let label = self.bar.message();
        match self.bar.length() {
            Some(total) => {
                let left = self.bar.eta().as_secs();
                format!("{label}: {done} of {total}, {rate:.1} a second, {left} s left")
            }
            None => format!("{label}: {done}, {rate:.1} a second"),
        }
    }
}

/// Nobody may be listening.
fn print(line: &str) {
    _ = writeln!(std::io::stderr(), "{line}");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_says_how_far_it_is() {
        let mut progress = Progress::new(true, "replay", Some(40));
        progress.add(10);
        assert!(
            progress.line().starts_with("replay: 10 of 40, "),
            "{}",
            progress.line()
        );
        assert!(progress.line().ends_with(" s left"), "{}", progress.line());
        progress.hold(Some("paused"));
        assert!(
            progress.line().starts_with("replay (paused): 10 of 40"),
            "{}",
            progress.line()
        );
    }

    #[test]
    fn an_unknown_total_is_not_made_up() {
        let mut progress = Progress::new(true, "backfill", None);
        progress.add(3);
        assert!(
            progress.line().starts_with("backfill: 3, "),
            "{}",
            progress.line()
        );
        assert!(!progress.line().contains("left"));
    }
}
