//! Which file of a crate needs which, and the circles among them.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
};

use crate::source::{Crate, Definition};

/// Import chains are followed so far; longer ones lead back to themselves.
const MAX_DEPTH: usize = 32;

/// What each file needs: of which file, and what of it.
pub(crate) type Needs = BTreeMap<PathBuf, BTreeMap<PathBuf, BTreeSet<String>>>;

/// What a path leads to.
#[derive(Clone, Copy, PartialEq, Eq)]
enum PathTarget {
    /// An item that is defined in this module.
    Item(usize),
    Module(usize),
}

/// Which files need which.
pub(crate) fn needs(of: &Crate) -> Needs {
    let mut needs = Needs::new();
    for (number, module) in of.modules.iter().enumerate() {
        let globs = module.globs.iter().flat_map(|glob| {
            // What a glob brings is needed if its name is somewhere in the file.
            let names = module.paths.iter().filter_map(|path| path.first());
            names.map(|name| [&**glob, std::slice::from_ref(name)].concat())
        });
        let brought: Vec<_> = globs.filter(|path| of.is_defined(number, path)).collect();
        for path in module.paths.iter().chain(&brought) {
            for target in of.resolve(number, path, 0) {
                let PathTarget::Item(at) = target else {
                    continue;
                };
                let file = &of.modules[at].file;
                if *file != module.file {
                    let needs = needs.entry(module.file.clone()).or_default();
                    let name = path.last().cloned().unwrap_or_default();
                    needs.entry(file.clone()).or_default().insert(name);
                }
            }
        }
    }
    needs
}

impl Crate {
    fn resolve(&self, from: usize, path: &[String], depth: usize) -> Vec<PathTarget> {
        let Some((first, rest)) = path.split_first() else {
            return Vec::new();
        };
        let start = match &**first {
            "crate" => vec![PathTarget::Module(0)],
            "self" => vec![PathTarget::Module(from)],
            "super" => self.parent(from),
            // A name that is not known here is another crate's, or a local variable.
            name => self.find(from, name, depth).unwrap_or_default(),
        };
        rest.iter().fold(start, |targets, name| {
            let has_module = targets
                .iter()
                .any(|target| matches!(target, PathTarget::Module(_)));
            let step = |target| match target {
                // An associated item, or a variant.
                PathTarget::Item(_) if has_module => Vec::new(),
                PathTarget::Item(at) => vec![PathTarget::Item(at)],
                PathTarget::Module(at) if name == "super" => self.parent(at),
                // A name that is not known is made by a macro.
                PathTarget::Module(at) => self
                    .find(at, name, depth)
                    .unwrap_or_else(|| vec![PathTarget::Item(at)]),
            };
            targets.into_iter().flat_map(step).collect()
        })
    }

    fn parent(&self, of: usize) -> Vec<PathTarget> {
        let parent = self.modules[of].parent;
        parent.into_iter().map(PathTarget::Module).collect()
    }

    /// What a name stands for in a module; nothing if that is of another crate.
    fn find(&self, module: usize, name: &str, depth: usize) -> Option<Vec<PathTarget>> {
        if depth > MAX_DEPTH {
            return Some(Vec::new());
        }
        let of_module = &self.modules[module];
        if let Some(definitions) = of_module.names.get(name) {
            let found = definitions.iter().flat_map(|definition| match definition {
                Definition::Item => vec![PathTarget::Item(module)],
                Definition::Module(at) => vec![PathTarget::Module(*at)],
                Definition::Import(path) => self.resolve(module, path, depth + 1),
            });
            return Some(found.collect());
        }
        let mut globs = of_module.globs.iter();
        globs.find_map(|glob| {
            let modules = self.resolve(module, glob, depth + 1);
            modules.into_iter().find_map(|target| match target {
                PathTarget::Module(at) => self.find(at, name, depth + 1),
                PathTarget::Item(_) => None,
            })
        })
    }

    /// Whether a path of a glob's module and a name leads anywhere.
    fn is_defined(&self, from: usize, path: &[String]) -> bool {
        let Some((name, module)) = path.split_last() else {
            return false;
        };
        let modules = self.resolve(from, module, 0);
        modules.into_iter().any(|target| match target {
            PathTarget::Module(at) => self.find(at, name, 0).is_some(),
            PathTarget::Item(_) => false,
        })
    }
}

/// The sets of files that need each other, whichever way around.
pub(crate) fn circles(needs: &Needs) -> BTreeSet<BTreeSet<PathBuf>> {
    let reached: BTreeMap<_, _> = needs
        .keys()
        .map(|file| (file, reach(needs, file)))
        .collect();
    let circle = |file: &&PathBuf| -> BTreeSet<PathBuf> {
        let others = reached[file].iter();
        let back = others.filter(|other| reached.get(other).is_some_and(|of| of.contains(*file)));
        back.cloned().collect()
    };
    let circles = needs.keys().map(|file| circle(&file));
    circles.filter(|circle| circle.len() > 1).collect()
}

fn reach(needs: &Needs, from: &PathBuf) -> BTreeSet<PathBuf> {
    let mut reached = BTreeSet::new();
    let mut next = vec![from];
    while let Some(file) = next.pop() {
        for needed in needs.get(file).into_iter().flat_map(BTreeMap::keys) {
            if reached.insert(needed.clone()) {
                next.push(needed);
            }
        }
    }
    reached
}

/// The needs within a circle, a line each.
pub(crate) fn lines(needs: &Needs, circle: &BTreeSet<PathBuf>) -> String {
    let mut text = String::new();
    for (file, needed) in needs {
        for (other, names) in needed {
            if circle.contains(file) && circle.contains(other) {
                let names: Vec<_> = names.iter().map(String::as_str).collect();
                let (file, other) = (file.display(), other.display());
                text += &format!("  {file} needs {other}: {}\n", names.join(", "));
            }
        }
    }
    text
}
