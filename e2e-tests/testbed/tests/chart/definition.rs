//! The definition of Workload: `crds.createIfAbsent` makes one where there is none, and none that is there
//! is touched.

use k8s_openapi::api::authorization::v1::{
    ResourceRule, SelfSubjectRulesReview, SelfSubjectRulesReviewSpec,
};
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::api::PostParams;
use kube::{Api, Client};
use kuma_workload_testbed::space::workload;
use kuma_workload_testbed::{Error, Kind, Proxy, Space, Testbed, User, eventually, reconciler};

use crate::cluster::Cluster;
use crate::helm::Release;
use crate::kubelet;
use crate::reconciling::{self, Scope};
use crate::release::{Done, objects};

const NAME: &str = "workloads.kuma.io";
const FLAGS: [&str; 5] = [
    "--wait",
    "--set",
    "enforcement=none",
    "--set",
    "crds.createIfAbsent=true",
];
const STAYS: &str = "the CustomResourceDefinition workloads.kuma.io exists, and stays as it is\n";

/// One after the other, in a cluster without Kuma at first.
#[tokio::test]
async fn it_is_made_where_there_is_none_and_never_touched() -> Done {
    let testbed = Testbed::start()?;
    let cluster = Cluster::on(&testbed).await?;
    made_where_there_is_none(&cluster).await?;
    cluster.kubectl(&["delete", "crd", NAME]).await?;
    testbed.install_kuma().await?;
    beside_kumas_with_helm(&cluster).await?;
    for (name, apply) in [
        ("plain", &["apply", "-f", "-"][..]),
        ("by-server", &["apply", "--server-side", "-f", "-"]),
    ] {
        beside_kumas_with_kubectl(&cluster, name, apply).await?;
    }
    // Kuma's has no status subresource, which ours in the other tests has.
    reconciling::grants_are_enough(&cluster, Scope::Cluster).await
}

async fn made_where_there_is_none(cluster: &Cluster<'_>) -> Done {
    let release = Release::new(cluster, "y", "alone");
    let (_, said) = kubelet::during(cluster, "alone", release.install(&FLAGS)).await?;
    assert_eq!(
        said,
        ["created the CustomResourceDefinition workloads.kuma.io\n"]
    );
    let made = definition(cluster).await?;
    let printed = reconciler::run(&["crds", "-o", "json"]).await?;
    let ours: CustomResourceDefinition = serde_json::from_str(&printed).unwrap();
    assert_eq!(made.spec.versions, ours.spec.versions);
    assert_eq!(made.metadata.labels, ours.metadata.labels, "it is nobody's");
    let hooks = [
        "get",
        "job,serviceaccount,clusterrole,clusterrolebinding",
        "-A",
        "-o",
        "name",
    ];
    let left = cluster.kubectl(&hooks).await?;
    assert!(!left.contains("-crds"), "{left}");

    eventually("Workloads are served", async || {
        let client = cluster.client().await.map_err(|error| error.to_string())?;
        let list = client.list_api_group_resources("kuma.io/v1alpha1").await;
        list.map(drop).map_err(|error| error.to_string())
    })
    .await?;
    let team = Space::new(cluster.testbed, &[]).await?;
    team.put(Kind::Workload, workload("web", &[])).await?;
    let before = definition(cluster).await?;
    let upgrade = release.upgrade(&FLAGS);
    let (_, said) = kubelet::during(cluster, "alone", upgrade).await?;
    assert_eq!(said, [STAYS]);
    assert_eq!(definition(cluster).await?, before);
    release.uninstall().await?;
    assert_eq!(objects(cluster, "y").await?, "");
    assert_eq!(definition(cluster).await?, before);
    assert!(team.get(Kind::Workload, "web").await?.is_some());
    Ok(())
}

