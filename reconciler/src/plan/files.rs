//! Files, folders and the standard input: found, and read.

use std::{
    collections::BTreeSet,
    fs,
    io::Read as _,
    path::{Path, PathBuf},
    sync::Arc,
};

use kuma_workload_plan::read::{Document, Fault, STDIN};

/// The files of these paths, a folder's in the order of their names, each once.
pub(super) fn files(paths: &[PathBuf]) -> (Vec<PathBuf>, Vec<Fault>) {
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
fn name(path: &Path) -> Arc<str> {
    path.to_string_lossy().into()
}

/// Reads a file, or the standard input.
///
/// # Errors
///
/// That it cannot be read.
pub(super) fn read(path: &Path) -> Result<Document<'static>, Fault> {
    let mut bytes = Vec::new();
    let read = if path.as_os_str() == STDIN {
        std::io::stdin().lock().read_to_end(&mut bytes).map(|_| ())
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
}
