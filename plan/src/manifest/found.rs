//! How documents are looked through for objects, and what is found.

use std::collections::BTreeMap;

use kuma_workload_rulebook::quoted::Quoted;

use super::{
    doubt::Doubt,
    envelope::{self, Envelope, Mention},
    identity::{self, Identity, KindName},
    kind::WORDS,
    kubernetes, kuma,
    notes::Notes,
    object::Manifest,
    reader::Reader,
    template,
};
use crate::{
    finding::{Code, Finding},
    options::Options,
    read::{
        self, Document, Fault, Place, Problem,
        tree::{Mismatch, Node, Read},
        unrendered,
    },
};

/// What was found in a document, or in the answer of an API server.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Found {
    /// The objects, in order.
    pub(crate) objects: Vec<(Mention, Manifest)>,
    /// How many documents said what they are, lists and what does not matter here included.
    pub(crate) documents: usize,
    /// Objects that do not matter here, by their kinds.
    pub(crate) skipped: BTreeMap<KindName, Skipped>,
    /// Whether the whole file was passed over: it has nothing to do with Kubernetes or Kuma.
    pub(crate) passed_over: bool,
    /// Whether kumactl printed something of it from a control plane on Kubernetes.
    pub(crate) shows_kubernetes: bool,
    /// What there is to say of objects that were not read.
    pub(crate) findings: Vec<Finding>,
    /// What cannot be read.
    pub(crate) faults: Vec<Fault>,
}

/// Objects of a kind that does not matter here.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Skipped {
    /// How many there are.
    pub count: usize,
    /// Those of them that have a Pod template: how many, and where the first stands.
    pub with_template: Option<(usize, Option<Place>)>,
}

impl Skipped {
    /// Adds those of another document.
    pub(crate) fn add(&mut self, other: Self) {
        self.count += other.count;
        self.with_template = match (self.with_template.take(), other.with_template) {
            (Some((one, first)), Some((another, second))) => {
                Some((one + another, first.min(second)))
            }
            (one, another) => one.or(another),
        };
    }
}

impl Found {
    /// Reads a document. It asks nothing of others, so that several threads can each read theirs.
    pub fn in_document(document: &Document<'_>, options: &Options<'_>) -> Self {
        let (found, _) = Self::read(document, options);
        found
    }

    /// Reads a document of which nobody said that it has to do with Kubernetes or Kuma, such as any
    /// file of a folder. It is passed over if nothing in it says what it is; and if it cannot be
    /// parsed, and no line of it begins as such an object's.
    pub fn in_folder_document(document: &Document<'_>, options: &Options<'_>) -> Self {
        let (found, is_parsed) = Self::read(document, options);
        if found.documents > 0 || !is_parsed && begins_as_object(&document.bytes) {
            return found;
        }
        Self {
            passed_over: true,
            ..Self::default()
        }
    }

    /// Whether the whole document was passed over.
    pub fn is_passed_over(&self) -> bool {
        self.passed_over
    }

    fn read(document: &Document<'_>, options: &Options<'_>) -> (Self, bool) {
        let reader = Reader {
            file: Some(&document.name),
            default_namespace: &options.default_namespace,
            reads_insights: options.insights,
        };
        let mut found = Self::default();
        let mut is_parsed = true;
        for node in read::nodes(document) {
            match node {
                Ok(parsed) => {
                    let context = Context {
                        notes: Notes::of(&parsed),
                        ..Context::default()
                    };
                    reader.read(&parsed.node, context, &mut found);
                }
                Err(fault) => {
                    is_parsed = false;
                    found.faults.push(fault);
                }
            }
        }
        (found, is_parsed)
    }

    /// Reads an item of the list of this apiVersion and kind that an API server gave.
    pub fn in_list(item: &str, api_version: &str, kind: &str) -> Self {
        let reader = Reader {
            file: None,
            default_namespace: "",
            reads_insights: false,
        };
        let context = Context {
            listed: Some((api_version, kind)),
            ..Context::default()
        };
        let mut found = Self::default();
        match read::json(item) {
            Ok(node) => reader.read(&node, context, &mut found),
            Err(problem) => found.faults.push(reader.fault(problem.at, problem.message)),
        }
        found
    }
}

