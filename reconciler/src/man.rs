//! `kuma-workload man`: the manual, a page for the program and one for each subcommand.

use std::{
    fs,
    io::{self, Write},
    path::{Path, PathBuf},
    process::ExitCode,
};

use clap::Args;
use clap_mangen::{
    Man,
    roff::{Roff, roman},
};

use crate::version;

/// The flags of `man`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  kuma-workload man | man -l -
  kuma-workload man /usr/local/share/man/man1")]
pub struct ManFlags {
    /// Write all pages into this folder, which is created if it is not there: kuma-workload.1,
    /// kuma-workload-plan.1 and so on. Without it, the page of the program is printed.
    #[arg(value_name = "DIR")]
    folder: Option<PathBuf>,
}

/// Prints the page of a program with this definition, or writes all of its pages. Exit status: 0, or 1 if
/// that cannot be done.
pub fn main(options: &ManFlags, program: clap::Command) -> ExitCode {
    let program = from_a_shell(program);
    let done = match &options.folder {
        Some(folder) => write_all(program, folder),
        None => print(program),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(sentence) => {
            eprintln!("error: {sentence}");
            ExitCode::FAILURE
        }
    }
}

fn print(program: clap::Command) -> Result<(), String> {
    let page = page(program).map(|(_, text)| text);
    page.and_then(|text| io::stdout().write_all(&text))
        .map_err(|error| format!("the page cannot be printed: {error}"))
}

fn write_all(program: clap::Command, folder: &Path) -> Result<(), String> {
    let subcommands: Vec<_> = program.get_subcommands().cloned().collect();
    fs::create_dir_all(folder)
        .map_err(|error| format!("{} cannot be created: {error}", folder.display()))?;
    for command in subcommands.into_iter().chain([program]) {
        page(command)
            .and_then(|(name, text)| fs::write(folder.join(name), text))
            .map_err(|error| format!("no page can be written to {}: {error}", folder.display()))?;
    }
    Ok(())
}

/// A definition, as the program is called from a shell.
fn from_a_shell(program: clap::Command) -> clap::Command {
    // What prints the help has the help as its page.
    let mut program = program
        .disable_help_subcommand(true)
        .version(env!("CARGO_PKG_VERSION"));
    program.build();
    program
}

/// The page of a command, with the name of its file.
fn page(command: clap::Command) -> io::Result<(String, Vec<u8>)> {
    let after = command.get_after_long_help().or(command.get_after_help());
    let after = after.map(ToString::to_string);
    let has_subcommands = command.has_subcommands();
    let name = command.get_display_name().unwrap_or(command.get_name());
    let title = name.to_uppercase();
    let man = Man::new(command)
        .title(title)
        .date(version::day().unwrap_or_default())
        .source(concat!("kuma-workload ", env!("CARGO_PKG_VERSION")))
        .manual("kuma-workload");
    let mut text = Vec::new();
    man.render_title(&mut text)?;
    man.render_name_section(&mut text)?;
    man.render_synopsis_section(&mut text)?;
    man.render_description_section(&mut text)?;
    man.render_options_section(&mut text)?;
    if has_subcommands {
        man.render_subcommands_section(&mut text)?;
    }
    notes(&after.unwrap_or_default()).to_writer(&mut text)?;
    Ok((man.get_filename(), without_idle_breaks(&text)))
}

/// What a help has at its end: examples, the exit status, and other paragraphs.
fn notes(after_help: &str) -> Roff {
    let mut roff = Roff::new();
    for part in after_help.split("\n\n").map(str::trim_end) {
        if let Some(examples) = part.strip_prefix("Examples:\n") {
            roff.control("SH", ["EXAMPLES"]);
            lines(&mut roff, examples);
        } else if let Some(status) = part.strip_prefix("Exit status: ") {
            roff.control("SH", ["EXIT STATUS"]).text([roman(status)]);
        } else if let Some((heading, table)) = part.split_once(":\n  ") {
            roff.control("PP", []).text([roman(format!("{heading}:"))]);
            lines(&mut roff, table);
        } else if !part.is_empty() {
            roff.control("PP", []).text([roman(part)]);
        }
    }
    roff
}

/// Lines that are not joined.
fn lines(roff: &mut Roff, text: &str) {
    roff.control("nf", []);
    for line in text.lines() {
        roff.text([roman(line.trim_start())]);
    }
    roff.control("fi", []);
}

/// Around an empty line clap_mangen also breaks the line, of which mandoc warns.
fn without_idle_breaks(page: &[u8]) -> Vec<u8> {
    let text = String::from_utf8_lossy(page);
    text.replace(".br\n\n.br\n", ".sp\n").into_bytes()
}
