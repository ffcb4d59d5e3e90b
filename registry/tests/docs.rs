//! `docs/registry.md` has every flag and every message of the program, with its exit status, and names
//! what the Makefile names. `KUMA_WORKLOAD_REWRITE=1` rewrites the tables.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "this is a test")]

use std::{collections::BTreeSet, env, fmt::Write as _, fs, path::PathBuf, sync::Mutex};

use clap::CommandFactory;
use kuma_workload_registry::{Action, Error, cli::Command};
use rstest::rstest;

/// Tests run at the same time, and with `KUMA_WORKLOAD_REWRITE=1` each rewrites its part of the file.
static FILE: Mutex<()> = Mutex::new(());

fn root(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("..")
        .join(name)
}

fn text(name: &str) -> String {
    fs::read_to_string(root(name)).unwrap()
}

/// One of each, with placeholders.
fn all() -> Vec<Error> {
    let host = || "HOST".to_owned();
    let file = || PathBuf::from("FILE");
    let config = || PathBuf::from("CONFIG");
    let why = || "REASON".to_owned();
    let detail = why;
    let artifact = || "HOST/REPOSITORY:TAG".to_owned();
    let repository = || "REPOSITORY".to_owned();
    let user = || "USER".to_owned();
    let action = Action::Push;
    vec![
        Error::Unreadable {
            file: file(),
            why: why(),
        },
        Error::NoModule { file: file() },
        Error::BrokenModule {
            file: file(),
            why: why(),
        },
        Error::NoMetadata { file: file() },
        Error::Metadata {
            file: file(),
            why: why(),
        },
        Error::RepositoryMetadata {
            file: file(),
            why: why(),
        },
        Error::Reference {
            reference: "REFERENCE".to_owned(),
            why: why(),
        },
        Error::Unwritable {
            file: file(),
            why: why(),
        },
        Error::Credentials {
            host: host(),
            file: config(),
            why: why(),
        },
        Error::NoClient { why: why() },
        Error::Unreachable {
            host: host(),
            why: why(),
        },
        Error::UnknownHost {
            host: host(),
            why: why(),
        },
        Error::Silent {
            host: host(),
            seconds: 60,
        },
        Error::NoTls { host: host() },
        Error::Certificate {
            host: host(),
            why: why(),
        },
        Error::NoPlainHttp { host: host() },
        Error::BrokenOff {
            host: host(),
            action,
            artifact: artifact(),
        },
        Error::Stopped {
            action,
            artifact: artifact(),
        },
        Error::Anonymous {
            host: host(),
            action,
            repository: repository(),
            file: config(),
        },
        Error::Unauthorized {
            host: host(),
            action,
            repository: repository(),
            user: user(),
            file: config(),
        },
        Error::Forbidden {
            host: host(),
            action,
            repository: repository(),
            user: Some(user()),
            detail: detail(),
        },
        Error::NotThere {
            artifact: artifact(),
            detail: detail(),
        },
        Error::NoRepository {
            host: host(),
            repository: repository(),
            detail: detail(),
        },
        Error::Digest {
            host: host(),
            artifact: artifact(),
            expected: "DIGEST".to_owned(),
            actual: "ANOTHER".to_owned(),
        },
        Error::NoPolicy {
            artifact: artifact(),
            why: why(),
        },
        Error::Refused {
            host: host(),
            action,
            artifact: artifact(),
            status: 429,
            detail: detail(),
        },
        Error::Refused {
            host: host(),
            action,
            artifact: artifact(),
            status: 503,
            detail: detail(),
        },
        Error::Refused {
            host: host(),
            action,
            artifact: artifact(),
            status: 405,
            detail: detail(),
        },
        Error::NoRegistry {
            host: host(),
            why: why(),
        },
    ]
}

/// A number for each kind: who adds one comes here, and then to the list above.
fn number(error: &Error) -> usize {
    match error {
        Error::Unreadable { .. } => 0,
        Error::NoModule { .. } => 1,
        Error::BrokenModule { .. } => 2,
        Error::NoMetadata { .. } => 3,
        Error::Metadata { .. } => 4,
        Error::RepositoryMetadata { .. } => 5,
        Error::Reference { .. } => 6,
        Error::Unwritable { .. } => 7,
        Error::Credentials { .. } => 8,
        Error::NoClient { .. } => 9,
        Error::Unreachable { .. } => 10,
        Error::UnknownHost { .. } => 11,
        Error::Silent { .. } => 12,
        Error::NoTls { .. } => 13,
        Error::Certificate { .. } => 14,
        Error::NoPlainHttp { .. } => 15,
        Error::BrokenOff { .. } => 16,
        Error::Stopped { .. } => 17,
        Error::Anonymous { .. } => 18,
        Error::Unauthorized { .. } => 19,
        Error::Forbidden { .. } => 20,
        Error::NotThere { .. } => 21,
        Error::NoRepository { .. } => 22,
        Error::Digest { .. } => 23,
        Error::NoPolicy { .. } => 24,
        Error::Refused { .. } => 25,
        Error::NoRegistry { .. } => 26,
    }
}

