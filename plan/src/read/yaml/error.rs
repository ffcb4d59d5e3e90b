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
