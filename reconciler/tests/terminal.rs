//! `kuma-workload plan` on a terminal: util-linux's `script` is one.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::{
    fs,
    process::{Command, Stdio},
};

use rstest::rstest;

const PROGRAM: &str = env!("CARGO_BIN_EXE_kuma-workload");
const EXAMPLES: &str = "plan examples/plan/kubernetes examples/plan/universal";

/// What a terminal of 80 columns shows of it, and its exit status. `variables` are all that are set.
fn on_a_terminal(arguments: &str, variables: &[(&str, &str)]) -> (String, i32) {
    let output = Command::new("script")
        .args(["-q", "-e", "-c"])
        .arg(format!("stty rows 24 cols 80; exec {PROGRAM} {arguments}"))
        .arg("/dev/null")
        .current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap())
        .env("SHELL", "/bin/sh")
        .envs(variables.iter().copied())
        .stdin(Stdio::null())
        .output()
        .expect("script (of util-linux) is installed");
    let text = String::from_utf8(output.stdout).unwrap();
    (text.replace("\r\n", "\n"), output.status.code().unwrap())
}

const XTERM: &[(&str, &str)] = &[("TERM", "xterm-256color")];

/// The text without colours, which must be all that it has of a terminal's codes.
fn without_colours(text: &str) -> String {
    let mut parts = text.split("\u{1b}[");
    let mut plain = parts.next().unwrap().to_owned();
    for part in parts {
        let (code, rest) = part.split_once('m').unwrap();
        assert!(code.bytes().all(|byte| byte.is_ascii_digit()), "{code:?}");
        plain.push_str(rest);
    }
    plain
}

fn widest(text: &str) -> usize {
    let widths = text.lines().map(|line| line.chars().count());
    widths.max().unwrap()
}

#[test]
fn tables_fit_80_columns_and_have_colours() {
    let (text, status) = on_a_terminal(EXAMPLES, XTERM);
    assert!(text.contains("\u{1b}[31merror\u{1b}[0m conflict"), "{text}");
    assert!(text.contains("\u{1b}[1mNAMESPACES\u{1b}[0m"), "{text}");
    let plain = without_colours(&text);
    assert!(widest(&plain) <= 80, "{plain}");
    assert!(
        plain.contains("PODS (-o wide shows KIND, FROM too)"),
        "{plain}"
    );
    assert_eq!(status, 1);
}

#[rstest]
#[case::dumb(&[("TERM", "dumb")], "")]
#[case::no_color(&[("TERM", "xterm"), ("NO_COLOR", "1")], "")]
#[case::flag(XTERM, " --color never")]
fn no_colours(#[case] variables: &[(&str, &str)], #[case] flag: &str) {
    let (text, _) = on_a_terminal(&format!("{EXAMPLES}{flag}"), variables);
    assert!(!text.contains('\u{1b}'), "{text}");
    assert!(widest(&text) <= 80 && text.contains("NAMESPACES"), "{text}");
}

#[test]
fn wide_does_not_care() {
    let (text, _) = on_a_terminal(&format!("{EXAMPLES} -o wide"), XTERM);
    let plain = without_colours(&text);
    let header = plain.lines().find(|line| line.contains("SPIFFE ID"));
    assert!(header.unwrap().ends_with("  AT"), "{plain}");
    assert!(widest(&plain) > 160, "{plain}");
}

#[rstest]
#[case::narrower("60", 60)]
#[case::wider("300", 300)]
fn columns_decides(#[case] columns: &str, #[case] width: usize) {
    let variables = [("TERM", "dumb"), ("COLUMNS", columns)];
    let (text, _) = on_a_terminal(EXAMPLES, &variables);
    let section = text.split("FINDINGS").next().unwrap();
    assert!(widest(section) <= width, "{text}");
    assert_eq!(text.contains("(-o wide shows "), width < 80, "{text}");
}

#[test]
fn bad_input_is_shown_with_its_line() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("pod.yaml");
    fs::write(&file, "apiVersion: v1\nkind: Pod\nmetadata: {name: [a]}\n").unwrap();
    let (text, status) = on_a_terminal(&format!("plan {}", file.display()), &[("TERM", "dumb")]);
    assert!(text.contains("metadata: {name: [a]}"), "{text}");
    assert!(!text.contains('\u{1b}'), "{text}");
    let last = text.lines().last().unwrap();
    assert!(last.starts_with("1 fault: "), "{text}");
    assert_eq!(status, 2);
}

#[test]
fn a_bar_of_many_files_leaves_nothing_behind() {
    let folder = tempfile::tempdir().unwrap();
    for number in 0..600 {
        let pod = format!("apiVersion: v1\nkind: Pod\nmetadata: {{name: p{number}}}\n");
        fs::write(folder.path().join(format!("{number}.yaml")), pod).unwrap();
    }
    let arguments = format!("plan {} -o json", folder.path().display());
    let (text, _) = on_a_terminal(&arguments, &[("TERM", "dumb")]);
    let report: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(report["summary"]["objects"], 600);
}
