//! Text in columns, fitted to a width.
//!
//! A [`Table`] that is wider than it may be gives way in three steps: its cells wrap at spaces; where
//! their words are still too wide, columns are left out in the order that the table states; at last,
//! words are broken. Without a width nothing is wrapped, left out or broken; a cell that is wider than
//! any column may be stands out of it.

use std::{
    fmt::{self, Write as _},
    io::{self, Write},
    iter,
};

use kuma_workload_rulebook::quoted::printable;
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use super::style::{Colour, Style};

/// Spaces between columns.
const GAP: usize = 2;
/// No column gets wider than this where there is no width to fit: each row is padded to it, and one
/// cell of a megabyte must not make ten thousand rows as long.
const WIDEST: usize = 200;
/// No column gets narrower than this, however narrow the terminal.
const NARROWEST: usize = 6;

/// A column of a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Column {
    title: &'static str,
    /// The first to be left out has the smallest number; none stays whatever the width.
    left_out: Option<u8>,
}

impl Column {
    /// A column that always stays.
    pub const fn new(title: &'static str) -> Self {
        let left_out = None;
        Self { title, left_out }
    }

    /// A column that is left out where space is short, those with smaller numbers before it.
    pub const fn optional(title: &'static str, order: u8) -> Self {
        let left_out = Some(order);
        Self { title, left_out }
    }
}

/// What stands in a row under a column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cell {
    text: String,
    colour: Option<Colour>,
}

impl Cell {
    /// A text. Control characters, which could move a terminal's cursor, are replaced.
    pub fn new(text: impl Into<String>) -> Self {
        Self::coloured(text, None)
    }

    /// A text in a colour.
    pub fn coloured(text: impl Into<String>, colour: Option<Colour>) -> Self {
        let text = printable(&text.into());
        Self { text, colour }
    }
}

/// Rows of cells under a header.
#[derive(Debug, Clone)]
pub struct Table {
    columns: Vec<Column>,
    rows: Vec<Vec<Cell>>,
}

impl Table {
    /// A table without rows.
    pub fn new(columns: impl IntoIterator<Item = Column>) -> Self {
        Self {
            columns: columns.into_iter().collect(),
            rows: Vec::new(),
        }
    }

    /// Adds a row: a cell for each column.
    pub fn add(&mut self, row: impl IntoIterator<Item = Cell>) {
        self.rows.push(row.into_iter().collect());
    }

    /// Whether there is no row.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// How it fits a width; without one, each column is as wide as its widest cell.
    pub fn layout(&self, width: Option<usize>) -> Layout {
        let mut needs: Vec<_> = self
            .columns
            .iter()
            .map(|column| Need::of(column.title))
            .collect();
        for row in &self.rows {
            for (need, cell) in needs.iter_mut().zip(row) {
                need.take(&cell.text);
            }
        }
        let Some(width) = width else {
            let widths = needs.iter().map(|need| Some(need.whole.min(WIDEST)));
            return Layout {
                widths: widths.collect(),
                wraps: false,
            };
        };
        let mut kept: Vec<_> = needs.into_iter().map(Some).collect();
        loop {
            let needs: Vec<_> = kept.iter().flatten().copied().collect();
            let space = width.saturating_sub(GAP * needs.len().saturating_sub(1));
            let shared = match shared(&needs, space) {
                Some(widths) => widths,
                None => {
                    if let Some(column) = self.next_to_go(&kept) {
                        kept[column] = None;
                        continue;
                    }
                    broken(&needs, space)
                }
            };
            let mut shared = shared.into_iter();
            let widths = kept.iter().map(|need| need.and_then(|_| shared.next()));
            return Layout {
                widths: widths.collect(),
                wraps: true,
            };
        }
    }

    fn next_to_go(&self, kept: &[Option<Need>]) -> Option<usize> {
        let optional = self.columns.iter().enumerate();
        optional
            .filter(|(index, _)| kept[*index].is_some())
            .filter_map(|(index, column)| Some((column.left_out?, index)))
            .min()
            .map(|(_, index)| index)
    }

