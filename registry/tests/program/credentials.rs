//! Who asks: Docker's configuration, in all its forms.

use std::{fs, os::unix::fs::PermissionsExt};

use rstest::rstest;

use crate::{
    desk::Desk,
    memory::Registry,
    policy,
    server::{Answer, Reply, Request},
};

/// ada:secret
const ADA: &str = "YWRhOnNlY3JldA==";

/// A registry that asks for a password, and takes any.
fn registry() -> Registry {
    fn rule(request: &Request) -> Option<Reply> {
        let refusal = Answer::new(401).header("WWW-Authenticate", "Basic realm=r");
        let is_anonymous = request.header("authorization").is_none();
        is_anonymous.then(|| refusal.into())
    }
    let registry = Registry::with(rule);
    registry.holds(&policy::annotated());
    registry
}

/// A desk with this configuration, and a credential helper that runs this script.
fn desk(config: &str, helper: &str) -> Desk {
    let desk = Desk::new().with("docker/config.json", config);
    let desk = desk.with(
        "bin/docker-credential-test",
        format!("#!/bin/sh\n{helper}\n"),
    );
    let executable = fs::Permissions::from_mode(0o755);
    fs::set_permissions(desk.path("bin/docker-credential-test"), executable).unwrap();
    desk
}

const ANSWERS: &str = r#"read -r server; echo "{\"ServerURL\":\"$server\",\"Username\":\"ada\",\"Secret\":\"secret\"}""#;

#[rstest]
#[case::encoded(r#"{"auths":{"HOST":{"auth":"YWRhOnNlY3JldA=="}}}"#, "exit 1")]
#[case::encoded_under_a_url(
    r#"{"auths":{"https://HOST/v1/":{"auth":"YWRhOnNlY3JldA=="}}}"#,
    "exit 1"
)]
#[case::in_the_clear(
    r#"{"auths":{"HOST":{"username":"ada","password":"secret"}}}"#,
    "exit 1"
)]
#[case::by_a_helper_for_the_host(r#"{"credHelpers":{"HOST":"test"}}"#, ANSWERS)]
#[case::by_a_store(r#"{"auths":{"HOST":{}},"credsStore":"test"}"#, ANSWERS)]
#[case::the_helper_before_the_store(
    r#"{"credHelpers":{"HOST":"test"},"credsStore":"none"}"#,
    ANSWERS
)]
fn credentials_are_found(#[case] config: &str, #[case] helper: &str) {
    let registry = registry();
    let desk = desk(&config.replace("HOST", registry.host()), helper);
    let place = format!("{}/p:v1", registry.host());
    desk.run(&["pull", &place, "-o", "new.wasm"]).line();
    let asked = registry.server.asked();
    let expected = format!("Basic {ADA}");
    assert_eq!(
        asked.last().unwrap().header("authorization"),
        Some(&*expected)
    );
}

#[rstest]
#[case::an_empty_configuration("{}", "exit 1")]
#[case::another_host(r#"{"auths":{"example.com":{"auth":"YWRhOnNlY3JldA=="}}}"#, "exit 1")]
#[case::a_store_without_them(
    r#"{"credsStore":"test"}"#,
    "cat >/dev/null; echo credentials not found in native keychain; exit 1"
)]
fn there_are_none(#[case] config: &str, #[case] helper: &str) {
    let registry = registry();
    let desk = desk(config, helper);
    let place = format!("{}/p:v1", registry.host());
    assert_eq!(
        desk.run(&["pull", &place, "-o", "new.wasm"])
            .sentence(1, registry.host()),
        "HOST wants to know who asks, to pull from p, and DESK/docker/config.json has no credentials for \
         it; run `docker login HOST`, or name another folder in DOCKER_CONFIG"
    );
}

#[rstest]
#[case::no_json("auths:", "exit 1", "the file is no Docker configuration")]
#[case::no_base64(
    r#"{"auths":{"HOST":{"auth":"?"}}}"#,
    "exit 1",
    "their auth is no base64 of USER:PASSWORD"
)]
#[case::two_passwords(
    r#"{"auths":{"HOST":{"auth":"YWRhOnNlY3JldA==","username":"ada","password":"other"}}}"#,
    "exit 1",
    "their auth has another user or password than stands beside it"
)]
#[case::an_identity_token(
    r#"{"auths":{"HOST":{"auth":"YWRhOnNlY3JldA==","identitytoken":"t"}}}"#,
    "exit 1",
    "they are an identity token, and only a user with a password or an access token will do"
)]
#[case::no_such_helper(
    r#"{"credHelpers":{"HOST":"none"}}"#,
    "exit 1",
    "the credential helper that it names cannot be run"
)]
#[case::a_helper_that_fails(
    r#"{"credHelpers":{"HOST":"test"}}"#,
    "cat >/dev/null; echo 'the keyring is locked' >&2; exit 1",
    "docker-credential-test failed (the keyring is locked)"
)]
#[case::a_helper_that_says_nothing(
    r#"{"credHelpers":{"HOST":"test"}}"#,
    "cat >/dev/null; exit 1",
    "docker-credential-test failed (without a word)"
)]
#[case::a_helper_that_answers_something_else(
    r#"{"credHelpers":{"HOST":"test"}}"#,
    "cat >/dev/null; echo yes",
    "its credential helper answered something else than credentials"
)]
fn they_cannot_be_used(#[case] config: &str, #[case] helper: &str, #[case] why: &str) {
    let registry = registry();
    let desk = desk(&config.replace("HOST", registry.host()), helper);
    let place = format!("{}/p:v1", registry.host());
    assert_eq!(
        desk.run(&["pull", &place, "-o", "new.wasm"])
            .sentence(2, registry.host()),
        format!(
            "the credentials for HOST in DESK/docker/config.json cannot be used: {why}; run `docker \
             login HOST` again"
        )
    );
    assert!(registry.server.asked().is_empty());
}

/// Without DOCKER_CONFIG, it is the home's.
#[test]
fn the_configuration_of_the_home() {
    let registry = registry();
    let desk = Desk::new().logged_in(registry.host(), "ada", "secret");
    fs::rename(desk.path("docker"), desk.path(".docker")).unwrap();
    let place = format!("{}/p:v1", registry.host());
    let mut command = desk.command(&["pull", &place, "-o", "new.wasm"]);
    command
        .env_remove("DOCKER_CONFIG")
        .env("HOME", desk.path(""));
    crate::desk::said(&mut command, &desk.path("")).line();
}
