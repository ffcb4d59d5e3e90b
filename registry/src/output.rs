//! A file that is there whole or not at all: it is written beside its place, and moved there at the
//! end.

use std::{
    fs::{self, Permissions},
    io,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

use tempfile::{Builder, NamedTempFile};

use crate::{Error, error::reason};

/// A file in the making. Dropped, it is gone, and what stood in its place still stands there.
pub struct Output {
    file: PathBuf,
    unfinished: NamedTempFile,
}

impl Output {
    /// Begins a file, in the folder where it will be.
    ///
    /// # Errors
    ///
    /// When that folder cannot be written to, or something else than a file is in its place.
    pub fn create(file: &Path) -> Result<Self, Error> {
        let unwritable = |why| unwritable(file, why);
        let place = match fs::metadata(file) {
            Ok(there) if there.is_file() => {
                // A link stays a link.
                fs::canonicalize(file).map_err(|error| unwritable(reason(&error)))?
            }
            Ok(there) if there.is_dir() => return Err(unwritable("it is a folder".to_owned())),
            Ok(_) => return Err(unwritable("it is a device or a pipe".to_owned())),
            Err(error) if error.kind() == io::ErrorKind::NotFound => file.to_owned(),
            Err(error) => return Err(unwritable(reason(&error))),
        };
        let folder = match place.parent() {
            Some(folder) if !folder.as_os_str().is_empty() => folder,
            _ => Path::new("."),
        };
        let mut builder = Builder::new();
        // As any new file: the umask takes from it.
        let builder = builder
            .prefix(".policy-registry-")
            .permissions(Permissions::from_mode(0o666));
        let unfinished = builder
            .tempfile_in(folder)
            .map_err(|error| unwritable(reason(&error)))?;
        Ok(Self {
            file: place,
            unfinished,
        })
    }

    /// To write to it.
    ///
    /// # Errors
    ///
    /// When the operating system has no handles left.
    pub fn handle(&self) -> Result<tokio::fs::File, Error> {
        let handle = self.unfinished.as_file().try_clone();
        let handle = handle.map_err(|error| unwritable(&self.file, reason(&error)))?;
        Ok(tokio::fs::File::from_std(handle))
    }

    /// Puts it in its place.
    ///
    /// # Errors
    ///
    /// When it cannot be stored or moved there.
    pub fn finish(self) -> Result<(), Error> {
        let Self { file, unfinished } = self;
        let stored = unfinished.as_file().sync_all();
        let moved = stored.and_then(|()| unfinished.persist(&file).map_err(io::Error::from));
        moved
            .map(drop)
            .map_err(|error| unwritable(&file, reason(&error)))
    }

    /// That it cannot be written.
    pub(crate) fn failed(&self, error: &io::Error) -> Error {
        unwritable(&self.file, reason(error))
    }
}

fn unwritable(file: &Path, why: String) -> Error {
    Error::Unwritable {
        file: file.to_owned(),
        why,
    }
}
