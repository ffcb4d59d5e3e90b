//! Label selectors.

use serde_json::Value;

/// A label selector.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Selector(Vec<Requirement>);

#[derive(Debug, Clone, PartialEq, Eq)]
struct Requirement {
    key: String,
    /// The values that fit; none if the key alone decides.
    values: Option<Vec<String>>,
    /// Whether it is turned around.
    negated: bool,
}

impl Selector {
    /// Reads a selector: `a=b,c!=d,e in (f,g),h notin (i),j,!k`.
    pub(super) fn read(text: &str) -> Self {
        Self(terms(text).map(Requirement::read).collect())
    }

    /// Whether everything fits.
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether an object fits.
    pub(super) fn matches(&self, object: &Value) -> bool {
        let labels = &object["metadata"]["labels"];
        self.0.iter().all(|requirement| {
            let label = labels[&requirement.key].as_str();
            let fits = match (&requirement.values, label) {
                (Some(values), Some(label)) => values.iter().any(|value| value == label),
                (None, Some(_)) => true,
                (_, None) => false,
            };
            fits != requirement.negated
        })
    }
}

/// The parts between commas, but not those within parentheses.
fn terms(text: &str) -> impl Iterator<Item = &str> {
    let mut depth = 0;
    let terms = text.split(move |character| {
        match character {
            '(' => depth += 1,
            ')' => depth -= 1,
            _ => (),
        }
        character == ',' && depth == 0
    });
    terms.map(str::trim).filter(|term| !term.is_empty())
}

impl Requirement {
    fn read(term: &str) -> Self {
        let of = |key: &str, values: Option<Vec<&str>>, negated| Self {
            key: key.trim().to_owned(),
            values: values.map(|values| {
                let values = values.into_iter().map(|value| value.trim().to_owned());
                values.collect()
            }),
            negated,
        };
        let listed = |values: &str| values.trim().trim_matches(['(', ')']).to_owned();
        if let Some((key, values)) = term.split_once(" notin ") {
            of(key, Some(listed(values).split(',').collect()), true)
        } else if let Some((key, values)) = term.split_once(" in ") {
            of(key, Some(listed(values).split(',').collect()), false)
        } else if let Some((key, value)) = term.split_once("!=") {
            of(key, Some(vec![value]), true)
        } else if let Some((key, value)) = term.split_once('=') {
            of(key, Some(vec![value.trim_start_matches('=')]), false)
        } else if let Some(key) = term.strip_prefix('!') {
            of(key, None, true)
        } else {
            of(term, None, false)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;
    use serde_json::json;

    #[rstest]
    #[case::all("", true)]
    #[case::equal("team=a", true)]
    #[case::equal_twice("team==a,env=test", true)]
    #[case::other("team=b", false)]
    #[case::not_equal("team!=a", false)]
    #[case::absent_is_not_equal("zone!=a", true)]
    #[case::within("team in (a, b),env", true)]
    #[case::without("team notin (a,b)", false)]
    #[case::absent("!zone,!team", false)]
    fn selectors(#[case] selector: &str, #[case] matches: bool) {
        let object = json!({ "metadata": { "labels": { "team": "a", "env": "test" } } });
        assert_eq!(Selector::read(selector).matches(&object), matches);
    }
}
