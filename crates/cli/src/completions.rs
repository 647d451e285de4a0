//! `vendorbridge completions`: what a shell needs to complete the command line.

use clap::CommandFactory;
use clap_complete::Shell;

use crate::Outcome;
use crate::args::Args;

/// The options of `completions`.
#[derive(Debug, Clone, clap::Args)]
pub struct Options {
    /// The shell; its script goes to standard output
    pub shell: Shell,
}

/// The script for a shell, such as for `source <(vendorbridge completions bash)`.
#[must_use]
pub fn run(options: &Options) -> Outcome {
    let mut script = Vec::new();
    clap_complete::generate(options.shell, &mut Args::command(), "vendorbridge", &mut script);
    String::from_utf8_lossy(&script).into_owned().into()
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    fn every_shell_learns_the_commands(
        #[values(Shell::Bash, Shell::Elvish, Shell::Fish, Shell::PowerShell, Shell::Zsh)] shell: Shell,
    ) {
        let script = run(&Options { shell }).text;
        for word in ["status", "--entity", "resume"] {
            let word = if shell == Shell::Fish {
                word.trim_start_matches('-')
            } else {
                word
            };
            assert!(script.contains(word), "{word} in\n{script}");
        }
    }
}
