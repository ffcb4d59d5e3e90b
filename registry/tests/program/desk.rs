//! Where the program is run: a folder of its own, with a Docker configuration of its own.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
};

use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::json;
use tempfile::TempDir;

pub(crate) struct Desk {
    folder: TempDir,
}

/// What the program said.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Said {
    pub(crate) status: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Desk {
    pub(crate) fn new() -> Self {
        let folder = TempDir::new().unwrap();
        fs::create_dir(folder.path().join("docker")).unwrap();
        fs::create_dir(folder.path().join("bin")).unwrap();
        Self { folder }
    }

    /// With a file in it.
    pub(crate) fn with(self, name: &str, content: impl AsRef<[u8]>) -> Self {
        fs::write(self.path(name), content).unwrap();
        self
    }

    /// Logged in, as `docker login` does it.
    pub(crate) fn logged_in(self, host: &str, user: &str, password: &str) -> Self {
        let auth = STANDARD.encode(format!("{user}:{password}"));
        let config = json!({ "auths": { host: { "auth": auth } } });
        self.with("docker/config.json", config.to_string())
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn read(&self, name: &str) -> Vec<u8> {
        fs::read(self.path(name)).unwrap()
    }

    /// What is in the folder, besides that of the Docker configuration and of helpers.
    pub(crate) fn files(&self) -> Vec<String> {
        let entries = fs::read_dir(self.folder.path()).unwrap();
        let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let mut names: Vec<_> = names
            .filter(|name| name != "docker" && name != "bin")
            .collect();
        names.sort();
        names
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Said {
        said(&mut self.command(arguments), self.folder.path())
    }

    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_policy-registry"));
        let mut paths = vec![self.path("bin")];
        paths.extend(env::split_paths(&env::var_os("PATH").unwrap()));
        command
            .args(arguments)
            .current_dir(self.folder.path())
            .env("DOCKER_CONFIG", self.path("docker"))
            .env("PATH", env::join_paths(paths).unwrap());
        // The loopback is not behind a proxy.
        for variable in ["http_proxy", "https_proxy", "all_proxy"] {
            command
                .env_remove(variable)
                .env_remove(variable.to_uppercase());
        }
        command
    }
}

/// Runs it; the folder is called DESK in what it said.
pub(crate) fn said(command: &mut Command, folder: &Path) -> Said {
    let output = command.output().unwrap();
    let folder = folder.to_str().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap().replace(folder, "DESK");
    Said {
        status: output.status.code(),
        stdout: text(output.stdout),
        stderr: text(output.stderr),
    }
}

impl Said {
    /// One line, and the status of a run that is done.
    #[track_caller]
    pub(crate) fn line(self) -> String {
        assert_eq!((self.status, &*self.stderr), (Some(0), ""), "{self:?}");
        let line = self.stdout.strip_suffix('\n').unwrap();
        assert!(!line.contains('\n'), "{line}");
        line.to_owned()
    }

    /// One sentence and nothing else, with `host` called HOST.
    #[track_caller]
    pub(crate) fn sentence(self, status: i32, host: &str) -> String {
        assert_eq!((self.status, &*self.stdout), (Some(status), ""), "{self:?}");
        let line = self.stderr.strip_suffix('\n').unwrap();
        assert!(!line.contains(['\n', '{', '\u{1b}']), "{line}");
        let sentence = line.strip_prefix("error: ").unwrap();
        sentence.replace(host, "HOST")
    }
}
