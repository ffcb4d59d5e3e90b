//! Why a kubeconfig cannot be used, in words, and without what stands in it: that may be a secret.

use std::{io, path::Path};

use kube::{
    Config,
    config::{KubeConfigOptions, Kubeconfig, KubeconfigError, LoadDataError},
};
use kuma_workload_rulebook::quoted::Quoted;

/// The configuration by a kubeconfig file.
///
/// # Errors
/// Why it cannot be used, as a sentence.
pub(super) async fn of_file(path: &Path, options: &KubeConfigOptions) -> Result<Config, String> {
    let config = match Kubeconfig::read_from(path) {
        Ok(kubeconfig) => Config::from_custom_kubeconfig(kubeconfig, options).await,
        Err(error) => Err(error),
    };
    config.map_err(|error| match &error {
        // It names the file.
        KubeconfigError::ReadConfig(..) => reason(&error),
        error => format!("kubeconfig {}: {}", path.display(), reason(error)),
    })
}

/// The configuration by `KUBECONFIG` or `~/.kube/config`; without any context given, that of a Pod
/// where there is neither.
///
/// # Errors
/// Why none of these can be used, as a sentence.
pub(super) async fn of_environment(options: &KubeConfigOptions) -> Result<Config, String> {
    let error = match Config::from_kubeconfig(options).await {
        Ok(config) => return Ok(config),
        Err(error) => error,
    };
    if options.context.is_none()
        && let Ok(config) = Config::incluster()
    {
        return Ok(config);
    }
    let is_absent = match &error {
        KubeconfigError::FindPath => true,
        KubeconfigError::ReadConfig(error, _) => error.kind() == io::ErrorKind::NotFound,
        _ => false,
    };
    let reason = reason(&error);
    Err(match is_absent {
        true => format!(
            "no cluster is known: {reason}; set KUBECONFIG or --kubeconfig, or run in a Pod"
        ),
        false => format!("the kubeconfig cannot be used: {reason}"),
    })
}

fn reason(error: &KubeconfigError) -> String {
    use KubeconfigError as E;

    match error {
        E::CurrentContextNotSet => "it has no current context; give --context".to_owned(),
        E::KindMismatch | E::ApiVersionMismatch => {
            "the files of KUBECONFIG are not of one kind and version".to_owned()
        }
        E::LoadContext(name) => format!("it has no context {}", Quoted(name)),
        E::LoadClusterOfContext(name) => {
            format!(
                "its context names cluster {}, which it does not have",
                Quoted(name)
            )
        }
        E::FindPath => "there is no home folder with a .kube/config".to_owned(),
        E::ReadConfig(error, path) => unreadable(error, path),
        E::Parse(error) => match error.location() {
            Some(at) => format!(
                "line {}, column {}: this is no kubeconfig",
                at.line(),
                at.column()
            ),
            None => "it is no kubeconfig".to_owned(),
        },
        E::MissingClusterUrl => "its cluster has no server".to_owned(),
        E::ParseClusterUrl(_) => "the server of its cluster is no URL".to_owned(),
        E::ParseProxyUrl(_) => "the proxy-url of its cluster is no URL".to_owned(),
        E::LoadCertificateAuthority(error) => data("certificate authority", error),
        E::LoadClientCertificate(error) => data("client certificate", error),
        E::LoadClientKey(error) => data("client key", error),
        E::ParseCertificates(_) => "its certificate authority is not in PEM".to_owned(),
    }
}

fn data(what: &str, error: &LoadDataError) -> String {
    match error {
        LoadDataError::DecodeBase64(_) => format!("its {what} is no base64"),
        LoadDataError::ReadFile(error, path) => format!("its {what}: {}", unreadable(error, path)),
        LoadDataError::NoBase64DataOrFile => format!("it has no {what}"),
    }
}

fn unreadable(error: &io::Error, path: &Path) -> String {
    let path = path.display();
    match error.kind() {
        io::ErrorKind::NotFound => format!("{path} does not exist"),
        io::ErrorKind::PermissionDenied => format!("{path} may not be read"),
        io::ErrorKind::IsADirectory => format!("{path} is a folder"),
        kind => format!("{path} cannot be read: {kind}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    /// A kubeconfig whose cluster has these fields.
    fn of_cluster(fields: &str) -> String {
        format!(
            "current-context: c\ncontexts: [{{name: c, context: {{cluster: k, user: u}}}}]\n\
             clusters: [{{name: k, cluster: {{{fields}}}}}]\nusers: [{{name: u, user: {{token: secret}}}}]\n"
        )
    }

    #[rstest]
    #[case::no_yaml("a: [secret", "line 1, column ")]
    #[case::something_else("- secret", "line 1, column ")]
    #[case::no_context("users: []", "it has no current context; give --context")]
    #[case::unknown_context("current-context: gone", "it has no context \"gone\"")]
    #[case::unknown_cluster(
        "current-context: c\ncontexts: [{name: c, context: {cluster: k, user: u}}]",
        "its context names cluster \"k\", which it does not have"
    )]
    #[case::no_server(&of_cluster(""), "its cluster has no server")]
    #[case::no_url(&of_cluster("server: 'a b'"), "the server of its cluster is no URL")]
    #[case::no_base64(
        &of_cluster("server: 'https://k', certificate-authority-data: '!secret'"),
        "its certificate authority is no base64"
    )]
    #[case::no_pem(
        &of_cluster("server: 'https://k', certificate-authority-data: LS0tLS1CRUdJTiBDRVJUSUZJQ0FURS0tLS0tCnNlY3JldCEKLS0tLS1FTkQgQ0VSVElGSUNBVEUtLS0tLQo="),
        "its certificate authority is not in PEM"
    )]
    #[tokio::test]
    async fn a_file_that_cannot_be_used(#[case] text: &str, #[case] expected: &str) {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), text).unwrap();
        let failure = of_file(file.path(), &KubeConfigOptions::default()).await;
        let said = failure.unwrap_err();
        let expected = format!("kubeconfig {}: {expected}", file.path().display());
        assert!(said.starts_with(&expected), "{said}");
        assert!(!said.contains("secret") && !said.contains('\n'), "{said}");
    }

    #[rstest]
    #[case::gone("/nowhere/config", "/nowhere/config does not exist")]
    #[case::folder("/", "/ is a folder")]
    #[tokio::test]
    async fn a_file_that_cannot_be_read(#[case] path: &str, #[case] expected: &str) {
        let failure = of_file(path.as_ref(), &KubeConfigOptions::default()).await;
        assert_eq!(failure.unwrap_err(), expected);
    }
}