    /// The titles of the columns that this layout leaves out.
    pub fn left_out(&self, layout: &Layout) -> Vec<&'static str> {
        let columns = self.columns.iter().zip(&layout.widths);
        columns
            .filter(|(_, width)| width.is_none())
            .map(|(column, _)| column.title)
            .collect()
    }

    /// Writes the header.
    ///
    /// # Errors
    ///
    /// What the writer has against it.
    pub fn write_header(&self, layout: &Layout, to: &mut impl Write) -> io::Result<()> {
        let titles = self.columns.iter().map(|column| (column.title, None));
        layout.write(titles, Style::default(), to)
    }

    /// Writes the rows.
    ///
    /// # Errors
    ///
    /// What the writer has against it.
    pub fn write_rows(&self, layout: &Layout, style: Style, to: &mut impl Write) -> io::Result<()> {
        self.rows.iter().try_for_each(|row| {
            let cells = row.iter().map(|cell| (&*cell.text, cell.colour));
            layout.write(cells, style, to)
        })
    }
}

/// What a column would like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Need {
    /// The width of its widest cell.
    whole: usize,
    /// The width of its widest word.
    word: usize,
}

impl Need {
    fn of(title: &str) -> Self {
        let (whole, word) = (0, 0);
        let mut need = Self { whole, word };
        need.take(title);
        need
    }

    fn take(&mut self, text: &str) {
        let width = text.width();
        self.whole = self.whole.max(width);
        // No word is wider than its text, so most texts need no second look.
        if width > self.word {
            let words = text.split(' ').map(UnicodeWidthStr::width);
            self.word = self.word.max(words.max().unwrap_or_default());
        }
    }
}

/// The widths of columns in this space without breaking a word, if that is possible.
fn shared(needs: &[Need], space: usize) -> Option<Vec<usize>> {
    let words: usize = needs.iter().map(|need| need.word).sum();
    (words <= space).then(|| levelled(needs, space))
}

/// The widths of columns in this space where words are broken.
fn broken(needs: &[Need], space: usize) -> Vec<usize> {
    let needs: Vec<_> = needs
        .iter()
        .map(|need| Need {
            word: need.word.min(NARROWEST),
            ..*need
        })
        .collect();
    levelled(&needs, space)
}

/// The widest columns give way first: none is wider than a common level but for its words, and the
/// level is as high as the space allows.
fn levelled(needs: &[Need], space: usize) -> Vec<usize> {
    let at = |level: usize| {
        let widths = needs
            .iter()
            .map(move |need| need.whole.min(level).max(need.word));
        widths.collect::<Vec<_>>()
    };
    let total = |level| at(level).iter().sum::<usize>();
    let (mut low, mut high) = (
        0,
        needs
            .iter()
            .map(|need| need.whole)
            .max()
            .unwrap_or_default(),
    );
    while low < high {
        let middle = high - (high - low) / 2;
        if total(middle) <= space {
            low = middle;
        } else {
            high = middle - 1;
        }
    }
    let mut widths = at(low);
    let mut rest = space.saturating_sub(widths.iter().sum());
    for (width, need) in widths.iter_mut().zip(needs) {
        if rest > 0 && *width == low && need.whole > low {
            *width += 1;
            rest -= 1;
        }
    }
    widths
}

/// Which columns are shown, and how wide they are.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Layout {
    /// None of a column that is left out.
    widths: Vec<Option<usize>>,
    /// Whether what is wider than its column goes on in the next line.
    wraps: bool,
}

impl Layout {
    /// No column narrower than in another layout of the same table, so that rows that are written
    /// later stand below those that were written then.
    #[must_use]
    pub fn at_least(mut self, other: &Self) -> Self {
        for (width, other) in self.widths.iter_mut().zip(&other.widths) {
            *width = (*width).max(*other);
        }
        self
    }

    fn write<'c>(
        &self,
        cells: impl Iterator<Item = (&'c str, Option<Colour>)>,
        style: Style,
        to: &mut impl Write,
    ) -> io::Result<()> {
        let shown = cells
            .zip(&self.widths)
            .filter_map(|((text, colour), width)| {
                let width = (*width)?;
                let lines = match self.wraps {
                    true => wrapped(text, width),
                    false => vec![text],
                };
                Some((lines, colour, width))
            });
        let cells: Vec<_> = shown.collect();
        let height = cells.iter().map(|(lines, ..)| lines.len()).max();
        for line in 0..height.unwrap_or_default() {
            // Spaces are owed until something stands behind them.
            let mut owed = 0;
            for (lines, colour, width) in &cells {
                let text = lines.get(line).copied().unwrap_or_default();
                if !text.is_empty() {
                    write!(to, "{}{}", Spaces(owed), style.painted(text, *colour))?;
                    owed = 0;
                }
                owed += width.saturating_sub(text.width()) + GAP;
            }
            writeln!(to)?;
        }
        Ok(())
    }
}

