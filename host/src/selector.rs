//! Label and field selectors, read and matched as the API server does.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

/// A selector that the API server answers with 400.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unable to parse selector {selector:?}: {reason}")]
pub struct InvalidSelector {
    selector: String,
    reason: String,
}

/// A label selector: all its requirements must hold.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LabelSelector {
    requirements: Vec<Requirement>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Requirement {
    key: String,
    test: Test,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Test {
    Exists,
    Absent,
    /// `=`, `==`, `in`
    In(BTreeSet<String>),
    /// `!=`, `notin`: an object without the key passes too
    NotIn(BTreeSet<String>),
    Greater(i64),
    Less(i64),
}

impl LabelSelector {
    /// Reads `a=b,c!=d,e,!f,g in (x,y),h notin (z)`. Empty text selects everything.
    ///
    /// # Errors
    ///
    /// When the API server would not take it: syntax, an illegal key, an illegal value.
    pub fn parse(text: &str) -> Result<Self, InvalidSelector> {
        let tokens = tokens(text);
        let mut parser = Parser {
            tokens: &tokens,
            at: 0,
        };
        parser
            .requirements()
            .map(|requirements| Self { requirements })
            .map_err(|reason| InvalidSelector {
                selector: text.to_owned(),
                reason,
            })
    }

    /// Does an object with these labels belong to the selection?
    #[must_use]
    pub fn matches(&self, labels: &BTreeMap<String, String>) -> bool {
        self.requirements.iter().all(|requirement| {
            let value = labels.get(&requirement.key);
            match &requirement.test {
                Test::Exists => value.is_some(),
                Test::Absent => value.is_none(),
                Test::In(values) => value.is_some_and(|value| values.contains(value)),
                Test::NotIn(values) => value.is_none_or(|value| !values.contains(value)),
                Test::Greater(than) => number(value).is_some_and(|number| number > *than),
                Test::Less(than) => number(value).is_some_and(|number| number < *than),
            }
        })
    }
}

fn number(value: Option<&String>) -> Option<i64> {
    value.and_then(|value| value.parse().ok())
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Token {
    Word(String),
    Symbol(&'static str),
}

fn tokens(text: &str) -> Vec<Token> {
    let mut tokens = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        if first.is_ascii_whitespace() {
            rest = rest.trim_start();
            continue;
        }
        // Longest first: `==` before `=`.
        let symbol = ["==", "!=", "=", "!", "(", ")", ",", ">", "<"]
            .into_iter()
            .find(|symbol| rest.starts_with(symbol));
        if let Some(symbol) = symbol {
            tokens.push(Token::Symbol(symbol));
            rest = &rest[symbol.len()..];
        } else {
            let end = rest
                .find(|c: char| c.is_ascii_whitespace() || "=!(),><".contains(c))
                .unwrap_or(rest.len());
            tokens.push(Token::Word(rest[..end].to_owned()));
            rest = &rest[end..];
        }
    }
    tokens
}

struct Parser<'a> {
    tokens: &'a [Token],
    at: usize,
}

impl Parser<'_> {
    fn requirements(&mut self) -> Result<Vec<Requirement>, String> {
        let mut requirements = Vec::new();
        if self.tokens.is_empty() {
            return Ok(requirements);
        }
        loop {
            requirements.push(self.requirement()?);
            match self.next() {
                None => return Ok(requirements),
                // A comma must be followed by another requirement.
                Some(Token::Symbol(",")) => {}
                Some(other) => return Err(format!("found {other:?}, expected a comma or the end")),
            }
        }
    }

    fn requirement(&mut self) -> Result<Requirement, String> {
        if self.take("!") {
            let key = self.key()?;
            return Ok(Requirement {
                key,
                test: Test::Absent,
            });
        }
        let key = self.key()?;
        let test = match self.peek() {
            None | Some(Token::Symbol(",")) => Test::Exists,
            Some(Token::Symbol("=" | "==")) => {
                self.at += 1;
                Test::In(BTreeSet::from([self.value()?]))
            }
            Some(Token::Symbol("!=")) => {
                self.at += 1;
                Test::NotIn(BTreeSet::from([self.value()?]))
            }
            Some(Token::Symbol(">")) => {
                self.at += 1;
                Test::Greater(self.integer()?)
            }
            Some(Token::Symbol("<")) => {
                self.at += 1;
                Test::Less(self.integer()?)
            }
            Some(Token::Word(word)) if word == "in" => {
                self.at += 1;
                Test::In(self.values()?)
            }
            Some(Token::Word(word)) if word == "notin" => {
                self.at += 1;
                Test::NotIn(self.values()?)
            }
            Some(other) => return Err(format!("found {other:?} after a key")),
        };
        Ok(Requirement { key, test })
    }

    fn key(&mut self) -> Result<String, String> {
        match self.next() {
            Some(Token::Word(word)) => {
                if is_label_key(word) {
                    Ok(word.clone())
                } else {
                    Err(format!("{word:?} is no label key"))
                }
            }
            other => Err(format!("found {other:?}, expected a label key")),
        }
    }

    /// One value; nothing before a comma or the end means the empty value.
    fn value(&mut self) -> Result<String, String> {
        match self.peek() {
            None | Some(Token::Symbol(",")) => Ok(String::new()),
            Some(Token::Word(word)) => {
                let word = word.clone();
                self.at += 1;
                checked(word)
            }
            Some(other) => Err(format!("found {other:?}, expected a value")),
        }
    }

    fn integer(&mut self) -> Result<i64, String> {
        let value = self.value()?;
        value
            .parse()
            .map_err(|_| format!("{value:?} is no integer"))
    }

    /// `(x, y)`; a gap, or nothing at all, is the empty value.
    fn values(&mut self) -> Result<BTreeSet<String>, String> {
        if !self.take("(") {
            return Err(format!(
                "found {:?}, expected an opening parenthesis",
                self.peek()
            ));
        }
        let mut values = BTreeSet::new();
        loop {
            match self.next() {
                Some(Token::Word(word)) => {
                    values.insert(checked(word.clone())?);
                    match self.next() {
                        Some(Token::Symbol(")")) => return Ok(values),
                        Some(Token::Symbol(",")) => {
                            if matches!(self.peek(), Some(Token::Symbol(")"))) {
                                values.insert(String::new());
                            }
                        }
                        other => return Err(format!("found {other:?} in a list of values")),
                    }
                }
                Some(Token::Symbol(",")) => {
                    values.insert(String::new());
                }
                Some(Token::Symbol(")")) => {
                    if values.is_empty() {
                        values.insert(String::new());
                    }
                    return Ok(values);
                }
                other => return Err(format!("found {other:?} in a list of values")),
            }
        }
    }

    fn take(&mut self, symbol: &str) -> bool {
        let found = matches!(self.peek(), Some(Token::Symbol(next)) if *next == symbol);
        self.at += usize::from(found);
        found
    }

    fn peek(&self) -> Option<&Token> {
        self.tokens.get(self.at)
    }

    fn next(&mut self) -> Option<&Token> {
        self.at += 1;
        self.tokens.get(self.at - 1)
    }
}

