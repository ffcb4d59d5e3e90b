//! No two modules of a crate need each other: the files of each crate stand on floors, and every
//! need goes down.
//!
//! A file *needs* another if its code names an item that is defined there: in a `use`, in a path, or
//! within a macro or an attribute. Re-exports are followed to the file that defines the item, so a
//! `use super::X` is a need of the parent's file only if `X` is defined in it. Inline modules are
//! part of their file. These are no needs: `mod x;` itself, a module that is imported to shorten
//! paths (what is named through it is), doc comments, and all that is under `#[cfg(test)]`. A method
//! call names no file; the type that it is called on does, where it is named.
//!
//! A *circle* is a set of files of which each needs the others, directly or through more of them. So
//! a module may use what its children define, and a child what siblings below it define; a child
//! that uses what is defined in its parent's file closes a circle as soon as the parent uses the
//! child. What both need belongs into a file of its own, below both.
#![allow(clippy::unwrap_used, clippy::panic, reason = "this is a test")]

mod graph;
mod source;

use std::{
    collections::BTreeMap,
    env, fs,
    path::{Path, PathBuf},
    process::Command,
};

use rstest::rstest;
use serde_json::Value;

use crate::source::Crate;

/// The root files of all libraries and programs of the workspace, relative to its folder.
fn roots() -> Vec<PathBuf> {
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo)
        .args(["metadata", "--no-deps", "--offline", "--format-version=1"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    let metadata: Value = serde_json::from_slice(&output.stdout).unwrap();
    let packages = metadata["packages"].as_array().unwrap().iter();
    let targets = packages.flat_map(|package| package["targets"].as_array().unwrap());
    let is_code = |target: &&Value| {
        let kinds = target["kind"].as_array().unwrap().iter();
        kinds
            .filter_map(Value::as_str)
            .any(|kind| matches!(kind, "lib" | "rlib" | "cdylib" | "bin" | "proc-macro"))
    };
    let root = |target: &Value| {
        let path = Path::new(target["src_path"].as_str().unwrap());
        path.strip_prefix(env!("CARGO_MANIFEST_DIR"))
            .unwrap()
            .to_owned()
    };
    targets.filter(is_code).map(root).collect()
}

#[test]
fn the_modules_of_a_crate_need_each_other_one_way_only() {
    let text = |path: &Path| {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
        fs::read_to_string(path).ok()
    };
    let mut found = String::new();
    let roots = roots();
    assert!(roots.len() > 5, "the workspace has more crates: {roots:?}");
    for root in roots {
        let needs = graph::needs(&Crate::read(&root, &text));
        for circle in graph::circles(&needs) {
            found += "These need each other; what both need belongs below both:\n";
            found += &graph::lines(&needs, &circle);
        }
    }
    assert!(found.is_empty(), "{found}");
}

/// The circles of a crate of these files.
fn circles(files: &[(&str, &str)]) -> Vec<String> {
    let files: BTreeMap<_, _> = files
        .iter()
        .map(|(path, text)| (Path::new(*path), *text))
        .collect();
    let text = |path: &Path| files.get(path).map(|&text| text.to_owned());
    let needs = graph::needs(&Crate::read(Path::new("lib.rs"), &text));
    let circles = graph::circles(&needs).into_iter();
    circles
        .map(|circle| {
            let names: Vec<_> = circle.iter().map(|file| file.to_str().unwrap()).collect();
            names.join(" ")
        })
        .collect()
}

#[rstest]
#[case::one_way("use crate::b::B;", "pub struct B;", &[])]
#[case::both_ways("use crate::b::B; pub struct A;", "use crate::a::A; pub struct B;", &["a.rs b.rs"])]
#[case::by_a_path_in_a_type("pub struct A(crate::b::B);", "pub struct B; fn f(_: super::a::A) {}", &["a.rs b.rs"])]
#[case::through_a_module("use super::b; pub struct A; fn f(_: b::B) {}", "use crate::a::A; pub struct B;", &["a.rs b.rs"])]
#[case::a_module_alone("use super::b; pub struct A;", "use crate::a::A; pub struct B;", &[])]
#[case::renamed("use crate::b as c; pub struct A; fn f() { c::g() }", "use crate::a::A as Z; pub fn g() {}", &["a.rs b.rs"])]
#[case::in_a_macro("pub struct A; fn f() { println!(\"{}\", crate::b::B) }", "use crate::a::A; pub struct B;", &["a.rs b.rs"])]
#[case::in_an_attribute("pub struct A; struct S { #[serde(with = \"crate::b::f\")] s: u8 }", "use crate::a::A; pub fn f() {}", &["a.rs b.rs"])]
#[case::made_by_a_macro("make! { struct A; }", "use crate::a::A; pub struct B; fn f() {}", &[])]
#[case::made_by_a_macro_both_ways("make! { struct A; } use crate::b::B;", "use crate::a::A; pub struct B;", &["a.rs b.rs"])]
#[case::by_a_glob("use crate::b::*; pub struct A; fn f(_: B) {}", "use crate::a::A; pub struct B;", &["a.rs b.rs"])]
#[case::by_a_glob_that_brings_nothing("use crate::b::*; pub struct A;", "use crate::a::A; pub struct B;", &[])]
#[case::in_a_function("pub struct A; fn f() { use crate::b::B; }", "use crate::a::A; pub struct B;", &["a.rs b.rs"])]
#[case::in_an_inline_module("pub struct A; mod inner { use crate::b::B; }", "use crate::a::A; pub struct B;", &["a.rs b.rs"])]
#[case::in_tests("pub struct A; #[cfg(test)] mod tests { use crate::b::B; }", "use crate::a::A; pub struct B;", &[])]
#[case::in_a_function_for_tests("pub struct A; impl A { #[cfg(all(test, unix))] fn f(_: crate::b::B) {} }", "use crate::a::A; pub struct B;", &[])]
#[case::not_in_tests("pub struct A; #[cfg(not(test))] use crate::b::B;", "use crate::a::A; pub struct B;", &["a.rs b.rs"])]
#[case::other_crates("use b::B; use ::b::C; pub struct A;", "use crate::a::A; pub struct B;", &[])]
#[case::visibility("pub struct A;", "use crate::a::A; pub(in crate::a) struct B;", &[])]
#[case::a_variant("pub enum A { X } use crate::b::B;", "fn f() { super::a::A::X; } pub struct B;", &["a.rs b.rs"])]
fn siblings(#[case] a: &str, #[case] b: &str, #[case] expected: &[&str]) {
    let found = circles(&[("lib.rs", "mod a; mod b;"), ("a.rs", a), ("b.rs", b)]);
    assert_eq!(found, expected);
}

#[rstest]
#[case::a_parent_uses_its_child("mod b; pub use self::b::B;", "pub struct B;", &[])]
#[case::a_child_uses_its_parent("mod b; pub struct A;", "use super::A;", &[])]
#[case::both("mod b; pub use self::b::B; pub struct A;", "use super::A; pub struct B;", &["a/b.rs a.rs"])]
#[case::a_child_uses_a_sibling_by_its_parent("mod b; mod c; pub use self::{b::B, c::C};", "use super::C; pub struct B;", &[])]
#[case::by_an_import_of_its_parent("mod b; use crate::d::D; pub use self::b::B;", "use super::D; pub struct B;", &[])]
#[case::siblings_by_their_parent("mod b; mod c; pub use self::{b::B, c::C}; struct A(D); use self::c::D;", "use super::C; pub struct B;", &[])]
fn parents_and_children(#[case] a: &str, #[case] b: &str, #[case] expected: &[&str]) {
    let found = circles(&[
        ("lib.rs", "mod a; mod d;"),
        ("a.rs", a),
        ("a/b.rs", b),
        ("a/c.rs", "pub struct C; pub struct D;"),
        ("d.rs", "pub struct D;"),
    ]);
    assert_eq!(found, expected);
}

#[test]
fn a_circle_of_three_is_one() {
    let found = circles(&[
        ("lib.rs", "mod a; mod b; mod c; mod d;"),
        ("a.rs", "pub use crate::b::B; pub struct A;"),
        ("b.rs", "use crate::c::C; pub struct B;"),
        ("c.rs", "use crate::a::A; use crate::d::D; pub struct C;"),
        ("d.rs", "pub struct D;"),
    ]);
    assert_eq!(found, ["a.rs b.rs c.rs"]);
}