/// So many spaces. (A width in a format, `{:width$}`, panics beyond 65,535.)
struct Spaces(usize);

impl fmt::Display for Spaces {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (0..self.0).try_for_each(|_| f.write_char(' '))
    }
}

/// Writes a text at an indent, wrapped at spaces where there is a width; `first` stands before its
/// first line.
///
/// # Errors
///
/// What the writer has against it.
pub fn write_paragraph(
    first: &str,
    text: &str,
    style: Style,
    to: &mut impl Write,
) -> io::Result<()> {
    let indent = first.width();
    let lines = match style.width {
        Some(width) => wrapped(text, width.saturating_sub(indent).max(NARROWEST)),
        None => vec![text],
    };
    let starts = iter::once(first).chain(iter::repeat(""));
    lines.into_iter().zip(starts).try_for_each(|(line, start)| {
        let missing = indent.saturating_sub(start.width());
        writeln!(to, "{start}{}{line}", Spaces(missing))
    })
}

/// The lines of a text, none wider than this: as many words in each as fit. A word that is wider
/// than a line is broken.
fn wrapped(text: &str, width: usize) -> Vec<&str> {
    if text.width() <= width {
        return vec![text];
    }
    let mut lines = Vec::new();
    // The line under way: where it begins and ends in the text, and its width.
    let (mut start, mut end, mut used) = (0, 0, 0);
    let mut next = 0;
    for word in text.split(' ') {
        let at = next;
        next += word.len() + 1;
        if word.is_empty() {
            continue;
        }
        // Spaces between words are kept within a line, and dropped at its end.
        let spaces = at - end;
        if used + spaces + word.width() <= width {
            used += spaces;
        } else {
            if end > start {
                lines.push(&text[start..end]);
            }
            (start, used) = (at, 0);
        }
        let mut rest = word;
        while let Some(point) = breaking_point(rest, width) {
            lines.push(&rest[..point]);
            rest = &rest[point..];
            start += point;
        }
        used += rest.width();
        end = at + word.len();
    }
    lines.push(&text[start..end]);
    lines
}

