//! What a registry refuses, and what it answers that it should not: one sentence each.

use kuma_workload_registry::artifact::digest;
use rstest::rstest;

use crate::{
    desk::Desk,
    memory::{Registry, instead},
    policy,
    server::Answer,
};

fn envelope(status: u16, code: &str, message: &str) -> Answer {
    let body =
        format!(r#"{{"errors":[{{"code":"{code}","message":"{message}","detail":{{"a":1}}}}]}}"#);
    Answer::new(status)
        .header("Content-Type", "application/json")
        .body(body)
}

#[rstest]
#[case::nobody(
    None,
    "POST", "/uploads/", envelope(401, "UNAUTHORIZED", "authentication required").header("WWW-Authenticate", "Basic realm=r"),
    "HOST wants to know who asks, to push to kuma/p, and DESK/docker/config.json has no credentials \
     for it; run `docker login HOST`, or name another folder in DOCKER_CONFIG",
)]
#[case::a_wrong_password(
    Some("ada"),
    "POST", "/uploads/", envelope(401, "UNAUTHORIZED", "authentication required").header("WWW-Authenticate", "Basic realm=r"),
    "HOST does not take the credentials of ada from DESK/docker/config.json, to push to kuma/p; run \
     `docker login HOST` again",
)]
#[case::forbidden(
    Some("ada"),
    "POST",
    "/uploads/",
    envelope(403, "DENIED", "permission_denied: write_package"),
    "HOST does not let ada push to kuma/p (permission_denied: write_package); ask who owns it for that \
     right"
)]
#[case::forbidden_to_nobody(
    None,
    "POST", "/uploads/", Answer::new(403).body("<html>Forbidden</html>"),
    "HOST does not let a user without credentials push to kuma/p; ask who owns it for that right",
)]
#[case::no_such_repository(
    None,
    "POST",
    "/uploads/",
    envelope(404, "NAME_UNKNOWN", "repository name not known to registry"),
    "HOST has no repository kuma/p to push to (repository name not known to registry); make it there \
     first, if the registry makes none by itself"
)]
#[case::too_many_requests(
    None,
    "POST",
    "/uploads/",
    envelope(429, "TOOMANYREQUESTS", "slow down"),
    "HOST answered 429 (slow down) to the push of HOST/kuma/p:v1; it had too many requests: wait, then \
     try again"
)]
#[case::broken(
    None,
    "POST", "/uploads/", Answer::new(500).body(r#"{"error":"x","trace":["y"]}"#),
    "HOST answered 500 to the push of HOST/kuma/p:v1; try again later, or tell who runs the registry",
)]
#[case::no_backend(
    None,
    "POST", "/uploads/", Answer::new(503).body("no healthy upstream\n"),
    "HOST answered 503 (no healthy upstream) to the push of HOST/kuma/p:v1; try again later, or tell \
     who runs the registry",
)]
#[case::a_web_server(
    None,
    "POST", "/uploads/", Answer::new(405).body("<html>Not allowed</html>"),
    "HOST answered 405 to the push of HOST/kuma/p:v1; is it the right host and repository?",
)]
#[case::one_that_wants_tls(
    None,
    "POST", "/uploads/", Answer::new(400).body("Client sent an HTTP request to an HTTPS server.\n"),
    "HOST does not speak plain HTTP, which is spoken to this machine itself and with --plain-http; name \
     the registry by the host of its certificate, without that flag",
)]
#[case::no_place_to_upload(
    None,
    "POST",
    "/uploads/",
    Answer::new(202),
    "HOST does not answer as a registry does: it does not say where to upload; is it the right host and \
     port?"
)]
#[case::a_place_that_is_none(
    None,
    "POST", "/uploads/", Answer::new(202).header("Location", "nowhere"),
    "HOST does not answer as a registry does: it does not say where to upload; is it the right host and \
     port?",
)]
#[case::a_manifest_that_it_does_not_take(
    None,
    "PUT",
    "/manifests/",
    envelope(400, "MANIFEST_INVALID", "manifest invalid"),
    "HOST answered 400 (manifest invalid) to the push of HOST/kuma/p:v1; is it the right host and \
     repository?"
)]
#[case::another_digest(
    None,
    "PUT", "/manifests/", Answer::new(201).header("Location", format!("/v2/kuma/p/manifests/{}", digest(b"other"))),
    "what HOST has of HOST/kuma/p:v1 is not what its digest says: \
     sha256:d9298a10d1b0735837dc4bd85dac641b0f3cef27a47e5d53a54f2f3f5b2fcffa instead of \
     sha256:00affce83c2b65ce0e581e242c752726f278b9b6942da2220e76431615ed909c; do not use it, and tell who runs \
     the registry",
)]
fn a_push_is_refused(
    #[case] user: Option<&str>,
    #[case] method: &'static str,
    #[case] part: &'static str,
    #[case] answer: Answer,
    #[case] expected: &str,
) {
    let registry = Registry::with(instead(method, part, answer));
    let desk = Desk::new().with("p.wasm", policy::annotated());
    let desk = match user {
        Some(user) => desk.logged_in(registry.host(), user, "secret"),
        None => desk,
    };
    let place = format!("{}/kuma/p:v1", registry.host());
    let said = desk.run(&["push", "p.wasm", &place]);
    assert_eq!(said.sentence(1, registry.host()), expected);
    // Nothing is tagged, and nothing left behind.
    assert!(registry.memory.lock().unwrap().manifests.is_empty());
    assert_eq!(desk.files(), ["p.wasm"]);
}