async fn beside_kumas_with_helm(cluster: &Cluster<'_>) -> Done {
    let team = Space::new(cluster.testbed, &[]).await?;
    team.put(Kind::Workload, workload("web", &[])).await?;
    let kumas = definition(cluster).await?;
    let release = Release::new(cluster, "1", "beside");
    let (_, said) = kubelet::during(cluster, "beside", release.install(&FLAGS)).await?;
    assert_eq!(said, [STAYS]);
    let (_, said) = kubelet::during(cluster, "beside", release.upgrade(&FLAGS)).await?;
    assert_eq!(said, [STAYS]);
    release.uninstall().await?;
    assert_eq!(objects(cluster, "1").await?, "");
    // As it was, to its resourceVersion.
    assert_eq!(definition(cluster).await?, kumas);
    assert!(team.get(Kind::Workload, "web").await?.is_some());
    Ok(())
}

async fn beside_kumas_with_kubectl(cluster: &Cluster<'_>, name: &str, apply: &[&str]) -> Done {
    let kumas = definition(cluster).await?;
    cluster.namespace(name).await?;
    let release = Release::new(cluster, name, name);
    let manifests = release.template(&FLAGS[1..]).await?;
    let job = "--selector=app.kubernetes.io/managed-by=Helm";
    let complete = [
        "wait",
        "job",
        "-n",
        name,
        job,
        "--for=condition=Complete",
        "--timeout=60s",
    ];
    let first = async {
        cluster.kubectl_with(apply, &manifests).await?;
        cluster.kubectl(&complete).await
    };
    let (_, said) = kubelet::during(cluster, name, first).await?;
    assert_eq!(said, [STAYS]);
    let again = async {
        cluster.kubectl_with(apply, &manifests).await?;
        cluster.kubectl(&complete).await
    };
    let (_, said) = kubelet::during(cluster, name, again).await?;
    assert_eq!(said, [""; 0], "the Job is the same, and has done its work");
    assert_eq!(definition(cluster).await?, kumas);
    the_account_only_creates(cluster, name).await
}

/// What the hook's account may do besides asking what it may do, and what it says without that.
async fn the_account_only_creates(cluster: &Cluster<'_>, name: &str) -> Done {
    let role = format!("{name}-kuma-workload-crds");
    let account = format!("system:serviceaccount:{name}:{role}");
    let mut config = cluster.testbed.config(User::Admin).await?;
    config.auth_info.impersonate = Some(account.clone());
    let reviews: Api<SelfSubjectRulesReview> = Api::all(Client::try_from(config)?);
    let review = SelfSubjectRulesReview {
        spec: SelfSubjectRulesReviewSpec {
            namespace: Some(name.to_owned()),
        },
        ..SelfSubjectRulesReview::default()
    };
    let review = reviews.create(&PostParams::default(), &review).await?;
    let about_itself = |rule: &ResourceRule| {
        let mut groups = rule.api_groups.iter().flatten();
        groups.all(|group| group == "authorization.k8s.io" || group == "authentication.k8s.io")
    };
    let mut rules = review.status.unwrap().resource_rules;
    rules.retain(|rule| !about_itself(rule));
    let only = ResourceRule {
        api_groups: Some(vec!["apiextensions.k8s.io".to_owned()]),
        resource_names: None,
        resources: Some(vec!["customresourcedefinitions".to_owned()]),
        verbs: vec!["create".to_owned()],
    };
    assert_eq!(rules, [only]);

    cluster.kubectl(&["delete", "clusterrole", &role]).await?;
    let proxy = Proxy::of_account(cluster.testbed, &account).await?;
    let kubeconfig = proxy.kubeconfig().to_string_lossy();
    let create = ["crds", "--create-if-absent", "--kubeconfig", &kubeconfig];
    let said = reconciler::run(&create).await.unwrap_err().to_string();
    let sentence =
        "error: cannot create customresourcedefinitions.apiextensions.k8s.io: the grant is missing";
    assert!(said.starts_with(sentence), "{said}");
    Ok(())
}

async fn definition(cluster: &Cluster<'_>) -> Result<CustomResourceDefinition, Error> {
    let definitions: Api<CustomResourceDefinition> = Api::all(cluster.client().await?);
    Ok(definitions.get(NAME).await?)
}
