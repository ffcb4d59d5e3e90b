//! The waPC protocol at its edges, and the little of WASI beside it, with guests written out in full.

use kuma_workload_host::{GuestCallError, Policy};
use rstest::rstest;

use crate::untouched;

/// Whatever a guest here may import.
const IMPORTS: &str = r#"
    (import "wapc" "__guest_request" (func $guest_request (param i32 i32)))
    (import "wapc" "__guest_response" (func $guest_response (param i32 i32)))
    (import "wapc" "__guest_error" (func $guest_error (param i32 i32)))
    (import "wapc" "__console_log" (func $console_log (param i32 i32)))
    (import "wapc" "__host_call" (func $host_call (param i32 i32 i32 i32 i32 i32 i32 i32) (result i32)))
    (import "wapc" "__host_response_len" (func $host_response_len (result i32)))
    (import "wapc" "__host_error_len" (func $host_error_len (result i32)))
    (import "wasi_snapshot_preview1" "random_get" (func $random_get (param i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "environ_sizes_get" (func $environ_sizes_get (param i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "environ_get" (func $environ_get (param i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "fd_write" (func $fd_write (param i32 i32 i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "proc_exit" (func $proc_exit (param i32)))
"#;

/// A guest of one page of memory that does this when it is called.
fn calling(body: &str) -> Policy {
    with(&format!(
        r#"(memory (export "memory") 1)
        (data (i32.const 64) "a line")
        (data (i32.const 96) "\ff\ff")
        (func (export "__guest_call") (param $operation i32) (param $length i32) (result i32) {body})"#
    ))
}

fn with(definitions: &str) -> Policy {
    let module = wat::parse_str(format!("(module {IMPORTS} {definitions})")).expect("a module");
    Policy::from_bytes(&module).unwrap_or_else(|error| panic!("{error}"))
}

fn call(policy: &Policy) -> Result<Vec<u8>, GuestCallError> {
    policy.call("validate", b"{}", untouched()).result
}

#[rstest]
#[case::function_and_payload(
    "(call $guest_request (i32.const 0) (i32.const 8)) (call $guest_response (i32.const 0) (i32.const 10)) (i32.const 1)",
    b"validate{}"
)]
#[case::last_response_counts(
    "(call $guest_response (i32.const 64) (i32.const 1)) (call $guest_response (i32.const 64) (i32.const 6)) (i32.const 1)",
    b"a line"
)]
#[case::nothing_is_an_answer(
    "(call $guest_response (i32.const 0) (i32.const 0)) (i32.const 1)",
    b""
)]
#[case::no_host_call_was_made(
    "(i32.store8 (i32.const 0) (i32.add (call $host_response_len) (call $host_error_len)))
     (call $guest_response (i32.const 0) (i32.const 1)) (i32.const 1)",
    b"\0"
)]
#[case::the_environment_is_empty(
    "(drop (call $environ_sizes_get (i32.const 64) (i32.const 68))) (drop (call $environ_get (i32.const 0) (i32.const 0)))
     (call $guest_response (i32.const 64) (i32.const 8)) (i32.const 1)",
    &[0; 8]
)]
fn a_guest_is_answered(#[case] body: &str, #[case] response: &[u8]) {
    assert_eq!(call(&calling(body)), Ok(response.to_vec()));
}

#[rstest]
#[case::no_message("(i32.const 0)", "No error message set for call failure")]
#[case::no_response("(i32.const 1)", "No error message OR response set for call success")]
#[case::message(
    "(call $guest_error (i32.const 64) (i32.const 6)) (i32.const 0)",
    "a line"
)]
#[case::message_in_place_of_a_response(
    "(call $guest_error (i32.const 64) (i32.const 6)) (i32.const 1)",
    "a line"
)]
fn a_guest_that_fails_says_so(#[case] body: &str, #[case] message: &str) {
    let error = call(&calling(body)).expect_err("a failure");
    assert_eq!(error, GuestCallError::Failed(message.to_owned()));
    assert_eq!(error.to_string(), format!("Guest call failure: {message}"));
}

