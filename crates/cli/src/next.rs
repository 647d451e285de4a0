//! The next step to take, as a command line that can be copied into a shell.

use serde::Serialize;

/// What `--stack` is if nobody says so.
const DEFAULT_STACK: &str = "vendorbridge";

/// What to do, and the command that does it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Next {
    /// What to do and why, in a sentence.
    pub reason: String,
    /// The command line, or null where the step is not one of ours.
    pub command: Option<String>,
}

impl Next {
    /// `vendorbridge` with these words, for a stack.
    pub(crate) fn command(reason: &str, stack: &str, words: &[&str]) -> Self {
        Self {
            reason: reason.to_owned(),
            command: Some(line(stack, words)),
        }
    }
}

/// `vendorbridge` with these words, quoted for a POSIX shell where they need it.
pub(crate) fn line(stack: &str, words: &[&str]) -> String {
    let stack: &[&str] = match stack {
        DEFAULT_STACK => &[],
        stack => &["--stack", stack],
    };
    let words = stack.iter().chain(words);
    let quoted = words.map(|word| format!(" {}", quoted(word)));
    format!("vendorbridge{}", quoted.collect::<String>())
}

fn quoted(word: &str) -> String {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_./:@%+=,".contains(&byte);
    if !word.is_empty() && word.bytes().all(is_plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("vendorbridge", &["why", "m", "customer/c-1"], "vendorbridge why m customer/c-1")]
    #[case("other", &["doctor"], "vendorbridge --stack other doctor")]
    #[case("vendorbridge", &["why", "m/$(rm) 'x'"], r"vendorbridge why 'm/$(rm) '\''x'\'''")]
    fn a_shell_reads_the_very_words(#[case] stack: &str, #[case] words: &[&str], #[case] expected: &str) {
        assert_eq!(line(stack, words), expected);
    }
}
