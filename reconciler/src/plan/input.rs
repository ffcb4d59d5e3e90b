//! Manifests: files, folders and the standard input, as documents that know where they stand.

pub mod json;
pub mod tree;
pub mod yaml;

use std::{
    collections::BTreeSet,
    fmt, fs,
    io::Read as _,
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

use self::tree::{Node, Position};

/// A place in a file.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place {
    /// The file, as it was named; `-` is the standard input.
    pub file: Arc<str>,
    /// Where in it.
    pub at: Position,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Position { line, column } = self.at;
        match line {
            0 => f.write_str(&self.file),
            line => write!(f, "{}:{line}:{column}", self.file),
        }
    }
}

/// What is no YAML or JSON.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Syntax {
    /// Where.
    pub at: Position,
    /// Why.
    pub reason: String,
}

/// Input that cannot be read, as one sentence.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Fault {
    /// Where.
    pub place: Place,
    /// What is wrong there, and what to do.
    pub sentence: String,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, self.sentence)
    }
}

impl Fault {
    /// Something about a file as a whole.
    pub fn of_file(file: impl Into<Arc<str>>, sentence: impl Into<String>) -> Self {
        let (file, at) = (file.into(), Position::default());
        Self {
            place: Place { file, at },
            sentence: sentence.into(),
        }
    }
}

/// The standard input, as a path and in places.
pub const STDIN: &str = "-";

/// The files of these paths, a folder's in the order of their names, each once.
pub fn files(paths: &[PathBuf]) -> (Vec<PathBuf>, Vec<Fault>) {
    let mut found = Vec::new();
    let mut faults = Vec::new();
    for path in paths {
        if path.as_os_str() == STDIN {
            found.push(path.clone());
        } else if let Err(fault) = collect(path, true, &mut found) {
            faults.push(fault);
        }
    }
    let mut seen = BTreeSet::new();
    found.retain(|path| seen.insert(path.clone()));
    (found, faults)
}

fn collect(path: &Path, named: bool, found: &mut Vec<PathBuf>) -> Result<(), Fault> {
    let fault = |error: std::io::Error| unreadable(path, &error);
    let metadata = fs::metadata(path).map_err(fault)?;
    if !metadata.is_dir() {
        if named || is_manifest(path) {
            found.push(path.to_owned());
        }
        return Ok(());
    }
    let entries = fs::read_dir(path).map_err(fault)?;
    let paths: Result<BTreeSet<_>, _> = entries.map(|entry| Ok(entry?.path())).collect();
    for path in paths.map_err(fault)? {
        // A link to a folder may lead back to where it stands.
        if !(path.is_symlink() && path.is_dir()) {
            collect(&path, false, found)?;
        }
    }
    Ok(())
}

fn is_manifest(path: &Path) -> bool {
    path.extension().is_some_and(|extension| {
        let known = ["yaml", "yml", "json"];
        known
            .iter()
            .any(|known| extension.eq_ignore_ascii_case(known))
    })
}

fn unreadable(path: &Path, error: &std::io::Error) -> Fault {
    let reason = error.to_string();
    let reason = reason.split(" (os error").next().unwrap_or(&reason);
    Fault::of_file(name(path), format!("it cannot be read: {reason}"))
}

/// A file's name in places; what no UTF-8 has is replaced.
pub fn name(path: &Path) -> Arc<str> {
    path.to_string_lossy().into()
}

/// The documents of a file; those that cannot be parsed do not hide the others.
pub fn documents(path: &Path) -> Vec<Result<Node, Fault>> {
    let file = name(path);
    match text(path) {
        Ok(text) => parse(&file, path, text.trim_start_matches('\u{feff}')),
        Err(fault) => vec![Err(fault)],
    }
}

fn parse(file: &Arc<str>, path: &Path, text: &str) -> Vec<Result<Node, Fault>> {
    let is_json = match path.extension() {
        Some(extension) => extension.eq_ignore_ascii_case("json"),
        None => text.trim_start().starts_with('{'),
    };
    let faulty = |Syntax { at, reason }| Fault {
        place: Place {
            file: file.clone(),
            at,
        },
        sentence: reason,
    };
    if is_json {
        let found = json::documents(text).map(|found| found.map_err(faulty));
        return found.collect();
    }
    let found = yaml::documents(text);
    found
        .map(|(lines, document)| yaml::parse(document, lines).map_err(faulty))
        .collect()
}

