//! `kuma-workload man`: a page for the program and one for each subcommand, with all of their flags.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::{
    fs,
    io::{self, Write as _},
    process::{Command, Output},
};

use clap::CommandFactory as _;
use kuma_workload::cli;
use tempfile::TempDir;

fn man(arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_kuma-workload"));
    command.arg("man").args(arguments).output().unwrap()
}

/// All pages, in a folder that is created for them.
fn pages() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let output = man(&[folder.path().join("share/man1").to_str().unwrap()]);
    assert!(output.status.success(), "{output:?}");
    assert!(output.stdout.is_empty(), "{output:?}");
    folder
}

/// A page as it is read, without roff's escapes.
fn page(folder: &TempDir, name: &str) -> String {
    let path = folder.path().join("share/man1").join(name);
    let text = fs::read_to_string(&path).unwrap();
    let mut text = text.replace("\\-", "-");
    for font in ["\\fB", "\\fI", "\\fR"] {
        text = text.replace(font, "");
    }
    text
}

#[test]
fn every_subcommand_has_its_page_and_every_flag_is_in_it() {
    let folder = pages();
    let mut program = cli::Command::command().disable_help_subcommand(true);
    program.build();
    let main = page(&folder, "kuma-workload.1");
    let mut names = vec!["kuma-workload.1".to_owned()];
    for command in program.get_subcommands() {
        let name = format!("kuma-workload-{}", command.get_name());
        assert!(main.contains(&format!("{name}(1)")), "{main}");
        let text = page(&folder, &format!("{name}.1"));
        for argument in command.get_arguments() {
            let flag = argument.get_long().map(|long| format!("--{long}"));
            let value = || format!("<{}>", argument.get_value_names().unwrap()[0]);
            let word = flag.unwrap_or_else(value);
            let word = word.trim_matches(['<', '>']);
            assert!(text.contains(word), "{word} is not in {text}");
        }
        assert!(text.contains(".SH EXAMPLES\n.nf\n"), "{text}");
        names.push(format!("{name}.1"));
    }
    let entries = fs::read_dir(folder.path().join("share/man1")).unwrap();
    let mut found: Vec<_> = entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    found.sort();
    names.sort();
    assert_eq!(found, names);
}

#[test]
fn without_a_folder_the_programs_page_is_printed() {
    let folder = pages();
    let path = folder.path().join("share/man1/kuma-workload.1");
    let output = man(&[]);
    assert!(output.status.success(), "{output:?}");
    assert_eq!(output.stdout, fs::read(path).unwrap());
}

#[test]
fn a_folder_that_cannot_be_written_is_told() {
    let output = man(&["/dev/null/man1"]);
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(
        String::from_utf8(output.stderr).unwrap(),
        "error: /dev/null/man1 cannot be created: Not a directory (os error 20)\n"
    );
}

#[test]
fn mandoc_finds_nothing() {
    let folder = pages();
    let entries = fs::read_dir(folder.path().join("share/man1")).unwrap();
    let paths = entries.map(|entry| entry.unwrap().path());
    let mut command = Command::new("mandoc");
    command.args(["-T", "lint", "-W", "warning"]).args(paths);
    match command.output() {
        Ok(output) => assert!(
            output.status.success() && output.stdout.is_empty(),
            "{output:?}"
        ),
        // Past what the harness captures, so that it is seen.
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            writeln!(io::stderr(), "skipped: mandoc is not installed").unwrap();
        }
        Err(error) => panic!("mandoc: {error}"),
    }
}