#[rstest]
#[case::response_beyond_memory(
    "(call $guest_response (i32.const 65530) (i32.const 7)) (i32.const 1)"
)]
#[case::response_beyond_all_memory(
    "(call $guest_response (i32.const -8) (i32.const -1)) (i32.const 1)"
)]
#[case::request_beyond_memory(
    "(call $guest_request (i32.const 65535) (i32.const 0)) (i32.const 1)"
)]
#[case::error_that_is_no_text("(call $guest_error (i32.const 96) (i32.const 2)) (i32.const 0)")]
#[case::log_line_that_is_no_text("(call $console_log (i32.const 96) (i32.const 2)) (i32.const 0)")]
#[case::call_of_no_text(
    "(call $host_call (i32.const 96) (i32.const 2) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0))"
)]
#[case::random_bytes_beyond_memory("(call $random_get (i32.const 0) (i32.const -1))")]
#[case::output_beyond_memory(
    "(call $fd_write (i32.const 1) (i32.const 0) (i32.const -1) (i32.const 0))"
)]
#[case::exit("(call $proc_exit (i32.const 0)) (i32.const 1)")]
fn a_guest_that_misbehaves_is_stopped(#[case] body: &str) {
    let result = call(&calling(body));
    assert!(
        matches!(&result, Err(GuestCallError::Failed(error)) if error.starts_with("error while executing at wasm backtrace")),
        "{result:?}"
    );
}

#[test]
fn a_log_line_is_kept() {
    let policy = calling(
        "(call $console_log (i32.const 64) (i32.const 6)) (call $guest_response (i32.const 0) (i32.const 0)) (i32.const 1)",
    );
    let call = policy.call("validate", b"{}", untouched());
    assert_eq!(
        (call.result, call.logs),
        (Ok(Vec::new()), vec!["a line".to_owned()])
    );
}

#[test]
fn seeds_differ_from_instance_to_instance() {
    let policy = calling(
        "(drop (call $random_get (i32.const 0) (i32.const 31))) (call $guest_response (i32.const 0) (i32.const 32)) (i32.const 1)",
    );
    let [first, second] = [(); 2].map(|()| call(&policy).expect("bytes"));
    assert_ne!(first, second);
    assert_eq!((first[31], second[31]), (0, 0), "more than was asked for");
}

#[rstest]
#[case::to_a_closed_file(7, 8)]
#[case::to_standard_output(1, 0)]
#[case::to_standard_error(2, 0)]
fn a_guest_may_write_to_the_standard_streams_alone(#[case] file: i32, #[case] errno: u8) {
    let policy = calling(&format!(
        "(i32.store (i32.const 8) (i32.const 64)) (i32.store (i32.const 12) (i32.const 0))
         (i32.store8 (i32.const 0) (call $fd_write (i32.const {file}) (i32.const 8) (i32.const 1) (i32.const 16)))
         (call $guest_response (i32.const 0) (i32.const 1)) (i32.const 1)"
    ));
    assert_eq!(call(&policy), Ok(vec![errno]));
}

const CALL: &str = r#"(memory (export "memory") 1)
    (func (export "__guest_call") (param i32 i32) (result i32)
      (call $guest_response (i32.const 0) (i32.const 1)) (i32.const 1))"#;

#[test]
fn a_guest_is_started_in_order_and_may_end_its_main() {
    let policy = with(&format!(
        r#"{CALL}
        (func (export "wapc_init") (i32.store8 (i32.const 0) (i32.add (i32.load8_u (i32.const 0)) (i32.const 40))))
        (func (export "_start") (i32.store8 (i32.const 0) (i32.const 2)) (call $proc_exit (i32.const 0)))"#
    ));
    assert_eq!(call(&policy), Ok(vec![42]));
}

#[rstest]
#[case::status(r#"(func (export "_start") (call $proc_exit (i32.const 3)))"#)]
#[case::trap(r#"(func (export "wapc_init") unreachable)"#)]
#[case::of_another_type(r#"(func (export "wapc_init") (param i32))"#)]
fn a_guest_that_does_not_start_cannot_be_asked(#[case] start: &str) {
    let result = call(&with(&format!("{CALL} {start}")));
    assert!(
        matches!(result, Err(GuestCallError::NotStarted(_))),
        "{result:?}"
    );
}

#[rstest]
#[case::nothing(r#"(memory (export "memory") 1)"#)]
#[case::another_type(r#"(func (export "__guest_call"))"#)]
fn a_module_without_the_call_is_no_guest(#[case] definitions: &str) {
    let missing = "Guest call function (__guest_call) not exported by wasm module.";
    assert_eq!(
        call(&with(definitions)),
        Err(GuestCallError::NotStarted(missing.to_owned()))
    );
}

#[rstest]
#[case::of_wasi("wasi_snapshot_preview1", "clock_time_get")]
#[case::of_wapc("wapc", "__weather")]
fn an_import_that_is_not_offered_is_named(#[case] module: &str, #[case] name: &str) {
    let text = format!(r#"(module (import "{module}" "{name}" (func)))"#);
    let module_bytes = wat::parse_str(text).expect("a module");
    let error = Policy::from_bytes(&module_bytes).expect_err("an unknown import");
    assert!(
        error.to_string().contains(&format!("{module}::{name}")),
        "{error}"
    );
}
