//! How names stand in messages.

use std::fmt;

/// A name in quotes, for a message: cut where it is longer than any legal one, and with control
/// characters replaced, so that no message repeats a payload or breaks a terminal.
#[derive(Debug, Clone, Copy)]
pub struct Quoted<'a>(pub &'a str);

/// The longest name that an object can have.
const MOST_CHARACTERS: usize = 253;

impl fmt::Display for Quoted<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        use fmt::Write as _;

        formatter.write_char('"')?;
        let mut characters = self.0.chars();
        for character in characters.by_ref().take(MOST_CHARACTERS) {
            formatter.write_char(match character {
                c if c.is_control() => char::REPLACEMENT_CHARACTER,
                '"' => '\'',
                c => c,
            })?;
        }
        if characters.next().is_some() {
            formatter.write_char('…')?;
        }
        formatter.write_char('"')
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case::plain("web-0", "\"web-0\"")]
    #[case::control_characters("a\u{1b}[31m\n", "\"a\u{fffd}[31m\u{fffd}\"")]
    #[case::quotes("a\"b", "\"a'b\"")]
    #[case::longest(&"ä".repeat(253), &format!("\"{}\"", "ä".repeat(253)))]
    #[case::too_long(&"ä".repeat(254), &format!("\"{}…\"", "ä".repeat(253)))]
    fn quoted(#[case] name: &str, #[case] shown: &str) {
        assert_eq!(Quoted(name).to_string(), shown);
    }
}
