//! `npm/report.d.ts`: the types of the report, from the schema of the report itself.
//! `KUMA_WORKLOAD_REWRITE=1` writes them.
#![allow(clippy::unwrap_used, clippy::panic, reason = "this is a test")]

use std::{env, fmt::Write as _, fs, path::Path};

use kuma_workload_plan::Report;
use schemars::generate::SchemaSettings;
use serde_json::{Map, Value};

const HEAD: &str = "// The report, as docs/plan.md describes it. Made from the program's own types by `cargo test --test types`.\n";

#[test]
fn the_types_are_those_of_the_report() {
    let settings = SchemaSettings::default().for_serialize();
    let schema = settings.into_generator().into_root_schema_for::<Report>();
    let schema = schema.to_value();
    let types = declarations(&schema);
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("npm/report.d.ts");
    if env::var_os("KUMA_WORKLOAD_REWRITE").is_some() {
        fs::write(&file, &types).unwrap();
    }
    let written = fs::read_to_string(&file).unwrap_or_default();
    assert_eq!(written, types, "write it anew with KUMA_WORKLOAD_REWRITE=1");
}

fn declarations(schema: &Value) -> String {
    let mut text = HEAD.to_owned();
    interface("Report", schema, &mut text);
    for (name, schema) in schema["$defs"].as_object().unwrap() {
        interface(name, schema, &mut text);
    }
    text
}

fn interface(name: &str, schema: &Value, to: &mut String) {
    comment("", schema, to);
    writeln!(to, "export interface {name} {{").unwrap();
    let none = Map::new();
    let properties = schema["properties"].as_object().unwrap_or(&none);
    let required = schema["required"].as_array().unwrap();
    for (field, schema) in properties {
        comment("  ", schema, to);
        // What is left out is never null.
        let of_field = type_of(schema).replace(" | null", "");
        let is_there = required.iter().any(|one| one.as_str() == Some(field));
        let mark = if is_there { "" } else { "?" };
        writeln!(to, "  {field}{mark}: {of_field};").unwrap();
    }
    to.push_str("}\n");
}

fn comment(indent: &str, schema: &Value, to: &mut String) {
    if let Some(text) = schema["description"].as_str() {
        let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
        let before = if indent.is_empty() { "\n" } else { "" };
        writeln!(to, "{before}{indent}/** {text} */").unwrap();
    }
}

fn type_of(schema: &Value) -> String {
    if let Some(reference) = schema["$ref"].as_str() {
        return reference.rsplit('/').next().unwrap().to_owned();
    }
    if let Some(all) = schema["anyOf"].as_array() {
        return all.iter().map(type_of).collect::<Vec<_>>().join(" | ");
    }
    match &schema["type"] {
        Value::Array(all) => all
            .iter()
            .map(|one| word(one, schema))
            .collect::<Vec<_>>()
            .join(" | "),
        one => word(one, schema),
    }
}

fn word(one: &Value, schema: &Value) -> String {
    match one.as_str() {
        Some("integer") => "number".to_owned(),
        Some("array") => format!("{}[]", type_of(&schema["items"])),
        Some(other @ ("string" | "boolean" | "null")) => other.to_owned(),
        other => panic!("no type for {other:?} in {schema}"),
    }
}
