//! Debian's docker-registry on the loopback, with and without passwords.

use std::{
    fs,
    io::{self, Read, Write},
    net::{Shutdown, TcpListener, TcpStream},
    path::PathBuf,
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use rstest::rstest;
use serde_json::Value;
use tempfile::TempDir;

use crate::{desk::Desk, policy};

/// How long it has to come up, on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// The only user, where there is one.
const USER: (&str, &str) = ("ada", "secret");

struct DockerRegistry {
    host: String,
    server: Child,
    _folder: TempDir,
}

impl DockerRegistry {
    fn start(with_passwords: bool) -> Self {
        // Another program may take the port in between.
        let mut tries = (0..5).filter_map(|_| Self::try_start(with_passwords));
        tries.next().expect("docker-registry does not start")
    }

    fn try_start(with_passwords: bool) -> Option<Self> {
        let folder = TempDir::new().unwrap();
        let file = |name: &str| folder.path().join(name);
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let host = listener.local_addr().unwrap().to_string();
        drop(listener);
        let auth = match with_passwords {
            true => {
                fs::write(file("passwords"), passwords()).unwrap();
                let passwords = file("passwords");
                format!(
                    "auth: {{htpasswd: {{realm: r, path: {}}}}}\n",
                    passwords.display()
                )
            }
            false => String::new(),
        };
        let config = format!(
            "version: 0.1\nlog: {{level: error}}\nhttp: {{addr: '{host}'}}\n\
             storage: {{filesystem: {{rootdirectory: {}}}}}\n{auth}",
            file("data").display()
        );
        fs::write(file("config.yml"), config).unwrap();
        let server = Command::new("docker-registry")
            .arg("serve")
            .arg(file("config.yml"))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("docker-registry is not installed: `make registry-test` installs it");
        let mut registry = Self {
            host,
            server,
            _folder: folder,
        };
        registry.is_up().then_some(registry)
    }

    fn is_up(&mut self) -> bool {
        let since = Instant::now();
        while since.elapsed() < PATIENCE && self.server.try_wait().unwrap().is_none() {
            if TcpStream::connect(&self.host).is_ok() {
                return true;
            }
            thread::sleep(Duration::from_millis(20));
        }
        false
    }

    /// What it answers to a GET: the status, and the body.
    fn get(&self, path: &str) -> (u16, String) {
        let mut stream = TcpStream::connect(&self.host).unwrap();
        let request = format!(
            "GET {path} HTTP/1.0\r\nHost: {}\r\nAccept: application/vnd.oci.image.manifest.v1+json\r\n\r\n",
            self.host
        );
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        let status = head.split(' ').nth(1).unwrap();
        (status.parse().unwrap(), body.to_owned())
    }
}

impl Drop for DockerRegistry {
    fn drop(&mut self) {
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}

/// The file of passwords, by bcrypt.
fn passwords() -> Vec<u8> {
    let (user, password) = USER;
    let output = Command::new("htpasswd")
        .args(["-Bbn", user, password])
        .output();
    let output = output.expect("htpasswd is not installed: `make registry-test` installs it");
    assert!(output.status.success());
    output.stdout
}

#[test]
fn is_pushed_and_pulled() {
    let registry = DockerRegistry::start(false);
    let host = &registry.host;
    let desk = Desk::new()
        .with("p.wasm", policy::annotated())
        .with("large.wasm", policy::large());
    for (file, place) in [("p.wasm", "kuma/p:v1"), ("large.wasm", "kuma/large:v1")] {
        let place = format!("{host}/{place}");
        let pushed = desk.run(&["push", file, &place]).line();
        assert_eq!(desk.run(&["push", file, &place]).line(), pushed);
        for reference in [&place, &pushed] {
            assert_eq!(
                desk.run(&["pull", reference, "-o", "pulled.wasm"]).line(),
                pushed
            );
            assert_eq!(desk.read("pulled.wasm"), desk.read(file));
        }
    }
    let (_, manifest) = registry.get("/v2/kuma/p/manifests/v1");
    assert_eq!(manifest, include_str!("../golden/manifest.json").trim_end());

    let missing = desk.run(&["pull", &format!("{host}/kuma/p:v2"), "-o", "new.wasm"]);
    assert_eq!(
        missing.sentence(1, host),
        "there is no HOST/kuma/p:v2 (manifest unknown); is it the right repository, and the right tag or \
         digest?"
    );
}

#[test]
fn repository_metadata() {
    let registry = DockerRegistry::start(false);
    let file = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../artifacthub-repo.yml");
    let place = format!("{}/charts/kuma-workload", registry.host);
    Desk::new()
        .run(&["push-metadata", file.to_str().unwrap(), &place])
        .line();
    let (_, manifest) = registry.get("/v2/charts/kuma-workload/manifests/artifacthub.io");
    let manifest: Value = serde_json::from_str(&manifest).unwrap();
    assert_eq!(
        manifest["layers"][0]["mediaType"],
        "application/vnd.cncf.artifacthub.repository-metadata.layer.v1.yaml"
    );
    let digest = manifest["layers"][0]["digest"].as_str().unwrap();
    let (_, layer) = registry.get(&format!("/v2/charts/kuma-workload/blobs/{digest}"));
    assert_eq!(layer, fs::read_to_string(file).unwrap());
}

#[rstest]
#[case::push(&["push", "p.wasm", "HOST/p:v1"], "push to")]
#[case::pull(&["pull", "HOST/p:v1", "-o", "new.wasm"], "pull from")]
fn passwords_are_asked_for(#[case] arguments: &[&str], #[case] what: &str) {
    let registry = DockerRegistry::start(true);
    let host = &registry.host;
    let arguments: Vec<_> = arguments
        .iter()
        .map(|one| one.replace("HOST", host))
        .collect();
    let arguments: Vec<_> = arguments.iter().map(String::as_str).collect();
    let desk = || Desk::new().with("p.wasm", policy::annotated());
    let (user, password) = USER;

    assert_eq!(
        desk().run(&arguments).sentence(1, host),
        format!(
            "HOST wants to know who asks, to {what} p, and DESK/docker/config.json has no credentials for \
             it; run `docker login HOST`, or name another folder in DOCKER_CONFIG"
        )
    );
    assert_eq!(
        desk()
            .logged_in(host, user, "other")
            .run(&arguments)
            .sentence(1, host),
        format!(
            "HOST does not take the credentials of ada from DESK/docker/config.json, to {what} p; run \
             `docker login HOST` again"
        )
    );
    let desk = desk().logged_in(host, user, password);
    desk.run(&["push", "p.wasm", &format!("{host}/p:v1")])
        .line();
    desk.run(&arguments).line();
}

/// Hangs up as soon as something passes that has these bytes in it; gives its own host.
fn breaking(registry: &str, at: &'static [u8]) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let host = listener.local_addr().unwrap().to_string();
    let registry = registry.to_owned();
    thread::spawn(move || {
        for client in listener.incoming().flatten() {
            let server = TcpStream::connect(&registry).unwrap();
            for (from, to) in [(&client, &server), (&server, &client)] {
                let (from, to) = (from.try_clone().unwrap(), to.try_clone().unwrap());
                thread::spawn(move || pass(from, to, at));
            }
        }
    });
    host
}

fn pass(mut from: TcpStream, mut to: TcpStream, at: &[u8]) {
    let mut passed = |bytes: &[u8]| -> io::Result<()> {
        match bytes.windows(at.len()).any(|window| window == at) {
            // What has gone before is there; of this, half.
            true => {
                to.write_all(&bytes[..bytes.len() / 2])?;
                Err(io::ErrorKind::ConnectionAborted.into())
            }
            false => to.write_all(bytes),
        }
    };
    let mut bytes = [0; 1 << 16];
    while let Ok(length @ 1..) = from.read(&mut bytes) {
        if passed(&bytes[..length]).is_err() {
            break;
        }
    }
    let _ = from.shutdown(Shutdown::Both);
    let _ = to.shutdown(Shutdown::Both);
}

/// The tag is where it was, and what it names is whole.
#[rstest]
#[case::at_the_layer(b"PATCH /v2/")]
#[case::at_the_manifest(b"PUT /v2/p/manifests/")]
fn a_push_that_breaks_off_moves_no_tag(#[case] at: &'static [u8]) {
    let registry = DockerRegistry::start(false);
    let host = breaking(&registry.host, at);
    let newer = policy::with_metadata(r#"{"annotations":{"version":"2"}}"#);
    let desk = Desk::new()
        .with("p.wasm", policy::annotated())
        .with("newer.wasm", newer);
    let direct = format!("{}/p:v1", registry.host);

    let sentence = "the connection to HOST broke off during the push of HOST/p:v1; push it again";
    let said = desk.run(&["push", "newer.wasm", &format!("{host}/p:v1")]);
    assert_eq!(said.sentence(1, &host), sentence);
    assert_eq!(registry.get("/v2/p/tags/list").0, 404);

    let pushed = desk.run(&["push", "p.wasm", &direct]).line();
    let said = desk.run(&["push", "newer.wasm", &format!("{host}/p:v1")]);
    assert_eq!(said.sentence(1, &host), sentence);
    assert_eq!(
        desk.run(&["pull", &direct, "-o", "pulled.wasm"]).line(),
        pushed
    );
    assert_eq!(desk.read("pulled.wasm"), policy::annotated());
}

#[rstest]
#[case::at_the_manifest(b"application/vnd.wasm.config.v1+json")]
#[case::at_the_layer(b"\0asm")]
fn a_pull_that_breaks_off_leaves_the_file(#[case] at: &'static [u8]) {
    let registry = DockerRegistry::start(false);
    let host = breaking(&registry.host, at);
    let desk = Desk::new()
        .with("p.wasm", policy::annotated())
        .with("old.wasm", "old");
    desk.run(&["push", "p.wasm", &format!("{}/p:v1", registry.host)])
        .line();
    let said = desk.run(&["pull", &format!("{host}/p:v1"), "-o", "old.wasm"]);
    assert_eq!(
        said.sentence(1, &host),
        "the connection to HOST broke off during the pull of HOST/p:v1; pull it again"
    );
    assert_eq!(desk.read("old.wasm"), b"old");
    assert_eq!(desk.files(), ["old.wasm", "p.wasm"]);
}

/// The built policy, with the annotations of policy-metadata.yml.
#[test]
fn the_policy_itself() {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..");
    let wasm = root.join("annotated-policy.wasm");
    assert!(wasm.is_file(), "make annotated-policy.wasm builds it");
    let registry = DockerRegistry::start(false);
    let desk = Desk::new();
    let place = format!("{}/p:v1", registry.host);
    desk.run(&["push", wasm.to_str().unwrap(), &place]).line();
    desk.run(&["pull", &place, "-o", "pulled.wasm"]).line();
    assert_eq!(desk.read("pulled.wasm"), fs::read(wasm).unwrap());

    let metadata = fs::read_to_string(root.join("policy-metadata.yml")).unwrap();
    let metadata: Value = serde_saphyr::from_str(&metadata).unwrap();
    let mut expected = metadata["annotations"].clone();
    expected["org.opencontainers.image.source"] = expected["io.kubewarden.policy.source"].clone();
    let (_, manifest) = registry.get("/v2/p/manifests/v1");
    let manifest: Value = serde_json::from_str(&manifest).unwrap();
    assert_eq!(manifest["annotations"], expected);
}
