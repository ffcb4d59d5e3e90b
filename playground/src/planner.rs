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

    /// Whether it says the same as another.
    fn says(&self, other: &Self) -> bool {
        self.given.name == other.given.name && self.found == other.found
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
    /// Whether the documents say something else than those of the report that was told.
    differs: bool,
    told: Option<Told>,
}

/// The report that was told the last time, by what has changed in it.
#[derive(Debug)]
struct Told {
    /// The options that it was made by.
    options: String,
    report: Report,
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
        let flags = Flags::read(flags)?;
        let options = flags.options()?;
        self.read(&options)?;
        let mut json = Vec::new();
        output::json::write_report(&self.compose(&options, flags.allow_empty), &mut json)
            .map_err(|error| unwritten(&error))?;
        String::from_utf8(json).map_err(|error| unwritten(&error))
    }

    /// The same plan as what has changed in it since this was asked the last time: see [`changes()`].
    ///
    /// # Errors
    ///
    /// A sentence about the options.
    pub(crate) fn changes(&mut self, options: &str) -> Result<String, String> {
        let flags = Flags::read(options)?;
        let parsed = flags.options()?;
        self.read(&parsed)?;
        // Most keys change nothing that a plan reads.
        let is_same = |told: &Told| !self.differs && told.options == options;
        let (before, report) = match self.told.take() {
            Some(told) if is_same(&told) => (None, told.report),
            told => {
                let report = self.compose(&parsed, flags.allow_empty);
                (Some(told.map(|told| told.report)), report)
            }
        };
        let before = before.as_ref().map_or(Some(&report), Option::as_ref);
        let json = changes(&report, before).map_err(|error| unwritten(&error))?;
        self.differs = false;
        self.told = Some(Told {
            options: options.to_owned(),
            report,
        });
        Ok(json)
    }

    /// Reads what has changed of the documents that were added.
    fn read(&mut self, options: &Options<'_>) -> Result<(), String> {
        let next = std::mem::take(&mut self.next);
        if self.default_namespace != options.default_namespace {
            self.default_namespace
                .clone_from(&options.default_namespace);
            self.known.iter_mut().for_each(|known| known.read(options));
            self.differs = true;
        }
        let mut before: Vec<_> = std::mem::take(&mut self.known)
            .into_iter()
            .map(Some)
            .collect();
        self.differs |= next.len() != before.len();
        for (place, next) in next.into_iter().enumerate() {
            let mut known_at = |number| before.get_mut(number).and_then(Option::take);
            let known = match next {
                Next::Again(number) => {
                    self.differs |= number != place;
                    let Some(known) = known_at(number) else {
                        self.differs = true;
                        return Err("a document of the last plan is not there".to_owned());
                    };
                    known
                }
                Next::Given(given) => match known_at(place) {
                    Some(known) if known.given == given => known,
                    known => {
                        let read = Known::new(given, options);
                        self.differs |= known.is_none_or(|known| !known.says(&read));
                        read
                    }
                },
            };
            self.known.push(known);
        }
        Ok(())
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

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    const POD: &str =
        "apiVersion: v1\nkind: Pod\nmetadata: {name: NAME, labels: {kuma.io/mesh: m}}\n";

    fn pod(name: &str) -> Vec<u8> {
        POD.replace("NAME", name).into_bytes()
    }

    /// What the changes say, in the place of what they leave out: the whole report.
    fn whole(planner: &mut Planner, options: &str) -> serde_json::Value {
        for number in 0..planner.known.len() {
            planner.again(number);
        }
        serde_json::from_str(&planner.plan(options).unwrap()).unwrap()
    }

    fn pods(changes: &str) -> Vec<String> {
        let report: serde_json::Value = serde_json::from_str(changes).unwrap();
        let pods = report["pods"].as_array().unwrap();
        let told = pods.iter().map(|pod| match &pod["name"] {
            serde_json::Value::String(name) => name.clone(),
            _ => pod.to_string(),
        });
        told.collect()
    }

    #[rstest]
    #[case::comment("a", "# why\n", &["0", "1"])]
    #[case::what_no_rule_reads("a", "spec: {containers: [{image: x}]}\n", &["0", "1"])]
    #[case::another_name("c", "", &["1", "c"])]
    fn what_changes_nothing_is_not_composed_anew(
        #[case] name: &str,
        #[case] more: &str,
        #[case] expected: &[&str],
    ) {
        let mut planner = Planner::default();
        planner.add("a.yaml", pod("a"));
        planner.add("b.yaml", pod("b"));
        assert_eq!(pods(&planner.changes("").unwrap()), ["a", "b"]);
        let mut bytes = pod(name);
        bytes.extend(more.bytes());
        planner.add("a.yaml", bytes);
        planner.again(1);
        assert_eq!(pods(&planner.changes("").unwrap()), expected);
    }

    #[test]
    fn other_options_are_another_plan() {
        let mut planner = Planner::default();
        planner.add("a.yaml", pod("a"));
        planner.changes("").unwrap();
        let other = r#"{"defaultNamespace": "team"}"#;
        planner.again(0);
        let told: serde_json::Value =
            serde_json::from_str(&planner.changes(other).unwrap()).unwrap();
        assert_eq!(told["pods"][0]["namespace"], "team");
        assert_eq!(whole(&mut planner, other)["pods"][0]["namespace"], "team");
        planner.again(0);
        assert_eq!(pods(&planner.changes("").unwrap()), ["a"]);
    }

    #[test]
    fn a_document_that_is_not_there_is_a_sentence_and_the_next_plan_is_whole() {
        let mut planner = Planner::default();
        planner.add("a.yaml", pod("a"));
        planner.changes("").unwrap();
        planner.again(1);
        assert!(planner.changes("").is_err());
        planner.add("b.yaml", pod("b"));
        assert_eq!(pods(&planner.changes("").unwrap()), ["b"]);
    }
}
