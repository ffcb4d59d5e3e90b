//! Bad input on a terminal: the sentence, and the line that it is about.

use std::{
    fs,
    io::{self, Write},
};

use miette::{
    Diagnostic, GraphicalReportHandler, GraphicalTheme, LabeledSpan, MietteError,
    MietteSpanContents, SourceCode, SourceSpan, SpanContents,
};

use kuma_workload_plan::{
    output::Style,
    read::{Fault, STDIN},
};

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
    for fault in faults {
        let mut text = String::new();
        let drawn = Shown::of(fault).map(|shown| handler.render_report(&mut text, &shown));
        match drawn {
            Some(Ok(())) => write!(to, "{text}")?,
            _ => writeln!(to, "{fault}")?,
        }
    }
    Ok(())
}

#[derive(Debug, thiserror::Error)]
#[error("{sentence}")]
struct Shown {
    sentence: String,
    line: Line,
    at: usize,
}

impl Shown {
    fn of(fault: &Fault) -> Option<Self> {
        let place = &fault.place;
        let number = place.at.line.checked_sub(1)? as usize;
        if &*place.file == STDIN {
            return None;
        }
        let text = fs::read_to_string(&*place.file).ok()?;
        let text = text.lines().nth(number)?.to_owned();
        let column = place.at.column.saturating_sub(1) as usize;
        let at = text.char_indices().nth(column).map(|(at, _)| at);
        Some(Self {
            sentence: fault.message.clone(),
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