/// Where a word that is wider than a line is broken: behind its last sign that separates parts of a
/// name and fits, or else where the line is full. At least one character stays.
fn breaking_point(word: &str, width: usize) -> Option<usize> {
    let mut used = 0;
    let mut between = None;
    for (at, character) in word.char_indices() {
        used += character.width().unwrap_or_default();
        if used > width && at > 0 {
            return between.or(Some(at));
        }
        if matches!(character, '-' | '.' | '/' | ':' | ',' | ';' | '=' | '_') {
            between = Some(at + character.len_utf8());
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rstest::rstest;

    #[rstest]
    #[case::fits("a bc", 4, &["a bc"])]
    #[case::at_spaces("one two three", 7, &["one two", "three"])]
    #[case::spaces_within_a_line_stay("a  b c", 4, &["a  b", "c"])]
    #[case::spaces_at_its_end_go("a b   c", 3, &["a b", "c"])]
    #[case::a_long_word_breaks_behind_a_hyphen("web-7f4b8c-xk2vp", 12, &["web-7f4b8c-", "xk2vp"])]
    #[case::or_where_the_line_is_full("abcdefgh", 3, &["abc", "def", "gh"])]
    #[case::after_words("to abcdefgh it", 5, &["to", "abcde", "fgh", "it"])]
    #[case::wide_characters("日本語 日本", 6, &["日本語", "日本"])]
    #[case::marks_stay_with_their_letter("e\u{301}e\u{301}e\u{301}", 2, &["e\u{301}e\u{301}", "e\u{301}"])]
    #[case::nothing("", 3, &[""])]
    fn lines(#[case] text: &str, #[case] width: usize, #[case] expected: &[&str]) {
        assert_eq!(wrapped(text, width), expected);
    }

    proptest! {
        #[test]
        fn lines_fit_and_lose_nothing_but_spaces(
            text in "([a-zäß語-]{0,12} {0,2}){0,8}",
            width in 2_usize..20,
        ) {
            let lines = wrapped(&text, width);
            for line in &lines {
                prop_assert!(line.width() <= width, "{line:?}");
            }
            let kept = |text: &str| text.replace(' ', "");
            prop_assert_eq!(kept(&lines.concat()), kept(&text));
        }
    }

    fn table() -> Table {
        let mut table = Table::new([
            Column::new("NAME"),
            Column::optional("FROM", 2),
            Column::optional("KIND", 1),
            Column::new("WHY"),
        ]);
        let why = Cell::coloured("its namespace injects", Some(Colour::Red));
        table.add([
            Cell::new("cart"),
            Cell::new("label"),
            Cell::new("Deployment"),
            why,
        ]);
        let why = Cell::new("a\tb");
        table.add([Cell::new("till-1"), Cell::new("-"), Cell::new("Pod"), why]);
        table
    }

    fn drawn(table: &Table, width: Option<usize>, colours: bool) -> String {
        let style = Style {
            width,
            colours,
            ..Style::default()
        };
        let layout = table.layout(width);
        let mut out = Vec::new();
        table.write_header(&layout, &mut out).unwrap();
        table.write_rows(&layout, style, &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[rstest]
    #[case::in_a_pipe(None)]
    #[case::on_a_terminal(Some(100_000))]
    fn one_cell_of_any_length_makes_no_other_row_as_long(#[case] width: Option<usize>) {
        let mut table = table();
        let long = "x".repeat(90_000);
        table.add([&*long, "-", "Pod", "long"].map(Cell::new));
        table.add(["short", "-", "Pod", "short"].map(Cell::new));
        let drawn = drawn(&table, width, false);
        assert!(drawn.contains(&long));
        if width.is_none() {
            let others = drawn.lines().filter(|line| !line.contains(&long));
            assert!(others.map(str::len).max() < Some(300));
        }
    }

    #[rstest]
    #[case::no_width(
        None,
        "\
NAME    FROM   KIND        WHY
cart    label  Deployment  its namespace injects
till-1  -      Pod         a\u{fffd}b
"
    )]
    #[case::wide_enough(
        Some(48),
        "\
NAME    FROM   KIND        WHY
cart    label  Deployment  its namespace injects
till-1  -      Pod         a\u{fffd}b
"
    )]
    #[case::wraps_at_spaces(
        Some(40),
        "\
NAME    FROM   KIND        WHY
cart    label  Deployment  its namespace
                           injects
till-1  -      Pod         a\u{fffd}b
"
    )]
    #[case::leaves_out_the_first(
        Some(34),
        "\
NAME    FROM   WHY
cart    label  its namespace
               injects
till-1  -      a\u{fffd}b
"
    )]
    #[case::leaves_out_the_second(
        Some(20),
        "\
NAME    WHY
cart    its
        namespace
        injects
till-1  a\u{fffd}b
"
    )]
    #[case::breaks_words(
        Some(16),
        "\
NAME    WHY
cart    its
        namespac
        e
        injects
till-1  a\u{fffd}b
"
    )]
    fn a_table_gives_way_in_three_steps(#[case] width: Option<usize>, #[case] expected: &str) {
        assert_eq!(drawn(&table(), width, false), expected);
    }

    #[test]
    fn what_is_left_out_is_told() {
        let table = table();
        let titles = |width| table.left_out(&table.layout(Some(width)));
        assert_eq!(titles(40), Vec::<&str>::new());
        assert_eq!(titles(34), ["KIND"]);
        assert_eq!(titles(20), ["FROM", "KIND"]);
    }

    #[test]
    fn colours_change_no_width() {
        let coloured = drawn(&table(), Some(40), true);
        assert!(
            coloured.contains("\u{1b}[31mits namespace\u{1b}[0m\n"),
            "{coloured}"
        );
        let plain = coloured.replace("\u{1b}[31m", "").replace("\u{1b}[0m", "");
        assert_eq!(plain, drawn(&table(), Some(40), false));
    }

    #[test]
    fn later_rows_stand_below_earlier_ones() {
        let first = table().layout(None);
        let mut second = Table::new([Column::new("A"), Column::new("B")]);
        second.add([Cell::new("x"), Cell::new("y")]);
        assert_eq!(
            second.layout(None).at_least(&first).widths,
            [Some(6), Some(5)]
        );
    }

    #[test]
    fn a_paragraph_keeps_its_indent() {
        let mut out = Vec::new();
        let style = Style {
            width: Some(16),
            ..Style::default()
        };
        write_paragraph("  -> ", "move it to another", style, &mut out).unwrap();
        assert_eq!(
            String::from_utf8(out).unwrap(),
            "  -> move it to\n     another\n"
        );
    }
}
