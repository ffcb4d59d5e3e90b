//! Whether Workloads are written (L17).

use kuma_workload_rulebook::roster::Mode;

/// The mode that the user has chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ConfiguredMode {
    /// Manage until a control plane is seen to manage Workloads itself.
    Auto,
    /// Always manage.
    Manage,
    /// Never write a Workload.
    Observe,
}

/// The configured mode, and the mode that follows from it and from what was seen.
#[derive(Debug)]
pub(super) struct ModeSwitch {
    configured: ConfiguredMode,
    control_plane_seen: bool,
}

impl ModeSwitch {
    pub(super) fn new(configured: ConfiguredMode) -> Self {
        Self {
            configured,
            control_plane_seen: false,
        }
    }

    /// The mode in force.
    pub(super) fn current(&self) -> Mode {
        match self.configured {
            ConfiguredMode::Observe => Mode::Observe,
            ConfiguredMode::Auto if self.control_plane_seen => Mode::Yield,
            ConfiguredMode::Auto | ConfiguredMode::Manage => Mode::Manage,
        }
    }

    /// Whether evidence of a control plane would change the mode.
    pub(super) fn awaits_control_plane(&self) -> bool {
        self.configured == ConfiguredMode::Auto && !self.control_plane_seen
    }

    /// A control plane is seen to manage Workloads.
    pub(super) fn see_control_plane(&mut self) {
        self.control_plane_seen = true;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case(ConfiguredMode::Auto, Mode::Manage, Mode::Yield)]
    #[case(ConfiguredMode::Manage, Mode::Manage, Mode::Manage)]
    #[case(ConfiguredMode::Observe, Mode::Observe, Mode::Observe)]
    fn l17_only_auto_yields(
        #[case] configured: ConfiguredMode,
        #[case] before: Mode,
        #[case] after: Mode,
    ) {
        let mut mode = ModeSwitch::new(configured);
        assert_eq!(mode.current(), before);
        assert_eq!(mode.awaits_control_plane(), before != after);
        mode.see_control_plane();
        assert_eq!(mode.current(), after);
        assert!(!mode.awaits_control_plane());
    }
}
