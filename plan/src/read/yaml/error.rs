//! What is wrong with a YAML text, as one sentence that says what to do.

use granit_parser::ErrorKind;

use super::MAX_LEVELS;

/// The sentence for an error of the parser.
pub(super) fn sentence(error: &ErrorKind) -> String {
    use ErrorKind as E;

    let what = match error {
        E::RecursionLimitExceeded => {
            return format!("this is nested deeper than {MAX_LEVELS} levels");
        }
        E::UnexpectedCharacter { character: '\0' } => {
            "a zero byte stands here; save the file as UTF-8 text"
        }
        E::UnexpectedCharacter { character } if !is_allowed(*character) => {
            let character = character.escape_default();
            return format!(
                "this is no YAML: the control character {character} cannot stand in it; write it as \
                 an escape, in double quotes"
            );
        }
        E::UnexpectedCharacter { character } => {
            let character = character.escape_default();
            return format!(
                "this is no YAML: a text cannot begin with {character} here; put it in quotes"
            );
        }
        E::TabNotAllowed
        | E::TabInBlockIndentation
        | E::TabInIndentation
        | E::TabInPlainScalar
        | E::TabAtBlockScalarStart => {
            "a tab stands where YAML takes spaces only; indent with spaces"
        }
        E::UnclosedFlowCollection { open } => {
            return format!("this is no YAML: this {open} is never closed");
        }
        E::MismatchedFlowCollectionEnd { open, close } => {
            return format!("this is no YAML: this {open} is closed by {close}");
        }
        E::MisplacedFlowCollectionEnd => "this bracket closes none that is open",
        E::UnclosedQuotedScalar | E::DocumentIndicatorInQuotedScalar => {
            "a text in quotes has no end; close it with the quote that it begins with"
        }
        E::UnexpectedEofFlowSequence
        | E::UnexpectedEofFlowMapping
        | E::UnexpectedEofImplicitFlowMapping => "a bracket is open at the end; close it",
        E::ExpectedFlowMappingSeparator => "a comma or } is missing before this",
        E::ExpectedFlowSequenceSeparator => "a comma or ] is missing before this",
        E::MappingValueNotAllowed
        | E::MappingKeyNotAllowed
        | E::InvalidColonPlacement
        | E::FlowMappingValueAdjacentCollection
        | E::InvalidMappingValueWhitespace => {
            "a key with a colon cannot stand here; put a text that has a colon and a space in quotes"
        }
        E::SimpleKeyExpected | E::InvalidSimpleKey | E::ExpectedBlockMappingKey => {
            "a key with a colon is missing here; look at the indentation, and at quotes that are open"
        }
        E::ExpectedBlockSequenceEntry
        | E::BlockSequenceEntryNotAllowed
        | E::BlockEntryInFlowCollection
        | E::InvalidBlockEntryWhitespace => {
            "this does not fit the list that it stands in; look at the indentation"
        }
        E::InvalidIndentation
        | E::InvalidQuotedScalarIndent
        | E::InvalidBlockScalarIndent
        | E::InvalidFlowScalarIndent => "this line is not indented as those before it",
        E::UnknownAnchor => "this alias names no anchor that stands before it",
        E::InvalidTrailingSingleQuotedScalar | E::InvalidTrailingDoubleQuotedScalar => {
            "something follows a text in quotes; put all of it in the quotes"
        }
        E::UnknownQuotedScalarEscape
        | E::InvalidQuotedScalarHexEscape
        | E::InvalidLowSurrogateHexEscape
        | E::InvalidLowSurrogate
        | E::MissingLowSurrogate
        | E::UnpairedLowSurrogate
        | E::InvalidUnicodeEscape => {
            "this escape means nothing in double quotes; write a backslash twice, or use single quotes"
        }
        E::CommentNotSeparated | E::CommentInterceptedScalar => {
            "a comment begins where a text has not ended; put the text in quotes, or a space before #"
        }
        E::ZeroBlockScalarIndent | E::InvalidBlockScalarHeader => {
            "after | or > nothing may follow but a digit, + or -, and a comment"
        }
        E::UndeclaredTagHandle
        | E::ExpectedTagBang
        | E::InvalidGlobalTagCharacter
        | E::InvalidTagTerminator
        | E::MissingTagUri
        | E::UnclosedVerbatimTag
        | E::InvalidTagEscape
        | E::InvalidTagUtf8LeadingByte
        | E::InvalidTagUtf8TrailingByte
        | E::InvalidTagUtf8 => "a text that begins with ! must be in quotes",
        E::MissingAnchorOrAliasName => "a text that begins with * or & must be in quotes",
        E::UnexpectedEof => "the text ends too early",
        _ => "look at the indentation, the quotes and the brackets here",
    };
    format!("this is no YAML: {what}")
}

/// Whether a character may stand in YAML, if in quotes.
fn is_allowed(character: char) -> bool {
    !character.is_control() && !matches!(character, '\u{fffe}' | '\u{ffff}')
}

#[cfg(test)]
mod tests {
    use super::super::super::tests::faults;
    use rstest::rstest;

    /// Quotes are no remedy for what may stand nowhere.
    #[rstest]
    #[case::in_quotes(
        "a: \"b\u{7}\"\n",
        "1:6",
        "the control character \\u{7} cannot stand in it"
    )]
    #[case::in_a_comment(
        "# \u{1b}[0m\na: 1\n",
        "1:3",
        "the control character \\u{1b} cannot stand in it"
    )]
    #[case::in_a_literal(
        "a: |\n  b\u{7f}\n",
        "2:3",
        "the control character \\u{7f} cannot stand in it"
    )]
    #[case::no_character(
        "a: \"\u{ffff}\"\n",
        "1:5",
        "the control character \\u{ffff} cannot stand in it"
    )]
    #[case::zero(
        "a\0: 1\n",
        "1:2",
        "a zero byte stands here; save the file as UTF-8 text"
    )]
    #[case::reserved("a: @b\n", "1:4", "a text cannot begin with @ here; put it in quotes")]
    fn characters_that_cannot_stand_in_yaml(
        #[case] text: &str,
        #[case] place: &str,
        #[case] what: &str,
    ) {
        let found = faults(text);
        let expected = format!("a.yml:{place}: this is no YAML: {what}");
        assert!(
            found.len() == 1 && found[0].starts_with(&expected),
            "{found:?}"
        );
    }
}
