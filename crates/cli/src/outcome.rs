//! What a command leaves behind: a text on standard output, and an exit code.

use std::process::ExitCode;

use crate::output;

/// How a command ended that ran to its end. Other programs go by it, so the numbers are fixed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// 0: it is done, or all is well.
    Done,
    /// 1: it failed; one line on standard error says why.
    Failed,
    /// 2: the command line is wrong. clap says so by itself; a command only where the deployment decides it.
    Wrong,
    /// 3: it is done, and the answer is bad news: `why` finds the entity's state not at the vendor, `doctor` a fault, `reconcile` a
    /// difference that is left, `replay` event records that cannot be read and may be of the time.
    BadNews,
    /// 130: Ctrl-C stopped it half-way; the text says how to go on.
    Interrupted,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(match exit {
            Exit::Done => 0,
            Exit::Failed => 1,
            Exit::Wrong => 2,
            Exit::BadNews => 3,
            Exit::Interrupted => 130,
        })
    }
}

/// A command's answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// What standard output gets.
    pub text: String,
    /// How the command ended.
    pub code: Exit,
}

impl Outcome {
    /// For people: what came from elsewhere cannot drive the terminal, and statuses are coloured where there is one.
    #[must_use]
    pub fn for_people(text: &str) -> Self {
        output::paint(text).into()
    }

    /// The same text, with another end.
    #[must_use]
    pub fn ending(self, code: Exit) -> Self {
        Self { code, ..self }
    }
}

impl From<String> for Outcome {
    fn from(text: String) -> Self {
        let code = Exit::Done;
        Self { text, code }
    }
}
