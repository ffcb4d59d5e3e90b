//! A system of generated manifests, always the same: applications of ten documents each, twenty of them
//! in a namespace.

use std::{
    fs::{self, File},
    io::{self, BufWriter, Write},
    path::Path,
};

/// Documents of one application.
const OF_AN_APPLICATION: usize = 10;
/// Applications in one namespace.
const IN_A_NAMESPACE: usize = 20;
/// In every so many applications one Pod is of another mesh than its namespace, so that there is
/// something to find.
const MISTAKES: usize = 50;

/// Writes so many documents into a folder, a file for each and a folder for each namespace.
///
/// # Errors
///
/// When a file cannot be written.
pub(crate) fn write_folder(documents: usize, folder: &Path) -> io::Result<()> {
    for number in 0..documents {
        let namespace = folder.join(namespace(number / OF_AN_APPLICATION));
        fs::create_dir_all(&namespace)?;
        fs::write(
            namespace.join(format!("{number:06}.yaml")),
            document(number),
        )?;
    }
    Ok(())
}

/// Writes so many documents into one file, as `helm template` and `kubectl kustomize` print them.
///
/// # Errors
///
/// When the file cannot be written.
pub(crate) fn write_file(documents: usize, file: &Path) -> io::Result<()> {
    let mut file = BufWriter::new(File::create(file)?);
    for number in 0..documents {
        file.write_all(b"---\n")?;
        file.write_all(document(number).as_bytes())?;
    }
    file.flush()
}

fn namespace(application: usize) -> String {
    format!("team-{:04}", application / IN_A_NAMESPACE)
}

fn document(number: usize) -> String {
    let application = number / OF_AN_APPLICATION;
    let names = Names {
        application: format!("app-{application:05}"),
        namespace: namespace(application),
        mesh: match application.is_multiple_of(MISTAKES) {
            true => ["default", "payments"],
            false => ["default", "default"],
        },
    };
    match number % OF_AN_APPLICATION {
        0 if application.is_multiple_of(IN_A_NAMESPACE) => names.of_namespace(),
        0 => names.of_workload(),
        1 => names.of_deployment(),
        2 => names.of_replica_set(),
        3 => names.of_service(),
        4 => names.of_config_map(),
        5 => names.of_service_account(),
        6 => names.of_pod(0),
        7 => names.of_pod(1),
        8 => names.of_dataplane(0),
        _ => names.of_dataplane(1),
    }
}

/// What an application's documents name.
struct Names {
    application: String,
    namespace: String,
    /// The meshes of its Pods.
    mesh: [&'static str; 2],
}

impl Names {
    fn of_namespace(&self) -> String {
        let namespace = &self.namespace;
        format!(
            "apiVersion: v1
kind: Namespace
metadata:
  name: {namespace}
  labels:
    kubernetes.io/metadata.name: {namespace}
    kuma.io/sidecar-injection: enabled
    kuma.io/mesh: default
"
        )
    }

    fn of_workload(&self) -> String {
        let head = self.head("kuma.io/v1alpha1", "Workload", &self.application);
        format!(
            "{head}    kuma.io/mesh: default\n    kuma.io/managed-by: kuma-workload-reconciler\nspec: {{}}\n"
        )
    }

    fn of_deployment(&self) -> String {
        let head = self.head("apps/v1", "Deployment", &self.application);
        format!("{head}{}", self.spec_with_template())
    }

    fn of_replica_set(&self) -> String {
        let name = format!("{}-6d5f7c8b9c", self.application);
        let head = self.head("apps/v1", "ReplicaSet", &name);
        let owner = self.owner("Deployment", &self.application);
        format!("{head}{owner}{}", self.spec_with_template())
    }

    fn of_service(&self) -> String {
        let head = self.head("v1", "Service", &self.application);
        let application = &self.application;
        format!(
            "{head}spec:
  type: ClusterIP
  selector:
    app.kubernetes.io/name: {application}
  ports:
    - {{name: http, port: 80, targetPort: http, protocol: TCP}}
    - {{name: metrics, port: 9102, targetPort: metrics, protocol: TCP}}
"
        )
    }

    fn of_config_map(&self) -> String {
        let head = self.head("v1", "ConfigMap", &self.application);
        let settings: String = (0..40)
            .map(|number| format!("    setting.number.{number:02} = a value that somebody chose\n"))
            .collect();
        format!("{head}data:\n  application.properties: |\n{settings}")
    }

