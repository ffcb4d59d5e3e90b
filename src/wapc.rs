//! The guest's side of waPC: how a host calls this module, and how this module calls its host. The
//! only unsafe code of the policy.
//!
//! The host's functions are those of the [waPC specification](https://wapc.io/docs/spec/). A crate for
//! this exists; it keeps the guest functions in a hash map behind a lock, which policy-server would
//! make anew for each request.

#[link(wasm_import_module = "wapc")]
unsafe extern "C" {
    safe fn __host_response_len() -> usize;
    safe fn __host_error_len() -> usize;
    fn __guest_request(operation: *mut u8, payload: *mut u8);
    fn __guest_response(response: *const u8, length: usize);
    fn __guest_error(error: *const u8, length: usize);
    fn __host_call(
        binding: *const u8,
        binding_length: usize,
        namespace: *const u8,
        namespace_length: usize,
        operation: *const u8,
        operation_length: usize,
        payload: *const u8,
        payload_length: usize,
    ) -> usize;
    fn __host_response(response: *mut u8);
    fn __host_error(error: *mut u8);
}

/// The host calls a guest function: it says how long the function's name and the payload are. The
/// answer is 1 if there is a response, and 0 if there is an error.
#[unsafe(no_mangle)]
extern "C" fn __guest_call(operation_length: usize, payload_length: usize) -> i32 {
    let mut operation = Vec::with_capacity(operation_length);
    let mut payload = Vec::with_capacity(payload_length);
    // SAFETY: the host writes as many bytes to each as it has said.
    unsafe {
        __guest_request(operation.as_mut_ptr(), payload.as_mut_ptr());
        operation.set_len(operation_length);
        payload.set_len(payload_length);
    }
    match crate::guest_function(&operation, &payload, host_call) {
        Ok(response) => {
            // SAFETY: the host reads as many bytes as there are.
            unsafe { __guest_response(response.as_ptr(), response.len()) };
            1
        }
        Err(error) => {
            // SAFETY: the host reads as many bytes as there are.
            unsafe { __guest_error(error.as_ptr(), error.len()) };
            0
        }
    }
}

/// Calls the host's function for questions to the cluster.
fn host_call(operation: &str, question: &[u8]) -> Result<Vec<u8>, String> {
    let (binding, namespace) = ("kubewarden", "kubernetes");
    // SAFETY: the host reads as many bytes of each as there are.
    let answered = unsafe {
        __host_call(
            binding.as_ptr(),
            binding.len(),
            namespace.as_ptr(),
            namespace.len(),
            operation.as_ptr(),
            operation.len(),
            question.as_ptr(),
            question.len(),
        )
    };
    if answered == 1 {
        // SAFETY: the host writes as many bytes as it has said.
        Ok(unsafe { written(__host_response_len(), __host_response) })
    } else {
        // SAFETY: the host writes as many bytes as it has said.
        let error = unsafe { written(__host_error_len(), __host_error) };
        Err(String::from_utf8_lossy(&error).into_owned())
    }
}

/// What the host writes.
///
/// # Safety
///
/// `write` has to write so many bytes.
unsafe fn written(length: usize, write: unsafe extern "C" fn(*mut u8)) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(length);
    // SAFETY: as the caller says.
    unsafe {
        write(bytes.as_mut_ptr());
        bytes.set_len(length);
    }
    bytes
}
