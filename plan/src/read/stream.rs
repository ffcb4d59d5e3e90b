//! The documents of a text, one after the other: JSON or YAML, whichever it is.

use std::sync::Arc;

use super::{
    fault::{Fault, Problem},
    json::Values,
    parsed::{Bulk, Parsed},
    template,
    tree::Position,
    yaml::{self, Chunk, Chunks},
};

/// Of so many JSON values kubectl believes that it is JSON that follows.
const SURELY_JSON: usize = 2;

/// Reads a text as kubectl does: as JSON if it begins with a bracket, and as YAML from where that
/// does not go on.
#[derive(Debug)]
pub(super) struct Stream<'t> {
    file: Arc<str>,
    bulk: Bulk,
    form: Form<'t>,
    /// A template has been told of: of one file it is told once.
    is_template: bool,
}

/// A document of it.
#[derive(Debug)]
pub(super) struct Step<'t> {
    /// The part of the text that it was read from.
    pub(super) text: &'t str,
    /// What came of it; nothing if that was said of the file before.
    pub(super) result: Option<Result<Parsed, Problem>>,
    /// It looks like JSON, and is read as YAML since it is none.
    pub(super) is_doubtful: bool,
}

#[derive(Debug)]
enum Form<'t> {
    Json {
        values: Values<'t>,
        read: usize,
    },
    /// With what was wrong with it as JSON, if it looks like that.
    Yaml(Chunks<'t>, Option<Problem>),
    Ended,
}

impl<'t> Stream<'t> {
    pub(super) fn new(file: Arc<str>, text: &'t str, bulk: Bulk) -> Self {
        let form = match text.trim_start().starts_with(['{', '[']) {
            true => Form::Json {
                values: Values::new(text, Position::START, bulk),
                read: 0,
            },
            false => Form::Yaml(Chunks::new(text, 0), None),
        };
        Self {
            file,
            bulk,
            form,
            is_template: false,
        }
    }

    /// A document, or what is wrong with it; none if that was said of the file before.
    fn document(
        &mut self,
        chunk: Chunk<'_>,
        as_json: Option<Problem>,
    ) -> Option<Result<Parsed, Problem>> {
        let parse = |text: &str| yaml::parse(text, chunk.lines_before, self.bulk);
        let result = parse(chunk.text);
        if let Some(problem) = template::problem(chunk.text, chunk.start(), &result, parse) {
            let is_told = std::mem::replace(&mut self.is_template, true);
            return (!is_told).then_some(Err(problem));
        }
        Some(match (result, as_json) {
            (Err(_), Some(as_json)) => Err(as_json),
            (Ok(mut parsed), _) => {
                parsed.remarks.extend(chunk.remarks);
                parsed.remarks.sort();
                Ok(parsed)
            }
            (failed, _) => failed,
        })
    }
}

impl<'t> Stream<'t> {
    /// The next document, and where it stands.
    pub(super) fn step(&mut self) -> Option<Step<'t>> {
        let step = |text, result, is_doubtful| {
            Some(Step {
                text,
                result,
                is_doubtful,
            })
        };
        loop {
            match &mut self.form {
                Form::Json { values, read } => {
                    let (rest, at) = values.rest();
                    match values.next()? {
                        Ok(parsed) => {
                            *read += 1;
                            let length = rest.len() - values.rest().0.len();
                            let text = rest.get(..length).unwrap_or_default();
                            return step(text, Some(Ok(parsed)), false);
                        }
                        Err(problem) => {
                            let is_surely_json = *read >= SURELY_JSON;
                            let looks_like_json = values.has_begun();
                            self.form = match yaml_from(rest, at) {
                                Some(chunks) if !is_surely_json => {
                                    Form::Yaml(chunks, Some(problem).filter(|_| looks_like_json))
                                }
                                _ => {
                                    self.form = Form::Ended;
                                    return step(rest, Some(Err(problem)), false);
                                }
                            };
                        }
                    }
                }
                Form::Yaml(chunks, as_json) => {
                    let (chunk, as_json) = (chunks.next()?, as_json.take());
                    let (text, is_doubtful) = (chunk.text, as_json.is_some());
                    let result = self.document(chunk, as_json);
                    return step(text, result, is_doubtful);
                }
                Form::Ended => return None,
            }
        }
    }
}

impl Iterator for Stream<'_> {
    type Item = Result<Parsed, Fault>;

    fn next(&mut self) -> Option<Self::Item> {
        let result = loop {
            if let Some(result) = self.step()?.result {
                break result;
            }
        };
        Some(result.map_err(|problem| problem.in_file(&self.file)))
    }
}

/// The documents of what follows a JSON value, if that begins on a line of its own.
fn yaml_from(rest: &str, at: Position) -> Option<Chunks<'_>> {
    if at.column == 1 {
        return Some(Chunks::new(rest, at.line - 1));
    }
    let (line, lines) = rest.split_once('\n').unwrap_or((rest, ""));
    let line = line.trim();
    (line.is_empty() || line.starts_with('#')).then(|| Chunks::new(lines, at.line))
}
