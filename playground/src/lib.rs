//! The plan for JavaScript: text in, text out. The playground's page and the npm package call it.
#![forbid(unsafe_code)]

mod options;
mod planner;

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