fn messages() -> String {
    let mut table = "| status | message |\n|---|---|\n".to_owned();
    for error in all() {
        writeln!(table, "| {} | {error} |", error.exit_status()).unwrap();
    }
    table
}

fn flags() -> String {
    let mut command = Command::command();
    command.build();
    let mut table = "| flag | of | default | meaning |\n|---|---|---|---|\n".to_owned();
    let mut rows: Vec<(String, Vec<String>)> = Vec::new();
    for subcommand in command.get_subcommands() {
        for argument in subcommand.get_arguments() {
            let Some(long) = argument.get_long().filter(|long| *long != "help") else {
                continue;
            };
            let short = argument.get_short().map(|short| format!("`-{short}`, "));
            let default = argument.get_default_values().first();
            let default = default.map(|value| format!("`{}`", value.to_str().unwrap()));
            let help = argument.get_help().unwrap();
            let row = format!(
                "| {}`--{long}` | OF | {} | {help}. |",
                short.unwrap_or_default(),
                // What is on or off has none worth telling.
                default
                    .filter(|value| value != "`false`")
                    .unwrap_or_default()
            );
            let name = format!("`{}`", subcommand.get_name());
            match rows.iter_mut().find(|(same, _)| *same == row) {
                Some((_, of)) => of.push(name),
                None => rows.push((row, vec![name])),
            }
        }
    }
    for (row, of) in rows {
        writeln!(table, "{}", row.replace("OF", &of.join(", "))).unwrap();
    }
    table
}

#[rstest]
#[case::flags("flags", flags())]
#[case::messages("messages", messages())]
fn the_table_is_the_program_s(#[case] name: &str, #[case] table: String) {
    let _locked = FILE.lock();
    let document = text("docs/registry.md");
    let begin = format!("<!-- {name} -->\n");
    let start = document.find(&begin).expect("the table's mark") + begin.len();
    let end = start
        + document[start..]
            .find("<!-- end -->")
            .expect("the table's end");
    if env::var_os("KUMA_WORKLOAD_REWRITE").is_some() {
        let rewritten = format!("{}{table}{}", &document[..start], &document[end..]);
        fs::write(root("docs/registry.md"), rewritten).unwrap();
        return;
    }
    assert_eq!(&document[start..end], table);
}

#[test]
fn every_message_is_in_the_list() {
    let numbers: BTreeSet<_> = all().iter().map(number).collect();
    assert_eq!(numbers, (0..=26).collect());
}

/// One sentence: no line ends, no full stop, no JSON, and not two of them.
#[test]
fn each_message_is_one_sentence() {
    for error in all() {
        let message = error.to_string();
        assert!(!message.contains(['\n', '{', '}']), "{message}");
        assert!(
            !message.contains(". ") && !message.ends_with('.'),
            "{message}"
        );
        assert!(!message.contains("  "), "{message}");
    }
}

/// Where the policy is published stands once in the Makefile, and metadata and examples agree.
#[test]
fn the_place_is_that_of_the_metadata() {
    let makefile = text("Makefile");
    let value = |name: &str| {
        let mut lines = makefile.lines();
        lines
            .find_map(|line| line.strip_prefix(&format!("{name} ?= ")))
            .unwrap()
    };
    let place = value("REFERENCE").replace("$(REGISTRY)", value("REGISTRY"));
    let place = place.strip_suffix(":$(TAG)").unwrap();
    assert!(text("policy-metadata.yml").contains(&format!("ociUrl: {place}\n")));
    assert!(text("docs/registry.md").contains(&format!("`{place}`")));
    let policy = text("examples/policies/pods.yaml");
    let version = env!("CARGO_PKG_VERSION");
    assert!(policy.contains(&format!("module: registry://{place}:v{version}\n")));
}

#[rstest]
#[case("push")]
#[case("pull")]
#[case("push-metadata")]
fn the_make_target_is_there_and_told(#[case] target: &str) {
    assert!(text("Makefile").contains(&format!("\n{target}:")));
    assert!(text("docs/registry.md").contains(&format!("$ make {target} ")));
}
