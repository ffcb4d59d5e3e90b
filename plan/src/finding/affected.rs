//! What a finding is about: objects, and how many of their Pods.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use kuma_workload_rulebook::quoted::Quoted;

use crate::{
    manifest::{Home, Named},
    read::Place,
    report::ObjectReport,
};

/// So many objects a finding names; it counts the others.
const NAMED: usize = 3;

/// An object, as people call it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct ObjectName {
    /// Where it lives.
    pub home: Home,
    /// Its kind.
    pub kind: String,
    /// Its name.
    pub name: String,
}

impl ObjectName {
    /// An object in a namespace of Kubernetes.
    pub(crate) fn in_namespace(kind: &str, namespace: &str, name: &str) -> Self {
        Self {
            home: Home::Namespace(namespace.into()),
            kind: kind.to_owned(),
            name: name.to_owned(),
        }
    }

    /// A Namespace or Mesh.
    pub(crate) fn of_cluster(kind: &str, name: &str) -> Self {
        Self {
            home: Home::Cluster,
            ..Self::in_namespace(kind, "", name)
        }
    }

    /// An object that was read.
    pub(crate) fn of(kind: &str, named: &Named) -> Self {
        Self {
            home: named.home.clone(),
            ..Self::in_namespace(kind, "", named.name.as_str())
        }
    }

    /// Its name with where it lives, in quotes.
    fn full_name(&self) -> String {
        match &self.home {
            Home::Namespace(home) | Home::Mesh(home) if !home.is_empty() => {
                Quoted(&format!("{home}/{}", self.name)).to_string()
            }
            _ => Quoted(&self.name).to_string(),
        }
    }
}

/// Its kind and its whole name: `Pod "shop/web-0"`.
impl fmt::Display for ObjectName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} {}", self.kind, self.full_name())
    }
}

/// Something that a finding is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Member {
    /// The object that people change, as the controller of a Pod is.
    pub object: ObjectName,
    /// The kind of what it was found in: the object itself, or something that comes from it.
    pub found_in: &'static str,
    /// Where it stands, if it was read from a file.
    pub place: Option<Place>,
    /// What is to be said of this one alone, if not the same as of several.
    pub sentence: Option<String>,
    /// Whether it is let in itself, and only its Pods are not (A11).
    pub by_its_pods: bool,
}

impl Member {
    /// Something found in an object of this kind, which people change in that one.
    pub(crate) fn new(object: ObjectName, found_in: &'static str, place: Option<Place>) -> Self {
        Self {
            object,
            found_in,
            place,
            sentence: None,
            by_its_pods: false,
        }
    }

    /// With what is to be said of it alone.
    pub(crate) fn saying(self, sentence: String) -> Self {
        Self {
            sentence: Some(sentence),
            ..self
        }
    }

    /// Where it is let in itself, and only its Pods are not.
    pub(crate) fn by_its_pods(self) -> Self {
        Self {
            by_its_pods: true,
            ..self
        }
    }
}

/// What was found of one object.
#[derive(Debug, Default)]
struct Share {
    /// Whether it was found in the object itself.
    itself: bool,
    /// How many of what comes from it, by their kinds.
    parts: BTreeMap<&'static str, usize>,
    place: Option<Place>,
    sentence: Option<String>,
}

impl Share {
    fn count(&self) -> usize {
        usize::from(self.itself) + self.parts.values().sum::<usize>()
    }
}

/// All that a finding is about.
#[derive(Debug, Default)]
pub(crate) struct Affected {
    objects: BTreeMap<ObjectName, Share>,
    others_than_by_pods: bool,
}

impl Affected {
    /// Adds one.
    pub(crate) fn add(&mut self, member: Member) {
        self.others_than_by_pods |= !member.by_its_pods;
        let is_itself = member.object.kind == member.found_in;
        let share = self.objects.entry(member.object).or_default();
        if is_itself {
            share.itself = true;
        } else {
            *share.parts.entry(member.found_in).or_default() += 1;
        }
        if share.place.is_none() || (member.place.is_some() && member.place < share.place) {
            share.place = member.place;
        }
        share.sentence = member.sentence;
    }

    /// How many it was found in.
    pub(crate) fn count(&self) -> usize {
        self.objects.values().map(Share::count).sum()
    }

    /// Whether all of them are let in, and only their Pods are not.
    pub(crate) fn is_by_pods(&self) -> bool {
        !self.objects.is_empty() && !self.others_than_by_pods
    }

