//! Bad input on a terminal: the sentence, and the line that it is about.

use std::{
    fs,
    io::{self, Write},
    slice,
    sync::Arc,
};

use miette::{
    Diagnostic, GraphicalReportHandler, GraphicalTheme, LabeledSpan, MietteError,
    MietteSpanContents, SourceCode, SourceSpan, SpanContents,
};

use kuma_workload_plan::{
    output::{self, Style},
    read::{Fault, STDIN},
};
use kuma_workload_rulebook::quoted::{is_visible, printable};

/// Writes each fault with its line. The standard input is gone by now; what was read there is told
/// without.
pub(super) fn write(faults: &[Fault], style: Style, to: &mut impl Write) -> io::Result<()> {
    let theme = match style.colours {
        true => GraphicalTheme::unicode(),
        false => GraphicalTheme::unicode_nocolor(),
    };
    let mut handler = GraphicalReportHandler::new_themed(theme);
    if let Some(width) = style.width {
        handler = handler.with_width(width);
    }
    let mut lines = Lines::default();
    for fault in faults {
        let mut text = String::new();
        let shown = Shown::of(fault, &mut lines);
        let drawn = shown.map(|shown| handler.render_report(&mut text, &shown));
        match drawn {
            Some(Ok(())) => write!(to, "{text}")?,
            _ => output::faults(slice::from_ref(fault), to)?,
        }
    }
    Ok(())
}

/// A line that is longer than this, in bytes, is not shown: it fills more than a screen.
const LONGEST: usize = 4_000;

/// The lines of the file that was read last: the faults of a file follow each other, and it is read once
/// for all of them.
#[derive(Debug, Default)]
struct Lines {
    file: Arc<str>,
    lines: Vec<String>,
}

impl Lines {
    /// A line of a file, counted from 0, with nothing in it that a terminal obeys or nobody sees.
    fn get(&mut self, file: &Arc<str>, number: usize) -> Option<String> {
        if self.file != *file {
            let text = fs::read_to_string(&**file).unwrap_or_default();
            self.lines = text.lines().map(str::to_owned).collect();
            self.file = file.clone();
        }
        let line = self.lines.get(number)?;
        let is_hidden = |character: char| !is_visible(character) && character != '\t';
        (line.len() <= LONGEST).then(|| line.replace(is_hidden, "\u{fffd}"))
    }
}

#[derive(Debug, thiserror::Error)]
#[error("{sentence}")]
struct Shown {
    sentence: String,
    line: Line,
    at: usize,
}

impl Shown {
    fn of(fault: &Fault, lines: &mut Lines) -> Option<Self> {
        let place = &fault.place;
        let number = place.at.line.checked_sub(1)? as usize;
        if &*place.file == STDIN {
            return None;
        }
        let text = lines.get(&place.file, number)?;
        let column = place.at.column.saturating_sub(1) as usize;
        let at = text.char_indices().nth(column).map(|(at, _)| at);
        Some(Self {
            sentence: printable(&fault.message),
            at: at.unwrap_or(text.len()),
            line: Line {
                file: place.file.to_string(),
                number,
                text,
            },
        })
    }
}

impl Diagnostic for Shown {
    fn source_code(&self) -> Option<&dyn SourceCode> {
        Some(&self.line)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        let here = LabeledSpan::new(Some("here".to_owned()), self.at, 1);
        Some(Box::new(std::iter::once(here)))
    }
}

/// One line of a file, and no other: that may be a secret's.
#[derive(Debug)]
struct Line {
    file: String,
    /// From 0.
    number: usize,
    text: String,
}

impl SourceCode for Line {
    fn read_span<'a>(
        &'a self,
        span: &SourceSpan,
        before: usize,
        after: usize,
    ) -> Result<Box<dyn SpanContents<'a> + 'a>, MietteError> {
        let read = self.text.read_span(span, before, after)?;
        Ok(Box::new(MietteSpanContents::new_named(
            self.file.clone(),
            read.data(),
            *read.span(),
            self.number,
            read.column(),
            1,
        )))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use kuma_workload_plan::read::{Place, tree::Position};

    #[test]
    fn of_a_line_nothing_is_obeyed_and_a_long_one_is_not_shown() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let long = "x".repeat(LONGEST + 1);
        fs::write(file.path(), format!("a: \u{1b}[31m\tred\n{long}\n")).unwrap();
        let fault = |line| Fault {
            place: Place {
                file: file.path().to_str().unwrap().into(),
                at: Position { line, column: 1 },
            },
            message: "it is wrong".to_owned(),
        };
        let mut out = Vec::new();
        write(&[fault(1), fault(2)], Style::default(), &mut out).unwrap();
        let out = String::from_utf8(out).unwrap();
        assert!(out.contains("a: \u{fffd}[31m"), "{out}");
        assert!(!out.contains('\u{1b}') && !out.contains("xx"), "{out}");
        assert!(out.ends_with(":2:1: it is wrong\n"), "{out}");
    }

    #[test]
    fn a_fault_is_shown_with_its_line_and_no_other() {
        let file = tempfile::NamedTempFile::new().unwrap();
        fs::write(file.path(), "password: hidden\nname: [ä]\nother: hidden\n").unwrap();
        let fault = Fault {
            place: Place {
                file: file.path().to_str().unwrap().into(),
                at: Position { line: 2, column: 7 },
            },
            message: "name must be a string, not a list".to_owned(),
        };
        let elsewhere = Fault::of_file("gone.yml", "it cannot be read: it is gone");
        let mut out = Vec::new();
        write(&[fault, elsewhere], Style::default(), &mut out).unwrap();
        let out = String::from_utf8(out).unwrap();
        assert!(out.contains("name must be a string, not a list"), "{out}");
        assert!(out.contains("2 │ name: [ä]"), "{out}");
        assert!(out.contains(":2:7]"), "{out}");
        assert!(!out.contains("hidden") && !out.contains('\u{1b}'), "{out}");
        assert!(
            out.ends_with("gone.yml: it cannot be read: it is gone\n"),
            "{out}"
        );
    }
}
