//! Who asks the API server.

/// A user of the testbed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum User {
    /// May do everything.
    Admin,
    /// The reconciler's ServiceAccount, with the RBAC of `examples/reconciler`.
    Reconciler,
    /// policy-server's ServiceAccount, with the RBAC of `examples/policies`.
    PolicyServer,
    /// The ServiceAccount of Kong Mesh's control plane.
    ControlPlane,
    /// An ordinary user, who may edit.
    Alice,
}

impl User {
    /// As the API server knows them.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Admin => "admin",
            Self::Reconciler => "system:serviceaccount:kuma-workload:kuma-workload",
            Self::PolicyServer => "system:serviceaccount:kubewarden:policy-server",
            Self::ControlPlane => "system:serviceaccount:kong-mesh-system:kong-mesh-control-plane",
            Self::Alice => "alice",
        }
    }

    /// Their groups, apart from `system:authenticated`.
    #[must_use]
    pub fn groups(self) -> Vec<String> {
        if self == Self::Admin {
            return vec!["system:masters".to_owned()];
        }
        let mut account = self
            .name()
            .strip_prefix("system:serviceaccount:")
            .into_iter();
        let namespace = account.next().and_then(|account| account.split(':').next());
        namespace.map_or_else(Vec::new, |namespace| {
            vec![
                "system:serviceaccounts".to_owned(),
                format!("system:serviceaccounts:{namespace}"),
            ]
        })
    }

    /// Their kubeconfig in a testbed's folder.
    #[must_use]
    pub fn kubeconfig(self) -> &'static str {
        match self {
            Self::Admin => "admin.kubeconfig",
            Self::Reconciler => "reconciler.kubeconfig",
            Self::PolicyServer => "policy-server.kubeconfig",
            Self::ControlPlane => "control-plane.kubeconfig",
            Self::Alice => "user.kubeconfig",
        }
    }
}
