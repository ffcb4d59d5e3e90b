//! Values of flags, shared by several subcommands.

use std::time::Duration;

use clap::{
    Args,
    builder::{PossibleValue, PossibleValuesParser, TypedValueParser},
};
use kuma_workload_rulebook::identifier::{Identifiers, PodAnnotation, is_namespace};

/// One namespace or all, as kubectl has it.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct NamespaceFlags {
    /// Only this namespace.
    #[arg(short, long, value_name = "NAME", value_parser = namespace)]
    namespace: Option<String>,
    /// All namespaces, which is the default.
    #[arg(short = 'A', long, conflicts_with = "namespace")]
    all_namespaces: bool,
}

impl NamespaceFlags {
    /// The only namespace that counts; none where all do.
    pub(crate) fn namespace(&self) -> Option<&str> {
        self.namespace.as_deref().filter(|_| !self.all_namespaces)
    }
}

/// The name of a Namespace.
///
/// # Errors
/// When no Namespace can have it.
pub(crate) fn namespace(text: &str) -> Result<String, String> {
    match is_namespace(text) {
        true => Ok(text.to_owned()),
        false => Err(
            "no Namespace can have this name: it must be at most 63 lower-case letters, digits and '-', \
             beginning and ending with a letter or digit"
                .to_owned(),
        ),
    }
}

/// Where the workload identifiers of Dataplanes come from (W8).
pub(crate) fn identifiers() -> impl TypedValueParser<Value = Identifiers> {
    one_of(Identifiers::ALL)
}

/// Whether a Pod's annotation `kuma.io/workload` counts (W7).
pub(crate) fn pod_annotation() -> impl TypedValueParser<Value = PodAnnotation> {
    one_of(PodAnnotation::ALL)
}

/// One of these values, given by its name. Each has a sentence for the help.
pub(crate) fn one_of<T, const N: usize>(
    values: [(T, &'static str, &'static str); N],
) -> impl TypedValueParser<Value = T>
where
    T: Copy + Send + Sync + 'static,
{
    let possible = values
        .iter()
        .map(|(_, name, help)| PossibleValue::new(name).help(help));
    PossibleValuesParser::new(possible).try_map(move |given| {
        let found = values.iter().find(|(_, name, _)| *name == given);
        found
            .map(|(value, _, _)| *value)
            .ok_or("it is not one of these")
    })
}

/// The longest length of time that a flag takes. It is added to moments, and timers panic beyond two
/// years (L22).
const LONGEST: Duration = Duration::from_secs(24 * 60 * 60);

/// A duration such as `15s`, `1m30s` or `500ms`: a day at most.
///
/// # Errors
/// When it is not one, or negative, or longer.
pub(crate) fn duration(text: &str) -> Result<Duration, String> {
    let duration = text
        .parse::<jiff::SignedDuration>()
        .ok()
        .and_then(|duration| Duration::try_from(duration).ok())
        .ok_or_else(|| "it is not a length of time, such as 15s or 1m30s".to_owned())?;
    match duration <= LONGEST {
        true => Ok(duration),
        false => Err("it must be 24h or less".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case::plain("shop", true)]
    #[case::digits("1-shop-2", true)]
    #[case::empty("", false)]
    #[case::capital("Shop", false)]
    #[case::space("shop ", false)]
    #[case::path("shop/../kube-system", false)]
    #[case::dot("shop.a", false)]
    #[case::dash_at_the_end("shop-", false)]
    #[case::long(&"a".repeat(63), true)]
    #[case::longer(&"a".repeat(64), false)]
    fn names_of_namespaces(#[case] text: &str, #[case] possible: bool) {
        match namespace(text) {
            Ok(name) => assert!(possible && name == text),
            Err(said) => assert!(
                !possible && said.starts_with("no Namespace can have"),
                "{said}"
            ),
        }
    }

    #[rstest]
    #[case::short("1m30s", Ok(90))]
    #[case::a_day("24h", Ok(86_400))]
    #[case::longer("24h1s", Err("it must be 24h or less"))]
    #[case::three_years("26280h", Err("it must be 24h or less"))]
    #[case::the_longest("9223372036854775807s", Err("it must be 24h or less"))]
    #[case::too_long_for_a_number(
        "9223372036854775808s",
        Err("it is not a length of time, such as 15s or 1m30s")
    )]
    #[case::negative("-1s", Err("it is not a length of time, such as 15s or 1m30s"))]
    #[case::no_unit("15", Err("it is not a length of time, such as 15s or 1m30s"))]
    fn l22_lengths_of_time_are_bounded(#[case] text: &str, #[case] expected: Result<u64, &str>) {
        let expected = expected.map(Duration::from_secs).map_err(str::to_owned);
        assert_eq!(duration(text), expected);
    }
}
