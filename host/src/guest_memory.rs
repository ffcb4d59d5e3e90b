//! A guest's memory, as the functions that it imports read and write it.

use wasmtime::{Caller, Extern, Result, bail, format_err};

/// A guest's memory, and what belongs to its store.
pub(crate) fn memory<'a, T: 'static>(
    caller: &'a mut Caller<'_, T>,
) -> Result<(&'a mut [u8], &'a mut T)> {
    match caller.get_export("memory") {
        Some(Extern::Memory(memory)) => Ok(memory.data_and_store_mut(caller)),
        _ => bail!("the guest exports no memory"),
    }
}

/// The bytes at an address of a guest's memory.
pub(crate) fn read(memory: &[u8], at: u32, length: u32) -> Result<&[u8]> {
    let from = memory.get(at as usize..);
    from.and_then(|from| from.get(..length as usize))
        .ok_or_else(out_of_bounds)
}

/// Puts bytes at an address of a guest's memory.
pub(crate) fn write(memory: &mut [u8], at: u32, bytes: &[u8]) -> Result<()> {
    let from = memory.get_mut(at as usize..);
    let place = from.and_then(|from| from.get_mut(..bytes.len()));
    place.ok_or_else(out_of_bounds)?.copy_from_slice(bytes);
    Ok(())
}

fn out_of_bounds() -> wasmtime::Error {
    format_err!("out of bounds memory access")
}
