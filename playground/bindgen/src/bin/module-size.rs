//! `module-size MODULE.wasm`: prints the ten crates that have most of the module's code, as the compiler left it,
//! in bytes before compression.

use std::{collections::BTreeMap, env, error::Error, fs};

use rustc_demangle::demangle;
use wasmparser::{KnownCustom, Name, Parser, Payload};

type Fallible<T> = Result<T, Box<dyn Error>>;

fn main() -> Fallible<()> {
    let file = env::args().nth(1).ok_or("usage: module-size MODULE.wasm")?;
    let module = fs::read(&file).map_err(|error| format!("{file} cannot be read: {error}"))?;
    let sizes = sizes(&module)?;
    let mut crates: Vec<_> = sizes.into_iter().collect();
    crates.sort_by_key(|(_, size)| std::cmp::Reverse(*size));
    for (name, size) in crates.iter().take(10) {
        println!("{size:>8} {name}");
    }
    Ok(())
}

/// How many bytes of code each crate has.
fn sizes(module: &[u8]) -> Fallible<BTreeMap<String, usize>> {
    let mut names = BTreeMap::new();
    let mut bodies = Vec::new();
    let mut imported = 0;
    for payload in Parser::new(0).parse_all(module) {
        match payload? {
            Payload::ImportSection(imports) => imported += imports.into_imports().count(),
            Payload::CodeSectionEntry(body) => bodies.push(body.range().len()),
            Payload::CustomSection(section) => {
                let KnownCustom::Name(sections) = section.as_known() else {
                    continue;
                };
                for section in sections {
                    if let Name::Function(functions) = section? {
                        for function in functions {
                            let function = function?;
                            names.insert(function.index as usize, function.name);
                        }
                    }
                }
            }
            _ => {}
        }
    }
    let mut sizes = BTreeMap::new();
    for (number, size) in bodies.into_iter().enumerate() {
        let name = names.get(&(imported + number)).copied().unwrap_or_default();
        *sizes.entry(crate_of(name)).or_default() += size;
    }
    Ok(sizes)
}

/// The crate of a function: the first of its path, of a type's method the type's.
fn crate_of(mangled: &str) -> String {
    let name = format!("{:#}", demangle(mangled));
    let path = name.trim_start_matches(['<', '&', '*', '[', '(']);
    let path = path.strip_prefix("mut ").unwrap_or(path);
    let path = path.strip_prefix("dyn ").unwrap_or(path);
    let end = path.find("::").unwrap_or(0);
    match path.get(..end).unwrap_or_default() {
        "" => "without a name".to_owned(),
        found => found.to_owned(),
    }
}
