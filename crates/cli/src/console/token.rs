//! The secret that the printed address carries.

use std::fmt::{self, Write};

use subtle::ConstantTimeEq;

use crate::CliError;

/// As hard to guess as a key of AES-256.
const BYTES: usize = 32;

/// A secret of this start. The page takes it from the address and shows it with every question.
pub(super) struct Token(String);

impl Token {
    /// A new one.
    ///
    /// # Errors
    /// If the system has no randomness.
    pub(super) fn random() -> Result<Self, CliError> {
        let mut bytes = [0; BYTES];
        getrandom::fill(&mut bytes).map_err(|error| CliError::Runtime(error.into()))?;
        let mut text = String::with_capacity(2 * BYTES);
        for byte in bytes {
            _ = write!(text, "{byte:02x}");
        }
        Ok(Self(text))
    }

    /// The secret itself, for the address.
    pub(super) fn reveal(&self) -> &str {
        &self.0
    }

    /// Whether this is it; takes as long wherever they differ.
    pub(super) fn is(&self, shown: &[u8]) -> bool {
        self.0.as_bytes().ct_eq(shown).into()
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_start_has_another_and_shows_it_to_nobody() {
        let (one, other) = (Token::random().unwrap(), Token::random().unwrap());
        assert_eq!(one.reveal().len(), 2 * BYTES);
        assert!(one.is(one.reveal().as_bytes()));
        assert!(!one.is(other.reveal().as_bytes()));
        assert!(!one.is(b"") && !one.is(&one.reveal().as_bytes()[1..]));
        assert_eq!(format!("{one:?}"), "Token(…)");
    }
}