#[rstest]
#[case::nobody(
    "", "/", Answer::new(401).header("WWW-Authenticate", "Basic realm=r"),
    "HOST wants to know who asks, to pull from kuma/p, and DESK/docker/config.json has no credentials \
     for it; run `docker login HOST`, or name another folder in DOCKER_CONFIG",
)]
#[case::forbidden(
    "GET",
    "/manifests/",
    envelope(403, "DENIED", "not yours"),
    "HOST does not let a user without credentials pull from kuma/p (not yours); ask who owns it for \
     that right"
)]
#[case::forbidden_without_a_word(
    "GET",
    "/manifests/",
    Answer::new(403),
    "HOST does not let a user without credentials pull from kuma/p; ask who owns it for that right"
)]
#[case::no_such_tag(
    "GET",
    "/manifests/",
    envelope(404, "MANIFEST_UNKNOWN", "manifest unknown"),
    "there is no HOST/kuma/p:v1 (manifest unknown); is it the right repository, and the right tag or \
     digest?"
)]
#[case::a_web_server_s_404(
    "GET", "/manifests/", Answer::new(404).body("<html>Not found</html>"),
    "there is no HOST/kuma/p:v1; is it the right repository, and the right tag or digest?",
)]
#[case::no_such_blob(
    "GET",
    "/blobs/",
    envelope(404, "BLOB_UNKNOWN", "blob unknown to registry"),
    "there is no HOST/kuma/p:v1 (blob unknown to registry); is it the right repository, and the right \
     tag or digest?"
)]
#[case::too_many_requests(
    "GET",
    "/manifests/",
    envelope(429, "TOOMANYREQUESTS", "slow down"),
    "HOST answered 429 (slow down) to the pull of HOST/kuma/p:v1; it had too many requests: wait, then \
     try again"
)]
#[case::broken(
    "GET",
    "/manifests/",
    Answer::new(502),
    "HOST answered 502 to the pull of HOST/kuma/p:v1; try again later, or tell who runs the registry"
)]
#[case::a_web_page(
    "GET", "/manifests/", Answer::new(200).body("<html>Welcome</html>"),
    "HOST does not answer as a registry does: it sent no manifest; is it the right host and port?",
)]
#[case::an_image(
    "GET", "/manifests/", Answer::new(200).body(
        r#"{"schemaVersion":2,"config":{"mediaType":"application/vnd.oci.image.config.v1+json","digest":"sha256:00","size":2},"layers":[{"mediaType":"application/vnd.oci.image.layer.v1.tar+gzip","digest":"sha256:00","size":1}]}"#,
    ),
    "HOST/kuma/p:v1 is no policy: its layer is not of the type \
     application/vnd.wasm.content.layer.v1+wasm; pull what `policy-registry push` or `kwctl push` pushed",
)]
#[case::no_layer(
    "GET", "/manifests/", Answer::new(200).body(
        r#"{"schemaVersion":2,"config":{"mediaType":"a","digest":"sha256:00","size":2},"layers":[]}"#,
    ),
    "HOST/kuma/p:v1 is no policy: it has 0 layers, and a policy has one; pull what `policy-registry \
     push` or `kwctl push` pushed",
)]
#[case::an_image_of_several_platforms(
    "GET", "/manifests/", Answer::new(200).body(
        r#"{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[]}"#,
    ),
    "HOST/kuma/p:v1 is no policy: it is an image for several platforms; pull what `policy-registry \
     push` or `kwctl push` pushed",
)]
#[case::other_bytes(
    "GET", "/blobs/", Answer::new(200).body("other"),
    "what HOST has of HOST/kuma/p:v1 is not what its digest says: \
     sha256:d9298a10d1b0735837dc4bd85dac641b0f3cef27a47e5d53a54f2f3f5b2fcffa instead of LAYER; do not use \
     it, and tell who runs the registry",
)]
fn a_pull_is_refused(
    #[case] method: &'static str,
    #[case] part: &'static str,
    #[case] answer: Answer,
    #[case] expected: &str,
) {
    let registry = Registry::with(instead(method, part, answer));
    registry.holds(&policy::annotated());
    let desk = Desk::new().with("old.wasm", "old");
    let place = format!("{}/kuma/p:v1", registry.host());
    for file in ["old.wasm", "new.wasm"] {
        let said = desk.run(&["pull", &place, "-o", file]);
        let expected = expected.replace("LAYER", &digest(&policy::annotated()));
        assert_eq!(said.sentence(1, registry.host()), expected);
    }
    assert_eq!(desk.read("old.wasm"), b"old");
    assert_eq!(desk.files(), ["old.wasm"]);
}

#[test]
fn a_manifest_that_is_not_the_one_of_the_digest() {
    let registry = Registry::start();
    let manifest = registry.holds(&policy::annotated());
    let named = digest(manifest.as_bytes());
    let mut memory = registry.memory.lock().unwrap();
    memory
        .manifests
        .insert(named.clone(), manifest.replace(":2", ": 2").into());
    drop(memory);
    let desk = Desk::new();
    let place = format!("{}/p@{named}", registry.host());
    let said = desk
        .run(&["pull", &place, "-o", "new.wasm"])
        .sentence(1, registry.host());
    let beginning = format!("what HOST has of HOST/p@{named} is not what its digest says: ");
    assert!(said.starts_with(&beginning), "{said}");
    assert_eq!(desk.files(), [""; 0]);
}
