//! Where an object stands, where it lives, and what it is called there.

use std::sync::Arc;

use crate::read::Place;

/// Where an object stands and what it is called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Named {
    /// Where it stands, if in a file.
    pub place: Option<Place>,
    /// Where it lives.
    pub home: Home,
    /// Its name there.
    pub name: Name,
}

impl Named {
    /// Its namespace; empty where it lives in none.
    pub fn namespace(&self) -> &str {
        match &self.home {
            Home::Namespace(namespace) => namespace,
            Home::Cluster | Home::Mesh(_) => "",
        }
    }

    /// The mesh that it lives in; empty on Kubernetes, where objects live in namespaces.
    pub fn mesh(&self) -> &str {
        match &self.home {
            Home::Mesh(mesh) => mesh,
            Home::Cluster | Home::Namespace(_) => "",
        }
    }
}

/// Where an object lives: its name is unique there, among objects of its kind.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Home {
    /// In the cluster as a whole; a Mesh on Universal too.
    Cluster,
    /// In a namespace of Kubernetes. It is empty where a control plane elsewhere has a copy.
    Namespace(Arc<str>),
    /// In a mesh of Universal.
    Mesh(Arc<str>),
}

/// What an object is called.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Name {
    /// Its name.
    Given(Arc<str>),
    /// The API server will make its name of its `generateName`, which stands here with a `*`.
    Generated(Arc<str>),
}

impl Name {
    /// The name that the API server makes of a `generateName`.
    pub fn of_prefix(prefix: &str) -> Self {
        Self::Generated(format!("{prefix}*").into())
    }

    /// As a report shows it.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Given(name) | Self::Generated(name) => name,
        }
    }

    /// The name, if it is known.
    pub fn given(&self) -> Option<&str> {
        match self {
            Self::Given(name) => Some(name),
            Self::Generated(_) => None,
        }
    }
}
