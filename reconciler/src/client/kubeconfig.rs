//! Why a kubeconfig cannot be used, in words, and without what stands in it: that may be a secret.

use std::{env, io, path::Path};

use kube::{
    Config,
    config::{KubeConfigOptions, Kubeconfig, KubeconfigError, LoadDataError},
};
use kuma_workload_rulebook::quoted::Quoted;

use super::proxy;

/// In place of the proxy-url of a cluster that has none, while its configuration is made. The client would
/// take it from the environment otherwise, whatever the server, and say of a wrong one that it is the
/// cluster's.
const NO_PROXY_URL: &str = "http://none.invalid/";

/// The configuration by a kubeconfig file.
///
/// # Errors
/// Why it cannot be used, as a sentence.
pub(super) async fn of_file(path: &Path, options: &KubeConfigOptions) -> Result<Config, String> {
    let config = match Kubeconfig::read_from(path) {
        Ok(kubeconfig) => configuration(kubeconfig, options).await,
        Err(error) => Err(error),
    };
    let config = config.map_err(|error| match &error {
        // It names the file.
        KubeconfigError::ReadConfig(..) => reason(&error),
        error => format!("kubeconfig {}: {}", path.display(), reason(error)),
    });
    direct(config?)
}

/// The configuration by `KUBECONFIG` or `~/.kube/config`; without any context given, that of a Pod
/// where there is neither.
///
/// # Errors
/// Why none of these can be used, as a sentence.
pub(super) async fn of_environment(options: &KubeConfigOptions) -> Result<Config, String> {
    let config = match Kubeconfig::read() {
        Ok(kubeconfig) => configuration(kubeconfig, options).await,
        Err(error) => Err(error),
    };
    let error = match config {
        Ok(config) => return direct(config),
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

/// The configuration by a kubeconfig alone, without the proxy of the environment.
async fn configuration(
    mut kubeconfig: Kubeconfig,
    options: &KubeConfigOptions,
) -> Result<Config, KubeconfigError> {
    let clusters = kubeconfig.clusters.iter_mut();
    for cluster in clusters.filter_map(|named| named.cluster.as_mut()) {
        let url = cluster.proxy_url.take();
        let url = url.filter(|url| !url.trim().is_empty());
        cluster.proxy_url = url.or_else(|| Some(NO_PROXY_URL.to_owned()));
    }
    let mut config = Config::from_custom_kubeconfig(kubeconfig, options).await?;
    config.proxy_url = config.proxy_url.filter(|url| *url != NO_PROXY_URL);
    // A program that gives a token may be told of the cluster, too.
    let exec = config.auth_info.exec.as_mut();
    if let Some(cluster) = exec.and_then(|exec| exec.cluster.as_mut()) {
        let url = cluster.proxy_url.take();
        cluster.proxy_url = url.filter(|url| url != NO_PROXY_URL);
    }
    Ok(config)
}

/// The same configuration, if its API server is not to be reached through a proxy.
fn direct(config: Config) -> Result<Config, String> {
    proxy::refuse(&config, |name| env::var(name).ok())?;
    Ok(config)
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
    #[case::no_proxy_url(
        &of_cluster("server: 'https://k', proxy-url: 'garbage:::secret'"),
        "the proxy-url of its cluster is no URL"
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

    /// The proxy-url of the configuration, and what a program is told that gives a token.
    #[rstest]
    #[case::none("", [None, None])]
    #[case::empty(", proxy-url: ''", [None, None])]
    #[case::blanks(", proxy-url: ' '", [None, None])]
    #[case::one(", proxy-url: 'http://p/'", [Some("http://p/"), Some("http://p/")])]
    #[tokio::test]
    async fn the_proxy_is_that_of_the_cluster_alone(
        #[case] field: &str,
        #[case] expected: [Option<&str>; 2],
    ) {
        let text = of_cluster(&format!("server: 'https://k'{field}")).replace(
            "token: secret",
            "exec: {command: x, provideClusterInfo: true, interactiveMode: Never}",
        );
        let kubeconfig = Kubeconfig::from_yaml(&text).unwrap();
        let options = KubeConfigOptions::default();
        let config = configuration(kubeconfig, &options).await.unwrap();
        let told = config.auth_info.exec.unwrap().cluster.unwrap().proxy_url;
        let proxy = config.proxy_url.map(|url| url.to_string());
        assert_eq!([proxy.as_deref(), told.as_deref()], expected);
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
