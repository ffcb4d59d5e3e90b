//! What JavaScript calls. A buffer is an address and a length in the module's memory; who has one, from
//! [`allocate`] or [`answer`], gives it back to [`release`] once.

use std::slice;

/// A buffer of this length, to be filled with a request.
#[unsafe(no_mangle)]
extern "C" fn allocate(length: usize) -> *mut u8 {
    Box::into_raw(vec![0_u8; length].into_boxed_slice()).cast()
}

/// Gives a buffer back.
///
/// # Safety
///
/// The buffer is one that [`allocate`] or [`answer`] gave, and nobody uses it any more.
#[unsafe(no_mangle)]
unsafe extern "C" fn release(address: *mut u8, length: usize) {
    let buffer = std::ptr::slice_from_raw_parts_mut(address, length);
    // SAFETY: as `allocate` and `answer` made it; the caller gives it away.
    drop(unsafe { Box::from_raw(buffer) });
}

/// Answers the request in a buffer: the answer's address in the upper half, its length in the lower.
///
/// # Safety
///
/// The buffer is one that [`allocate`] gave.
#[unsafe(no_mangle)]
unsafe extern "C" fn answer(address: *const u8, length: usize) -> u64 {
    // SAFETY: as `allocate` made it.
    let request = unsafe { slice::from_raw_parts(address, length) };
    let answer = crate::answer(request).into_boxed_slice();
    let length = answer.len() as u64;
    let address = Box::into_raw(answer).cast::<u8>() as u64;
    address << 32 | length
}
