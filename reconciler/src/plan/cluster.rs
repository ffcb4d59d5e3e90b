//! A cluster, read only: what may not be listed is told, and the rest goes on.

use std::fmt;

use kube::{
    Client,
    api::ListParams,
    core::{Request, request::Error as RequestError},
};
use serde::Deserialize;
use serde_json::value::RawValue;

use kuma_workload_plan::{Code, Finding, Found, Inventory, Options};
use kuma_workload_rulebook::{admission::TEMPLATE_KINDS, quoted::Quoted};

use crate::client::{Failure, REQUEST_TIMEOUT, is_unserved};

/// Objects of a page: some megabytes where they are large.
const PAGE: u32 = 500;

/// A kind that is listed.
struct Kind {
    api_version: &'static str,
    kind: &'static str,
    plural: &'static str,
    scope: Scope,
}

#[derive(PartialEq, Eq)]
enum Scope {
    Cluster,
    Namespaced,
    /// Namespaced, but never limited to one: it counts elsewhere too.
    Everywhere,
}

const fn kind(api_version: &'static str, kind: &'static str, plural: &'static str) -> Kind {
    Kind {
        api_version,
        kind,
        plural,
        scope: Scope::Namespaced,
    }
}

const KUMA: &str = crate::kinds::API_VERSION;

/// The kinds that are listed before those with a Pod template.
const KINDS: [Kind; 5] = [
    Kind {
        scope: Scope::Cluster,
        ..kind("v1", "Namespace", "namespaces")
    },
    Kind {
        scope: Scope::Cluster,
        ..kind(KUMA, "Mesh", "meshes")
    },
    kind(KUMA, "Dataplane", "dataplanes"),
    kind(KUMA, "Workload", "workloads"),
    Kind {
        scope: Scope::Everywhere,
        ..kind(KUMA, "MeshIdentity", "meshidentities")
    },
];

/// All kinds that are listed, in this order.
fn kinds() -> impl Iterator<Item = Kind> {
    let templates = TEMPLATE_KINDS
        .iter()
        .map(|template| kind(template.api_version, template.name, template.plural));
    let pods = kind("v1", "Pod", "pods");
    KINDS.into_iter().chain(templates).chain([pods])
}

impl Kind {
    /// The resource, as grants name it: `dataplanes.kuma.io`.
    fn resource(&self) -> String {
        match self.api_version.split_once('/') {
            Some((group, _)) => format!("{}.{group}", self.plural),
            None => self.plural.to_owned(),
        }
    }

    fn path(&self, namespace: Option<&str>) -> String {
        let root = if self.api_version.contains('/') {
            "/apis"
        } else {
            "/api"
        };
        let root = format!("{root}/{}", self.api_version);
        match namespace {
            Some(namespace) if self.scope == Scope::Namespaced => {
                format!("{root}/namespaces/{namespace}/{}", self.plural)
            }
            _ => format!("{root}/{}", self.plural),
        }
    }
}

/// What was asked for, as a sentence has it: `list pods in namespace "shop"`.
struct Asked<'k> {
    verb: &'static str,
    kind: &'k Kind,
    namespace: Option<&'k str>,
}

impl fmt::Display for Asked<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.verb, self.kind.resource())?;
        match self.namespace {
            Some(namespace) if self.kind.scope == Scope::Namespaced => {
                write!(f, " in namespace {}", Quoted(namespace))
            }
            _ => Ok(()),
        }
    }
}

#[derive(Deserialize)]
struct Page<'a> {
    #[serde(borrow, default)]
    items: Vec<&'a RawValue>,
    #[serde(default)]
    metadata: PageMetadata,
}

#[derive(Default, Deserialize)]
struct PageMetadata {
    #[serde(default, rename = "continue")]
    next: Option<String>,
}

/// Reads a cluster, or the namespace of it that the options name. `progress` is told how many objects
/// have come.
///
/// # Errors
///
/// When there is no API server that answers, or it does not know us.
pub(super) async fn read(
    client: &Client,
    options: &Options<'_>,
    progress: impl FnMut(u64),
) -> Result<Inventory, Failure> {
    let mut reading = Reading {
        client,
        options,
        inventory: Inventory::of_cluster(),
        progress,
    };
    let namespace = options.namespace.as_deref();
    for ref kind in kinds() {
        let single = namespace.filter(|_| kind.kind == "Namespace");
        let asked = Asked {
            verb: if single.is_some() { "get" } else { "list" },
            kind,
            namespace,
        };
        let read = match single {
            Some(name) => reading.get(kind, name).await,
            None => reading.list(kind).await,
        };
        if let Err(error) = read {
            went_wrong(&asked, &error, &mut reading.inventory)?;
        }
    }
    Ok(reading.inventory)
}

