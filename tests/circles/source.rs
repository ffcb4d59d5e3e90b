//! What the files of a crate define and which paths their code names, read with `syn`.

use std::{
    collections::{BTreeMap, BTreeSet},
    mem,
    path::{Path, PathBuf},
};

use proc_macro2::{TokenStream, TokenTree};
use syn::{Attribute, Item, Meta, Token, UseTree, punctuated::Punctuated, visit::Visit};

/// The modules of a crate; the first is its root.
pub(crate) struct Crate {
    pub(crate) modules: Vec<Module>,
}

/// A module: one with a file of its own, or an inline one within the file of its parent.
pub(crate) struct Module {
    pub(crate) file: PathBuf,
    pub(crate) parent: Option<usize>,
    /// What stands under each name; a type and a function may share one.
    pub(crate) names: BTreeMap<String, Vec<Definition>>,
    /// The modules and enums that are imported with `*`.
    pub(crate) globs: Vec<Vec<String>>,
    /// Every path that the code names.
    pub(crate) paths: BTreeSet<Vec<String>>,
}

/// What a name stands for.
pub(crate) enum Definition {
    Item,
    Module(usize),
    Import(Vec<String>),
}

impl Crate {
    /// Reads a crate from its root file. `text` gives the text of a file, if there is one.
    pub(crate) fn read(root: &Path, text: &dyn Fn(&Path) -> Option<String>) -> Self {
        let mut reader = CrateReader {
            text,
            modules: Vec::new(),
            current: 0,
            folder: root.parent().unwrap().to_owned(),
        };
        let source = text(root).unwrap();
        reader.file(root.to_owned(), &source, None);
        Self {
            modules: reader.modules,
        }
    }
}

struct CrateReader<'t> {
    text: &'t dyn Fn(&Path) -> Option<String>,
    modules: Vec<Module>,
    current: usize,
    /// Where the files of the current module's children are.
    folder: PathBuf,
}

impl CrateReader<'_> {
    fn module(&mut self, file: PathBuf, parent: Option<usize>) -> usize {
        self.modules.push(Module {
            file,
            parent,
            names: BTreeMap::new(),
            globs: Vec::new(),
            paths: BTreeSet::new(),
        });
        self.modules.len() - 1
    }

    fn file(&mut self, path: PathBuf, source: &str, parent: Option<usize>) -> usize {
        let parsed = syn::parse_file(source)
            .unwrap_or_else(|error| panic!("{} cannot be parsed: {error}", path.display()));
        let module = self.module(path, parent);
        self.within(module, |reader| reader.visit_file(&parsed));
        module
    }

    fn within(&mut self, module: usize, read: impl FnOnce(&mut Self)) {
        let outer = mem::replace(&mut self.current, module);
        read(self);
        self.current = outer;
    }

    fn current(&mut self) -> &mut Module {
        &mut self.modules[self.current]
    }

    fn define(&mut self, name: &str, definition: Definition) {
        let names = &mut self.current().names;
        names.entry(name.to_owned()).or_default().push(definition);
    }

    fn child(&mut self, item: &syn::ItemMod) {
        let name = item.ident.to_string();
        let parent = self.current;
        let folder = self.folder.join(&name);
        let outer = mem::replace(&mut self.folder, folder);
        let module = if let Some((_, items)) = &item.content {
            let file = self.current().file.clone();
            let module = self.module(file, Some(parent));
            self.within(module, |reader| {
                items.iter().for_each(|item| reader.visit_item(item));
            });
            module
        } else {
            let path = outer.join(format!("{name}.rs"));
            let nested = self.folder.join("mod.rs");
            let found = [path, nested]
                .into_iter()
                .find_map(|path| Some(((self.text)(&path)?, path)));
            let (source, path) =
                found.unwrap_or_else(|| panic!("there is no file of module {name} in {outer:?}"));
            self.file(path, &source, Some(parent))
        };
        self.folder = outer;
        self.define(&name, Definition::Module(module));
    }

    fn imports(&mut self, tree: &UseTree, mut path: Vec<String>) {
        match tree {
            UseTree::Path(tree) => {
                path.push(tree.ident.to_string());
                self.imports(&tree.tree, path);
            }
            UseTree::Group(group) => {
                for tree in &group.items {
                    self.imports(tree, path.clone());
                }
            }
            UseTree::Glob(_) => self.current().globs.push(path),
            UseTree::Name(tree) => self.import(path, &tree.ident, &tree.ident),
            UseTree::Rename(tree) => self.import(path, &tree.ident, &tree.rename),
        }
    }

    fn import(&mut self, mut path: Vec<String>, name: &syn::Ident, rename: &syn::Ident) {
        let mut rename = rename.to_string();
        if name != "self" {
            path.push(name.to_string());
        } else if rename == "self" {
            rename = path.last().cloned().unwrap_or_default();
        }
        self.current().paths.insert(path.clone());
        self.define(&rename, Definition::Import(path));
    }

    /// The paths in the tokens of a macro or an attribute.
    fn tokens(&mut self, tokens: TokenStream) {
        let mut path: Vec<String> = Vec::new();
        let mut colons = 0;
        for token in tokens {
            match token {
                TokenTree::Ident(ident) => {
                    if colons != 2 {
                        self.name(mem::take(&mut path));
                    }
                    path.push(ident.to_string());
                    colons = 0;
                }
                TokenTree::Punct(punct) if punct.as_char() == ':' => colons += 1,
                TokenTree::Group(group) => {
                    self.name(mem::take(&mut path));
                    self.tokens(group.stream());
                    colons = 0;
                }
                TokenTree::Punct(_) | TokenTree::Literal(_) => {
                    self.name(mem::take(&mut path));
                    colons = 0;
                }
            }
        }
        self.name(path);
    }

    fn name(&mut self, path: Vec<String>) {
        if !path.is_empty() {
            self.current().paths.insert(path);
        }
    }
}

