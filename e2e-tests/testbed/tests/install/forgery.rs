//! Somebody who forges a label, and what becomes of it.

use std::fmt;
use std::fs;

use kuma_workload_testbed::{Error, Output, Program, Space, Testbed, User, eventually};
use serde_json::Value;

use crate::kubewarden;
use crate::told::{end_of, seen};

/// What the rule says of such a Pod.
const SENTENCE: &str = "cannot manually set kuma.io/workload label on Pod";

/// Who judges requests: a value of `enforcement`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Judge {
    /// ClusterAdmissionPolicies.
    Kubewarden,
    /// ValidatingAdmissionPolicies.
    Vap,
}

impl fmt::Display for Judge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Kubewarden => "kubewarden",
            Self::Vap => "vap",
        })
    }
}

/// Judges that are at work.
pub(crate) struct Judging {
    webhook: Option<Program>,
}

impl Judge {
    /// Puts them to work; the API server itself needs nobody.
    pub(crate) async fn start(self, testbed: &Testbed, mode: &str) -> Result<Judging, Error> {
        let webhook = match self {
            Self::Kubewarden => Some(kubewarden::serve(testbed, mode).await?),
            Self::Vap => None,
        };
        Ok(Judging { webhook })
    }
}

impl Judging {
    /// A forged label is accepted, and told to those who look at reports. An honest Pod is not.
    pub(crate) async fn reports(&self, team: &Space<'_>) -> Result<(), Error> {
        // The API server takes a moment to ask those who are new.
        eventually("a forged label is reported", async || {
            let dry = run(team, "dry", FORGED, &["--dry-run=server"]).await;
            let told = dry.and_then(|output| self.told(team, "dry", &output));
            told.map(drop).map_err(|error| error.to_string())
        })
        .await?;
        let accepted = run(team, "evil", FORGED, &[]).await?;
        let report = self.told(team, "evil", &accepted)?;
        seen(accepted.ok()?.trim_end());
        seen(&report);
        let honest = run(team, "honest", HONEST, &[]).await?;
        if let Ok(report) = self.told(team, "honest", &honest) {
            return Err(Error::new(format!("an honest Pod is reported: {report}")));
        }
        honest.ok().map(|told| seen(told.trim_end()))
    }

    /// A forged label is refused, and so is a Workload made by hand; an honest Pod is not.
    pub(crate) async fn refuses(&self, team: &Space<'_>) -> Result<(), Error> {
        let refused = eventually("a forged label is refused", async || {
            let output = run(team, "worse", FORGED, &["--dry-run=server"]).await;
            match output.map_err(|error| error.to_string())? {
                output if !output.success && output.stderr.contains(SENTENCE) => Ok(output.stderr),
                output => Err(format!("{output:?}\n{}", self.log())),
            }
        });
        refused.await?;
        let refused = run(team, "worse", FORGED, &[]).await?;
        if refused.success || !refused.stderr.contains(SENTENCE) {
            return Err(Error::new(format!(
                "a forged label is to be refused; kubectl says {refused:?}"
            )));
        }
        seen(refused.stderr.trim_end());
        let by_hand = ["create", "--namespace", &team.name, "-f", "-"];
        let by_hand = team
            .testbed
            .kubectl(User::Alice, &by_hand, WORKLOAD)
            .await?;
        if by_hand.success || !by_hand.stderr.contains("is managed automatically") {
            return Err(Error::new(format!(
                "a Workload made by hand is to be refused; kubectl says {by_hand:?}"
            )));
        }
        seen(by_hand.stderr.trim_end());
        seen(run(team, "honest-too", HONEST, &[]).await?.ok()?.trim_end());
        Ok(())
    }

    /// What was reported of an accepted Pod: a line of the webhook's log, or a warning of the API server and a
    /// line of its audit log.
    fn told(&self, team: &Space<'_>, pod: &str, output: &Output) -> Result<String, Error> {
        if !output.success {
            return Err(Error::new(format!(
                "Pod {pod} is to be accepted; kubectl says {}",
                output.stderr
            )));
        }
        let name = Value::from(pod).to_string();
        let is_it = |line: &&str| {
            line.contains(&team.name) && line.contains(&name) && line.contains(SENTENCE)
        };
        let Some(webhook) = &self.webhook else {
            let audit = team.testbed.folder().join("audit.log");
            let audit = fs::read_to_string(&audit)
                .map_err(|error| Error::new(format!("{}: {error}", audit.display())))?;
            let annotated = audit
                .lines()
                .filter(|line| line.contains("validation_failure"))
                .any(|line| is_it(&line));
            let warning = output
                .stderr
                .lines()
                .find(|line| line.starts_with("Warning:") && line.contains(SENTENCE));
            return match warning {
                Some(warning) if annotated => Ok(format!("{warning} (and in the audit log)")),
                _ => Err(Error::new(format!(
                    "there is no warning, or nothing in the audit log ({annotated}); kubectl says {output:?}"
                ))),
            };
        };
        let log = webhook.log();
        let mut lines = log.lines().filter(|line| line.contains("(monitor mode)"));
        let report = lines.find(|line| is_it(line) && line.contains(r#""allowed":false"#));
        report
            .map(str::to_owned)
            .ok_or_else(|| Error::new(format!("no report of Pod {pod}:\n{}", end_of(&log))))
    }

    fn log(&self) -> String {
        self.webhook
            .as_ref()
            .map_or_else(String::new, |webhook| end_of(&webhook.log()))
    }
}

const FORGED: &str = "kuma.io/workload=payments";
const HONEST: &str = "app=web";
const WORKLOAD: &str =
    r#"{"apiVersion": "kuma.io/v1alpha1", "kind": "Workload", "metadata": {"name": "by-hand"}}"#;

/// Makes a Pod with this label, as a user of the cluster.
async fn run(team: &Space<'_>, name: &str, label: &str, more: &[&str]) -> Result<Output, Error> {
    let labels = format!("--labels={label}");
    let run = [
        "run",
        name,
        "--image=nginx",
        "--namespace",
        &team.name,
        &labels,
    ];
    let arguments: Vec<_> = run.iter().chain(more).copied().collect();
    team.testbed.kubectl(User::Alice, &arguments, "").await
}
