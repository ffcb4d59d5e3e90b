//! A tiny waPC guest: does what a test tells it, so that the host is tested without the policy.

use std::fmt::Write;

/// What the guest does in `validate`, in this order.
pub(crate) enum Step {
    /// A host call of the binding `kubewarden`: namespace, operation, payload.
    Ask(&'static str, &'static str, String),
    /// A host call of any binding.
    AskOf(&'static str, &'static str, &'static str, String),
    /// Answers these bytes.
    Answer(String),
    /// Answers what it was sent.
    Echo,
    /// Never ends.
    Loop,
    /// Traps.
    Trap,
    /// Counts its `validate` calls in its memory, and traps at the second one.
    Once,
}

/// Where the guest keeps things: constants from 64 KiB on, the payload, the host's answers.
const CONSTANTS: usize = 1 << 16;
const PAYLOAD: usize = 1 << 20;
const ANSWER: usize = 1 << 21;

/// A guest that takes these steps. The last host call's answer is its answer, the last host call's
/// error its error. It speaks protocol v1 and takes no settings but `{}`.
pub(crate) fn guest(steps: &[Step]) -> Vec<u8> {
    module(steps, "")
}

/// A guest whose `wapc_init` never ends.
pub(crate) fn endless_init() -> Vec<u8> {
    module(&[], "(loop $for_ever br $for_ever)")
}

/// A guest that accepts everything.
pub(crate) fn accepting() -> Vec<u8> {
    guest(&[Step::Answer(r#"{"accepted":true}"#.to_owned())])
}

/// A guest that asks one thing and answers what it is answered.
pub(crate) fn asking(operation: &'static str, payload: serde_json::Value) -> Vec<u8> {
    guest(&[Step::Ask("kubernetes", operation, payload.to_string())])
}

fn module(steps: &[Step], init: &str) -> Vec<u8> {
    let mut constants = Constants::default();
    let v1 = constants.add("\"v1\"");
    let valid = constants.add(r#"{"valid":true}"#);
    let invalid = constants.add(r#"{"valid":false,"message":"no settings, please"}"#);
    let mut body = String::new();
    for step in steps {
        let code = match step {
            Step::Ask(namespace, operation, payload) => {
                constants.ask("kubewarden", namespace, operation, payload)
            }
            Step::AskOf(binding, namespace, operation, payload) => {
                constants.ask(binding, namespace, operation, payload)
            }
            Step::Answer(text) => {
                let text = constants.add(text);
                format!("(call $guest_response {text}) (return (i32.const 1))")
            }
            Step::Echo => format!(
                "(call $guest_response (i32.const {PAYLOAD}) (local.get $length)) (return (i32.const 1))"
            ),
            Step::Loop => "(loop $for_ever br $for_ever)".to_owned(),
            Step::Trap => "unreachable".to_owned(),
            Step::Once => "(if (i32.load (i32.const 0)) (then unreachable)) (i32.store (i32.const 0) (i32.const 1))".to_owned(),
        };
        body.push_str(&code);
        body.push('\n');
    }
    let data = &constants.data;
    let wat = format!(
        r#"(module
        (import "wapc" "__guest_request" (func $guest_request (param i32 i32)))
        (import "wapc" "__guest_response" (func $guest_response (param i32 i32)))
        (import "wapc" "__guest_error" (func $guest_error (param i32 i32)))
        (import "wapc" "__host_call" (func $host_call (param i32 i32 i32 i32 i32 i32 i32 i32) (result i32)))
        (import "wapc" "__host_response" (func $host_response (param i32)))
        (import "wapc" "__host_response_len" (func $host_response_len (result i32)))
        (import "wapc" "__host_error" (func $host_error (param i32)))
        (import "wapc" "__host_error_len" (func $host_error_len (result i32)))
        (memory (export "memory") 128)
        {data}
        (func (export "wapc_init") {init})
        (func (export "__guest_call") (param $operation i32) (param $length i32) (result i32)
          (local $ok i32)
          (call $guest_request (i32.const 16) (i32.const {PAYLOAD}))
          (if (i32.eq (local.get $operation) (i32.const 16)) ;; protocol_version
            (then (call $guest_response {v1}) (return (i32.const 1))))
          (if (i32.eq (local.get $operation) (i32.const 17)) ;; validate_settings
            (then
              (if (i32.eq (local.get $length) (i32.const 2)) ;; an empty object
                (then (call $guest_response {valid}))
                (else (call $guest_response {invalid})))
              (return (i32.const 1))))
          {body}
          (if (local.get $ok)
            (then
              (call $host_response (i32.const {ANSWER}))
              (call $guest_response (i32.const {ANSWER}) (call $host_response_len)))
            (else
              (call $host_error (i32.const {ANSWER}))
              (call $guest_error (i32.const {ANSWER}) (call $host_error_len))))
          (local.get $ok)))"#
    );
    wat::parse_str(wat).expect("the guest's text is well-formed")
}

#[derive(Default)]
struct Constants {
    data: String,
    used: usize,
}

impl Constants {
    /// Stores a text; the answer are its address and length as two operands.
    fn add(&mut self, text: &str) -> String {
        let at = CONSTANTS + self.used;
        let mut bytes = String::new();
        for byte in text.bytes() {
            write!(bytes, "\\{byte:02x}").expect("writing to a string");
        }
        writeln!(self.data, "(data (i32.const {at}) \"{bytes}\")").expect("writing to a string");
        self.used += text.len();
        format!("(i32.const {at}) (i32.const {})", text.len())
    }

    fn ask(&mut self, binding: &str, namespace: &str, operation: &str, payload: &str) -> String {
        let parts: Vec<String> = [binding, namespace, operation, payload]
            .iter()
            .map(|part| self.add(part))
            .collect();
        format!("(local.set $ok (call $host_call {}))", parts.join(" "))
    }
}
