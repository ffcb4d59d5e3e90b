//! YAML as kubectl reads it: a text in documents, a document in nodes.
//!
//! kubectl and the API server read YAML by go-yaml (`sigs.k8s.io/yaml`): the grammar is libyaml's,
//! laxer than the standard's in indentation and tabs, and plain words mean what YAML 1.1 says. The
//! parser underneath has that grammar; the words are in [`scalar`].

mod documents;
mod error;
mod scalar;
mod tabs;

pub(super) use documents::{Chunk, Chunks};

use std::borrow::Cow;

use granit_parser::{ErrorKind, Event, Marker, Parser, ScanError, Span, StructureStyle, options};

use super::{
    builder::{Builder, MAX_LEVELS, Open, Scalar},
    fault::Problem,
    parsed::{Bulk, Parsed, Remark},
    tree::Position,
};
use scalar::Written;

/// Reads a document that has so many lines before it.
pub(super) fn parse(text: &str, lines_before: u32, bulk: Bulk) -> Result<Parsed, Problem> {
    let read = |text: &str| Reader::new(lines_before, bulk).read(text);
    let mut failed = match read(text) {
        Ok(parsed) => return Ok(parsed),
        Err(failed) => failed,
    };
    // go-yaml takes tabs between brackets, as indented JSON has them; the parser does not.
    let mut spaced = Cow::Borrowed(text);
    for _ in 0..MAX_TABBED {
        let Some(tab) = failed.tab_in_brackets else {
            break;
        };
        spaced = tabs::as_spaces(&spaced, tab).into();
        failed = match read(&spaced) {
            Ok(parsed) => return Ok(parsed),
            Err(failed) => failed,
        };
    }
    Err(failed.problem)
}

/// How many lists and maps between brackets may have tabs before their lines: the document is read
/// anew for each.
const MAX_TABBED: usize = 16;

/// Puts the tree of one document together.
struct Reader {
    lines_before: u32,
    builder: Builder,
    /// How many lists and maps are open that stand between brackets.
    brackets: usize,
    indent: tabs::Indent,
    is_read: bool,
}

/// Why a document cannot be read.
struct Failed {
    problem: Problem,
    /// The byte behind a tab that only the parser minds.
    tab_in_brackets: Option<usize>,
}

impl From<Problem> for Failed {
    fn from(problem: Problem) -> Self {
        Self {
            problem,
            tab_in_brackets: None,
        }
    }
}

impl Reader {
    fn new(lines_before: u32, bulk: Bulk) -> Self {
        Self {
            lines_before,
            builder: Builder::new(bulk),
            brackets: 0,
            indent: tabs::Indent::new(),
            is_read: false,
        }
    }

    fn read(mut self, text: &str) -> Result<Parsed, Failed> {
        let options = options! {
            bom_inside_document_as_content: true,
            block_scalar_eof_without_line_feed: true,
            flow_nesting_limit: MAX_LEVELS,
            block_nesting_limit: MAX_LEVELS,
            emit_comments: false,
        };
        let mut parser = Parser::new_from_str_with_options(text, options);
        while let Some(event) = parser.next_event() {
            let (event, span) = event.map_err(|error| self.failed(&error, text))?;
            self.look_for_tabs(text, &event, span);
            self.take(event, span)?;
        }
        Ok(self
            .builder
            .finish(documents::line_after(self.lines_before)))
    }

    fn look_for_tabs(&mut self, text: &str, event: &Event<'_>, span: Span) {
        let (Some(start), Some(end)) = (span.start.byte_offset(), span.end.byte_offset()) else {
            return;
        };
        let is_next = event.is_node() || *event == Event::StreamEnd;
        if self.brackets == 0
            && is_next
            && let Some(tab) = self.indent.tab(text, start)
        {
            let before = text.get(..tab).unwrap_or_default();
            self.builder.problem(Problem {
                at: documents::line_after(self.lines_before).after(before),
                message: error::sentence(&ErrorKind::TabInIndentation),
            });
        }
        match event {
            Event::Scalar(..) | Event::Alias(_) => self.indent.skip(end),
            Event::SequenceEnd | Event::MappingEnd if self.brackets > 0 => self.indent.skip(end),
            _ => {}
        }
    }

    /// Where something stands in the file.
    fn position(&self, marker: Marker) -> Position {
        let number = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
        Position {
            line: number(marker.line())
                .max(1)
                .saturating_add(self.lines_before),
            column: number(marker.col()).saturating_add(1),
        }
    }

    fn failed(&self, error: &ScanError, text: &str) -> Failed {
        let offset = error.marker().byte_offset();
        let is_tab = *error.kind() == ErrorKind::TabInBlockIndentation;
        let is_between_brackets =
            |offset: &usize| is_tab && (self.brackets > 0 || tabs::follows_bracket(text, *offset));
        Failed {
            problem: Problem {
                at: self.position(*error.marker()),
                message: error::sentence(error.kind()),
            },
            tab_in_brackets: offset.filter(is_between_brackets),
        }
    }

    fn take(&mut self, event: Event<'_>, span: Span) -> Result<(), Problem> {
        let at = self.position(span.start);
        match event {
            Event::Scalar(text, style, anchor, tag) => {
                let scalar = Written {
                    text,
                    style,
                    tag: tag.as_deref(),
                };
                match self.builder.open() {
                    Some(Open::Key) => self.key(at, scalar, anchor),
                    _ => {
                        let value = self.value(at, scalar);
                        self.builder.scalar(at, value, anchor);
                    }
                }
            }
            Event::SequenceStart(style, anchor, _) => {
                self.bracket(style);
                self.builder.list(at, anchor)?;
            }
            Event::MappingStart(style, anchor, _) => {
                self.bracket(style);
                self.builder.map(at, anchor)?;
            }
            Event::SequenceEnd | Event::MappingEnd => {
                self.brackets = self.brackets.saturating_sub(1);
                self.builder.end();
            }
            Event::Alias(anchor) => self.builder.alias(at, anchor)?,
            // Only a line break of old, which ends no line for kubectl, leads to this.
            Event::DocumentStart(..) if self.is_read => {
                return Err(Problem {
                    at,
                    message: "a document begins here that kubectl does not read; end each line \
                              with a line feed"
                        .to_owned(),
                });
            }
            Event::DocumentEnd => self.is_read = true,
            _ => {}
        }
        Ok(())
    }

    fn bracket(&mut self, style: StructureStyle) {
        // Within brackets there is nothing but brackets.
        if style == StructureStyle::Flow || self.brackets > 0 {
            self.brackets += 1;
        }
    }

    /// What a scalar is; where that is a problem, its text.
    fn value<'t>(&mut self, at: Position, scalar: Written<'t, '_>) -> Scalar<'t> {
        let text = scalar.text.clone();
        scalar.value().unwrap_or_else(|message| {
            self.builder.problem(Problem { at, message });
            Scalar::Text(text)
        })
    }

    fn key(&mut self, at: Position, scalar: Written<'_, '_>, anchor: usize) {
        if scalar.is_merge_key() {
            self.builder.merge_key(at);
            return;
        }
        if anchor > 0 {
            let value = self.value(at, scalar.clone());
            self.builder.anchored(at, value, anchor);
        }
        match scalar.key() {
            Ok((key, remark)) => {
                if let Some(message) = remark {
                    self.builder.remark(Remark {
                        at,
                        message,
                        remedy: "put it in quotes",
                    });
                }
                self.builder.key(at, key);
            }
            Err(message) => self.builder.no_key(Problem { at, message }),
        }
    }
}
