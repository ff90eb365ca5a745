//! Which files are compiled: from each crate's roots along every `mod`.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use syn::{Attribute, Item, ItemMod};

use crate::tree::{self, Metadata};

/// One compiled file.
pub(super) struct Source {
    /// From the repository's root.
    pub(super) path: PathBuf,
    pub(super) text: String,
    pub(super) syntax: syn::File,
    /// Whether it is compiled for tests only.
    pub(super) for_tests: bool,
}

/// Every file of ours that is compiled into anything.
pub(super) fn walk(metadata: &Metadata) -> Result<Vec<Source>> {
    let mut found = BTreeMap::new();
    for package in metadata.ours() {
        for target in &package.targets {
            let for_tests = target.kind.iter().any(|kind| kind == "test" || kind == "bench");
            let folder = target.src_path.parent().unwrap_or(Path::new("")).to_owned();
            enter(&target.src_path, &folder, for_tests, &mut found)?;
        }
    }
    Ok(found.into_values().collect())
}

/// Rust files of the workspace that nothing compiles. `fuzz/` is a workspace of its own.
pub(super) fn leftovers(files: &[PathBuf], sources: &[Source]) -> Vec<String> {
    let compiled: Vec<&Path> = sources.iter().map(|source| source.path.as_path()).collect();
    uncompiled(files, &compiled)
}

/// Whether one of these makes an item for tests only.
pub(super) fn is_for_tests(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        attribute.path().is_ident("cfg")
            && attribute.parse_args::<syn::Path>().is_ok_and(|condition| condition.is_ident("test"))
    })
}

fn uncompiled(files: &[PathBuf], compiled: &[&Path]) -> Vec<String> {
    files
        .iter()
        .filter(|path| {
            path.extension().is_some_and(|extension| extension == "rs") && !path.starts_with("fuzz")
        })
        .filter(|path| !compiled.contains(&path.as_path()))
        .map(|path| format!("{}: no `mod` leads to it", path.display()))
        .collect()
}

/// Takes a file in, and the files its modules are in. `folder` is where those are looked for.
fn enter(path: &Path, folder: &Path, for_tests: bool, found: &mut BTreeMap<PathBuf, Source>) -> Result<()> {
    let short = path.strip_prefix(tree::root()).unwrap_or(path).to_owned();
    if found.get(&short).is_some_and(|known| !known.for_tests || for_tests) {
        return Ok(());
    }
    let text = fs::read_to_string(path).with_context(|| path.display().to_string())?;
    let syntax = syn::parse_file(&text).with_context(|| format!("{} does not parse", short.display()))?;
    let modules = modules(&syntax.items, folder, for_tests);
    found.insert(
        short,
        Source { path: path.strip_prefix(tree::root()).unwrap_or(path).to_owned(), text, syntax, for_tests },
    );
    for module in modules {
        let Some(file) = module.file(path) else { continue };
        enter(&file, &module.folder, module.for_tests, found)?;
    }
    Ok(())
}

/// A `mod name;`: where its own modules are, and where it may itself be.
struct Module {
    folder: PathBuf,
    path: Option<String>,
    for_tests: bool,
}

impl Module {
    fn file(&self, declared_in: &Path) -> Option<PathBuf> {
        if let Some(path) = &self.path {
            return Some(declared_in.parent()?.join(path));
        }
        let beside = self.folder.with_extension("rs");
        // The old form is found too, so that the rule against it can name it.
        [beside, self.folder.join("mod.rs")].into_iter().find(|file| file.is_file())
    }
}

fn modules(items: &[Item], folder: &Path, for_tests: bool) -> Vec<Module> {
    let mut found = Vec::new();
    for item in items {
        let Item::Mod(module) = item else { continue };
        let for_tests = for_tests || is_for_tests(&module.attrs);
        let folder = folder.join(module.ident.to_string());
        match &module.content {
            Some((_, inside)) => found.extend(modules(inside, &folder, for_tests)),
            None => found.push(Module { folder, path: path_attribute(module), for_tests }),
        }
    }
    found
}

fn path_attribute(module: &ItemMod) -> Option<String> {
    module.attrs.iter().find_map(|attribute| {
        let syn::Meta::NameValue(pair) = &attribute.meta else { return None };
        let syn::Expr::Lit(literal) = &pair.value else { return None };
        let syn::Lit::Str(path) = &literal.lit else { return None };
        pair.path.is_ident("path").then(|| path.value())
    })
}

#[cfg(test)]
mod tests {
    use std::path::{Path, PathBuf};

    use super::{modules, uncompiled, walk};
    use crate::tree::metadata;

    #[test]
    fn a_file_no_module_leads_to_is_found() {
        let files = ["a/src/lib.rs", "a/src/left.rs", "a/README.md", "fuzz/x.rs"].map(PathBuf::from);
        assert_eq!(uncompiled(&files, &[Path::new("a/src/lib.rs")]), ["a/src/left.rs: no `mod` leads to it"]);
    }

    #[test]
    fn modules_are_followed_inside_modules_and_tests_are_marked() {
        let file = syn::parse_file("mod a; mod b { mod c; } #[cfg(test)] mod tests;").unwrap();
        let found = modules(&file.items, Path::new("src"), false);
        let found: Vec<_> =
            found.iter().map(|module| (module.folder.to_str().unwrap(), module.for_tests)).collect();
        assert_eq!(found, [("src/a", false), ("src/b/c", false), ("src/tests", true)]);
    }

    #[test]
    fn the_real_tree_is_walked() {
        let sources = walk(&metadata().unwrap()).unwrap();
        let has =
            |path: &str| sources.iter().any(|source| source.path == Path::new(path) && !source.for_tests);
        assert!(has("crates/framing/src/eventstream/header.rs"), "two modules deep");
        assert!(has("xtask/src/tidy/modules.rs"));
    }
}
