//! What cannot be used is refused before anything is sent: status 2.

use rstest::rstest;

use crate::{desk::Desk, memory::Registry, policy};

/// Files by name.
fn desk() -> Desk {
    Desk::new()
        .with("p.wasm", policy::annotated())
        .with("plain.wasm", b"\0asm\x01\0\0\0")
        .with("cut.wasm", &policy::annotated()[..200])
        .with("odd.wasm", policy::with_metadata(r#"{"annotations": 7}"#))
        .with("text.txt", "no module")
        .with("empty", "")
        .with("list.yml", "- owners")
        .with("broken.yml", "owners: [")
}

#[rstest]
#[case::a_file_that_is_not_there(
    "push none.wasm HOST/p:v1",
    "none.wasm cannot be read: No such file or directory"
)]
#[case::a_folder("push docker HOST/p:v1", "docker cannot be read: Is a directory")]
#[case::another_file(
    "push text.txt HOST/p:v1",
    "text.txt is no WebAssembly module; `make annotated-policy.wasm` builds the one to push"
)]
#[case::an_empty_file(
    "push empty HOST/p:v1",
    "empty is no WebAssembly module; `make annotated-policy.wasm` builds the one to push"
)]
#[case::half_a_module(
    "push cut.wasm HOST/p:v1",
    "the module cut.wasm is broken (unexpected end-of-file); build it again"
)]
#[case::no_metadata(
    "push plain.wasm HOST/p:v1",
    "plain.wasm has no Kubewarden metadata, and policy-server takes no policy without; push \
     annotated-policy.wasm, which `make annotated-policy.wasm` builds"
)]
#[case::odd_metadata(
    "push odd.wasm HOST/p:v1",
    "the Kubewarden metadata in odd.wasm cannot be read (invalid type: integer `7`, expected a map at line \
     1 column 17); annotate the policy again"
)]
#[case::no_tag(
    "push p.wasm HOST/p",
    "\"HOST/p\" does not say where an artifact is: it has no tag; write HOST/REPOSITORY:TAG, or, to pull, \
     HOST/REPOSITORY@DIGEST"
)]
#[case::no_host(
    "push p.wasm policy:v1",
    "\"policy:v1\" does not say where an artifact is: it names no host; write HOST/REPOSITORY:TAG, or, to \
     pull, HOST/REPOSITORY@DIGEST"
)]
#[case::a_url(
    "pull http://HOST/p:v1 -o new.wasm",
    "\"http://HOST/p:v1\" does not say where an artifact is: only registry:// and oci:// may stand before \
     it; write HOST/REPOSITORY:TAG, or, to pull, HOST/REPOSITORY@DIGEST"
)]
#[case::into_a_folder("pull HOST/p:v1 -o docker", "docker cannot be written: it is a folder")]
#[case::into_a_device(
    "pull HOST/p:v1 -o /dev/null",
    "/dev/null cannot be written: it is a device or a pipe"
)]
#[case::into_no_folder(
    "pull HOST/p:v1 -o none/new.wasm",
    "none/new.wasm cannot be written: No such file or directory"
)]
#[case::into_a_file_as_a_folder(
    "pull HOST/p:v1 -o empty/new.wasm",
    "empty/new.wasm cannot be written: Not a directory"
)]
#[case::a_list_as_metadata(
    "push-metadata list.yml HOST/p",
    "list.yml is no repository metadata of Artifact Hub: it has neither owners nor a repositoryID"
)]
#[case::a_module_as_metadata(
    "push-metadata p.wasm HOST/p",
    "p.wasm is no repository metadata of Artifact Hub: it is no YAML"
)]
#[case::broken_metadata(
    "push-metadata broken.yml HOST/p",
    "broken.yml is no repository metadata of Artifact Hub: it is no YAML"
)]
#[case::a_tag_beside_the_fixed_one(
    "push-metadata list.yml HOST/p:v1",
    "\"HOST/p:v1\" does not say where an artifact is: it has a tag or a digest, and here the tag is fixed; \
     write HOST/REPOSITORY:TAG, or, to pull, HOST/REPOSITORY@DIGEST"
)]
fn is_refused(#[case] line: &str, #[case] expected: &str) {
    let registry = Registry::start();
    let desk = desk();
    let files = desk.files();
    let line = line.replace("HOST", registry.host());
    let arguments: Vec<_> = line.split(' ').collect();
    let said = desk.run(&arguments);
    assert_eq!(said.sentence(2, registry.host()), expected);
    assert_eq!(desk.files(), files);
    assert!(registry.server.asked().is_empty());
}

#[rstest]
#[case::nothing(&[])]
#[case::an_unknown_flag(&["push", "--force", "p.wasm", "localhost/p:v1"])]
#[case::no_output(&["pull", "localhost/p:v1"])]
#[case::no_time(&["pull", "localhost/p:v1", "-o", "x", "--timeout", "0"])]
fn a_command_line_that_is_none(#[case] arguments: &[&str]) {
    assert_eq!(desk().run(arguments).status, Some(2));
}