fn checked(value: String) -> Result<String, String> {
    if is_label_value(&value) {
        Ok(value)
    } else {
        Err(format!("{value:?} is no label value"))
    }
}

/// `[prefix/]name` with a DNS subdomain as its prefix.
fn is_label_key(key: &str) -> bool {
    let (prefix, name) = key
        .rsplit_once('/')
        .map_or((None, key), |(p, n)| (Some(p), n));
    let subdomain = |text: &str| {
        !text.is_empty()
            && text.len() <= 253
            && text.split('.').all(|part| {
                is_name(
                    part,
                    |c| c.is_ascii_lowercase() || c.is_ascii_digit(),
                    |c| c == '-',
                )
            })
    };
    prefix.is_none_or(subdomain) && !name.is_empty() && is_label_value(name)
}

/// At most 63 characters, alphanumeric at both ends; empty is a value too.
fn is_label_value(value: &str) -> bool {
    value.is_empty()
        || (value.len() <= 63
            && is_name(value, |c| c.is_ascii_alphanumeric(), |c| "-_.".contains(c)))
}

fn is_name(text: &str, edge: impl Fn(char) -> bool, inner: impl Fn(char) -> bool) -> bool {
    text.starts_with(&edge) && text.ends_with(&edge) && text.chars().all(|c| edge(c) || inner(c))
}