fn text(path: &Path) -> Result<String, Fault> {
    let mut bytes = Vec::new();
    let read = if path.as_os_str() == STDIN {
        std::io::stdin().lock().read_to_end(&mut bytes).map(|_| ())
    } else {
        fs::read(path).map(|read| bytes = read)
    };
    read.map_err(|error| unreadable(path, &error))?;
    String::from_utf8(bytes).map_err(|error| {
        let valid = error.utf8_error().valid_up_to();
        let before = error.as_bytes().get(..valid).unwrap_or_default();
        let lines = before.iter().filter(|byte| **byte == b'\n').count();
        let sentence = "this is no UTF-8 text; save the file as UTF-8";
        let mut fault = Fault::of_file(name(path), sentence);
        fault.place.at = Position {
            line: u32::try_from(lines + 1).unwrap_or(u32::MAX),
            column: 1,
        };
        fault
    })
}

/// Does the same to each item on all cores; the answers come in the order of the items.
pub fn on_all_cores<I: Sync, T: Send>(items: &[I], work: impl Fn(&I) -> T + Sync) -> Vec<T> {
    let cores = thread::available_parallelism().map_or(1, usize::from);
    let next = AtomicUsize::new(0);
    let done = Mutex::new(Vec::with_capacity(items.len()));
    thread::scope(|scope| {
        for _ in 0..cores.min(items.len()) {
            scope.spawn(|| {
                while let Some((index, item)) = {
                    let index = next.fetch_add(1, Ordering::Relaxed);
                    items.get(index).map(|item| (index, item))
                } {
                    let answer = work(item);
                    done.lock()
                        .unwrap_or_else(PoisonError::into_inner)
                        .push((index, answer));
                }
            });
        }
    });
    let mut done = done.into_inner().unwrap_or_else(PoisonError::into_inner);
    done.sort_by_key(|(index, _)| *index);
    done.into_iter().map(|(_, answer)| answer).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_read_to_its_depth_in_the_order_of_its_names() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir_all(folder.path().join("b/c")).unwrap();
        for file in ["b/c/z.yml", "b/a.YAML", "a.json", "README.md", "c.yaml"] {
            fs::write(folder.path().join(file), "").unwrap();
        }
        let root = folder.path().to_owned();
        let (found, faults) = files(&[root.clone(), root.join("a.json")]);
        let expected = ["a.json", "b/a.YAML", "b/c/z.yml", "c.yaml"];
        assert_eq!(found, expected.map(|file| root.join(file)));
        assert_eq!(faults, []);
    }

    #[test]
    fn a_path_that_is_not_there_is_a_fault() {
        let (_, faults) = files(&["nowhere".into()]);
        let said: Vec<_> = faults.iter().map(Fault::to_string).collect();
        assert_eq!(
            said,
            ["nowhere: it cannot be read: No such file or directory"]
        );
    }

    #[test]
    fn a_bad_document_does_not_hide_the_others() {
        let file = tempfile::Builder::new().suffix(".yml").tempfile().unwrap();
        fs::write(file.path(), "a: 1\n---\nb: [\n---\nc: 3\n").unwrap();
        let found = documents(file.path());
        assert_eq!(
            found.iter().map(Result::is_ok).collect::<Vec<_>>(),
            [true, false, true]
        );
        assert!(found[1].as_ref().unwrap_err().place.at.line >= 3);
    }

    #[test]
    fn what_is_no_text_is_told_with_its_line() {
        let file = tempfile::Builder::new().suffix(".yml").tempfile().unwrap();
        fs::write(file.path(), b"a: 1\nb: \xff\n").unwrap();
        let fault = documents(file.path()).remove(0).unwrap_err();
        assert_eq!(fault.place.at.line, 2);
    }

    #[test]
    fn answers_come_in_the_order_of_the_items() {
        let items: Vec<_> = (0..1000).collect();
        assert_eq!(on_all_cores(&items, |item| *item), items);
    }
}
