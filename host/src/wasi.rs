//! The little of WASI that a guest's standard library uses: random seeds for its maps, an empty
//! environment, and a way to say its last words in a panic. There are no files, no network, no
//! clock; policy-server offers them, and a policy that imports one is refused here when it is loaded.

use std::{
    fmt,
    hash::{BuildHasher, RandomState},
    io::Write,
};

use wasmtime::{Caller, Linker, Result};

use crate::wapc::{memory, read, write};

/// The module of these functions, in a guest's imports.
const WASI: &str = "wasi_snapshot_preview1";

/// A function did what it was asked.
const SUCCESS: i32 = 0;

/// There is no such open file.
const BAD_FILE: i32 = 8;

/// A guest that ends itself, with its status.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Exit(pub(crate) i32);

impl fmt::Display for Exit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Exited with i32 exit status {}", self.0)
    }
}

impl std::error::Error for Exit {}

/// Offers these functions to a guest.
pub(crate) fn offer<T: 'static>(linker: &mut Linker<T>) -> Result<()> {
    linker.func_wrap(WASI, "random_get", random_get)?;
    linker.func_wrap(WASI, "environ_sizes_get", environ_sizes_get)?;
    linker.func_wrap(WASI, "environ_get", |_: u32, _: u32| SUCCESS)?;
    linker.func_wrap(WASI, "fd_write", fd_write)?;
    linker.func_wrap(WASI, "proc_exit", |status: i32| -> Result<()> {
        Err(Exit(status).into())
    })?;
    Ok(())
}

/// Seeds of hash maps, from the seeds of the host's own: nothing here is a secret.
fn random_get<T: 'static>(mut caller: Caller<'_, T>, at: u32, length: u32) -> Result<i32> {
    let (memory, _) = memory(&mut caller)?;
    let mut bytes = Vec::new();
    // Checked first: the guest's memory bounds what is made for it.
    read(memory, at, length)?;
    while bytes.len() < length as usize {
        bytes.extend(RandomState::new().hash_one(bytes.len()).to_le_bytes());
    }
    bytes.truncate(length as usize);
    write(memory, at, &bytes)?;
    Ok(SUCCESS)
}

/// No variable is set.
fn environ_sizes_get<T: 'static>(
    mut caller: Caller<'_, T>,
    count_at: u32,
    size_at: u32,
) -> Result<i32> {
    let (memory, _) = memory(&mut caller)?;
    write(memory, count_at, &0_u32.to_le_bytes())?;
    write(memory, size_at, &0_u32.to_le_bytes())?;
    Ok(SUCCESS)
}

/// Writes a list of buffers to standard error, whether the guest means that or its standard output:
/// the host's own output is its report.
fn fd_write<T: 'static>(
    mut caller: Caller<'_, T>,
    file: i32,
    buffers_at: u32,
    buffers: u32,
    written_at: u32,
) -> Result<i32> {
    if !matches!(file, 1 | 2) {
        return Ok(BAD_FILE);
    }
    let (memory, _) = memory(&mut caller)?;
    let list = read(memory, buffers_at, buffers.saturating_mul(8))?;
    let mut written = 0_u32;
    let mut stderr = std::io::stderr().lock();
    for buffer in list.chunks_exact(8) {
        let (at, length) = buffer.split_at(4);
        let length = number(length);
        // Nobody may be there to read it.
        let _ = stderr.write_all(read(memory, number(at), length)?);
        written = written.saturating_add(length);
    }
    write(memory, written_at, &written.to_le_bytes())?;
    Ok(SUCCESS)
}

fn number(bytes: &[u8]) -> u32 {
    bytes
        .iter()
        .rev()
        .fold(0, |number, byte| number << 8 | u32::from(*byte))
}
