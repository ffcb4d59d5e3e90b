//! What works.

use std::{
    fs,
    os::unix::fs::{PermissionsExt, symlink},
    sync::{Arc, Mutex},
};

use kuma_workload_registry::artifact::digest;
use rstest::rstest;

use crate::{
    desk::{Desk, said},
    memory::{Memory, Registry, handler},
    policy,
    server::{Answer, Reply, Request, Server},
};

#[rstest]
#[case::bare("")]
#[case::as_kubewarden_writes_it("registry://")]
#[case::as_helm_writes_it("oci://")]
fn is_pulled_as_it_was_pushed(#[case] scheme: &str) {
    let registry = Registry::start();
    let desk = Desk::new().with("p.wasm", policy::annotated());
    let place = format!("{scheme}{}/kuma/p:v1", registry.host());
    let pushed = desk.run(&["push", "p.wasm", &place]).line();
    // By tag, and by what was printed.
    for (reference, file) in [(&place, "tag.wasm"), (&pushed, "digest.wasm")] {
        let pulled = desk.run(&["pull", reference, "-o", file]).line();
        assert_eq!(pulled, pushed);
        assert_eq!(desk.read(file), policy::annotated());
    }
    assert_eq!(desk.files(), ["digest.wasm", "p.wasm", "tag.wasm"]);
}

#[test]
fn a_policy_without_annotations_has_none_in_its_manifest() {
    let registry = Registry::start();
    let desk = Desk::new().with("p.wasm", policy::with_metadata("{}"));
    desk.run(&["push", "p.wasm", &format!("{}/p:v1", registry.host())])
        .line();
    let memory = registry.memory.lock().unwrap();
    let manifest: serde_json::Value = serde_json::from_slice(&memory.manifests["v1"]).unwrap();
    assert_eq!(manifest.get("annotations"), None);
}

#[test]
fn an_ip_v6_loopback_is_one() {
    let memory = Arc::new(Mutex::new(Memory::default()));
    let Ok(server) = Server::at("[::1]", handler(&memory, |_: &Request| None)) else {
        eprintln!("left out: this machine has no IPv6");
        return;
    };
    let desk = Desk::new().with("p.wasm", policy::annotated());
    let pushed = desk
        .run(&["push", "p.wasm", &format!("{}/p:v1", server.host)])
        .line();
    desk.run(&["pull", &pushed, "-o", "pulled.wasm"]).line();
    assert_eq!(desk.read("pulled.wasm"), policy::annotated());
}

