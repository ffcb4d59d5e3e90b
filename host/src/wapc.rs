//! The waPC protocol: how the host calls a function of a guest, and how the guest calls the host.
//!
//! policy-server leaves this to the crates `wapc` and `wasmtime-provider`. Those build wasmtime with
//! nearly all that it can do, of which a policy uses little, and take most of the time of a first
//! build. So the protocol is spoken here, over the same wasmtime, and with the same error texts.

use std::sync::Arc;

use wasmtime::{
    Caller, Config, Engine, Extern, InstancePre, Linker, Module, Result, Store, Trap, bail,
    format_err,
};

use crate::{
    callback::Host,
    wasi::{self, Exit},
};

/// The module of the host's functions, in a guest's imports.
const HOST: &str = "wapc";

/// The functions that start a guest, in the order in which they are called, where it has them.
const STARTS: [&str; 2] = ["_start", "wapc_init"];

/// Why a function of a guest gave no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum GuestCallError {
    /// It ran into its time limit.
    #[error("guest code interrupted, execution deadline exceeded")]
    Interrupted,
    /// It trapped, or said itself that it failed.
    #[error("Guest call failure: {0}")]
    Failed(String),
    /// There was no instance to call.
    #[error("{0}")]
    NotStarted(String),
}

/// A guest's module, compiled: an instance of it is made for each call.
#[derive(Clone)]
pub(crate) struct Guest {
    instances: InstancePre<Exchange>,
}

/// What host and guest pass to each other during one call.
struct Exchange {
    host: Arc<Host>,
    /// The function that is called, and its payload; nothing while the guest starts.
    request: Option<(String, Vec<u8>)>,
    response: Option<Vec<u8>>,
    error: Option<String>,
    /// How the guest's last call of the host ended.
    host_call: Option<Result<Vec<u8>, String>>,
}

impl Guest {
    /// Compiles a module.
    ///
    /// # Errors
    ///
    /// When it is no WebAssembly, or imports what this host does not offer.
    pub(crate) fn compile(module: &[u8]) -> Result<Self> {
        let mut config = Config::new();
        config.epoch_interruption(true);
        let engine = Engine::new(&config)?;
        let module = Module::new(&engine, module)?;
        let mut linker = Linker::new(&engine);
        wasi::offer(&mut linker)?;
        offer(&mut linker)?;
        let instances = linker.instantiate_pre(&module)?;
        Ok(Self { instances })
    }

    /// What its epochs are counted on.
    pub(crate) fn engine(&self) -> &Engine {
        self.instances.module().engine()
    }

    /// Calls a function of a new instance. `ticks` is how many epochs each of its starts, and the
    /// function itself, may take.
    pub(crate) fn call(
        &self,
        function: &str,
        payload: &[u8],
        host: Arc<Host>,
        ticks: u64,
    ) -> Result<Vec<u8>, GuestCallError> {
        let exchange = Exchange {
            host,
            request: None,
            response: None,
            error: None,
            host_call: None,
        };
        let mut store = Store::new(self.engine(), exchange);
        let failed_to_start = |error: wasmtime::Error| match interrupted(&error) {
            true => GuestCallError::Interrupted,
            false => GuestCallError::NotStarted(error.to_string()),
        };

        store.set_epoch_deadline(ticks);
        let instance = self
            .instances
            .instantiate(&mut store)
            .map_err(failed_to_start)?;
        for name in STARTS {
            if instance.get_func(&mut store, name).is_none() {
                continue;
            }
            store.set_epoch_deadline(ticks);
            let start = instance
                .get_typed_func::<(), ()>(&mut store, name)
                .map_err(failed_to_start)?;
            match start.call(&mut store, ()) {
                // A `main` that ends in order, as TinyGo's do.
                Err(error) if error.downcast_ref() == Some(&Exit(0)) => {}
                ended => ended.map_err(failed_to_start)?,
            }
        }

        let guest_call = instance
            .get_typed_func::<(u32, u32), i32>(&mut store, "__guest_call")
            .map_err(|_| {
                let missing = "Guest call function (__guest_call) not exported by wasm module.";
                GuestCallError::NotStarted(missing.to_owned())
            })?;
        let lengths = (length(function.as_bytes()), length(payload));
        store.data_mut().request = Some((function.to_owned(), payload.to_owned()));
        store.set_epoch_deadline(ticks);
        let succeeded = match guest_call.call(&mut store, lengths) {
            Ok(code) => code != 0,
            Err(error) if interrupted(&error) => return Err(GuestCallError::Interrupted),
            Err(error) => return Err(GuestCallError::Failed(error.to_string())),
        };
        let Exchange {
            response, error, ..
        } = store.into_data();
        match (succeeded, response, error) {
            (true, Some(response), _) => Ok(response),
            (_, _, Some(error)) => Err(GuestCallError::Failed(error)),
            (true, None, None) => Err(GuestCallError::Failed(
                "No error message OR response set for call success".to_owned(),
            )),
            (false, _, None) => Err(GuestCallError::Failed(
                "No error message set for call failure".to_owned(),
            )),
        }
    }
}

