//! `kuma-workload completion`: each shell reads its script, and bash completes by it.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::{
    io::{self, Write as _},
    process::{Command, Output, Stdio},
};

use clap::CommandFactory as _;
use kuma_workload::cli;
use rstest::rstest;

const PROGRAM: &str = env!("CARGO_BIN_EXE_kuma-workload");

fn script(shell: &str) -> String {
    let output = Command::new(PROGRAM).args(["completion", shell]).output();
    let output = output.unwrap();
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap()
}

/// What a program makes of this text on its standard input; nothing where it is not installed.
fn fed(program: &str, arguments: &[&str], text: &str) -> Option<Output> {
    let mut command = Command::new(program);
    command.args(arguments).env("PROGRAM", PROGRAM);
    let (stdout, stderr) = (Stdio::piped(), Stdio::piped());
    let child = command.stdin(Stdio::piped()).stdout(stdout).stderr(stderr);
    let mut child = match child.spawn() {
        Ok(child) => child,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return None,
        Err(error) => panic!("{program}: {error}"),
    };
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(text.as_bytes()).unwrap();
    drop(stdin);
    Some(child.wait_with_output().unwrap())
}

#[rstest]
#[case::bash("bash", &["-n"])]
#[case::zsh("zsh", &["-n"])]
#[case::fish("fish", &["--no-execute"])]
#[case::elvish("elvish", &["-compileonly", "/dev/stdin"])]
#[case::powershell("pwsh", &["-NoProfile", "-Command", "[ScriptBlock]::Create(($input | Out-String)) > $null"])]
fn the_shell_accepts_its_script(#[case] program: &str, #[case] arguments: &[&str]) {
    let shell = program.replace("pwsh", "powershell");
    match fed(program, arguments, &script(&shell)) {
        Some(output) => assert!(
            output.status.success() && output.stderr.is_empty(),
            "{output:?}"
        ),
        // Past what the harness captures, so that it is seen.
        None => writeln!(io::stderr(), "skipped: {program} is not installed").unwrap(),
    }
}

#[rstest]
#[case::subcommand("kuma-workload stat", "status")]
#[case::flag("kuma-workload plan --fail", "--fail-on")]
#[case::value("kuma-workload plan -o sar", "sarif")]
#[case::shell("kuma-workload completion fi", "fish")]
#[case::nothing("kuma-workload crds --fail", "")]
fn bash_completes(#[case] line: &str, #[case] expected: &str) {
    // As readline does: it calls the function that the script has registered.
    let bash = format!(
        r#"
        set -euo pipefail
        source <("$PROGRAM" completion bash)
        [[ $(complete -p kuma-workload) =~ -F\ ([^ ]+) ]]
        COMP_LINE='{line}' COMP_POINT={point} COMP_WORDS=({line}) COMP_CWORD={last}
        "${{BASH_REMATCH[1]}}" kuma-workload "${{COMP_WORDS[-1]}}" "${{COMP_WORDS[-2]}}" || true # where nothing fits
        echo "${{COMPREPLY[*]}}"
        "#,
        point = line.len(),
        last = line.split(' ').count() - 1,
    );
    let output = fed("bash", &["--norc"], &bash).unwrap();
    assert!(output.status.success(), "{output:?}");
    assert_eq!(
        String::from_utf8(output.stdout).unwrap().trim_end(),
        expected
    );
}

#[rstest]
fn every_subcommand_and_flag_is_in_it(
    #[values("bash", "zsh", "fish", "elvish", "powershell")] shell: &str,
) {
    let script = script(shell);
    let has = |word: &str| {
        script
            .split(|c: char| !(c.is_alphanumeric() || "-_".contains(c)))
            .any(|found| found == word)
    };
    let mut program = cli::Command::command();
    program.build();
    for command in program.get_subcommands() {
        assert!(has(command.get_name()), "{}", command.get_name());
        for long in command.get_arguments().filter_map(clap::Arg::get_long) {
            let is_there = match shell {
                "fish" => script.contains(&format!("-l {long} ")),
                _ => has(&format!("--{long}")),
            };
            assert!(is_there, "{} --{long}", command.get_name());
        }
    }
}
