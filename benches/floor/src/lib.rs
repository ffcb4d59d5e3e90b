//! The cheapest policy there can be: it parses nothing and accepts. What it costs is the host's.

use wapc_guest::register_function;

/// Called by the host when it makes an instance.
#[unsafe(no_mangle)]
pub extern "C" fn wapc_init() {
    register_function("validate", |_| Ok(br#"{"accepted":true}"#.to_vec()));
    register_function("validate_settings", |_| Ok(br#"{"valid":true}"#.to_vec()));
    register_function("protocol_version", |_| Ok(br#""v1""#.to_vec()));
}