    /// What is to be said of the only one there is.
    pub(crate) fn sentence_of_only_one(&self) -> Option<&str> {
        match (self.count(), self.objects.first_key_value()) {
            (1, Some((_, share))) => share.sentence.as_deref(),
            _ => None,
        }
    }

    /// One of two words, by whether it is one that a sentence is about.
    pub(crate) fn verb<'w>(&self, of_one: &'w str, of_several: &'w str) -> &'w str {
        match self.count() {
            1 => of_one,
            _ => of_several,
        }
    }

    /// The first of the objects, for the report.
    pub(crate) fn first(&self) -> Vec<ObjectReport> {
        let first = self.objects.iter().take(NAMED);
        first
            .map(|(object, share)| {
                let (namespace, mesh) = match &object.home {
                    Home::Cluster => (None, None),
                    Home::Namespace(namespace) => (Some(namespace.to_string()), None),
                    Home::Mesh(mesh) => (None, Some(mesh.to_string())),
                };
                ObjectReport {
                    kind: object.kind.clone(),
                    namespace,
                    mesh,
                    name: object.name.clone(),
                    count: share.count(),
                    place: share.place.clone(),
                }
            })
            .collect()
    }

    /// All of them at the beginning of a sentence: `Pod "shop/a"`, `3 Pods of Deployment "shop/web"`,
    /// `5 Pods in namespace "shop" (Deployment "web", Pod "a" and Pod "b")`.
    pub(crate) fn subject(&self) -> String {
        if self.objects.len() > 1 {
            return format!(
                "{}{} ({})",
                self.counted(),
                self.place_of_all(),
                self.names()
            );
        }
        let Some((object, share)) = self.objects.first_key_value() else {
            return String::new();
        };
        let parts = listed(
            share
                .parts
                .iter()
                .map(|(kind, count)| counted(*count, kind)),
        );
        match (share.itself, share.parts.is_empty()) {
            (true, true) => object.to_string(),
            (true, false) => format!("{object} and its {parts}"),
            (false, _) => format!("{parts} of {object}"),
        }
    }

    /// The objects that people change, for the end of a sentence: `Deployment "web"`, `Pods "a", "b",
    /// "c" and 2 more`.
    pub(crate) fn objects(&self) -> String {
        let Some(kind) = self.only_kind() else {
            return self.names();
        };
        match self.objects.len() {
            1 => format!("{kind} {}", self.names_without_kind()),
            _ => format!("{} {}", plural(kind), self.names_without_kind()),
        }
    }

    /// Their Pods, for the end of a sentence: `Pod "a"`, `the Pods of Deployment "web"`.
    pub(crate) fn pods(&self) -> String {
        match self.only_kind() {
            Some("Pod") => self.objects(),
            _ => format!("the Pods of {}", self.objects()),
        }
    }

    /// The kind of all objects, if it is one.
    fn only_kind(&self) -> Option<&str> {
        let mut kinds = self.objects.keys().map(|object| &*object.kind);
        let first = kinds.next()?;
        kinds.all(|kind| kind == first).then_some(first)
    }

    fn names(&self) -> String {
        let all_themselves = self.objects.values().all(|share| share.parts.is_empty());
        if all_themselves && self.only_kind().is_some() {
            return self.names_without_kind();
        }
        self.first_names(|object, name| format!("{} {name}", object.kind))
    }

    fn names_without_kind(&self) -> String {
        self.first_names(|_, name| name)
    }

    fn first_names(&self, text: impl Fn(&ObjectName, String) -> String) -> String {
        let one_home = self.homes().len() <= 1;
        let first = self.objects.keys().take(NAMED).map(|object| {
            let name = match one_home {
                true => Quoted(&object.name).to_string(),
                false => object.full_name(),
            };
            text(object, name)
        });
        let more = self.objects.len().saturating_sub(NAMED);
        listed(first.chain((more > 0).then(|| format!("{more} more"))))
    }

    fn homes(&self) -> BTreeSet<&Home> {
        self.objects.keys().map(|object| &object.home).collect()
    }

    /// How many of each kind it was found in.
    fn counted(&self) -> String {
        let mut kinds = BTreeMap::<&str, usize>::new();
        for (object, share) in &self.objects {
            if share.itself {
                *kinds.entry(&object.kind).or_default() += 1;
            }
            for (kind, count) in &share.parts {
                *kinds.entry(kind).or_default() += count;
            }
        }
        match kinds.len() {
            1 | 2 => listed(kinds.into_iter().map(|(kind, count)| counted(count, kind))),
            _ => counted(self.count(), "object"),
        }
    }

