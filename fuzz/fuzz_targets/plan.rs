//! Feeds `plan` documents that need make no sense, and asks for every form of its report.
//!
//! An input is documents, each under a line that begins with `##`. The byte after that chooses the
//! document's name; the two after it, in the first such line, choose the options. Without such a line
//! the input is one document under the name of the standard input, so that a manifest is an input as it
//! is.
#![no_main]

use kuma_workload_plan::{
    Options, Report, Target,
    output::{self, Format, Style},
    plan,
    read::{Document, STDIN, tree::Position},
};
use kuma_workload_rulebook::{
    identifier::{Identifiers, PodAnnotation},
    spiffe::Environment,
};
use libfuzzer_sys::fuzz_target;
use serde_json::Value;

fuzz_target!(|input: &[u8]| {
    let mut documents = documents(input);
    let choice = Choice::of(input);
    if choice.repeats() {
        repeat(&mut documents);
    }
    let settings = choice.has_settings().then(|| documents.pop()).flatten();
    let options = choice.options(settings);

    let report = plan(documents.iter().cloned(), &options);

    check_counts(&report);
    check_places(&report, &documents, &options);
    for (format, _, _) in Format::ALL {
        check_form(&report, format);
    }
});

/// How large a repeated document becomes: where time grows with the square of the size, this many bytes
/// take longer than the fuzzer allows.
const REPEATED: usize = 64 << 10;

/// The document again and again, since what takes too long on a large input is found sooner so than by
/// growing one byte by byte.
fn repeat(documents: &mut [Document<'_>]) {
    for document in documents {
        let times = REPEATED / (document.bytes.len() + 1);
        document.bytes = document.bytes.repeat(times.max(1)).into();
    }
}

fn documents(input: &[u8]) -> Vec<Document<'_>> {
    const BETWEEN: &[u8] = b"\n##";
    let Some(headed) = input.strip_prefix(b"##") else {
        return vec![document(STDIN, input)];
    };
    let mut documents = Vec::new();
    let mut rest = Some(headed);
    while let Some(part) = rest {
        let end = part
            .windows(BETWEEN.len())
            .position(|window| window == BETWEEN);
        rest = end.map(|end| &part[end + BETWEEN.len()..]);
        let part = &part[..end.unwrap_or(part.len())];
        let name = match part.first() {
            Some(b'j') => "system.json",
            Some(b'-') => STDIN,
            _ => "system.yaml",
        };
        let line = part.iter().position(|byte| *byte == b'\n');
        documents.push(document(name, line.map_or(&[], |end| &part[end + 1..])));
    }
    documents
}

fn document<'d>(name: &str, bytes: &'d [u8]) -> Document<'d> {
    Document {
        name: name.into(),
        bytes: bytes.into(),
    }
}

/// What the first line chooses beside the name: two bytes, of which `@` chooses nothing.
struct Choice(u8, u8);

impl Choice {
    fn of(input: &[u8]) -> Self {
        match input {
            [b'#', b'#', _, first, second, ..] => Self(first ^ b'@', second ^ b'@'),
            _ => Self(0, 0),
        }
    }

    /// The last document is the settings.
    fn has_settings(&self) -> bool {
        self.1 & 1 != 0
    }

    fn repeats(&self) -> bool {
        self.1 & 2 != 0
    }

    fn options<'d>(&self, settings: Option<Document<'d>>) -> Options<'d> {
        let is_set = |bit: u8| self.0 & (1 << bit) != 0;
        let mut options = Options {
            settings,
            ..Options::default()
        };
        if is_set(0) {
            options.workload_labels = Some(vec!["app".to_owned(), "tier".to_owned()]);
        }
        if is_set(1) {
            options.pod_annotation = PodAnnotation::Honor;
        }
        if is_set(2) {
            options.identifiers = Identifiers::Pods;
        }
        if is_set(3) {
            options.zone = Some("east".to_owned());
        }
        if is_set(4) {
            options.environment = Some(match is_set(5) {
                true => Environment::Universal,
                false => Environment::Kubernetes,
            });
        }
        if is_set(5) {
            options.namespace = Some("shop".to_owned());
        }
        if self.1 & 4 != 0 {
            options.target = Target::Kuma3;
        }
        options.insights = self.1 & 8 != 0;
        options
    }
}

fn check_counts(report: &Report) {
    let count = |severity| {
        let findings = report.findings.iter();
        findings
            .filter(|finding| finding.severity.name() == severity)
            .count()
    };
    let summary = &report.summary;
    assert_eq!(summary.errors, count("error"));
    assert_eq!(summary.warnings, count("warning"));
    assert_eq!(summary.notes, count("note"));
    assert_eq!(summary.faults, report.faults.len());
}

/// Every place is in a document, its column counted in characters.
fn check_places(report: &Report, documents: &[Document<'_>], options: &Options<'_>) {
    let lines: Vec<_> = documents
        .iter()
        .chain(&options.settings)
        .map(|document| (&document.name, lines(&document.bytes)))
        .collect();
    let faults = report.faults.iter().map(|fault| &fault.place);
    let findings = report.findings.iter();
    let findings = findings.filter_map(|finding| finding.place.as_ref());
    for place in faults.chain(findings).filter(|place| place.at.line > 0) {
        let mut named = lines.iter().filter(|(name, _)| **name == place.file);
        assert!(
            named.any(|(_, lines)| lines.iter().any(|lines| has(lines, place.at))),
            "{place} is in no document"
        );
    }
}

/// The length of each line, in characters, where a carriage return alone ends a line (of YAML) and where
/// it does not (of JSON).
fn lines(bytes: &[u8]) -> [Vec<usize>; 2] {
    let utf16 = |unit: fn([u8; 2]) -> u16| {
        let units: Vec<_> = bytes
            .chunks_exact(2)
            .map(|pair| unit([pair[0], pair[1]]))
            .collect();
        String::from_utf16_lossy(&units)
    };
    let text = match bytes {
        [0xfe, 0xff, ..] => utf16(u16::from_be_bytes),
        [0xff, 0xfe, ..] => utf16(u16::from_le_bytes),
        _ => String::from_utf8_lossy(bytes).into_owned(),
    };
    let yaml = text.replace("\r\n", "\n").replace('\r', "\n");
    [yaml, text].map(|text| text.split('\n').map(|line| line.chars().count()).collect())
}

fn has(lines: &[usize], at: Position) -> bool {
    let length = lines.get(at.line as usize - 1);
    // The end of a line is a place too: that of what is missing there.
    length.is_some_and(|length| (1..=length + 1).contains(&(at.column as usize)))
}

fn check_form(report: &Report, format: Format) {
    let mut text = Vec::new();
    output::write(report, format, Style::default(), &mut text).expect("a buffer takes everything");
    let text = String::from_utf8(text).expect("a report is text");
    let is_obeyed = |character: char| character.is_control() && !"\n\t".contains(character);
    // What a terminal would obey is not printed.
    assert!(
        !text.contains(is_obeyed),
        "{format:?} has a control character: {text:?}"
    );
    if format == Format::Json {
        let read: Value = serde_json::from_str(&text).expect("JSON");
        let findings = read["findings"].as_array().expect("findings");
        assert_eq!(findings.len(), report.findings.len());
    }
}
