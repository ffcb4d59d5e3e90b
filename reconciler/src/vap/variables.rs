//! The variables of a policy: an expression can use those before it by their names.

use std::collections::BTreeSet;

use k8s_openapi::api::admissionregistration::v1::Variable;

/// How an expression names a variable.
const VARIABLES: &str = "variables.";

/// What all that is about a Pod begins with.
const OF_POD: [&str; 3] = ["pod", "labels", "annotations"];

/// Variables in the order in which they are defined.
#[derive(Debug, Clone, Default)]
pub(super) struct Variables(Vec<Variable>);

impl Variables {
    /// Defines a variable after those that are there.
    pub(super) fn define(&mut self, name: &str, expression: impl Into<String>) -> &mut Self {
        self.0.push(Variable {
            name: name.to_owned(),
            expression: expression.into(),
        });
        self
    }

    /// Defines these variables after those that are there.
    pub(super) fn append(&mut self, other: Self) -> &mut Self {
        self.0.extend(other.0);
        self
    }

    /// These variables, which are about `pod`, and after them the same about `oldPod`: of `x`, that
    /// is `oldX`.
    pub(super) fn and_of_old(mut self) -> Self {
        let renamed = self.0.iter().map(|variable| Variable {
            name: old(&variable.name),
            expression: rename(&variable.expression, |name| self.is_of_pod(name)),
        });
        let renamed: Vec<_> = renamed.collect();
        self.0.extend(renamed);
        self
    }

    /// Whether this variable says something about `pod`.
    fn is_of_pod(&self, name: &str) -> bool {
        OF_POD.contains(&name) || self.0.iter().any(|variable| variable.name == name)
    }

    /// Those that these expressions use, directly or through others.
    pub(super) fn used_by<'e>(
        self,
        expressions: impl IntoIterator<Item = &'e str>,
    ) -> Vec<Variable> {
        let mut used = BTreeSet::new();
        for expression in expressions {
            used.extend(names(expression).map(str::to_owned));
        }
        // Whoever uses a variable comes after it.
        let mut kept = Vec::new();
        for variable in self.0.into_iter().rev() {
            if used.contains(&variable.name) {
                used.extend(names(&variable.expression).map(str::to_owned));
                kept.push(variable);
            }
        }
        kept.reverse();
        kept
    }
}

/// The name of a variable that says the same of the object before the request.
fn old(name: &str) -> String {
    let mut rest = name.chars();
    let first = rest.next().into_iter().flat_map(char::to_uppercase);
    "old".chars().chain(first).chain(rest).collect()
}

/// The variables that an expression names.
fn names(expression: &str) -> impl Iterator<Item = &str> {
    let mentions = expression.split(VARIABLES).skip(1);
    mentions.map(|rest| rest.split_at(name_length(rest)).0)
}

/// The expression about the object before the request.
fn rename(expression: &str, is_of_pod: impl Fn(&str) -> bool) -> String {
    let mut pieces = expression.split(VARIABLES);
    let mut renamed = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        let (name, rest) = piece.split_at(name_length(piece));
        renamed.push_str(VARIABLES);
        match is_of_pod(name) {
            true => renamed.push_str(&old(name)),
            false => renamed.push_str(name),
        }
        renamed.push_str(rest);
    }
    renamed
}

/// How long the name is that a text begins with.
fn name_length(text: &str) -> usize {
    text.find(|c: char| !c.is_ascii_alphanumeric())
        .unwrap_or(text.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn variables() -> Variables {
        let mut variables = Variables::default();
        variables
            .define("pod", "object")
            .define("mesh", "variables.pod.mesh")
            .define("meshed", "variables.mesh != variables.other");
        variables
    }

    fn texts(variables: &[Variable]) -> Vec<(&str, &str)> {
        let texts = variables.iter();
        texts.map(|one| (&*one.name, &*one.expression)).collect()
    }

    #[test]
    fn the_old_object_has_variables_of_its_own() {
        assert_eq!(
            texts(&variables().and_of_old().0)[3..],
            [
                ("oldPod", "object"),
                ("oldMesh", "variables.oldPod.mesh"),
                ("oldMeshed", "variables.oldMesh != variables.other"),
            ]
        );
    }

    #[test]
    fn only_what_is_used_is_kept() {
        let used = variables().used_by(["variables.mesh == ''", "true"]);
        assert_eq!(
            texts(&used),
            [("pod", "object"), ("mesh", "variables.pod.mesh")]
        );
    }
}
