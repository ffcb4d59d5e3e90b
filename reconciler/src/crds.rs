//! `kuma-workload crds`: prints the CustomResourceDefinition of Workload, or creates it.

use std::{
    io::{self, Write},
    process::ExitCode,
};

use clap::{Args, ValueEnum};
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::{Api, Client, api::PostParams};

use crate::{
    client::{Connection, Failure, block_on},
    crd,
};

/// The flags of `crds`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  kuma-workload crds | kubectl apply --server-side -f -
  kuma-workload crds -o json
  kuma-workload crds --create-if-absent  In a cluster; whatever is there stays as it is

Exit status: 0 if it was printed, or is there; 1 otherwise.")]
pub struct CrdsFlags {
    /// The format.
    #[arg(short, long, value_name = "FORM", value_enum, default_value_t)]
    output: DefinitionFormat,
    /// Create the definition in the cluster instead, if there is none. One that is there is never changed,
    /// and not even read: the grant to create CustomResourceDefinitions is enough.
    #[arg(long, conflicts_with = "output")]
    create_if_absent: bool,
    #[command(flatten)]
    connection: Connection,
}

#[derive(Debug, Clone, Copy, Default, ValueEnum)]
enum DefinitionFormat {
    /// YAML
    #[default]
    Yaml,
    /// JSON
    Json,
}

/// Prints the definition, or creates it. Exit status: 0 if it was printed, or is there; 1 otherwise.
pub fn main(options: &CrdsFlags) -> ExitCode {
    let done = match options.create_if_absent {
        true => block_on(create_if_absent(&options.connection)),
        false => print(options.output)
            .map_err(|error| Failure::new(format!("the definition cannot be printed: {error}"))),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            let _ = writeln!(io::stderr(), "error: {failure}");
            ExitCode::FAILURE
        }
    }
}

async fn create_if_absent(connection: &Connection) -> Result<(), Failure> {
    let said = create(connection.client().await?).await?;
    let _ = writeln!(io::stdout(), "{said}");
    Ok(())
}

/// Creates the definition, and says in words whether it was absent.
async fn create(client: Client) -> Result<&'static str, Failure> {
    let definitions: Api<CustomResourceDefinition> = Api::all(client);
    let (parameters, definition) = (PostParams::default(), crd::definition());
    match definitions.create(&parameters, &definition).await {
        Ok(_) => Ok("created the CustomResourceDefinition workloads.kuma.io"),
        Err(kube::Error::Api(status)) if status.code == 409 => {
            Ok("the CustomResourceDefinition workloads.kuma.io exists, and stays as it is")
        }
        Err(error) => Err(Failure::of(
            "create customresourcedefinitions.apiextensions.k8s.io",
            &error,
        )),
    }
}

fn print(output: DefinitionFormat) -> io::Result<()> {
    io::stdout().write_all(text(output)?.as_bytes())
}

fn text(output: DefinitionFormat) -> io::Result<String> {
    let definition = crd::definition();
    match output {
        DefinitionFormat::Yaml => serde_saphyr::to_string(&definition).map_err(io::Error::other),
        DefinitionFormat::Json => Ok(serde_json::to_string_pretty(&definition)? + "\n"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::{Method, Request, Response};
    use kube::client::Body;
    use rstest::rstest;
    use serde_json::json;

    const GOLDEN: &str = include_str!("crds/workloads.yaml");

    #[test]
    fn s5_the_definition_is_as_it_was() {
        assert_eq!(text(DefinitionFormat::Yaml).unwrap(), GOLDEN);
    }

    #[test]
    fn both_forms_are_the_definition() {
        let yaml: CustomResourceDefinition = serde_saphyr::from_str(GOLDEN).unwrap();
        let json = text(DefinitionFormat::Json).unwrap();
        let json: CustomResourceDefinition = serde_json::from_str(&json).unwrap();
        assert_eq!(yaml, crd::definition());
        assert_eq!(json, yaml);
    }

    #[rstest]
    #[case::absent(201, "", Ok("created the"))]
    #[case::there(409, "AlreadyExists", Ok("exists, and stays as it is"))]
    #[case::not_granted(403, "Forbidden", Err("the grant is missing"))]
    #[case::webhook(
        500,
        "InternalError",
        Err("answered 500 InternalError: is forbidden: User x")
    )]
    #[tokio::test]
    async fn it_is_created_and_never_changed(
        #[case] code: u16,
        #[case] reason: &str,
        #[case] expected: Result<&str, &str>,
    ) {
        let (service, mut server) = tower_test::mock::pair::<Request<Body>, Response<Body>>();
        let answer = match code {
            201 => serde_json::to_value(crd::definition()).unwrap(),
            code => json!({
                "kind": "Status", "apiVersion": "v1", "status": "Failure", "code": code,
                "reason": reason, "message": "is forbidden: User x",
            }),
        };
        let serve = async {
            let (request, send) = server.next_request().await.unwrap();
            assert_eq!(request.method(), Method::POST);
            let body = Body::from(answer.to_string().into_bytes());
            send.send_response(Response::builder().status(code).body(body).unwrap());
        };
        let (done, ()) = tokio::join!(create(Client::new(service, "default")), serve);
        match (&done, expected) {
            (Ok(said), Ok(part)) => assert!(said.contains(part), "{said}"),
            (Err(failure), Err(part)) => assert!(failure.to_string().contains(part), "{failure}"),
            _ => panic!("{done:?}"),
        }
    }

    #[test]
    fn s5_columns_and_status() {
        let definition = crd::definition();
        let version = &definition.spec.versions[0];
        let columns: Vec<_> = version
            .additional_printer_columns
            .iter()
            .flatten()
            .map(|column| (&*column.name, &*column.json_path))
            .collect();
        assert_eq!(
            columns,
            [
                ("Mesh", ".metadata.labels.kuma\\.io/mesh"),
                ("Connected", ".status.dataplaneProxies.connected"),
                ("Healthy", ".status.dataplaneProxies.healthy"),
                ("Total", ".status.dataplaneProxies.total"),
                ("Age", ".metadata.creationTimestamp"),
            ]
        );
        let subresources = version.subresources.as_ref().unwrap();
        assert!(subresources.status.is_some());
    }
}
