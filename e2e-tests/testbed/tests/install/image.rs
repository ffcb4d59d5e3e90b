//! The container runtime's part with images: pulled by what the Pod says, and unpacked.

use std::fs;
use std::path::{Path, PathBuf};

use kuma_workload_testbed::{Error, Testbed};
use serde::Deserialize;
use serde_json::Value;

use crate::tools::{in_own_home, output, run, tool};

/// An image, unpacked.
pub(crate) struct Image {
    /// Its files.
    pub(crate) files: PathBuf,
    /// How it wants to be run.
    pub(crate) config: Config,
}

/// What an image's configuration says of its containers.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(crate) struct Config {
    pub(crate) user: String,
    pub(crate) entrypoint: Vec<String>,
    pub(crate) cmd: Vec<String>,
    pub(crate) env: Vec<String>,
    pub(crate) working_dir: String,
}

impl Image {
    /// Pulls an image into this folder. What has another digest than it is named by is refused.
    pub(crate) async fn pull(
        testbed: &Testbed,
        reference: &str,
        folder: &Path,
    ) -> Result<Self, Error> {
        let platform = match std::env::consts::ARCH {
            "aarch64" => "linux/arm64",
            _ => "linux/amd64",
        };
        let crane = |arguments: &[&str]| {
            let mut crane = in_own_home(testbed, tool("crane"));
            crane.args(["--platform", platform]).args(arguments);
            crane
        };
        let failed = |error: String| Error::new(format!("the image {reference}: {error}"));
        let config = output(&mut crane(&["config", reference])).await?;
        let mut config: Value =
            serde_json::from_str(&config).map_err(|error| failed(error.to_string()))?;
        let files = folder.join("rootfs");
        fs::create_dir_all(&files).map_err(|error| failed(error.to_string()))?;
        let archive = folder.join("image.tar").display().to_string();
        output(&mut crane(&["export", reference, &archive])).await?;
        run(
            "tar",
            &[
                "--extract",
                "--numeric-owner",
                "--file",
                &archive,
                "--directory",
                &files.display().to_string(),
            ],
        )
        .await?;
        fs::remove_file(archive).map_err(|error| failed(error.to_string()))?;
        Ok(Self {
            files,
            config: serde_json::from_value(config["config"].take())
                .map_err(|error| failed(error.to_string()))?,
        })
    }
}