impl<'a> Visit<'a> for CrateReader<'_> {
    fn visit_item(&mut self, item: &'a Item) {
        if attributes(item).iter().any(is_for_tests) {
            return;
        }
        match item {
            Item::Mod(item) => return self.child(item),
            Item::Use(item) => {
                // `use ::name` is of another crate.
                if item.leading_colon.is_none() {
                    self.imports(&item.tree, Vec::new());
                }
                return;
            }
            _ => {
                if let Some(name) = defined(item) {
                    self.define(&name, Definition::Item);
                }
            }
        }
        syn::visit::visit_item(self, item);
    }

    fn visit_impl_item_fn(&mut self, function: &'a syn::ImplItemFn) {
        if !function.attrs.iter().any(is_for_tests) {
            syn::visit::visit_impl_item_fn(self, function);
        }
    }

    fn visit_path(&mut self, path: &'a syn::Path) {
        if path.leading_colon.is_none() {
            let segments = path.segments.iter();
            self.name(segments.map(|part| part.ident.to_string()).collect());
        }
        syn::visit::visit_path(self, path);
    }

    fn visit_macro(&mut self, call: &'a syn::Macro) {
        self.visit_path(&call.path);
        self.tokens(call.tokens.clone());
    }

    fn visit_attribute(&mut self, attribute: &'a Attribute) {
        let Meta::List(list) = &attribute.meta else {
            return;
        };
        self.tokens(list.tokens.clone());
        // Such as `serde(deserialize_with = "module::function")`.
        for text in strings(list.tokens.clone()) {
            if let Ok(path) = syn::parse_str::<syn::Path>(&text) {
                self.visit_path(&path);
            }
        }
    }

    // `pub(super)` and `pub(in path)` need nothing of those that they name.
    fn visit_visibility(&mut self, _: &'a syn::Visibility) {}
}

fn strings(tokens: TokenStream) -> Vec<String> {
    let found = tokens.into_iter().flat_map(|token| match token {
        TokenTree::Group(group) => strings(group.stream()),
        TokenTree::Literal(literal) => match syn::Lit::new(literal) {
            syn::Lit::Str(text) => vec![text.value()],
            _ => Vec::new(),
        },
        TokenTree::Ident(_) | TokenTree::Punct(_) => Vec::new(),
    });
    found.collect()
}

/// Whether an attribute is `cfg(test)`, or one of `all(…)` in it is `test`.
fn is_for_tests(attribute: &Attribute) -> bool {
    attribute.path().is_ident("cfg")
        && (attribute.parse_args::<Meta>()).is_ok_and(|condition| implies_test(&condition))
}

fn implies_test(condition: &Meta) -> bool {
    let Meta::List(list) = condition else {
        return condition.path().is_ident("test");
    };
    let parts = list.parse_args_with(Punctuated::<Meta, Token![,]>::parse_terminated);
    list.path.is_ident("all") && parts.is_ok_and(|parts| parts.iter().any(implies_test))
}

fn defined(item: &Item) -> Option<String> {
    Some(match item {
        Item::Const(item) => item.ident.to_string(),
        Item::Enum(item) => item.ident.to_string(),
        Item::Fn(item) => item.sig.ident.to_string(),
        Item::Macro(item) => item.ident.as_ref()?.to_string(),
        Item::Static(item) => item.ident.to_string(),
        Item::Struct(item) => item.ident.to_string(),
        Item::Trait(item) => item.ident.to_string(),
        Item::TraitAlias(item) => item.ident.to_string(),
        Item::Type(item) => item.ident.to_string(),
        Item::Union(item) => item.ident.to_string(),
        _ => return None,
    })
}

fn attributes(item: &Item) -> &[Attribute] {
    match item {
        Item::Const(item) => &item.attrs,
        Item::Enum(item) => &item.attrs,
        Item::ExternCrate(item) => &item.attrs,
        Item::Fn(item) => &item.attrs,
        Item::ForeignMod(item) => &item.attrs,
        Item::Impl(item) => &item.attrs,
        Item::Macro(item) => &item.attrs,
        Item::Mod(item) => &item.attrs,
        Item::Static(item) => &item.attrs,
        Item::Struct(item) => &item.attrs,
        Item::Trait(item) => &item.attrs,
        Item::TraitAlias(item) => &item.attrs,
        Item::Type(item) => &item.attrs,
        Item::Union(item) => &item.attrs,
        Item::Use(item) => &item.attrs,
        _ => &[],
    }
}
