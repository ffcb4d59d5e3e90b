//! The files that `plan` and `status` are given: named, in folders, or the standard input.
//!
//! A file that is named is read, whatever it is. Of a folder, those that can be manifests are, but
//! for what `--exclude` and the files [`IGNORE_FILE`] leave out, in the syntax of `.gitignore`.

use std::{
    collections::BTreeMap,
    env, fs,
    io::{self, Read as _},
    path::{Component, Path, PathBuf},
    sync::Arc,
};

use ignore::{
    DirEntry, WalkBuilder,
    gitignore::{Gitignore, GitignoreBuilder},
};
use kuma_workload_plan::{
    Found, Options,
    read::{Document, Fault, STDIN, tree::Position},
};

use crate::client::innermost;

/// A file of this name says what of its folder is left out.
const IGNORE_FILE: &str = ".kuma-workload-ignore";

/// Folders that hold no manifests of their owner's, or far too many.
const LEFT_OUT: [&str; 2] = [".git", "node_modules"];

/// A file to be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct File {
    /// Where it is; `-` is the standard input.
    pub(crate) path: PathBuf,
    /// Whether it was named itself, and not only a folder that it is in.
    is_named: bool,
}

impl File {
    /// Reads it, and what is in it.
    ///
    /// # Errors
    ///
    /// That it cannot be read.
    pub(crate) fn find(&self, options: &Options<'_>) -> Result<Found, Fault> {
        let document = read(&self.path)?;
        Ok(match self.is_named {
            true => Found::in_document(&document, options),
            false => Found::in_folder_document(&document, options),
        })
    }
}

/// The files of these paths, a folder's in the order of their names, each once; and what cannot be
/// looked into.
pub(crate) fn files(paths: &[PathBuf], exclude: &[Pattern]) -> (Vec<File>, Vec<Fault>) {
    let mut files = Files::default();
    for path in paths {
        if path.as_os_str() == STDIN {
            files.add(path.clone(), true);
            continue;
        }
        match fs::metadata(path) {
            Ok(metadata) if metadata.is_dir() => files.add_folder(path, exclude),
            Ok(_) => files.add(path.clone(), true),
            Err(error) => files.faults.push(unreadable(path, &error)),
        }
    }
    (files.found, files.faults)
}

#[derive(Default)]
struct Files {
    found: Vec<File>,
    /// Where each stands among those that were found.
    known: BTreeMap<PathBuf, usize>,
    faults: Vec<Fault>,
}

impl Files {
    fn add(&mut self, path: PathBuf, is_named: bool) {
        // `./a.yaml`, as the walk through `.` says it, is the file `a.yaml`; `./-` is none but itself.
        let name = match path.strip_prefix(Component::CurDir) {
            Ok(inside) if inside.as_os_str() != STDIN => inside,
            _ => &path,
        };
        let next = self.found.len();
        let at = *self.known.entry(name.to_owned()).or_insert(next);
        match self.found.get_mut(at) {
            Some(known) => known.is_named |= is_named,
            None => self.found.push(File { path, is_named }),
        }
    }

    fn add_folder(&mut self, folder: &Path, exclude: &[Pattern]) {
        let excluded = excluded(folder, exclude);
        let mut walk = WalkBuilder::new(folder);
        walk.standard_filters(false)
            .parents(true)
            .add_custom_ignore_filename(IGNORE_FILE)
            .sort_by_file_name(Ord::cmp)
            .filter_entry(move |entry| entry.depth() == 0 || is_wanted(entry, &excluded));
        for entry in walk.build() {
            match entry {
                Ok(entry) => {
                    if let Some(error) = entry.error() {
                        self.faults.extend(of_walk(error, Path::new("")));
                    }
                    self.add_entry(&entry);
                }
                Err(error) => self.faults.extend(of_walk(&error, folder)),
            }
        }
    }

    /// A link to a file is as good as the file; one to a folder may lead back to where it stands.
    fn add_entry(&mut self, entry: &DirEntry) {
        let path = entry.path();
        if !can_be_manifest(path) || entry.file_type().is_some_and(|of| of.is_dir()) {
            return;
        }
        match fs::metadata(path) {
            Ok(metadata) if metadata.is_file() => self.add(path.to_owned(), false),
            Ok(_) => {}
            Err(error) => self.faults.push(unreadable(path, &error)),
        }
    }
}

