//! Whether Workloads are written (L17).

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use kuma_workload_rulebook::roster::{Key, Mode};
use tokio::time::Instant;

use super::planted::{PlantedFault, planted};

/// How the mode is found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ConfiguredMode {
    /// Manage, unless a control plane is seen to manage Workloads itself.
    Auto {
        /// The field managers of control planes.
        managers: BTreeSet<String>,
        /// How long the last evidence counts after it has gone.
        grace: Duration,
    },
    /// Always manage.
    Manage,
    /// Never write a Workload.
    Observe,
}

/// The configured mode, and the mode that follows from it and from what is seen.
#[derive(Debug)]
pub(super) struct ModeSwitch {
    configured: ConfiguredMode,
    /// The Workloads that show that a control plane manages Workloads.
    evidence: BTreeSet<Key>,
    /// Those that name a control plane in their label, with the field manager that set it, which is
    /// none that is known.
    strangers: BTreeMap<Key, String>,
    /// Workloads are left to the control plane.
    yields: bool,
    /// When there was evidence last.
    last_evidence: Option<Instant>,
}

/// What the label of a Workload says about who manages it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Evidence<'a> {
    /// Nothing.
    None,
    /// A control plane does.
    ControlPlane,
    /// A control plane is named, by this field manager, which is not known.
    Stranger(&'a str),
}

impl ModeSwitch {
    pub(super) fn new(configured: ConfiguredMode) -> Self {
        Self {
            configured,
            evidence: BTreeSet::new(),
            strangers: BTreeMap::new(),
            yields: false,
            last_evidence: None,
        }
    }

    /// The mode in force.
    pub(super) fn current(&self) -> Mode {
        match self.configured {
            ConfiguredMode::Observe => Mode::Observe,
            ConfiguredMode::Auto { .. } if self.yields => Mode::Yield,
            ConfiguredMode::Auto { .. } | ConfiguredMode::Manage => Mode::Manage,
        }
    }

    /// What it means that these field managers own a label that names a control plane.
    pub(super) fn judge<'a>(&self, mut owners: impl Iterator<Item = &'a str>) -> Evidence<'a> {
        let ConfiguredMode::Auto { managers, .. } = &self.configured else {
            return Evidence::None;
        };
        let mut stranger = Evidence::None;
        match owners.any(|owner| {
            stranger = Evidence::Stranger(owner);
            managers.contains(owner) || planted(PlantedFault::LabelIsEvidence)
        }) {
            true => Evidence::ControlPlane,
            false => stranger,
        }
    }

    /// What a Workload shows now.
    pub(super) fn note(&mut self, key: &Key, evidence: Evidence<'_>) {
        match evidence {
            Evidence::ControlPlane => {
                if !self.evidence.contains(key) {
                    self.evidence.insert(key.clone());
                }
                (self.yields, self.last_evidence) = (true, None);
            }
            _ => drop(self.evidence.remove(key)),
        }
        match evidence {
            Evidence::Stranger(manager) => {
                let known = self.strangers.get(key);
                if known.is_none_or(|known| known != manager) {
                    self.strangers.insert(key.clone(), manager.to_owned());
                }
            }
            _ => drop(self.strangers.remove(key)),
        }
    }

    /// Time passes. The switch holds while there is evidence, and for the grace period after that.
    pub(super) fn tick(&mut self, now: Instant) {
        let ConfiguredMode::Auto { grace, .. } = self.configured else {
            return;
        };
        if !self.evidence.is_empty() {
            self.last_evidence = None;
        } else if self.yields {
            let last = *self.last_evidence.get_or_insert(now);
            self.yields =
                now.duration_since(last) < grace || planted(PlantedFault::LabelIsEvidence);
        }
    }

    /// A Workload that is evidence.
    pub(super) fn evidence(&self) -> Option<&Key> {
        self.evidence.first()
    }

    /// The Workloads that a control plane under an unknown name manages, with that name.
    pub(super) fn strangers(&self) -> &BTreeMap<Key, String> {
        &self.strangers
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    const GRACE: Duration = Duration::from_secs(600);

    fn auto() -> ConfiguredMode {
        ConfiguredMode::Auto {
            managers: ["kuma-cp".to_owned()].into(),
            grace: GRACE,
        }
    }

    fn web() -> Key {
        Key {
            namespace: "shop".into(),
            workload: "web".into(),
        }
    }

    #[rstest]
    #[case::auto(auto(), Mode::Manage, Mode::Yield)]
    #[case::manage(ConfiguredMode::Manage, Mode::Manage, Mode::Manage)]
    #[case::observe(ConfiguredMode::Observe, Mode::Observe, Mode::Observe)]
    fn l17_only_auto_yields(
        #[case] configured: ConfiguredMode,
        #[case] before: Mode,
        #[case] after: Mode,
    ) {
        let mut mode = ModeSwitch::new(configured);
        assert_eq!(mode.current(), before);
        let evidence = mode.judge(["kuma-cp"].into_iter());
        mode.note(&web(), evidence);
        assert_eq!(mode.current(), after);
    }

    #[rstest]
    #[case::nobody(&[], Evidence::None)]
    #[case::control_plane(&["kuma-cp"], Evidence::ControlPlane)]
    #[case::one_of_two(&["helm", "kuma-cp"], Evidence::ControlPlane)]
    #[case::by_hand(&["kubectl-label"], Evidence::Stranger("kubectl-label"))]
    fn l17_evidence(#[case] owners: &[&str], #[case] expected: Evidence<'_>) {
        let mode = ModeSwitch::new(auto());
        assert_eq!(mode.judge(owners.iter().copied()), expected);
    }

    #[test]
    fn l17_the_switch_holds_for_the_grace_period_after_the_last_evidence() {
        let mut mode = ModeSwitch::new(auto());
        let start = Instant::now();
        mode.note(&web(), Evidence::ControlPlane);
        mode.tick(start + GRACE * 3);
        assert_eq!(mode.current(), Mode::Yield, "there is evidence");
        mode.note(&web(), Evidence::None);
        mode.tick(start + GRACE * 4);
        mode.tick(start + GRACE * 5 - Duration::from_secs(1));
        assert_eq!(mode.current(), Mode::Yield);
        mode.note(&web(), Evidence::ControlPlane);
        mode.note(&web(), Evidence::None);
        mode.tick(start + GRACE * 5);
        mode.tick(start + GRACE * 6 - Duration::from_secs(1));
        assert_eq!(mode.current(), Mode::Yield, "it came back meanwhile");
        mode.tick(start + GRACE * 6);
        assert_eq!(mode.current(), Mode::Manage);
    }

    #[test]
    fn l17_a_stranger_is_no_evidence_and_is_known_by_name() {
        let mut mode = ModeSwitch::new(auto());
        mode.note(&web(), Evidence::Stranger("kubectl-label"));
        assert_eq!(mode.current(), Mode::Manage);
        assert_eq!(mode.strangers()[&web()], "kubectl-label");
        mode.note(&web(), Evidence::None);
        assert!(mode.strangers().is_empty());
    }
}