/// A field selector: `path=value`, `path==value` and `path!=value`, all of which must hold.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FieldSelector {
    terms: Vec<(String, bool, String)>,
}

/// What a Pod can be selected by, besides its name and namespace.
const POD_FIELDS: [&str; 8] = [
    "spec.nodeName",
    "spec.restartPolicy",
    "spec.schedulerName",
    "spec.serviceAccountName",
    "spec.hostNetwork",
    "status.phase",
    "status.podIP",
    "status.nominatedNodeName",
];

impl FieldSelector {
    /// Reads a selector for objects of this kind.
    ///
    /// # Errors
    ///
    /// On bad syntax, and on a field that the API server does not select this kind by.
    pub fn parse(text: &str, api_version: &str, kind: &str) -> Result<Self, InvalidSelector> {
        let invalid = |reason: String| InvalidSelector {
            selector: text.to_owned(),
            reason,
        };
        let mut terms = Vec::new();
        for term in text.split(',').filter(|term| !term.is_empty()) {
            let (path, equal, value) = if let Some((path, value)) = term.split_once("!=") {
                (path, false, value)
            } else if let Some((path, value)) = term.split_once('=') {
                (path, true, value.strip_prefix('=').unwrap_or(value))
            } else {
                return Err(invalid(format!("{term:?} has no operator")));
            };
            let pod = (api_version, kind) == ("v1", "Pod");
            let known = ["metadata.name", "metadata.namespace"].contains(&path)
                || (pod && POD_FIELDS.contains(&path));
            if !known {
                return Err(invalid(format!("field label not supported: {path}")));
            }
            terms.push((path.to_owned(), equal, value.to_owned()));
        }
        Ok(Self { terms })
    }