/// Whether a guest was stopped at its time limit.
fn interrupted(error: &wasmtime::Error) -> bool {
    error.downcast_ref() == Some(&Trap::Interrupt)
}

/// As the protocol counts bytes; a guest's memory ends at the largest of these numbers.
fn length(bytes: &[u8]) -> u32 {
    u32::try_from(bytes.len()).unwrap_or(u32::MAX)
}

/// Offers the functions of the protocol that a guest imports.
fn offer(linker: &mut Linker<Exchange>) -> Result<()> {
    linker.func_wrap(
        HOST,
        "__guest_request",
        |mut caller: Caller<'_, Exchange>, function_at: u32, payload_at: u32| {
            let (memory, exchange) = memory(&mut caller)?;
            if let Some((function, payload)) = &exchange.request {
                write(memory, payload_at, payload)?;
                write(memory, function_at, function.as_bytes())?;
            }
            Ok(())
        },
    )?;
    linker.func_wrap(
        HOST,
        "__guest_response",
        |mut caller: Caller<'_, Exchange>, at: u32, length: u32| {
            let (memory, exchange) = memory(&mut caller)?;
            exchange.response = Some(read(memory, at, length)?.to_owned());
            Ok(())
        },
    )?;
    linker.func_wrap(
        HOST,
        "__guest_error",
        |mut caller: Caller<'_, Exchange>, at: u32, length: u32| {
            let (memory, exchange) = memory(&mut caller)?;
            exchange.error = Some(text(memory, at, length)?.to_owned());
            Ok(())
        },
    )?;
    linker.func_wrap(
        HOST,
        "__console_log",
        |mut caller: Caller<'_, Exchange>, at: u32, length: u32| {
            let (memory, exchange) = memory(&mut caller)?;
            exchange.host.log(text(memory, at, length)?.to_owned());
            Ok(())
        },
    )?;
    linker.func_wrap(
        HOST,
        "__host_call",
        |mut caller: Caller<'_, Exchange>,
         binding_at: u32,
         binding_length: u32,
         namespace_at: u32,
         namespace_length: u32,
         operation_at: u32,
         operation_length: u32,
         payload_at: u32,
         payload_length: u32|
         -> Result<i32> {
            let (memory, exchange) = memory(&mut caller)?;
            let result = exchange.host.call(
                text(memory, binding_at, binding_length)?,
                text(memory, namespace_at, namespace_length)?,
                text(memory, operation_at, operation_length)?,
                read(memory, payload_at, payload_length)?,
            );
            let succeeded = result.is_ok();
            exchange.host_call = Some(result);
            Ok(succeeded.into())
        },
    )?;
    linker.func_wrap(
        HOST,
        "__host_response_len",
        |caller: Caller<'_, Exchange>| match &caller.data().host_call {
            Some(Ok(response)) => length(response),
            _ => 0,
        },
    )?;
    linker.func_wrap(
        HOST,
        "__host_response",
        |mut caller: Caller<'_, Exchange>, at: u32| {
            let (memory, exchange) = memory(&mut caller)?;
            match &exchange.host_call {
                Some(Ok(response)) => write(memory, at, response),
                _ => Ok(()),
            }
        },
    )?;
    linker.func_wrap(
        HOST,
        "__host_error_len",
        |caller: Caller<'_, Exchange>| match &caller.data().host_call {
            Some(Err(error)) => length(error.as_bytes()),
            _ => 0,
        },
    )?;
    linker.func_wrap(
        HOST,
        "__host_error",
        |mut caller: Caller<'_, Exchange>, at: u32| {
            let (memory, exchange) = memory(&mut caller)?;
            match &exchange.host_call {
                Some(Err(error)) => write(memory, at, error.as_bytes()),
                _ => Ok(()),
            }
        },
    )?;
    Ok(())
}

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

fn text(memory: &[u8], at: u32, length: u32) -> Result<&str> {
    std::str::from_utf8(read(memory, at, length)?)
        .map_err(|error| format_err!("the guest passed a text that is no UTF-8: {error}"))
}

fn out_of_bounds() -> wasmtime::Error {
    format_err!("out of bounds memory access")
}
