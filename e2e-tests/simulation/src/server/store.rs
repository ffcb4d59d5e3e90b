//! The database: objects, the log of their changes, and one number that counts them all.

use std::{
    collections::BTreeMap,
    sync::{Arc, OnceLock},
};

use serde_json::Value;

use super::resource::Resource;

/// What names an object.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ObjectKey {
    /// Its resource.
    pub resource: Resource,
    /// Its namespace; empty for cluster-wide resources.
    pub namespace: String,
    /// Its name.
    pub name: String,
}

impl ObjectKey {
    /// The key of these parts.
    pub fn new(resource: Resource, namespace: &str, name: &str) -> Self {
        Self {
            resource,
            namespace: namespace.to_owned(),
            name: name.to_owned(),
        }
    }
}

/// One version of an object.
#[derive(Debug)]
pub struct Stored {
    /// The number of the change that made it.
    pub revision: u64,
    /// The whole object, with this number as its resourceVersion.
    pub value: Value,
    json: OnceLock<String>,
}

impl Stored {
    fn new(revision: u64, mut value: Value) -> Arc<Self> {
        value["metadata"]["resourceVersion"] = revision.to_string().into();
        let json = OnceLock::new();
        Arc::new(Self {
            revision,
            value,
            json,
        })
    }

    /// The object as text.
    pub fn json(&self) -> &str {
        self.json.get_or_init(|| self.value.to_string())
    }

    /// A string within the object.
    pub fn text(&self, pointer: &str) -> &str {
        let found = self.value.pointer(pointer);
        found.and_then(Value::as_str).unwrap_or_default()
    }

    /// A label.
    pub fn label(&self, key: &str) -> Option<&str> {
        self.value["metadata"]["labels"][key].as_str()
    }

    /// Its uid.
    pub fn uid(&self) -> &str {
        self.text("/metadata/uid")
    }

    /// Whether it is being deleted.
    pub fn is_terminating(&self) -> bool {
        self.value["metadata"]["deletionTimestamp"].is_string()
    }
}

/// A change of an object.
#[derive(Debug, Clone)]
pub struct Change {
    /// Its number.
    pub revision: u64,
    /// The object's key.
    pub key: ObjectKey,
    /// The object before; none if the change made it.
    pub before: Option<Arc<Stored>>,
    /// The object afterwards; none if it is gone.
    pub after: Option<Arc<Stored>>,
}

/// The database.
#[derive(Debug, Clone)]
pub struct Store {
    revision: u64,
    objects: BTreeMap<ObjectKey, Arc<Stored>>,
    log: Vec<Change>,
    compacted: u64,
}

impl Default for Store {
    fn default() -> Self {
        Self {
            revision: 100,
            objects: BTreeMap::new(),
            log: Vec::new(),
            compacted: 100,
        }
    }
}

impl Store {
    /// The number of the last change.
    pub fn revision(&self) -> u64 {
        self.revision
    }

    /// What is known of changes up to this number is only their result.
    pub fn compacted(&self) -> u64 {
        self.compacted
    }

    /// An object.
    pub fn get(&self, key: &ObjectKey) -> Option<&Arc<Stored>> {
        self.objects.get(key)
    }

    /// The objects of a resource, by namespace and name; of one namespace, if given.
    pub fn list<'a>(
        &'a self,
        resource: Resource,
        namespace: Option<&'a str>,
    ) -> impl Iterator<Item = (&'a ObjectKey, &'a Arc<Stored>)> {
        let first = ObjectKey::new(resource, namespace.unwrap_or_default(), "");
        self.objects.range(first..).take_while(move |(key, _)| {
            key.resource == resource && namespace.is_none_or(|namespace| key.namespace == namespace)
        })
    }

    /// The objects of a resource as they were at this number, if it is not compacted.
    pub fn list_at(
        &self,
        revision: u64,
        resource: Resource,
        namespace: Option<&str>,
    ) -> Option<BTreeMap<ObjectKey, Arc<Stored>>> {
        if revision < self.compacted || revision > self.revision {
            return None;
        }
        let now = self.list(resource, namespace);
        let mut objects: BTreeMap<_, _> = now
            .map(|(key, object)| (key.clone(), object.clone()))
            .collect();
        for change in self.since(revision).iter().rev() {
            let is_listed = change.key.resource == resource
                && namespace.is_none_or(|namespace| change.key.namespace == namespace);
            if !is_listed {
                continue;
            }
            match &change.before {
                Some(before) => objects.insert(change.key.clone(), before.clone()),
                None => objects.remove(&change.key),
            };
        }
        Some(objects)
    }

    /// The changes after this number, which must not be compacted.
    pub fn since(&self, revision: u64) -> &[Change] {
        let first = self
            .log
            .partition_point(|change| change.revision <= revision);
        self.log.get(first..).unwrap_or_default()
    }

    /// Writes an object. Its resourceVersion is set.
    pub fn put(&mut self, key: ObjectKey, value: Value) -> Arc<Stored> {
        self.revision += 1;
        let stored = Stored::new(self.revision, value);
        let before = self.objects.insert(key.clone(), stored.clone());
        self.log.push(Change {
            revision: self.revision,
            key,
            before,
            after: Some(stored.clone()),
        });
        stored
    }

    /// Removes an object.
    pub fn remove(&mut self, key: &ObjectKey) -> Option<Arc<Stored>> {
        let before = self.objects.remove(key)?;
        self.revision += 1;
        self.log.push(Change {
            revision: self.revision,
            key: key.clone(),
            before: Some(before.clone()),
            after: None,
        });
        Some(before)
    }

    /// Forgets what happened up to this number. The watches that go on have still to show what happened
    /// after `shown`.
    pub fn compact(&mut self, revision: u64, shown: u64) {
        self.compacted = self.compacted.max(revision.min(self.revision));
        let forgotten = self.compacted.min(shown);
        self.log.retain(|change| change.revision > forgotten);
    }

    /// The database as it was at a backup, which knows nothing of how it came to be.
    #[must_use]
    pub fn restored(&self) -> Self {
        let mut restored = self.clone();
        restored.compact(restored.revision, restored.revision);
        restored
    }
}
