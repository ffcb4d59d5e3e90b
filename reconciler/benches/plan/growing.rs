//! Systems with more and more of one thing, each of which is compared with others of its kind somewhere:
//! where that is done for each pair, the time grows with the square.

/// A system of which there can be more and more.
pub(crate) struct Growing {
    /// What there is more of.
    pub name: &'static str,
    /// The extension that says whether it is YAML or JSON.
    pub extension: &'static str,
    /// Its text, with so many.
    pub text: fn(usize) -> String,
}

const fn yaml(name: &'static str, text: fn(usize) -> String) -> Growing {
    Growing {
        name,
        extension: "yaml",
        text,
    }
}

const fn json(name: &'static str, text: fn(usize) -> String) -> Growing {
    Growing {
        name,
        extension: "json",
        text,
    }
}

/// All of them.
pub(crate) const ALL: &[Growing] = &[
    yaml("Pods of one namespace", |count| {
        each(count, |n| pod("team", n, "labels: {kuma.io/mesh: m}"))
    }),
    yaml("Pods of two meshes in one namespace", |count| {
        each(count, |n| {
            pod("team", n, &format!("labels: {{kuma.io/mesh: m{}}}", n % 2))
        })
    }),
    yaml(
        "Pods of one namespace, each in a mesh of its own",
        |count| {
            each(count, |n| {
                pod("team", n, &format!("labels: {{kuma.io/mesh: m{n}}}"))
            })
        },
    ),
    yaml("Pods of one workload", |count| {
        each(count, |n| {
            pod("team", n, "labels: {kuma.io/mesh: m}").replace(&account(n), "shared")
        })
    }),
    yaml("Pods of namespaces of their own", |count| {
        each(count, |n| {
            pod(&format!("team-{n}"), n, "labels: {kuma.io/mesh: m}")
        })
    }),
    yaml("Pods of one controller", |count| {
        let owner = "labels: {kuma.io/mesh: m}, ownerReferences: [{apiVersion: apps/v1, kind: \
                     Deployment, name: web, uid: u, controller: true}]";
        each(count, |n| pod("team", n, owner))
    }),
    yaml("Pods with a forged label", |count| {
        each(count, |n| {
            pod("team", n, "labels: {kuma.io/mesh: m, kuma.io/workload: w}")
        })
    }),
    yaml("Pods whose names the API server makes", |count| {
        each(count, |_| {
            "apiVersion: v1\nkind: Pod\nmetadata: {generateName: web-, namespace: team, labels: \
             {kuma.io/mesh: m}}\n"
                .to_owned()
        })
    }),
    yaml("the same Pod", |count| {
        each(count, |_| pod("team", 0, "labels: {kuma.io/mesh: m}"))
    }),
    yaml(
        "Pods beside one whose name is as long as all of them",
        |count| {
            let long = pod("team", 0, "labels: {kuma.io/mesh: m}")
                .replace("web-0", &"x".repeat(100 * count));
            long + &each(count, |n| pod("team", n, "labels: {kuma.io/mesh: m}"))
        },
    ),
    yaml("Pods in a Namespace of as many labels", |count| {
        let labels: Vec<_> = (0..count).map(|n| format!("l{n}: v")).collect();
        let namespace = format!(
            "---\napiVersion: v1\nkind: Namespace\nmetadata: {{name: team, labels: \
             {{kuma.io/sidecar-injection: enabled, {}}}}}\n",
            labels.join(", ")
        );
        namespace + &each(count, |n| pod("team", n, "labels: {}"))
    }),
    yaml("Namespaces", |count| {
        each(count, |n| {
            format!(
                "apiVersion: v1\nkind: Namespace\nmetadata: {{name: team-{n}, labels: \
                 {{kuma.io/sidecar-injection: enabled, kuma.io/mesh: m{n}}}}}\n"
            )
        })
    }),
    yaml("Meshes and a Pod of each", |count| {
        each(count, |n| {
            let mesh =
                format!("apiVersion: kuma.io/v1alpha1\nkind: Mesh\nmetadata: {{name: m{n}}}\n");
            let labels = format!("labels: {{kuma.io/mesh: m{n}}}");
            mesh + "---\n" + &pod(&format!("team-{n}"), n, &labels)
        })
    }),
    yaml("Deployments", |count| {
        each(count, |n| {
            format!(
                "apiVersion: apps/v1\nkind: Deployment\nmetadata: {{name: web-{n}, namespace: team}}\n\
                 spec: {{template: {{metadata: {{labels: {{kuma.io/mesh: m}}}}, spec: \
                 {{serviceAccountName: {}}}}}}}\n",
                account(n)
            )
        })
    }),
    yaml("Dataplanes of one workload in two meshes", |count| {
        each(count, |n| dataplane(n, &format!("m{}", n % 2), "w"))
    }),
    yaml(
        "Dataplanes of one workload, each in a mesh of its own",
        |count| each(count, |n| dataplane(n, &format!("m{n}"), "w")),
    ),
    yaml("Dataplanes without a workload", |count| {
        each(count, |n| dataplane(n, "m", "''"))
    }),
    yaml("Dataplanes and their Workloads", |count| {
        each(count, |n| {
            let workload = format!(
                "apiVersion: kuma.io/v1alpha1\nkind: Workload\nmetadata: {{name: w{n}, namespace: \
                 team, labels: {{kuma.io/mesh: m, kuma.io/managed-by: k8s-controller}}}}\n"
            );
            dataplane(n, "m", &format!("w{n}")) + "---\n" + &workload
        })
    }),
    yaml("MeshIdentities and proxies", |count| {
        each(count, |n| {
            let identity = format!(
                "apiVersion: kuma.io/v1alpha1\nkind: MeshIdentity\nmetadata: {{name: i{n}, \
                 namespace: kuma-system, labels: {{kuma.io/mesh: m}}}}\nspec: {{selector: \
                 {{dataplane: {{matchLabels: {{app: a{n}}}}}}}}}\n"
            );
            let labels = format!("labels: {{kuma.io/mesh: m, app: a{n}}}");
            identity + "---\n" + &pod("team", n, &labels)
        })
    }),
    yaml("Dataplanes of Universal", |count| {
        each(count, |n| {
            format!(
                "type: Dataplane\nmesh: m{}\nname: web-{n}\nnetworking:\n  address: 192.0.2.1\n  \
                 inbound: [{{port: 80, tags: {{kuma.io/service: web, kuma.io/workload: web}}}}]\n",
                n % 2
            )
        })
    }),
    yaml("meshes of Universal with a workload of one name", |count| {
        each(count, |n| {
            format!(
                "type: Dataplane\nmesh: m{n}\nname: web\nlabels: {{kuma.io/workload: web}}\n\
                 networking: {{address: 192.0.2.1}}\n"
            )
        })
    }),
    yaml("inbounds of one Dataplane of Universal", |count| {
        let inbounds: String = (0..count)
            .map(|n| format!("  - {{port: {n}, tags: {{kuma.io/workload: w{n}}}}}\n"))
            .collect();
        format!(
            "type: Dataplane\nmesh: m\nname: web\nnetworking:\n  address: 192.0.2.1\n  \
             inbound:\n{inbounds}"
        )
    }),
    yaml("objects of no kind", |count| {
        each(count, |n| {
            format!("apiVersion: v1\nmetadata: {{name: a{n}}}\n")
        })
    }),
    yaml("objects that cannot be read", |count| {
        each(count, |_| {
            "apiVersion: v1\nkind: Pod\nmetadata: {name: [x]}\n".to_owned()
        })
    }),
    yaml("objects of one kind that nobody knows", |count| {
        each(count, |n| {
            format!("apiVersion: v1\nkind: Pdo\nmetadata: {{name: a{n}}}\n")
        })
    }),
    json("Pods in one line", |count| {
        let pods: Vec<_> = (0..count)
            .map(|n| {
                format!(
                    r#"{{"metadata":{{"name":"é{n}","namespace":"team","labels":{{"kuma.io/mesh":"m"}}}}}}"#
                )
            })
            .collect();
        format!(
            r#"{{"apiVersion":"v1","kind":"PodList","items":[{}]}}"#,
            pods.join(",")
        )
    }),
    json("Pods that cannot be read, in one line", |count| {
        let pods: Vec<_> = (0..count)
            .map(|_| r#"{"metadata":{"name":["é"]}}"#.to_owned())
            .collect();
        format!(
            r#"{{"apiVersion":"v1","kind":"PodList","items":[{}]}}"#,
            pods.join(",")
        )
    }),
];

fn each(count: usize, document: impl Fn(usize) -> String) -> String {
    (0..count)
        .map(|number| format!("---\n{}", document(number)))
        .collect()
}

fn account(number: usize) -> String {
    format!("account-{number}")
}

/// A Pod with this in its metadata.
fn pod(namespace: &str, number: usize, metadata: &str) -> String {
    format!(
        "apiVersion: v1\nkind: Pod\nmetadata: {{name: web-{number}, namespace: {namespace}, {metadata}}}\n\
         spec: {{serviceAccountName: {}}}\n",
        account(number)
    )
}

fn dataplane(number: usize, mesh: &str, workload: &str) -> String {
    format!(
        "apiVersion: kuma.io/v1alpha1\nkind: Dataplane\nmesh: {mesh}\nmetadata: {{name: web-{number}, \
         namespace: team, annotations: {{kuma.io/workload: {workload}}}}}\n"
    )
}
