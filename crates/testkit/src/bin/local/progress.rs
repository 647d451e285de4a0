//! Says what a long step is doing: a spinner with the time on a terminal, a line elsewhere.

use std::cell::RefCell;
use std::io::IsTerminal;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

/// The steps of one run.
pub(crate) struct Progress {
    current: RefCell<Option<ProgressBar>>,
    terminal: bool,
}

impl Progress {
    pub(crate) fn new() -> Self {
        Self {
            current: RefCell::new(None),
            terminal: std::io::stderr().is_terminal(),
        }
    }

    /// Begins a step; the one before is done.
    pub(crate) fn step(&self, what: &str) {
        self.done();
        if !self.terminal {
            eprintln!("==> {what}");
            return;
        }
        let style = ProgressStyle::with_template("{spinner} {msg} {elapsed}")
            .unwrap_or(ProgressStyle::default_spinner());
        let bar = ProgressBar::new_spinner()
            .with_style(style)
            .with_message(what.to_owned());
        bar.enable_steady_tick(Duration::from_millis(120));
        *self.current.borrow_mut() = Some(bar);
    }

    /// The last step is done.
    pub(crate) fn done(&self) {
        if let Some(bar) = self.current.borrow_mut().take() {
            let (message, seconds) = (bar.message(), bar.elapsed().as_secs_f32());
            bar.finish_and_clear();
            eprintln!("==> {message} ({seconds:.1} s)");
        }
    }
}