struct Reading<'a, P> {
    client: &'a Client,
    options: &'a Options<'a>,
    inventory: Inventory,
    progress: P,
}

impl<P: FnMut(u64)> Reading<'_, P> {
    async fn list(&mut self, kind: &Kind) -> Result<(), kube::Error> {
        let request = Request::new(kind.path(self.options.namespace.as_deref()));
        let mut params = ListParams::default().limit(PAGE);
        let mut began_anew = false;
        loop {
            let page = send(self.client, request.list(&params)).await;
            let text = match page {
                // The list grew too old between its pages.
                Err(kube::Error::Api(status)) if status.code == 410 && !began_anew => {
                    began_anew = true;
                    params.continue_token = None;
                    continue;
                }
                page => page?,
            };
            let page: Page<'_> = serde_json::from_str(&text).map_err(kube::Error::SerdeError)?;
            for item in &page.items {
                self.take(kind, item.get());
            }
            (self.progress)(page.items.len() as u64);
            match page.metadata.next.filter(|next| !next.is_empty()) {
                Some(next) => params.continue_token = Some(next),
                None => return Ok(()),
            }
        }
    }

    async fn get(&mut self, kind: &Kind, name: &str) -> Result<(), kube::Error> {
        let request = Request::new(kind.path(None));
        let request = request.get(name, &kube::api::GetParams::default());
        let text = send(self.client, request).await?;
        self.take(kind, &text);
        Ok(())
    }

    /// Keeps what matters of an object; the rest is dropped before the next is read.
    fn take(&mut self, kind: &Kind, item: &str) {
        let found = Found::in_list(item, kind.api_version, kind.kind);
        self.inventory
            .take_listed(found, &kind.resource(), self.options);
    }
}

async fn send(
    client: &Client,
    request: Result<http::Request<Vec<u8>>, RequestError>,
) -> Result<String, kube::Error> {
    let request = request.map_err(kube::Error::BuildRequest)?;
    let answer = tokio::time::timeout(REQUEST_TIMEOUT, client.request_text(request)).await;
    answer.unwrap_or_else(|_| {
        let late = format!("no answer within {} s", REQUEST_TIMEOUT.as_secs());
        Err(kube::Error::Service(late.into()))
    })
}

/// What cannot be read is told, and taken for absent.
fn went_wrong(
    asked: &Asked<'_>,
    error: &kube::Error,
    inventory: &mut Inventory,
) -> Result<(), Failure> {
    let said = Failure::of(&asked.to_string(), error).to_string();
    let kube::Error::Api(status) = error else {
        return Err(Failure::new(said));
    };
    let unserved = is_unserved(status);
    let unread = &mut inventory.unread;
    match asked.kind.kind {
        "Namespace" => unread.namespaces = true,
        "Mesh" => {
            unread.meshes = true;
            unread.without_kuma = unserved;
        }
        "Dataplane" => unread.dataplanes = true,
        "Workload" => unread.workloads = true,
        _ => {}
    }
    let resource = asked.kind.resource();
    inventory.tell(match status.code {
        401 => return Err(Failure::new(said)),
        403 => Finding::warning(
            Code::MissingGrant,
            None,
            format!("the grant to {asked} is missing; what is there was not seen"),
            format!("grant {} of {resource} to whoever runs plan", asked.verb),
        ),
        404 if unserved => Finding::note(
            Code::MissingCrd,
            None,
            format!("the API server does not know {resource}, so there are none"),
            match asked.kind.kind {
                "Workload" => "kuma-workload crds prints its CustomResourceDefinition",
                _ => "nothing, if Kuma or this part of it is not installed yet",
            }
            .to_owned(),
        ),
        404 => Finding::warning(
            Code::Unread,
            None,
            said,
            "correct the name of the namespace".to_owned(),
        ),
        _ => Finding::warning(Code::Unread, None, said, "try again".to_owned()),
    });
    Ok(())
}
