//! The plan for JavaScript: text in, text out. The playground's page and the npm package call it.
#![forbid(unsafe_code)]

mod mask;
mod options;
mod planner;
mod request;

use kuma_workload_plan::read::Document;
use wasm_bindgen::prelude::*;

/// Plans documents. What has not changed since the last plan is not read again.
#[wasm_bindgen]
#[derive(Debug, Default)]
pub struct Planner(planner::Planner);

#[wasm_bindgen]
impl Planner {
    /// One that has read nothing yet.
    #[wasm_bindgen(constructor)]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a document to the next plan: its name, and its bytes.
    pub fn add(&mut self, name: &str, bytes: Vec<u8>) {
        self.0.add(name, bytes);
    }

    /// The plan of the documents that were added since the last one, in the JSON of
    /// `kuma-workload plan -o json`. The options are JSON too; empty text has none.
    ///
    /// # Errors
    ///
    /// A sentence about the options, if they cannot be read.
    pub fn plan(&mut self, options: &str) -> Result<String, JsError> {
        self.0
            .plan(options)
            .map_err(|sentence| JsError::new(&sentence))
    }
}

/// The text of a document in which `data` and `stringData` of Secrets, and the values of environment variables, are
/// masked: for what leaves the page or stays behind. All else is as it was.
#[wasm_bindgen]
pub fn mask(text: &str) -> String {
    mask::mask(text)
}

/// An object of a document as the request that an API server would send about it, and the settings that judge it:
/// the JSON object `{"settings": …, "review": …}`, which `kwctl run` takes. The object is named as the report names it,
/// `{"kind": …, "namespace": …, "name": …}`; the options are those of the plan.
///
/// # Errors
///
/// A sentence, if the object is not there or is of a kind that the policy does not judge.
#[wasm_bindgen]
pub fn request(name: &str, bytes: &[u8], object: &str, options: &str) -> Result<String, JsError> {
    let document = Document {
        name: name.into(),
        bytes: bytes.into(),
    };
    request::request(&document, object, options).map_err(|sentence| JsError::new(&sentence))
}

/// The version of the rules.
#[wasm_bindgen]
pub fn version() -> String {
    env!("CARGO_PKG_VERSION").to_owned()
}
