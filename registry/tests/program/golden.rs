//! The manifest, byte for byte as kwctl writes it: then the digest is kwctl's too.

use kuma_workload_registry::artifact::digest;

use crate::{desk::Desk, memory::Registry, policy, server::Request};

const MANIFEST: &str = include_str!("../golden/manifest.json");
const METADATA_MANIFEST: &str = include_str!("../golden/repository-metadata-manifest.json");

/// The file of this repository.
const METADATA: &str =
    "owners:\n  - name: Kuma Workload developers\n    email: kuma-workload@example.com\n";

/// The request that brought a manifest.
fn manifest(registry: &Registry) -> Request {
    let mut asked = registry.server.asked().into_iter();
    asked.find(|one| one.is("PUT", "/manifests/")).unwrap()
}

#[test]
fn the_manifest_is_kwctl_s() {
    let registry = Registry::start();
    let desk = Desk::new().with("p.wasm", policy::annotated());
    let place = format!("{}/kuma/policy:v1", registry.host());
    let said = desk.run(&["push", "p.wasm", &place]).line();

    let pushed = manifest(&registry);
    assert_eq!(
        String::from_utf8(pushed.body.clone()).unwrap(),
        MANIFEST.trim_end()
    );
    assert_eq!(pushed.path, "/v2/kuma/policy/manifests/v1");
    let media_type = Some("application/vnd.oci.image.manifest.v1+json");
    assert_eq!(pushed.header("content-type"), media_type);
    let digest = digest(MANIFEST.trim_end().as_bytes());
    assert_eq!(said, format!("{}/kuma/policy@{digest}", registry.host()));
}

/// Layer and config first: a tag never names what is not there.
#[test]
fn the_manifest_goes_last() {
    let registry = Registry::start();
    let desk = Desk::new().with("p.wasm", policy::annotated());
    desk.run(&["push", "p.wasm", &format!("{}/p:v1", registry.host())])
        .line();
    let asked = registry.server.asked();
    let sent: Vec<_> = asked
        .iter()
        .filter(|one| one.method == "PUT")
        .map(|one| one.path.contains("/manifests/"))
        .collect();
    assert_eq!(sent, [false, false, true]);
    let memory = registry.memory.lock().unwrap();
    assert!(memory.blobs.values().any(|blob| blob == b"{}"));
    assert!(
        memory
            .blobs
            .values()
            .any(|blob| *blob == policy::annotated())
    );
}

#[test]
fn the_repository_metadata_is_as_artifact_hub_reads_it() {
    let registry = Registry::start();
    let desk = Desk::new().with("artifacthub-repo.yml", METADATA);
    let place = format!("oci://{}/charts/kuma-workload", registry.host());
    let said = desk
        .run(&["push-metadata", "artifacthub-repo.yml", &place])
        .line();

    let pushed = manifest(&registry);
    assert_eq!(
        String::from_utf8(pushed.body).unwrap(),
        METADATA_MANIFEST.trim_end()
    );
    assert_eq!(
        pushed.path,
        "/v2/charts/kuma-workload/manifests/artifacthub.io"
    );
    let digest = digest(METADATA_MANIFEST.trim_end().as_bytes());
    assert_eq!(
        said,
        format!("{}/charts/kuma-workload@{digest}", registry.host())
    );
}
