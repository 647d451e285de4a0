use std::io;
use std::sync::{Arc, Mutex};

use indicatif::TermLike;

use super::*;

/// Where a bar is drawn: the lines as they were written.
#[derive(Debug, Clone, Default)]
struct Screen(Arc<Mutex<Vec<String>>>);

impl Screen {
    fn progress(&self, label: &str, total: Option<u64>) -> Progress {
        Progress::on(
            ProgressDrawTarget::term_like(Box::new(self.clone())),
            label,
            total,
        )
    }

    /// The last line with something on it.
    fn shows(&self) -> String {
        let written = self.0.lock().unwrap();
        let shown = written.iter().rev().find(|line| !line.trim().is_empty());
        shown.cloned().unwrap_or_default()
    }
}

impl TermLike for Screen {
    fn width(&self) -> u16 {
        120
    }

    fn move_cursor_up(&self, _: usize) -> io::Result<()> {
        Ok(())
    }

    fn move_cursor_down(&self, _: usize) -> io::Result<()> {
        Ok(())
    }

    fn move_cursor_right(&self, _: usize) -> io::Result<()> {
        Ok(())
    }

    fn move_cursor_left(&self, _: usize) -> io::Result<()> {
        Ok(())
    }

    fn write_line(&self, line: &str) -> io::Result<()> {
        self.write_str(line)
    }

    fn write_str(&self, text: &str) -> io::Result<()> {
        self.0.lock().unwrap().push(text.to_owned());
        Ok(())
    }

    fn clear_line(&self) -> io::Result<()> {
        Ok(())
    }

    fn flush(&self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_line_says_how_far_it_is() {
    let mut progress = Progress::new(true, "replay", Some(40));
    progress.add(10);
    assert!(
        progress.line().starts_with("replay: 10 of 40, "),
        "{}",
        progress.line()
    );
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

#[test]
fn a_total_may_become_known_and_be_passed() {
    let mut progress = Progress::new(true, "backfill", None);
    let begins = |progress: &Progress, with: &str| {
        let line = progress.line();
        assert!(line.starts_with(with), "{line}");
    };
    progress.resume(700);
    progress.set_total(Some(1_000));
    begins(&progress, "backfill: 700 of 1000, ");
    progress.add(300);
    begins(&progress, "backfill: 1000 of 1000, ");
    progress.add(1);
    begins(&progress, "backfill: 1001, ");
    progress.set_total(Some(1_000));
    begins(&progress, "backfill: 1001, ");
    progress.set_total(Some(1_200));
    begins(&progress, "backfill: 1001 of 1200, ");
}

#[test]
fn a_bar_has_the_words_of_a_line() {
    let screen = Screen::default();
    let mut progress = screen.progress("backfill", None);
    progress.add(3);
    let shown = screen.shows();
    assert!(shown.contains(" backfill 3, "), "{shown}");
    assert!(!shown.contains("left") && !shown.contains('['), "{shown}");
    progress.set_total(Some(6));
    progress.add(3);
    let shown = screen.shows();
    assert!(
        shown.starts_with("backfill [██████████████████████████████] 6 of 6, "),
        "{shown}"
    );
    assert!(shown.contains(" a second, 0 s left · "), "{shown}");
    // More than there were to be: nothing is said of an end.
    progress.add(1);
    let shown = screen.shows();
    assert!(
        shown.contains(" backfill 7, ") && !shown.contains("left"),
        "{shown}"
    );
    progress.finish();
}