/// Whether a line begins, after spaces, quotes or brackets, with a word by which an object says what
/// it is. In UTF-16 there are zeros between the letters.
fn begins_as_object(bytes: &[u8]) -> bool {
    const BYTE_ORDER_MARKS: &[u8] = b"\xef\xbb\xbf\xff\xfe";
    let before = |byte: &u8| {
        byte.is_ascii_whitespace() || b"\"'[{(".contains(byte) || BYTE_ORDER_MARKS.contains(byte)
    };
    let of_word = |byte: &u8| byte.is_ascii_alphanumeric() || b"_-".contains(byte);
    let mut lines = bytes.split(|byte| matches!(byte, b'\n' | b'\r'));
    lines.any(|line| {
        let letters = line.iter().copied().filter(|byte| *byte != 0);
        let word = letters.skip_while(before).take_while(of_word);
        let word: Vec<_> = word.take(LONGEST_WORD + 1).collect();
        WORDS.iter().any(|known| known.as_bytes() == word)
    })
}

/// `apiVersion` has so many letters.
const LONGEST_WORD: usize = 10;

/// What stands around an object.
#[derive(Debug, Clone, Copy, Default)]
struct Context<'c> {
    /// The apiVersion and kind that a typed list says of its items.
    listed: Option<(&'c str, &'c str)>,
    mention: Mention,
    notes: Notes<'c>,
}

