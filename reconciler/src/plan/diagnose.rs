//! Bad input on a terminal: the sentence, and the line that it is about.

use std::{
    fmt::Display,
    fs,
    io::{self, Write},
};

use miette::{Diagnostic, GraphicalReportHandler, GraphicalTheme, LabeledSpan, NamedSource};

use super::input::{Fault, STDIN};

/// Writes each fault with its line. The standard input is gone by now; what was read there is told
/// without.
pub(super) fn write(faults: &[Fault], colours: bool, to: &mut impl Write) -> io::Result<()> {
    let theme = match colours {
        true => GraphicalTheme::unicode(),
        false => GraphicalTheme::unicode_nocolor(),
    };
    // No other line is shown: it may be a secret's.
    let handler = GraphicalReportHandler::new_themed(theme).with_context_lines(0);
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
    source_code: NamedSource<String>,
    at: usize,
}

impl Shown {
    fn of(fault: &Fault) -> Option<Self> {
        let place = &fault.place;
        if place.at.line == 0 || &*place.file == STDIN {
            return None;
        }
        let text = fs::read_to_string(&*place.file).ok()?;
        let before = text.split_inclusive('\n').take(place.at.line as usize - 1);
        let line: usize = before.map(str::len).sum();
        let rest = text.get(line..)?;
        let column = rest
            .char_indices()
            .nth(place.at.column.saturating_sub(1) as usize);
        Some(Self {
            sentence: fault.sentence.clone(),
            at: line + column.map_or(0, |(at, _)| at),
            source_code: NamedSource::new(&*place.file, text),
        })
    }
}

impl Diagnostic for Shown {
    fn source_code(&self) -> Option<&dyn miette::SourceCode> {
        Some(&self.source_code)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        let here = LabeledSpan::new(Some("here".to_owned()), self.at, 1);
        Some(Box::new(std::iter::once(here)))
    }

    fn help<'a>(&'a self) -> Option<Box<dyn Display + 'a>> {
        None
    }
}