    /// Does this object belong to the selection?
    #[must_use]
    pub fn matches(&self, object: &Value) -> bool {
        self.terms.iter().all(|(path, equal, expected)| {
            let found = path
                .split('.')
                .try_fold(object, |value, part| value.get(part));
            let text = match found {
                Some(Value::String(text)) => text.clone(),
                Some(Value::Bool(flag)) => flag.to_string(),
                _ => String::new(),
            };
            (text == *expected) == *equal
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;
    use serde_json::json;

    fn labels(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        pairs
            .iter()
            .map(|(k, v)| ((*k).to_owned(), (*v).to_owned()))
            .collect()
    }

    #[rstest]
    #[case::empty_selects_all("", &[], true)]
    #[case::equal("a=b", &[("a", "b")], true)]
    #[case::equal_other("a=b", &[("a", "c")], false)]
    #[case::equal_absent("a=b", &[], false)]
    #[case::double_equal("a==b", &[("a", "b")], true)]
    #[case::equal_empty_value("a=", &[("a", "")], true)]
    #[case::equal_empty_value_absent("a=", &[], false)]
    #[case::unequal("a!=b", &[("a", "c")], true)]
    #[case::unequal_same("a!=b", &[("a", "b")], false)]
    #[case::unequal_absent("a!=b", &[], true)]
    #[case::exists("a", &[("a", "")], true)]
    #[case::exists_absent("a", &[("b", "")], false)]
    #[case::absent("!a", &[("b", "")], true)]
    #[case::absent_present("!a", &[("a", "x")], false)]
    #[case::set_in("a in (x,y)", &[("a", "y")], true)]
    #[case::set_in_other("a in (x,y)", &[("a", "z")], false)]
    #[case::set_in_absent("a in (x, y)", &[], false)]
    #[case::set_in_empty("a in ()", &[("a", "")], true)]
    #[case::set_in_gap("a in (,x)", &[("a", "")], true)]
    #[case::set_in_trailing_gap("a in (x,)", &[("a", "")], true)]
    #[case::set_not_in("a notin (x,y)", &[("a", "z")], true)]
    #[case::set_not_in_same("a notin (x,y)", &[("a", "x")], false)]
    #[case::set_not_in_absent("a notin (x)", &[], true)]
    #[case::and_holds("kuma.io/mesh,kuma.io/mesh!=m", &[("kuma.io/mesh", "n")], true)]
    #[case::and_second_fails("kuma.io/mesh,kuma.io/mesh!=m", &[("kuma.io/mesh", "m")], false)]
    #[case::and_first_fails("kuma.io/mesh,kuma.io/mesh!=m", &[], false)]
    #[case::spaces(" a = b , c ", &[("a", "b"), ("c", "")], true)]
    #[case::in_as_a_key("in in (in)", &[("in", "in")], true)]
    #[case::greater("a>1", &[("a", "2")], true)]
    #[case::greater_text("a>1", &[("a", "x")], false)]
    #[case::less("a<1", &[("a", "0")], true)]
    fn labels_are_selected(
        #[case] selector: &str,
        #[case] has: &[(&str, &str)],
        #[case] expected: bool,
    ) {
        let selector = LabelSelector::parse(selector).expect("a legal selector");
        assert_eq!(selector.matches(&labels(has)), expected);
    }

    #[rstest]
    #[case::trailing_comma("a,")]
    #[case::leading_comma(",a")]
    #[case::no_key("=b")]
    #[case::two_values("a=b=c")]
    #[case::open_set("a in (x")]
    #[case::set_without_parentheses("a in x")]
    #[case::illegal_key("-a=b")]
    #[case::illegal_prefix("A_/b=c")]
    #[case::empty_prefix("/b=c")]
    #[case::illegal_value("a=b/c")]
    #[case::value_ends_with_dash("a!=b-")]
    #[case::value_of_64("a!=0123456789012345678901234567890123456789012345678901234567890123")]
    #[case::not_a_number("a>b")]
    fn the_api_server_refuses(#[case] selector: &str) {
        assert!(LabelSelector::parse(selector).is_err());
    }

    #[rstest]
    #[case::name("metadata.name=a", true)]
    #[case::name_other("metadata.name==b", false)]
    #[case::name_unequal("metadata.name!=b", true)]
    #[case::phase("status.phase!=Succeeded,status.phase!=Failed", true)]
    #[case::phase_running("status.phase=Running", true)]
    #[case::absent_is_empty("spec.nodeName=", true)]
    fn fields_are_selected(#[case] selector: &str, #[case] expected: bool) {
        let pod = json!({"metadata": {"name": "a"}, "status": {"phase": "Running"}});
        let selector = FieldSelector::parse(selector, "v1", "Pod").expect("a legal selector");
        assert_eq!(selector.matches(&pod), expected);
    }

    #[rstest]
    #[case::custom_field("mesh=default", "kuma.io/v1alpha1", "Dataplane")]
    #[case::phase_of_no_pod("status.phase=Running", "v1", "Service")]
    #[case::no_operator("metadata.name", "v1", "Pod")]
    fn fields_that_cannot_be_selected(#[case] text: &str, #[case] api: &str, #[case] kind: &str) {
        assert!(FieldSelector::parse(text, api, kind).is_err());
    }
}
