//! `wasm-check-cases ROOT`: prints the cases, one JSON object in a line, with what is right for each.
//!
//! Of a golden file that is the file itself; of everything else, what the plan answers natively.

use std::{
    error::Error,
    fs,
    io::{self, BufWriter, Write},
    path::{Path, PathBuf},
};

use kuma_workload_plan_wasm_check::{NamedBytes, Request, answer};
use serde::Serialize;

/// A request, and the answer to it.
#[derive(Serialize)]
struct Case {
    name: String,
    request: Request,
    /// Its bytes.
    answer: Vec<u8>,
}

type Fallible<T> = Result<T, Box<dyn Error>>;

fn main() -> Fallible<()> {
    let root = std::env::args_os()
        .nth(1)
        .ok_or("usage: wasm-check-cases ROOT")?;
    std::env::set_current_dir(root)?;
    let mut to = BufWriter::new(io::stdout().lock());
    for case in goldens()?.into_iter().chain(seeds()?).chain(nested()) {
        serde_json::to_writer(&mut to, &case)?;
        writeln!(to)?;
    }
    Ok(to.flush()?)
}

/// Every file in `plan/tests/golden`: the report of a folder of `examples/plan`, by its form.
fn goldens() -> Fallible<Vec<Case>> {
    let mut cases = Vec::new();
    for golden in entries(Path::new("plan/tests/golden"))? {
        let name = golden.file_name().unwrap_or_default().to_string_lossy();
        let (folder, form) = name.split_once('.').ok_or("a golden file has no form")?;
        let request = Request {
            documents: files(&Path::new("examples/plan").join(folder))?,
            form: form.to_owned(),
            ..Request::default()
        };
        cases.push(Case {
            name: format!("golden file {name}"),
            request,
            answer: fs::read(&golden)?,
        });
    }
    Ok(cases)
}

/// The seeds of the fuzzer: small odd inputs.
fn seeds() -> Fallible<Vec<Case>> {
    let seeds = files(Path::new("fuzz/corpus/plan"))?;
    Ok(seeds
        .into_iter()
        .flat_map(|seed| native(seed.name.clone(), seed))
        .collect())
}

/// Documents of so many levels. 256 are read, more are refused, and none is too much for the stack.
fn nested() -> impl Iterator<Item = Case> {
    const LEVELS: [usize; 9] = [1, 16, 128, 254, 255, 256, 257, 1_000, 100_000];
    // Before all of it, before each level, in the middle, after each level.
    const FORMS: [(&str, &str, &str, &str, &str); 9] = [
        ("a.yaml", "", "[", "x", "]"),
        ("a.yaml", "", "{a: ", "x", "}"),
        ("a.yaml", "", "[{a: ", "x", "}]"),
        ("a.yaml", "", "- ", "x", ""),
        ("a.yaml", "", "? ", "x", ""),
        ("a.yaml", POD, "[", "x", "]"),
        ("a.json", "", "[", "1", "]"),
        ("a.json", "", "{\"a\":", "1", "}"),
        ("a.json", "", "[{\"a\":", "1", "}]"),
    ];
    const POD: &str = "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec: ";
    let cases = FORMS
        .into_iter()
        .flat_map(|form| LEVELS.map(|levels| (form, levels)));
    cases.flat_map(|((name, before, open, middle, close), levels)| {
        let text = [
            before,
            &open.repeat(levels),
            middle,
            &close.repeat(levels),
            "\n",
        ];
        let document = NamedBytes {
            name: name.to_owned(),
            bytes: text.concat().into_bytes(),
        };
        let levels = format!("{levels} times {open:?}");
        native(format!("{levels} after {before:?} in {name}"), document)
    })
}

/// A document as a terminal's table, and as JSON; what is right is what the plan says natively.
fn native(name: String, document: NamedBytes) -> impl Iterator<Item = Case> {
    ["table", "json"].into_iter().map(move |form| {
        let request = Request {
            documents: vec![document.clone()],
            form: form.to_owned(),
            width: Some(80),
            colours: true,
            ..Request::default()
        };
        let answer = serde_json::to_vec(&request).map(|request| answer(&request));
        Case {
            name: format!("{name} as {form}"),
            answer: answer.unwrap_or_default(),
            request,
        }
    })
}

/// The files of a folder to its depth, in the order in which the program reads them.
fn files(folder: &Path) -> Fallible<Vec<NamedBytes>> {
    let mut files = Vec::new();
    for path in entries(folder)? {
        if path.is_dir() {
            files.append(&mut self::files(&path)?);
        } else {
            files.push(NamedBytes {
                name: path.to_string_lossy().into_owned(),
                bytes: fs::read(&path)?,
            });
        }
    }
    Ok(files)
}

fn entries(folder: &Path) -> Fallible<Vec<PathBuf>> {
    let entries = fs::read_dir(folder)?;
    let mut paths: Vec<_> = entries
        .map(|entry| Ok(entry?.path()))
        .collect::<io::Result<_>>()?;
    paths.sort();
    Ok(paths)
}