/// A token for each request, as ghcr.io and Docker Hub do it.
#[rstest]
#[case::with_credentials(true)]
#[case::without(false)]
fn a_registry_with_tokens(#[case] logged_in: bool) {
    fn tokens(request: &Request) -> Option<Reply> {
        let host = request.header("host").unwrap();
        if request.path.starts_with("/token") {
            let token = match request.header("authorization") {
                Some("Basic YWRhOnNlY3JldA==") => "for-ada",
                _ => "for-all",
            };
            let body = format!(r#"{{"token":"{token}"}}"#);
            return Some(Answer::new(200).body(body).into());
        }
        let may = match request.header("authorization") {
            Some("Bearer for-ada") => true,
            Some("Bearer for-all") => request.method == "GET",
            _ => false,
        };
        let realm = format!(r#"Bearer realm="http://{host}/token",service="registry""#);
        let refusal = Answer::new(401).header("WWW-Authenticate", realm);
        (!may).then(|| refusal.into())
    }
    let registry = Registry::with(tokens);
    let desk = Desk::new().with("p.wasm", policy::annotated());
    let desk = match logged_in {
        true => desk.logged_in(registry.host(), "ada", "secret"),
        false => desk,
    };
    registry.holds(&policy::annotated());
    let place = format!("{}/kuma/p:v1", registry.host());
    desk.run(&["pull", &place, "-o", "pulled.wasm"]).line();
    let pushed = desk.run(&["push", "p.wasm", &place]);
    if logged_in {
        pushed.line();
        let asked = registry.server.asked();
        assert!(asked.iter().any(|one| one.path.contains("pull%2Cpush")));
    } else {
        assert_eq!(
            pushed.sentence(1, registry.host()),
            "HOST wants to know who asks, to push to kuma/p, and DESK/docker/config.json has no \
             credentials for it; run `docker login HOST`, or name another folder in DOCKER_CONFIG"
        );
    }
}

/// Storage that is elsewhere: credentials are not carried there.
#[test]
fn a_blob_behind_a_redirect() {
    let storage = Server::start(|_| Answer::new(200).body(policy::annotated()).into());
    let memory = Arc::new(Mutex::new(Memory::default()));
    let elsewhere = format!(
        "http://localhost:{}/blob",
        storage.host.rsplit_once(':').unwrap().1
    );
    let mut own = handler(&memory, |_: &Request| None);
    let server = Server::start(move |request| match request.path.contains("/blobs/") {
        true => Answer::new(307).header("Location", &elsewhere).into(),
        false => own(request),
    });
    let registry = Registry { server, memory };
    registry.holds(&policy::annotated());
    let desk = Desk::new().logged_in(registry.host(), "ada", "secret");
    let place = format!("{}/p:v1", registry.host());
    desk.run(&["pull", &place, "-o", "pulled.wasm"]).line();
    assert_eq!(desk.read("pulled.wasm"), policy::annotated());
    assert_eq!(storage.asked()[0].header("authorization"), None);
}

/// What is for this machine itself goes through no proxy; the rest does.
#[rstest]
#[case::this_machine("127.0.0.1", false)]
#[case::another("192.0.2.1", true)]
fn a_proxy(#[case] ip: &str, #[case] is_asked: bool) {
    let registry = Registry::start();
    let proxy = Registry::start();
    registry.holds(&policy::annotated());
    proxy.holds(&policy::annotated());
    let desk = Desk::new();
    let place = format!("{}/p:v1", registry.host().replace("127.0.0.1", ip));
    let mut command = desk.command(&["pull", "--plain-http", &place, "-o", "pulled.wasm"]);
    command.env("HTTP_PROXY", format!("http://{}", proxy.host()));
    said(&mut command, &desk.path("")).line();
    assert_eq!(proxy.server.asked().is_empty(), !is_asked);
    assert_eq!(registry.server.asked().is_empty(), is_asked);
}

/// The file is a new one of the umask's rights; a link stays a link.
#[test]
fn the_file_is_replaced_as_a_whole() {
    let registry = Registry::start();
    registry.holds(&policy::annotated());
    let desk = Desk::new().with("old.wasm", "old").with("plain", "");
    symlink("old.wasm", desk.path("link.wasm")).unwrap();
    let place = format!("{}/p:v1", registry.host());
    desk.run(&["pull", &place, "-o", "link.wasm"]).line();
    assert_eq!(desk.read("old.wasm"), policy::annotated());
    assert!(
        fs::symlink_metadata(desk.path("link.wasm"))
            .unwrap()
            .is_symlink()
    );
    let mode = |name| fs::metadata(desk.path(name)).unwrap().permissions().mode();
    assert_eq!(mode("old.wasm"), mode("plain"));
    assert_eq!(desk.files(), ["link.wasm", "old.wasm", "plain"]);
}

#[test]
fn where_tag_and_digest_are_named_the_digest_counts() {
    let registry = Registry::start();
    let manifest = registry.holds(&policy::annotated());
    registry
        .memory
        .lock()
        .unwrap()
        .manifests
        .insert("v1".to_owned(), b"other".to_vec());
    let place = format!("{}/p:v1@{}", registry.host(), digest(manifest.as_bytes()));
    let desk = Desk::new();
    desk.run(&["pull", &place, "-o", "pulled.wasm"]).line();
    assert_eq!(desk.read("pulled.wasm"), policy::annotated());
}
