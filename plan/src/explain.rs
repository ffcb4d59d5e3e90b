//! What a name or number means that a report, a message or a test cites: a rule's number, the code of
//! a finding, the name of an admission rule.
//!
//! Each is said once, here; the tables of the documentation are written from it.

pub mod names;
pub mod rules;

use kuma_workload_rulebook::admission::Rule;
use serde::Serialize;

use self::{
    names::{FINDINGS, NameText, OTHERS},
    rules::SECTIONS,
};
use crate::finding::BAD_INPUT;

/// Where the project is.
pub(crate) const PROJECT: &str = "https://github.com/kuma-workload/kuma-workload";

/// What a name or number means.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Explanation {
    /// The name or number.
    pub name: &'static str,
    /// What it means.
    pub says: String,
    /// What to do about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub remedy: Option<String>,
    /// The numbers of its rules.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    pub rules: &'static [&'static str],
    /// Where the documentation has it, from the root of its site.
    pub link: String,
}

impl Explanation {
    /// Its page, for who has not the site before them.
    pub fn url(&self) -> String {
        let page = self.link.replacen(".html", ".md", 1);
        format!("{PROJECT}/blob/main/docs/{page}")
    }
}

/// What this name or number means, if there is such a one.
pub fn explain(name: &str) -> Option<Explanation> {
    of_number(name).or_else(|| of_name(name))
}

/// All names and numbers.
pub fn all() -> impl Iterator<Item = &'static str> {
    let numbers = SECTIONS.iter().flat_map(|section| section.rules);
    let names = FINDINGS.iter().chain(OTHERS);
    let numbers = numbers.map(|rule| rule.number);
    numbers.chain(names.map(|text| text.name))
}

/// The name or number that is most like this one, if any is.
pub fn nearest(name: &str) -> Option<&'static str> {
    let distance = |known: &&str| strsim::damerau_levenshtein(known, &name.to_lowercase());
    let near = all().filter(|known| distance(known) <= known.len() / 3);
    near.min_by_key(distance)
}

fn of_number(number: &str) -> Option<Explanation> {
    let sections = SECTIONS.iter();
    let mut rules =
        sections.flat_map(|section| section.rules.iter().map(move |one| (section, one)));
    let (section, rule) = rules.find(|(_, rule)| rule.number.eq_ignore_ascii_case(number))?;
    Some(Explanation {
        name: rule.number,
        says: plain(rule.says),
        remedy: None,
        rules: &[],
        link: format!("rules.html#{}", anchor(section.title)),
    })
}

fn of_name(name: &str) -> Option<Explanation> {
    let text = text(name)?;
    let rule = Rule::ALL.iter().find(|rule| rule.name() == name);
    Some(Explanation {
        name: text.name,
        says: plain(text.says),
        remedy: Some(plain(text.remedy)),
        rules: rule.map_or(text.rules, |rule| rule.numbers()),
        link: match rule {
            Some(_) => format!("messages.html#{name}"),
            None => format!("plan.html#{}", section(text.name)),
        },
    })
}

/// What there is to say of a name.
pub(crate) fn text(name: &str) -> Option<&'static NameText> {
    FINDINGS.iter().chain(OTHERS).find(|text| text.name == name)
}

/// The section of `docs/plan.md` that a name of a finding or fault is in.
pub(crate) fn section(name: &str) -> &'static str {
    match name {
        BAD_INPUT => "exit-status",
        _ => "findings",
    }
}

/// The anchor of a heading, as in GitHub's pages and in ours.
fn anchor(title: &str) -> String {
    let kept = title
        .chars()
        .filter(|c| c.is_ascii_alphanumeric() || *c == ' ');
    kept.map(|c| match c {
        ' ' => '-',
        c => c.to_ascii_lowercase(),
    })
    .collect()
}

/// Markdown without its marks.
pub(crate) fn plain(markdown: &str) -> String {
    markdown.replace('`', "")
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::finding::Code;
    use kuma_workload_rulebook::admission::Step;
    use rstest::rstest;

    #[test]
    fn every_code_and_every_admission_rule_is_explained_once() {
        let findings: Vec<_> = FINDINGS.iter().map(|text| text.name).collect();
        let codes: Vec<_> = Code::ALL.iter().map(|code| code.name()).collect();
        assert_eq!(findings, codes);
        let unique: BTreeSet<_> = all().collect();
        assert_eq!(unique.len(), all().count());
        for name in Rule::ALL.iter().map(|rule| rule.name()).chain(all()) {
            let found = explain(name).unwrap();
            assert_eq!(found.name, name);
            assert!(
                !found.says.is_empty() && found.remedy != Some(String::new()),
                "{name}"
            );
        }
    }

    #[test]
    fn the_rules_that_are_named_are_explained_too() {
        for number in all().flat_map(|name| explain(name).unwrap().rules) {
            assert_eq!(explain(number).unwrap().remedy, None, "{number}");
        }
        for step in Step::ALL {
            assert!(explain(step.rule()).is_some(), "{}", step.rule());
        }
    }

    #[test]
    fn a5_is_explained_with_its_link() {
        let explained = serde_json::to_value(explain("a5")).unwrap();
        let expected = serde_json::json!({
            "name": "A5",
            "says": "The mesh rule: a Pod is refused if the namespace has a Dataplane of another mesh. \
                     Off by default.",
            "link": "rules.html#admission-a",
        });
        assert_eq!(explained, expected);
    }

    #[test]
    fn a18_the_name_of_a_rule_has_its_numbers_its_remedy_and_its_messages() {
        let explained = explain("second-mesh").unwrap();
        assert!(explained.rules.contains(&"A18"));
        assert_eq!(explained.link, "messages.html#second-mesh");
        let remedy = "move it to the namespace's mesh, or to another namespace";
        assert_eq!(explained.remedy.as_deref(), Some(remedy));
    }

    #[rstest]
    #[case::finding("conflict", "plan.html#findings")]
    #[case::fault("bad-input", "plan.html#exit-status")]
    #[case::no_finding("injection-off", "messages.html#injection-off")]
    #[case::apostrophe("W1", "rules.html#workloads-name-w")]
    fn where_the_documentation_has_it(#[case] name: &str, #[case] link: &str) {
        assert_eq!(explain(name).unwrap().link, link);
    }

    #[rstest]
    #[case::letters("second-mehs", Some("second-mesh"))]
    #[case::capitals("SECOND-MESH", Some("second-mesh"))]
    #[case::far("nothing at all", None)]
    #[case::empty("", None)]
    fn the_nearest_name(#[case] name: &str, #[case] nearest_one: Option<&str>) {
        assert_eq!(explain(name), None);
        assert_eq!(nearest(name), nearest_one);
    }
}