fn is_wanted(entry: &DirEntry, excluded: &Gitignore) -> bool {
    let is_dir = entry.file_type().is_some_and(|of| of.is_dir());
    !LEFT_OUT.iter().any(|name| entry.file_name() == *name)
        && !excluded.matched(entry.path(), is_dir).is_ignore()
}

fn can_be_manifest(path: &Path) -> bool {
    path.extension().is_some_and(|extension| {
        let known = ["yaml", "yml", "json"];
        known
            .iter()
            .any(|known| extension.eq_ignore_ascii_case(known))
    })
}

/// What of a folder is left out, as a line of a `.gitignore` in it would say it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Pattern(String);

/// A pattern as it is given with `--exclude`.
///
/// # Errors
///
/// Why it is none.
pub(crate) fn pattern(text: &str) -> Result<Pattern, String> {
    let mut builder = GitignoreBuilder::new("");
    match builder.add_line(None, text) {
        Ok(_) => Ok(Pattern(text.to_owned())),
        Err(error) => Err(format!("it is no pattern of a .gitignore: {}", why(&error))),
    }
}

/// What is wrong with a pattern, without the library's words around it.
fn why(error: &ignore::Error) -> String {
    match error {
        ignore::Error::WithLineNumber { err, .. }
        | ignore::Error::WithPath { err, .. }
        | ignore::Error::WithDepth { err, .. } => why(err),
        ignore::Error::Partial(errors) => errors.first().map_or_else(String::new, why),
        ignore::Error::Glob { err, .. } => err.clone(),
        error => error.to_string(),
    }
}

fn excluded(folder: &Path, exclude: &[Pattern]) -> Gitignore {
    let mut builder = GitignoreBuilder::new(folder);
    for Pattern(text) in exclude {
        // It has been read before.
        let _ = builder.add_line(None, text);
    }
    builder.build().unwrap_or_else(|_| Gitignore::empty())
}

/// What went wrong on a walk through a folder. A pattern that is none is told, and the rest of its
/// file goes on.
fn of_walk(error: &ignore::Error, path: &Path) -> Vec<Fault> {
    match error {
        ignore::Error::Partial(errors) => {
            let errors = errors.iter();
            errors.flat_map(|error| of_walk(error, path)).collect()
        }
        ignore::Error::WithPath { path, err } => of_walk(err, path),
        ignore::Error::WithDepth { err, .. } => of_walk(err, path),
        ignore::Error::WithLineNumber { line, err } => {
            let mut faults = of_walk(err, path);
            let line = u32::try_from(*line).unwrap_or(u32::MAX);
            for fault in &mut faults {
                fault.place.at = Position { line, column: 1 };
            }
            faults
        }
        ignore::Error::Io(error) => vec![unreadable(path, error)],
        error => {
            let message = format!("this is no pattern of a .gitignore: {}", why(error));
            vec![Fault::of_file(name(path), message)]
        }
    }
}

/// That nothing was read of these paths, which have these files.
pub(crate) fn nothing(paths: &[PathBuf], files: &[File]) -> Fault {
    let place = match paths {
        [path] => name(path),
        _ => "the input".into(),
    };
    let named: Vec<_> = files.iter().map(|file| name(&file.path)).collect();
    Fault::nothing_read(place, &named)
}

fn unreadable(path: &Path, error: &io::Error) -> Fault {
    let reason = innermost(error);
    Fault::of_file(name(path), format!("it cannot be read: {reason}"))
}

/// A file's name in places: from the folder that the program stands in, if it is in there, since
/// annotations and code scanning want names that count from the repository. What no UTF-8 has is
/// replaced.
fn name(path: &Path) -> Arc<str> {
    let here = env::current_dir().ok();
    let inside = here.and_then(|here| path.strip_prefix(here).ok());
    let parts = inside.unwrap_or(path).components();
    let name: PathBuf = parts
        .skip_while(|part| *part == Component::CurDir)
        .collect();
    match name.as_os_str().is_empty() {
        true => path.to_string_lossy().into(),
        false => name.to_string_lossy().into(),
    }
}

