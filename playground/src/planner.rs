//! Plans the same documents again and again, as they change under somebody's hands.

use std::{borrow::Cow, sync::Arc};

use kuma_workload_plan::{
    Found, Inventory, Options, Report, output,
    read::{Document, Fault},
    report,
};

use crate::options::Flags;

/// A document, as it was given.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Given {
    name: Arc<str>,
    bytes: Vec<u8>,
}

/// What was found in a document.
#[derive(Debug)]
struct Known {
    given: Given,
    found: Found,
}

/// Reads only what has changed since the last plan: reading is what takes time.
#[derive(Debug, Default)]
pub(crate) struct Planner {
    next: Vec<Given>,
    known: Vec<Known>,
    /// The option that they were read by.
    default_namespace: String,
}

impl Planner {
    /// Adds a document to the next plan.
    pub(crate) fn add(&mut self, name: &str, bytes: Vec<u8>) {
        self.next.push(Given {
            name: name.into(),
            bytes,
        });
    }

    /// The plan of the documents that were added since the last one, as JSON.
    ///
    /// # Errors
    ///
    /// A sentence about the options.
    pub(crate) fn plan(&mut self, flags: &str) -> Result<String, String> {
        let given = std::mem::take(&mut self.next);
        let flags = Flags::read(flags)?;
        let options = flags.options()?;
        let report = self.report(given, &options, flags.allow_empty);
        let mut json = Vec::new();
        output::json::write_report(&report, &mut json)
            .map_err(|error| format!("the report cannot be written: {error}"))?;
        String::from_utf8(json).map_err(|error| format!("the report cannot be written: {error}"))
    }

    fn report(&mut self, given: Vec<Given>, options: &Options<'_>, allow_empty: bool) -> Report {
        if self.default_namespace != options.default_namespace {
            self.default_namespace
                .clone_from(&options.default_namespace);
            self.known.clear();
        }
        let mut before = std::mem::take(&mut self.known).into_iter();
        let names: Vec<_> = given.iter().map(|one| one.name.clone()).collect();
        let mut inventory = Inventory::default();
        for given in given {
            // Most often they come in the order in which they came before.
            let known = before
                .next()
                .filter(|known| known.given == given)
                .unwrap_or_else(|| Known {
                    found: Found::in_document(
                        &Document {
                            name: given.name.clone(),
                            bytes: Cow::Borrowed(&given.bytes),
                        },
                        options,
                    ),
                    given,
                });
            inventory.take(known.found.clone(), options);
            self.known.push(known);
        }
        if inventory.is_empty() && !allow_empty && !names.is_empty() {
            let place = match names.as_slice() {
                [name] => name.clone(),
                _ => "the input".into(),
            };
            let mut fault = Fault::nothing_read(place, &names);
            fault.message.push_str("; --allow-empty accepts that");
            inventory.fault(fault);
        }
        report(inventory, options)
    }
}