    fn of_service_account(&self) -> String {
        self.head("v1", "ServiceAccount", &self.application)
    }

    fn of_pod(&self, ordinal: usize) -> String {
        let name = self.pod(ordinal);
        let head = self.head("v1", "Pod", &name);
        let owner = self.owner("ReplicaSet", &format!("{}-6d5f7c8b9c", self.application));
        let mesh = self.mesh.get(ordinal).copied().unwrap_or_default();
        let containers = self.containers("  ");
        format!(
            "{head}    kuma.io/mesh: {mesh}
    pod-template-hash: 6d5f7c8b9c
  annotations:
    kuma.io/sidecar-injected: \"true\"
{owner}spec:
  serviceAccountName: {application}
{containers}    - name: kuma-sidecar
      image: registry.example/kuma-dp:2.14.3
      args: [run, --log-level=info, --concurrency=2]
      readinessProbe: {{httpGet: {{path: /ready, port: 9902}}, periodSeconds: 5}}
status:
  phase: Running
",
            application = self.application,
        )
    }

    fn of_dataplane(&self, ordinal: usize) -> String {
        let name = self.pod(ordinal);
        let application = &self.application;
        let mesh = self.mesh.get(ordinal).copied().unwrap_or_default();
        let head = self.head("kuma.io/v1alpha1", "Dataplane", &name);
        let owner = self.owner_of("v1", "Pod", &name);
        format!(
            "{head}    kuma.io/mesh: {mesh}
  annotations:
    kuma.io/workload: {application}
{owner}mesh: {mesh}
spec:
  networking:
    address: 10.0.0.{ordinal}
    inbound:
      - port: 8080
        state: Ready
        tags: {{kuma.io/service: {application}, kuma.io/protocol: http}}
"
        )
    }

    fn pod(&self, ordinal: usize) -> String {
        format!("{}-6d5f7c8b9c-{ordinal:05}", self.application)
    }

    /// Ends within the labels.
    fn head(&self, api_version: &str, kind: &str, name: &str) -> String {
        let (application, namespace) = (&self.application, &self.namespace);
        format!(
            "# Source: system/templates/{application}/{kind}.yaml
apiVersion: {api_version}
kind: {kind}
metadata:
  name: {name}
  namespace: {namespace}
  labels:
    app.kubernetes.io/name: {application}
    app.kubernetes.io/version: \"1.4.2\"
    app.kubernetes.io/managed-by: Helm
    helm.sh/chart: system-0.9.1
"
        )
    }

    fn owner(&self, kind: &str, name: &str) -> String {
        self.owner_of("apps/v1", kind, name)
    }

    fn owner_of(&self, api_version: &str, kind: &str, name: &str) -> String {
        format!(
            "  ownerReferences:
    - {{apiVersion: {api_version}, kind: {kind}, name: {name}, uid: 7f4e1c52-5a0f-4a53-8a55-0d9b3e0c1f01, controller: true}}
"
        )
    }

    fn spec_with_template(&self) -> String {
        let application = &self.application;
        let containers = self.containers("      ");
        format!(
            "spec:
  replicas: 2
  selector:
    matchLabels:
      app.kubernetes.io/name: {application}
  template:
    metadata:
      labels:
        app.kubernetes.io/name: {application}
      annotations:
        checksum/config: 0c5b1d2f8e4a7c9b6d3e2f1a0b9c8d7e
    spec:
      serviceAccountName: {application}
{containers}"
        )
    }

    fn containers(&self, indent: &str) -> String {
        let application = &self.application;
        format!(
            "{indent}containers:
{indent}  - name: {application}
{indent}    image: registry.example/{application}:1.4.2
{indent}    env:
{indent}      - {{name: LOG_LEVEL, value: info}}
{indent}      - {{name: POD_NAME, valueFrom: {{fieldRef: {{fieldPath: metadata.name}}}}}}
{indent}    ports:
{indent}      - {{name: http, containerPort: 8080}}
{indent}      - {{name: metrics, containerPort: 9102}}
{indent}    resources:
{indent}      requests: {{cpu: 100m, memory: 128Mi}}
{indent}      limits: {{memory: 256Mi}}
{indent}    livenessProbe: {{httpGet: {{path: /healthz, port: http}}, periodSeconds: 10}}
"
        )
    }
}