/// Reads a file, or the standard input.
///
/// # Errors
///
/// That it cannot be read.
pub(crate) fn read(path: &Path) -> Result<Document<'static>, Fault> {
    let mut bytes = Vec::new();
    let read = if path.as_os_str() == STDIN {
        io::stdin().lock().read_to_end(&mut bytes).map(|_| ())
    } else {
        fs::read(path).map(|read| bytes = read)
    };
    read.map_err(|error| unreadable(path, &error))?;
    Ok(Document {
        name: name(path),
        bytes: bytes.into(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    /// A folder with these files, whose texts are their names.
    fn folder(files: &[&str]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for file in files {
            let path = folder.path().join(file);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, file).unwrap();
        }
        folder
    }

    fn found(root: &Path, exclude: &[&str]) -> Vec<String> {
        let exclude: Vec<_> = exclude.iter().map(|text| pattern(text).unwrap()).collect();
        let (files, faults) = files(&[root.to_owned()], &exclude);
        assert_eq!(faults, []);
        let files = files
            .iter()
            .map(|file| file.path.strip_prefix(root).unwrap());
        files
            .map(|path| path.to_str().unwrap().to_owned())
            .collect()
    }

    #[test]
    fn a_folder_is_read_to_its_depth_in_the_order_of_its_names() {
        let folder = folder(&[
            "b/c/z.yml",
            "b/a.YAML",
            "a.json",
            "README.md",
            "c.yaml",
            ".h/d.yml",
        ]);
        let expected = [".h/d.yml", "a.json", "b/a.YAML", "b/c/z.yml", "c.yaml"];
        assert_eq!(found(folder.path(), &[]), expected);
    }

    #[test]
    fn a_file_is_read_once_and_who_names_it_means_it() {
        let folder = folder(&["a.json", "b.json"]);
        let root = folder.path().to_owned();
        let (files, faults) = files(&[root.clone(), root.join("a.json")], &[]);
        let is_named: Vec<_> = files.iter().map(|file| file.is_named).collect();
        assert_eq!((is_named, faults), (vec![true, false], vec![]));
    }

    /// As the walk wraps what the operating system says, with the path once more.
    #[derive(Debug, thiserror::Error)]
    #[error("IO error for operation on a: {0}")]
    struct Wrapped(#[source] io::Error);

    #[test]
    fn a_folder_that_cannot_be_looked_into_is_told_in_our_own_words() {
        let denied = Wrapped(io::Error::from_raw_os_error(13));
        let error = ignore::Error::Io(io::Error::other(denied));
        let told = of_walk(&error, Path::new("a"));
        let told: Vec<_> = told.iter().map(Fault::to_string).collect();
        assert_eq!(told, ["a: it cannot be read: Permission denied"]);
    }

    #[test]
    fn a_file_has_one_name_however_it_is_given() {
        let paths = [
            "./a.yaml",
            "a.yaml",
            "b//c.yaml",
            "./b/./c.yaml",
            ".",
            "./-",
            "-",
        ];
        let mut files = Files::default();
        for path in paths {
            files.add(path.into(), true);
        }
        let found: Vec<_> = files
            .found
            .iter()
            .map(|file| file.path.to_str().unwrap())
            .collect();
        assert_eq!(found, ["./a.yaml", "b//c.yaml", ".", "./-", "-"]);
    }

    #[rstest]
    #[case::file("b.yaml", &["a.yaml", "c/a.yaml", "c/d/a.yaml"])]
    #[case::at_its_root("/b.yaml", &["a.yaml", "c/a.yaml", "c/d/a.yaml", "c/d/b.yaml"])]
    #[case::glob("[ab].yaml", &[])]
    #[case::folder("d/", &["a.yaml", "b.yaml", "c/a.yaml"])]
    #[case::of_a_folder("c/**/b.*", &["a.yaml", "b.yaml", "c/a.yaml", "c/d/a.yaml"])]
    #[case::nothing("x.yaml", &["a.yaml", "b.yaml", "c/a.yaml", "c/d/a.yaml", "c/d/b.yaml"])]
    fn what_is_excluded_is_left_out(#[case] glob: &str, #[case] expected: &[&str]) {
        let files = ["a.yaml", "b.yaml", "c/a.yaml", "c/d/a.yaml", "c/d/b.yaml"];
        let by_flag = folder(&files);
        assert_eq!(found(by_flag.path(), &[glob]), expected);
        let by_file = folder(&files);
        fs::write(
            by_file.path().join(IGNORE_FILE),
            format!("# tests\n\n{glob}\n"),
        )
        .unwrap();
        assert_eq!(found(by_file.path(), &[]), expected);
    }

    #[test]
    fn an_ignore_file_holds_for_the_folders_below_it_and_others_do_not() {
        let files = ["a/b/c.yaml", "a/b/d.yaml", "a/e.yaml", "a/f.yaml"];
        let folder = folder(&files);
        fs::write(folder.path().join(IGNORE_FILE), "d.yaml\n/a/f.yaml").unwrap();
        fs::write(
            folder.path().join("a/b").join(IGNORE_FILE),
            "c.yaml\n!d.yaml",
        )
        .unwrap();
        fs::write(folder.path().join("a/.gitignore"), "*").unwrap();
        fs::write(folder.path().join("a/.ignore"), "*").unwrap();
        assert_eq!(found(folder.path(), &[]), ["a/b/d.yaml", "a/e.yaml"]);
        assert_eq!(found(&folder.path().join("a"), &["e.yaml"]), ["b/d.yaml"]);
    }

    #[test]
    fn what_is_no_pattern_is_told_where_it_stands() {
        let folder = folder(&["a.yaml"]);
        let ignore_file = folder.path().join(IGNORE_FILE);
        fs::write(&ignore_file, "x\n[z-a]\n").unwrap();
        let (files, faults) = files(&[folder.path().to_owned()], &[]);
        let said: Vec<_> = faults.iter().map(Fault::to_string).collect();
        let place = ignore_file.display();
        assert_eq!(
            said,
            [format!(
                "{place}:2:1: this is no pattern of a .gitignore: invalid range; 'z' > 'a'"
            )]
        );
        assert_eq!(files.len(), 1);
        assert!(
            pattern("[z-a]")
                .unwrap_err()
                .ends_with("invalid range; 'z' > 'a'")
        );
    }

    #[test]
    fn folders_that_hold_nothing_of_ours_are_left_out() {
        let folder = folder(&[".git/a.yaml", "b/node_modules/c/d.json", "e.json"]);
        assert_eq!(found(folder.path(), &[]), ["e.json"]);
        let named = folder.path().join("b/node_modules");
        assert_eq!(found(&named, &[]), ["c/d.json"]);
    }

    #[cfg(unix)]
    #[test]
    fn links_to_files_are_followed_and_links_to_folders_are_not() {
        use std::os::unix::fs::symlink;

        let folder = folder(&["a/b.yaml"]);
        let root = folder.path();
        symlink(root.join("a"), root.join("c")).unwrap();
        symlink(root.join("a/b.yaml"), root.join("d.yaml")).unwrap();
        symlink(root.join("nowhere"), root.join("README")).unwrap();
        assert_eq!(found(root, &[]), ["a/b.yaml", "d.yaml"]);
        assert_eq!(found(&root.join("c"), &[]), ["b.yaml"]);
    }

    #[rstest]
    #[case::relative("a/b.yaml", "a/b.yaml")]
    #[case::from_here("./a/./b.yaml", "a/b.yaml")]
    #[case::from_above("../b.yaml", "../b.yaml")]
    #[case::elsewhere("/nowhere/b.yaml", "/nowhere/b.yaml")]
    #[case::stdin("-", "-")]
    #[case::here(".", ".")]
    fn names_count_from_here(#[case] path: &str, #[case] expected: &str) {
        assert_eq!(&*name(Path::new(path)), expected);
    }

    #[test]
    fn an_absolute_path_below_here_counts_from_here_too() {
        let here = env::current_dir().unwrap();
        assert_eq!(&*name(&here.join("a/b.yaml")), "a/b.yaml");
        assert_eq!(*name(&here), *here.to_str().unwrap());
    }

    #[test]
    fn a_path_that_is_not_there_is_a_fault() {
        let (_, faults) = files(&["nowhere".into()], &[]);
        let said: Vec<_> = faults.iter().map(Fault::to_string).collect();
        assert_eq!(
            said,
            ["nowhere: it cannot be read: No such file or directory"]
        );
    }
}
