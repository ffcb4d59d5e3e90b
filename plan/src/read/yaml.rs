//! YAML as kubectl reads it: a text in documents, a document in nodes.
//!
//! kubectl and the API server read YAML by go-yaml (`sigs.k8s.io/yaml`): the grammar is libyaml's,
//! laxer than the standard's in indentation and tabs, and plain words mean what YAML 1.1 says. The
//! parser underneath has that grammar; the words are in [`scalar`].

mod documents;
mod error;
mod scalar;

pub(super) use documents::{Chunk, Chunks};

use granit_parser::{Event, Parser, ScalarStyle, Span, options};

use super::{
    Bulk, Parsed, Problem,
    builder::{Builder, MAX_LEVELS, Open},
};

/// Reads a document.
pub(super) fn parse(chunk: &Chunk<'_>, bulk: Bulk) -> Result<Parsed, Problem> {
    let options = options! {
        bom_inside_document_as_content: true,
        block_scalar_eof_without_line_feed: true,
        flow_nesting_limit: MAX_LEVELS,
        block_nesting_limit: MAX_LEVELS,
        emit_comments: false,
    };
    let mut parser = Parser::new_from_str_with_options(chunk.text, options);
    let mut builder = Builder::new(bulk);
    while let Some(event) = parser.next_event() {
        let (event, span) = event.map_err(|error| Problem {
            at: chunk.position(*error.marker()),
            message: error::sentence(error.kind()),
        })?;
        take(event, span, chunk, &mut builder)?;
    }
    Ok(builder.finish())
}

fn take(
    event: Event<'_>,
    span: Span,
    chunk: &Chunk<'_>,
    builder: &mut Builder,
) -> Result<(), Problem> {
    let at = chunk.position(span.start);
    match event {
        Event::Scalar(text, style, anchor, tag) => {
            let is_key = builder.open() == Some(Open::Key);
            if is_key && scalar::is_merge_key(&text, style, tag.as_deref()) {
                builder.merge_key(at);
                return Ok(());
            }
            let is_plain = style == ScalarStyle::Plain;
            let written = is_plain.then(|| text.clone());
            let value = match scalar::value(text, style, tag.as_deref()) {
                Ok(value) => value,
                Err(message) => {
                    builder.problem(Problem { at, message });
                    scalar::Scalar::Null
                }
            };
            match written {
                Some(written) if is_key && anchor == 0 => builder.key(at, value, &written),
                _ => builder.scalar(at, value, anchor),
            }
        }
        Event::SequenceStart(_, anchor, _) => builder.list(at, anchor)?,
        Event::MappingStart(_, anchor, _) => builder.map(at, anchor)?,
        Event::SequenceEnd | Event::MappingEnd => builder.end(),
        Event::Alias(anchor) => builder.alias(at, anchor)?,
        _ => {}
    }
    Ok(())
}
