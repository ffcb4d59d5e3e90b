//! The plan for JavaScript: text in, text out. The playground's page and the npm package call it.
#![forbid(unsafe_code)]

mod changes;
mod mask;
mod options;
mod planner;
mod request;

use kuma_workload_plan::read::Document;
use kuma_workload_rulebook::quoted::Quoted;
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

    /// Adds a document of the last plan to the next one, by its number there, from 0: it has not changed.
    pub fn again(&mut self, number: usize) {
        self.0.again(number);
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

    /// The same plan as what has changed in it, for who draws it after each key. In each of the lists `namespaces`,
    /// `workloads`, `pods`, `findings` and `faults`, a row that was in the same list the last time that this was called
    /// is its number there.
    ///
    /// # Errors
    ///
    /// A sentence about the options, if they cannot be read.
    pub fn changes(&mut self, options: &str) -> Result<String, JsError> {
        self.0
            .changes(options)
            .map_err(|sentence| JsError::new(&sentence))
    }
}

/// The text of a document in which nobody should see any more what Secrets hold, the values of environment variables,
/// and copies of these: for what leaves the page or stays behind. All else is as it was. What cannot be read for
/// certain is masked by more.
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

/// What the number of a rule, the code of a finding or the name of an admission rule means, in JSON.
///
/// # Errors
///
/// A sentence, if there is no such name.
#[wasm_bindgen]
pub fn explain(name: &str) -> Result<String, JsError> {
    explained(name).map_err(|sentence| JsError::new(&sentence))
}

fn explained(name: &str) -> Result<String, String> {
    let Some(explanation) = kuma_workload_plan::explain(name) else {
        let name = Quoted(name);
        return Err(format!("no rule and no finding is called {name}"));
    };
    serde_json::to_string(&explanation)
        .map_err(|error| format!("the explanation cannot be written: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_explained_and_another_is_refused() {
        assert!(explained("A5").is_ok_and(|json| json.starts_with(r#"{"name":"A5","says":""#)));
        assert_eq!(
            explained("A\u{202e}99"),
            Err("no rule and no finding is called \"A\u{fffd}99\"".to_owned())
        );
    }
}
