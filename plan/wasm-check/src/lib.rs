//! The plan as a page calls it: a request in JSON, and the text of the report.
//!
//! A test and nothing else: `run.mjs` calls it in wasm under Node, with the requests that
//! `wasm-check-cases` makes, and compares each answer with the native one, byte for byte.

#[cfg(target_family = "wasm")]
mod exports;

use kuma_workload_plan::{
    Options,
    output::{self, Format, Style},
    plan,
    read::Document,
};
use serde::{Deserialize, Serialize};

/// What is planned, and how it is told.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Request {
    /// The documents, in order.
    pub documents: Vec<NamedBytes>,
    /// The settings of the policy.
    #[serde(default)]
    pub settings: Option<NamedBytes>,
    /// The form of the report, by its name.
    pub form: String,
    /// The columns that a line of it may have.
    #[serde(default)]
    pub width: Option<usize>,
    /// Whether it has colours.
    #[serde(default)]
    pub colours: bool,
}

/// A document: its name, and its bytes.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct NamedBytes {
    /// What places call it.
    pub name: String,
    /// What is in it, UTF-8 or not.
    pub bytes: Vec<u8>,
}

impl NamedBytes {
    fn document(&self) -> Document<'_> {
        Document {
            name: self.name.as_str().into(),
            bytes: (&*self.bytes).into(),
        }
    }
}

/// The report that a request asks for, or a sentence about the request.
pub fn answer(request: &[u8]) -> Vec<u8> {
    try_answer(request).unwrap_or_else(String::into_bytes)
}

fn try_answer(request: &[u8]) -> Result<Vec<u8>, String> {
    let request: Request = serde_json::from_slice(request)
        .map_err(|error| format!("the request cannot be read: {error}\n"))?;
    let form = Format::ALL
        .into_iter()
        .find_map(|(form, name, _)| (name == request.form).then_some(form))
        .ok_or_else(|| format!("there is no form {:?}\n", request.form))?;
    let options = Options {
        settings: request.settings.as_ref().map(NamedBytes::document),
        ..Options::default()
    };
    let style = Style {
        width: request.width,
        colours: request.colours,
        ..Style::default()
    };
    let report = plan(request.documents.iter().map(NamedBytes::document), &options);
    let mut text = Vec::new();
    output::write(&report, form, style, &mut text)
        .map_err(|error| format!("the report cannot be written: {error}\n"))?;
    Ok(text)
}
