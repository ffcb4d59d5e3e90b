//! `bindgen MODULE.wasm TARGET FOLDER`: writes the module and the JavaScript that loads it into the folder. TARGET
//! is `web`, for a page, or `nodejs` or `bundler`, for the npm package.

use std::{env, error::Error};

use wasm_bindgen_cli_support::Bindgen;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<_> = env::args().skip(1).collect();
    let [module, target, folder] = arguments.as_slice() else {
        return Err("usage: bindgen MODULE.wasm TARGET FOLDER".into());
    };
    let mut bindgen = Bindgen::new();
    match target.as_str() {
        "web" => bindgen.web(true)?,
        "nodejs" => bindgen.nodejs(true)?,
        "bundler" => bindgen.bundler(true)?,
        other => {
            return Err(format!("there is no target {other:?}; use web, nodejs or bundler").into());
        }
    };
    bindgen
        .input_path(module)
        .out_name("kuma_workload_plan")
        .typescript(true)
        // Names of functions are a fifth of the module, and nobody reads them there.
        .remove_name_section(true)
        .remove_producers_section(true)
        .generate(folder)?;
    Ok(())
}
