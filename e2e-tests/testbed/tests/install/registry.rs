//! A registry on the loopback, to which all is pushed as a release pushes it.

use std::fs;

use kuma_workload_testbed::reconciler::free_address;
use kuma_workload_testbed::{Error, Program, Testbed, eventually, page};
use tokio::process::Command;

use crate::told::{end_of, seen};
use crate::tools::{in_own_home, output, root};

/// Debian's docker-registry. It ends when this is dropped.
pub(crate) struct Registry {
    /// Host and port.
    pub(crate) host: String,
    _program: Program,
}

/// The references of what was pushed, by digest.
pub(crate) struct Published {
    pub(crate) module: String,
    pub(crate) image: String,
    pub(crate) chart: String,
}

impl Registry {
    pub(crate) async fn start(testbed: &Testbed) -> Result<Self, Error> {
        let address = free_address()?;
        let config = testbed.folder().join("registry.yml");
        let text = format!(
            "version: 0.1\nlog: {{level: error, accesslog: {{disabled: true}}}}\nhttp: {{addr: '{address}'}}\n\
             storage: {{filesystem: {{rootdirectory: {}}}}}\n",
            testbed.folder().join("registry").display()
        );
        fs::write(&config, text)
            .map_err(|error| Error::new(format!("{}: {error}", config.display())))?;
        let mut command = Command::new("docker-registry");
        let program = testbed.spawn("registry", command.arg("serve").arg(&config))?;
        eventually("the registry answers", async || {
            match page::get(address, "/v2/").await {
                Ok((200, _)) => Ok(()),
                other => Err(format!("{other:?}\n{}", end_of(&program.log()))),
            }
        })
        .await?;
        seen(&format!("docker-registry at {address}"));
        Ok(Self {
            host: format!("localhost:{}", address.port()),
            _program: program,
        })
    }

    /// Pushes what `make package` made.
    pub(crate) async fn publish(&self, testbed: &Testbed) -> Result<Published, Error> {
        let mut publish = in_own_home(testbed, root().join("scripts/publish"));
        output(publish.arg(&self.host)).await?;
        let path = root().join("dist/published.txt");
        let failed = |error: std::io::Error| Error::new(format!("{}: {error}", path.display()));
        let text = fs::read_to_string(&path).map_err(failed)?;
        // Those are of a registry that is gone in a minute.
        fs::remove_file(&path).map_err(failed)?;
        text.lines().for_each(seen);
        let reference = |what: &str| {
            let line = text
                .lines()
                .find_map(|line| line.strip_prefix(what)?.strip_prefix('='));
            line.map(str::to_owned)
                .ok_or_else(|| Error::new(format!("{} has no {what}: {text}", path.display())))
        };
        Ok(Published {
            module: reference("module")?,
            image: reference("image")?,
            chart: reference("chart")?,
        })
    }
}
