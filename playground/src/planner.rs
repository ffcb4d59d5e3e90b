//! Plans the same documents again and again, as they change under somebody's hands.

use std::{borrow::Cow, sync::Arc};

use kuma_workload_plan::{
    Found, Inventory, Options, Report, output,
    read::{Document, Fault},
    report,
};

use crate::{changes::changes, options::Flags};

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

impl Known {
    fn new(given: Given, options: &Options<'_>) -> Self {
        let mut known = Self {
            given,
            found: Found::default(),
        };
        known.read(options);
        known
    }

    fn read(&mut self, options: &Options<'_>) {
        let Given { name, bytes } = &self.given;
        let document = Document {
            name: name.clone(),
            bytes: Cow::Borrowed(bytes),
        };
        self.found = Found::in_document(&document, options);
    }
}

fn unwritten(error: &dyn std::error::Error) -> String {
    format!("the report cannot be written: {error}")
}

/// Reads only what has changed since the last plan: reading is what takes time.
#[derive(Debug, Default)]
pub(crate) struct Planner {
    next: Vec<Next>,
    known: Vec<Known>,
    /// The option that they were read by.
    default_namespace: String,
    /// What the changes are told against.
    last: Option<Report>,
}

/// A document of the next plan.
#[derive(Debug)]
enum Next {
    /// One that may be new.
    Given(Given),
    /// The one that had this number in the last plan.
    Again(usize),
}

impl Planner {
    /// Adds a document to the next plan.
    pub(crate) fn add(&mut self, name: &str, bytes: Vec<u8>) {
        self.next.push(Next::Given(Given {
            name: name.into(),
            bytes,
        }));
    }

    /// Adds a document of the last plan to the next one, by its number there.
    pub(crate) fn again(&mut self, number: usize) {
        self.next.push(Next::Again(number));
    }

    /// The plan of the documents that were added since the last one, as JSON.
    ///
    /// # Errors
    ///
    /// A sentence about the options.
    pub(crate) fn plan(&mut self, flags: &str) -> Result<String, String> {
        let report = self.report(flags)?;
        let mut json = Vec::new();
        output::json::write_report(&report, &mut json)
            .map_err(|error| unwritten(&error))
            .and_then(|()| String::from_utf8(json).map_err(|error| unwritten(&error)))
    }

    /// The same plan as what has changed in it since this was asked the last time: see [`changes()`].
    ///
    /// # Errors
    ///
    /// A sentence about the options.
    pub(crate) fn changes(&mut self, flags: &str) -> Result<String, String> {
        let report = self.report(flags)?;
        let told = changes(&report, self.last.as_ref()).map_err(|error| unwritten(&error))?;
        self.last = Some(report);
        Ok(told)
    }

    fn report(&mut self, flags: &str) -> Result<Report, String> {
        let next = std::mem::take(&mut self.next);
        let flags = Flags::read(flags)?;
        let options = flags.options()?;
        if self.default_namespace != options.default_namespace {
            self.default_namespace
                .clone_from(&options.default_namespace);
            for known in &mut self.known {
                known.read(&options);
            }
        }
        let mut before: Vec<_> = std::mem::take(&mut self.known)
            .into_iter()
            .map(Some)
            .collect();
        // Most often they come in the order in which they came before.
        for (place, next) in next.into_iter().enumerate() {
            let mut known_at = |number| before.get_mut(number).and_then(Option::take);
            let known = match next {
                Next::Again(number) => {
                    known_at(number).ok_or("a document of the last plan is not there")?
                }
                Next::Given(given) => known_at(place)
                    .filter(|known| known.given == given)
                    .unwrap_or_else(|| Known::new(given, &options)),
            };
            self.known.push(known);
        }
        Ok(self.compose(&options, flags.allow_empty))
    }

    fn compose(&self, options: &Options<'_>, allow_empty: bool) -> Report {
        let names: Vec<_> = self
            .known
            .iter()
            .map(|one| one.given.name.clone())
            .collect();
        let mut inventory = Inventory::default();
        for known in &self.known {
            inventory.take(known.found.clone(), options);
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
