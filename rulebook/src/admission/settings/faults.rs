//! What is wrong with a settings document.

use std::fmt;

/// The most faults that are told one by one. The message must stay legible, and a document of any
/// size must not cost time.
const MAX_TOLD: usize = 10;

/// What is wrong with a settings document: a sentence for each of the first ten faults, and then
/// how many more there are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SettingsFaults(pub Vec<String>);

impl fmt::Display for SettingsFaults {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0.join("; "))
    }
}

/// Collects faults. The sentences of those that are not told are never written.
#[derive(Debug, Default)]
pub(super) struct FaultCollector {
    told: Vec<String>,
    more: usize,
}

impl FaultCollector {
    /// Adds a fault: where it is, and what is wrong there.
    pub(super) fn add(&mut self, path: impl fmt::Display, what: impl fmt::Display) {
        self.add_sentence(format_args!("{path} {what}"));
    }

    /// Not generic, so that the guest has it once.
    fn add_sentence(&mut self, sentence: fmt::Arguments<'_>) {
        if self.told.len() < MAX_TOLD {
            self.told.push(sentence.to_string());
        } else {
            self.more += 1;
        }
    }

    /// How many faults there are.
    pub(super) fn len(&self) -> usize {
        self.told.len() + self.more
    }

    /// All faults, if there are any.
    pub(super) fn into_faults(self) -> Option<SettingsFaults> {
        let Self { mut told, more } = self;
        if more > 0 {
            told.push(format!("and {more} more"));
        }
        (!told.is_empty()).then_some(SettingsFaults(told))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case::none(0, None)]
    #[case::one(1, Some("setting 0 is wrong"))]
    #[case::two(2, Some("setting 0 is wrong; setting 1 is wrong"))]
    fn all_faults_are_told(#[case] faults: usize, #[case] message: Option<&str>) {
        assert_eq!(told(faults).as_deref(), message);
    }

    #[rstest]
    #[case::as_many_as_are_told(10, "setting 9 is wrong")]
    #[case::one_more(11, "and 1 more")]
    #[case::many_more(40_000, "and 39990 more")]
    fn the_first_ten_faults_are_told_and_the_rest_counted(
        #[case] faults: usize,
        #[case] end: &str,
    ) {
        let message = told(faults).unwrap();
        assert!(message.ends_with(&format!("; {end}")), "{message}");
        assert_eq!(message.matches("is wrong").count(), 10);
    }

    fn told(faults: usize) -> Option<String> {
        let mut collector = FaultCollector::default();
        for number in 0..faults {
            collector.add(format_args!("setting {number}"), "is wrong");
        }
        collector.into_faults().map(|faults| faults.to_string())
    }
}