impl Reader<'_> {
    fn read(&self, node: &Node, context: Context<'_>, found: &mut Found) {
        match envelope::open(node) {
            Envelope::Nothing => {}
            Envelope::Array(items) => self.items(items, context, found),
            Envelope::List(items, listed) => {
                found.documents += 1;
                self.items(items, Context { listed, ..context }, found);
            }
            Envelope::Event(mention, object) => {
                found.documents += 1;
                let context = Context {
                    listed: None,
                    mention,
                    ..context
                };
                self.read(object, context, found);
            }
            Envelope::Bookmark => found.documents += 1,
            Envelope::BrokenOff(status) => {
                found.documents += 1;
                found.findings.push(self.broken_off(node, status));
            }
            Envelope::Odd(mismatch) => {
                found.documents += 1;
                found.faults.push(self.mismatch("List", node, &mismatch));
            }
            Envelope::Object => self.object(node, context, found),
            Envelope::NoObject => self.no_object(node, context, found),
        }
    }

    fn items(&self, items: &[Node], context: Context<'_>, found: &mut Found) {
        for (item, notes) in context.notes.of_items(items) {
            self.read(item, Context { notes, ..context }, found);
        }
    }

    fn object(&self, node: &Node, context: Context<'_>, found: &mut Found) {
        let identity = identity::identify(node, context.listed);
        found.documents += usize::from(identity != Identity::None);
        if identity.is_insight() && !self.reads_insights {
            return self.skip(node, context, found);
        }
        match identity {
            Identity::Kubernetes(_) | Identity::Kuma(_) => {}
            Identity::Other | Identity::None => match unrendered::kind(node) {
                Some(problem) => return self.template(problem, found),
                None => return self.skip(node, context, found),
            },
            Identity::Doubtful(Doubt {
                at,
                message,
                remedy,
            }) => {
                let place = self.place(at);
                let finding = Finding::warning(Code::UnknownObject, place, message, remedy);
                return found.findings.push(finding);
            }
        }
        found
            .findings
            .extend(context.notes.remarks.iter().map(|remark| {
                let (place, remedy) = (self.place(remark.at), remark.remedy.to_owned());
                Finding::warning(Code::ReadOtherwise, place, remark.message.clone(), remedy)
            }));
        if let Some(problem) = unrendered::object(node) {
            return self.template(problem, found);
        }
        let problems = context.notes.problems.iter();
        let faults = problems.map(|one| self.fault(one.at, one.message.clone()));
        found.faults.extend(faults);
        match self.known_object(&identity, node) {
            Ok(_) if !context.notes.problems.is_empty() => {}
            Ok(objects) => {
                let is_kuma = matches!(identity, Identity::Kuma(_));
                found.shows_kubernetes |= is_kuma && objects.iter().any(Manifest::is_on_kubernetes);
                let mention = |object| (context.mention, object);
                found.objects.extend(objects.into_iter().map(mention));
            }
            Err(mismatch) => {
                let mismatches = self.mismatches(&identity, node, mismatch);
                let problems = context.notes.problems;
                let is_told = |at| problems.binary_search_by_key(&at, |one| one.at).is_ok();
                let faults = mismatches
                    .iter()
                    .filter(|one| !is_told(one.at))
                    .map(|one| self.mismatch(identity.kind(), node, one));
                found.faults.extend(faults);
            }
        }
    }

    fn known_object(&self, identity: &Identity, node: &Node) -> Read<Vec<Manifest>> {
        match *identity {
            Identity::Kubernetes(kind) => kubernetes::read(self, kind, node).map(Vec::from_iter),
            Identity::Kuma(kind) => kuma::read(self, kind, node),
            Identity::Other | Identity::None | Identity::Doubtful(_) => Ok(Vec::new()),
        }
    }

    /// All that is wrong with an object: what is found first is mended and the rest read again, until
    /// nothing is left. That is once for each field at most, since lists and maps tell all at once.
    fn mismatches(&self, identity: &Identity, node: &Node, first: Mismatch) -> Vec<Mismatch> {
        let mut node = node.clone();
        let mut all = first.all();
        let mut told = 0;
        while told < all.len() {
            node.mend(all.get(told..).unwrap_or_default());
            told = all.len();
            if let Err(next) = self.known_object(identity, &node) {
                let is_new = all.iter().all(|one| one.at != next.at);
                all.extend(next.all().into_iter().filter(|_| is_new));
            }
        }
        all
    }

    /// Of one file it is said once that it is a template.
    fn template(&self, problem: Problem, found: &mut Found) {
        let Problem { at, message } = problem;
        if found.faults.iter().all(|fault| fault.message != message) {
            found.faults.push(self.fault(at, message));
        }
    }

    /// An object that does not matter here may be as odd as it likes.
    fn skip(&self, node: &Node, context: Context<'_>, found: &mut Found) {
        let kind = identity::kind_name(node, context.listed);
        let has_template = kind.kind.is_some() && template::has_template(node);
        found.skipped.entry(kind).or_default().add(Skipped {
            count: 1,
            with_template: has_template.then(|| (1, self.place(node.at))),
        });
    }

    /// The items of a list of a kind that does not matter may be anything.
    fn no_object(&self, node: &Node, context: Context<'_>, found: &mut Found) {
        if context.listed.is_some() && identity::identify(node, context.listed) == Identity::Other {
            return self.skip(node, context, found);
        }
        let what = format!(
            "this is {}; a Kubernetes object or Universal document is a map",
            node.value.kind()
        );
        found.faults.push(self.fault(node.at, what));
    }

    /// A watch that an API server ended with a Status.
    fn broken_off(&self, event: &Node, status: &Node) -> Finding {
        let reason = status.get("reason").and_then(|reason| reason.text().ok());
        let why = reason.map_or_else(String::new, |reason| format!(" ({})", Quoted(reason)));
        Finding::warning(
            Code::Unread,
            self.place(event.at),
            format!("the watch broke off here with an error{why}: what came later was not seen"),
            "list and watch again".to_owned(),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case::key("a\napiVersion: v1\n", true)]
    #[case::indented("  \t kind: Pod", true)]
    #[case::json("{\"kind\": }", true)]
    #[case::list("[{'type' : x", true)]
    #[case::windows("a\r\nkind: Pod\r\n", true)]
    #[case::byte_order_mark("\u{feff}kind: Pod", true)]
    #[case::comment("# kind: Pod", false)]
    #[case::longer_word("kinds: 7\ntypes: 8\ntype_of: 9", false)]
    #[case::within_a_line("a: {kind: Pod", false)]
    #[case::nothing("", false)]
    fn what_cannot_be_parsed_is_looked_at_line_by_line(#[case] text: &str, #[case] expected: bool) {
        assert_eq!(begins_as_object(text.as_bytes()), expected);
        let utf16: Vec<_> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
        assert_eq!(begins_as_object(&utf16), expected);
    }
}
