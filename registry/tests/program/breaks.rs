//! Connections that are not there, end too early, or stay silent.

use std::{
    io::{self, Read, Write},
    net::TcpListener,
    process::{Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use rstest::rstest;

use crate::{
    desk::Desk,
    memory::{Registry, instead},
    policy,
    server::{Answer, Reply},
};

#[rstest]
#[case::before_anything("", "/", Reply::Close)]
#[case::at_the_first_upload("POST", "/uploads/", Reply::Close)]
#[case::in_the_middle_of_the_layer("PATCH", "/uploads/", Reply::Close)]
#[case::at_the_end_of_the_layer("PUT", "/uploads/", Reply::Close)]
#[case::at_the_manifest("PUT", "/manifests/", Reply::Close)]
fn a_push_breaks_off(
    #[case] method: &'static str,
    #[case] part: &'static str,
    #[case] reply: Reply,
) {
    let registry = Registry::with(instead(method, part, reply));
    let desk = Desk::new()
        .with("p.wasm", policy::annotated())
        .with("large.wasm", policy::large());
    let place = format!("{}/p:v1", registry.host());
    // Of a large one, half is on its way then.
    let file = if method == "PATCH" {
        "large.wasm"
    } else {
        "p.wasm"
    };
    let said = desk.run(&["push", file, &place]);
    assert_eq!(
        said.sentence(1, registry.host()),
        "the connection to HOST broke off during the push of HOST/p:v1; push it again"
    );
    assert!(registry.memory.lock().unwrap().manifests.is_empty());
}

#[rstest]
#[case::before_anything("", "/", Reply::Close)]
#[case::at_the_manifest("GET", "/manifests/", Reply::Close)]
#[case::in_the_middle_of_the_manifest(
    "GET", "/manifests/", Reply::Half(Answer::new(200).body(r#"{"schemaVersion":2}"#))
)]
#[case::at_the_layer("GET", "/blobs/", Reply::Close)]
#[case::in_the_middle_of_the_layer(
    "GET", "/blobs/", Reply::Half(Answer::new(200).body(policy::annotated()))
)]
fn a_pull_breaks_off(
    #[case] method: &'static str,
    #[case] part: &'static str,
    #[case] reply: Reply,
) {
    let registry = Registry::with(instead(method, part, reply));
    registry.holds(&policy::annotated());
    let desk = Desk::new().with("old.wasm", "old");
    let place = format!("{}/p:v1", registry.host());
    for file in ["old.wasm", "new.wasm"] {
        let said = desk.run(&["pull", &place, "-o", file]);
        assert_eq!(
            said.sentence(1, registry.host()),
            "the connection to HOST broke off during the pull of HOST/p:v1; pull it again"
        );
    }
    assert_eq!(desk.read("old.wasm"), b"old");
    assert_eq!(desk.files(), ["old.wasm"]);
}

#[rstest]
#[case::at_the_manifest("GET", "/manifests/", Reply::Silence)]
#[case::at_the_layer("GET", "/blobs/", Reply::Silence)]
fn a_silent_registry(
    #[case] method: &'static str,
    #[case] part: &'static str,
    #[case] reply: Reply,
) {
    let registry = Registry::with(instead(method, part, reply));
    registry.holds(&policy::annotated());
    let desk = Desk::new();
    let place = format!("{}/p:v1", registry.host());
    let since = Instant::now();
    let said = desk.run(&["pull", "--timeout", "1", &place, "-o", "new.wasm"]);
    assert_eq!(
        said.sentence(1, registry.host()),
        "HOST did not answer within 1 s; try again, or give it longer with --timeout"
    );
    assert!(since.elapsed().as_secs() < 30);
    assert_eq!(desk.files(), [""; 0]);
}

/// As Ctrl-C and `kill` do it.
#[rstest]
#[case::interrupted("-INT")]
#[case::terminated("-TERM")]
fn a_signal_leaves_nothing_behind(#[case] signal: &str) {
    let registry = Registry::with(instead("GET", "/blobs/", Reply::Silence));
    registry.holds(&policy::annotated());
    let desk = Desk::new().with("old.wasm", "old");
    let place = format!("{}/p:v1", registry.host());
    let mut command = desk.command(&["pull", &place, "-o", "old.wasm"]);
    let running = command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let running = running.spawn().unwrap();
    while !registry
        .server
        .asked()
        .iter()
        .any(|one| one.is("GET", "/blobs/"))
    {
        thread::sleep(Duration::from_millis(10));
    }
    let kill = Command::new("kill")
        .arg(signal)
        .arg(running.id().to_string())
        .status();
    assert!(kill.unwrap().success());
    let output = running.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(
        String::from_utf8(output.stderr)
            .unwrap()
            .replace(registry.host(), "HOST"),
        "error: the pull of HOST/p:v1 was stopped by a signal; pull it again\n"
    );
    assert_eq!(desk.read("old.wasm"), b"old");
    assert_eq!(desk.files(), ["old.wasm"]);
}

#[rstest]
#[case::push(&["push", "p.wasm", "HOST/p:v1"])]
#[case::pull(&["pull", "HOST/p:v1", "-o", "new.wasm"])]
fn nobody_is_there(#[case] arguments: &[&str]) {
    // A port that was just free.
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let host = listener.local_addr().unwrap().to_string();
    drop(listener);
    let desk = Desk::new().with("p.wasm", policy::annotated());
    let arguments: Vec<_> = arguments
        .iter()
        .map(|one| one.replace("HOST", &host))
        .collect();
    let arguments: Vec<_> = arguments.iter().map(String::as_str).collect();
    assert_eq!(
        desk.run(&arguments).sentence(1, &host),
        "HOST cannot be reached: Connection refused; is it the right host and port, and is it up?"
    );
    assert_eq!(desk.files(), ["p.wasm"]);
}

#[test]
fn a_name_that_is_none() {
    let desk = Desk::new();
    let said = desk.run(&["pull", "registry.invalid/p:v1", "-o", "new.wasm"]);
    let sentence = said.sentence(1, "registry.invalid");
    // What comes between is the resolver's.
    assert!(sentence.starts_with("HOST cannot be found: "), "{sentence}");
    assert!(sentence.ends_with("; is the name right?"), "{sentence}");
}

#[test]
fn another_protocol() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let host = listener.local_addr().unwrap().to_string();
    thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let _ = stream.read(&mut [0; 4096]);
            let _ = stream.write_all(b"SSH-2.0-OpenSSH_9.2\r\n");
            // Until the other side hangs up.
            let _ = io::copy(&mut stream, &mut io::sink());
        }
    });
    let said = Desk::new().run(&["pull", &format!("{host}/p:v1"), "-o", "new.wasm"]);
    assert_eq!(
        said.sentence(1, &host),
        "HOST does not speak plain HTTP, which is spoken to this machine itself and with --plain-http; \
         name the registry by the host of its certificate, without that flag"
    );
}