    fn place_of_all(&self) -> String {
        let homes = self.homes();
        match (homes.len(), homes.first()) {
            (1, Some(Home::Namespace(name))) => format!(" in namespace {}", Quoted(name)),
            (1, Some(Home::Mesh(name))) => format!(" of mesh {}", Quoted(name)),
            (count, Some(Home::Namespace(_))) => format!(" in {count} namespaces"),
            (count, Some(Home::Mesh(_))) => format!(" of {count} meshes"),
            _ => String::new(),
        }
    }
}

/// `1 Pod`, `2 Pods`.
fn counted(count: usize, kind: &str) -> String {
    match count {
        1 => format!("1 {kind}"),
        _ => format!("{count} {}", plural(kind)),
    }
}

fn plural(kind: &str) -> String {
    match kind.strip_suffix('y') {
        Some(stem) => format!("{stem}ies"),
        None if kind.ends_with('h') => format!("{kind}es"),
        None => format!("{kind}s"),
    }
}

/// `a`, `a and b`, `a, b and c`.
pub(crate) fn listed(items: impl IntoIterator<Item = String>) -> String {
    let mut items: Vec<_> = items.into_iter().collect();
    match items.pop() {
        Some(last) if items.is_empty() => last,
        Some(last) => format!("{} and {last}", items.join(", ")),
        None => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    fn affected(members: &[(&str, &str, &str, &'static str)]) -> Affected {
        let mut affected = Affected::default();
        for (kind, namespace, name, found_in) in members {
            let object = match *namespace {
                "" => ObjectName::of_cluster(kind, name),
                namespace => ObjectName::in_namespace(kind, namespace, name),
            };
            affected.add(Member::new(object, found_in, None));
        }
        affected
    }

    #[rstest]
    #[case::pod(&[("Pod", "shop", "a", "Pod")], r#"Pod "shop/a""#, r#"Pod "a""#)]
    #[case::pods_of_a_controller(
        &[("Deployment", "shop", "web", "Pod"), ("Deployment", "shop", "web", "Pod")],
        r#"2 Pods of Deployment "shop/web""#, r#"Deployment "web""#)]
    #[case::controller_and_pods(
        &[("Deployment", "shop", "web", "Deployment"), ("Deployment", "shop", "web", "Pod")],
        r#"Deployment "shop/web" and its 1 Pod"#, r#"Deployment "web""#)]
    #[case::pods(
        &[("Pod", "shop", "a", "Pod"), ("Pod", "shop", "b", "Pod")],
        r#"2 Pods in namespace "shop" ("a" and "b")"#, r#"Pods "a" and "b""#)]
    #[case::of_several_controllers(
        &[("Deployment", "shop", "web", "Pod"), ("Deployment", "shop", "api", "Pod")],
        r#"2 Pods in namespace "shop" (Deployment "api" and Deployment "web")"#,
        r#"Deployments "api" and "web""#)]
    #[case::of_several_kinds(
        &[("Deployment", "shop", "web", "Pod"), ("Pod", "shop", "a", "Pod")],
        r#"2 Pods in namespace "shop" (Deployment "web" and Pod "a")"#,
        r#"Deployment "web" and Pod "a""#)]
    #[case::in_several_namespaces(
        &[("Pod", "shop", "a", "Pod"), ("Pod", "till", "a", "Pod")],
        r#"2 Pods in 2 namespaces ("shop/a" and "till/a")"#, r#"Pods "shop/a" and "till/a""#)]
    #[case::many(
        &[("Mesh", "", "a", "Mesh"), ("Mesh", "", "b", "Mesh"), ("Mesh", "", "c", "Mesh"),
          ("Mesh", "", "d", "Mesh"), ("Mesh", "", "e", "Mesh")],
        r#"5 Meshes ("a", "b", "c" and 2 more)"#, r#"Meshes "a", "b", "c" and 2 more"#)]
    fn objects_are_counted_and_the_first_are_named(
        #[case] members: &[(&str, &str, &str, &'static str)],
        #[case] subject: &str,
        #[case] objects: &str,
    ) {
        let affected = affected(members);
        assert_eq!(affected.subject(), subject);
        assert_eq!(affected.objects(), objects);
        assert_eq!(affected.count(), members.len());
    }
}
