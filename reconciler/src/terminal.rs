//! What text is written to: a terminal, which has a width and colours, or a pipe.

use std::{env, ffi::OsString, io::IsTerminal, os::fd::AsFd};

use clap::{Args, ValueEnum};
use kuma_workload_plan::output::Style;

/// A terminal that does not tell its width has this many columns.
const WIDTH: usize = 80;

/// How text for people is laid out.
#[derive(Debug, Clone, Copy, Default, Args)]
pub(crate) struct Terminal {
    /// When there are colours.
    #[arg(long, value_name = "WHEN", value_enum, default_value_t)]
    color: Colours,
}

/// When there are colours.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
enum Colours {
    /// On a terminal, unless NO_COLOR is set or TERM is dumb; with CLICOLOR_FORCE, in a pipe too
    #[default]
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}

impl Terminal {
    /// The style of text for this stream. COLUMNS, if it is set, is the width of terminals and pipes
    /// alike; else a pipe has none.
    pub(crate) fn style(self, stream: &(impl IsTerminal + AsFd)) -> Style {
        let size = || terminal_size::terminal_size_of(stream);
        let columns = || size().map_or(WIDTH, |(columns, _)| usize::from(columns.0));
        let terminal = stream.is_terminal().then(columns);
        self.style_of(terminal, |name| env::var_os(name))
    }

    /// `terminal` is the width of the terminal, if it is one.
    fn style_of(
        self,
        terminal: Option<usize>,
        variable: impl Fn(&str) -> Option<OsString>,
    ) -> Style {
        let given = variable("COLUMNS").and_then(|columns| columns.to_str()?.parse().ok());
        let width = given.filter(|columns| *columns > 0).or(terminal);
        let is_set = |name| variable(name).is_some_and(|value| !value.is_empty());
        let is = |name, other: &str| variable(name).is_some_and(|value| value == other);
        let colours = match self.color {
            Colours::Always => true,
            Colours::Never => false,
            Colours::Auto if is_set("NO_COLOR") => false,
            Colours::Auto if is_set("CLICOLOR_FORCE") && !is("CLICOLOR_FORCE", "0") => true,
            Colours::Auto => terminal.is_some() && !is("CLICOLOR", "0") && !is("TERM", "dumb"),
        };
        Style {
            width,
            colours,
            ..Style::default()
        }
    }
}

/// Whether what is on the stream can be drawn anew.
pub(crate) fn can_redraw(stream: &impl IsTerminal) -> bool {
    stream.is_terminal() && env::var_os("TERM").is_none_or(|name| name != "dumb")
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    const TERMINAL: Option<usize> = Some(100);
    const PIPE: Option<usize> = None;

    #[rstest]
    #[case::terminal(TERMINAL, "", Colours::Auto, Some(100), true)]
    #[case::pipe(PIPE, "", Colours::Auto, None, false)]
    #[case::dumb(TERMINAL, "TERM=dumb", Colours::Auto, Some(100), false)]
    #[case::no_color(TERMINAL, "NO_COLOR=1", Colours::Auto, Some(100), false)]
    #[case::no_color_that_is_empty(TERMINAL, "NO_COLOR=", Colours::Auto, Some(100), true)]
    #[case::clicolor_off(TERMINAL, "CLICOLOR=0", Colours::Auto, Some(100), false)]
    #[case::forced(PIPE, "CLICOLOR_FORCE=1", Colours::Auto, None, true)]
    #[case::not_forced(PIPE, "CLICOLOR_FORCE=0", Colours::Auto, None, false)]
    #[case::no_color_wins(PIPE, "CLICOLOR_FORCE=1 NO_COLOR=1", Colours::Auto, None, false)]
    #[case::the_flag_wins(PIPE, "NO_COLOR=1 TERM=dumb", Colours::Always, None, true)]
    #[case::the_flag_wins_here_too(TERMINAL, "CLICOLOR_FORCE=1", Colours::Never, Some(100), false)]
    #[case::columns(TERMINAL, "COLUMNS=60", Colours::Never, Some(60), false)]
    #[case::columns_of_a_pipe(PIPE, "COLUMNS=60", Colours::Auto, Some(60), false)]
    #[case::columns_that_are_none(PIPE, "COLUMNS=0", Colours::Auto, None, false)]
    #[case::columns_that_are_no_number(TERMINAL, "COLUMNS=x", Colours::Never, Some(100), false)]
    fn width_and_colours(
        #[case] terminal: Option<usize>,
        #[case] variables: &str,
        #[case] color: Colours,
        #[case] width: Option<usize>,
        #[case] colours: bool,
    ) {
        let variable = |name: &str| {
            let mut set = variables.split(' ').filter_map(|set| set.split_once('='));
            set.find(|(key, _)| *key == name)
                .map(|(_, value)| value.into())
        };
        let style = Terminal { color }.style_of(terminal, variable);
        assert_eq!((style.width, style.colours), (width, colours));
    }
}
