//! Names that say nothing.

use std::path::{Path, PathBuf};

use syn::visit::Visit;

use super::modules::Source;

/// No file or module is called this: whatever is in it belongs to a room with a name.
const NO_FILE: &[&str] = &["common", "helper", "helpers", "misc", "util", "utils"];

/// No type of ours ends in this.
const NO_TYPE: &[&str] = &["Manager", "Helper", "Utils"];

/// Files, modules, types and functions with such a name.
pub(super) fn names(files: &[PathBuf], sources: &[Source]) -> Vec<String> {
    let mut broken: Vec<String> = files.iter().filter_map(|path| bad_file(path)).collect();
    for source in sources {
        let mut reader = Reader::default();
        reader.visit_file(&source.syntax);
        broken.extend(reader.bad.into_iter().map(|name| format!("{}: {name}", source.path.display())));
    }
    broken
}

fn bad_file(path: &Path) -> Option<String> {
    let stem = path.file_stem()?.to_str()?;
    if path.extension()? != "rs" {
        return None;
    }
    let shown = path.display();
    if stem == "mod" {
        return Some(format!("{shown}: a module `foo` is in foo.rs, with its own modules in foo/"));
    }
    NO_FILE.contains(&stem).then(|| format!("{shown}: `{stem}` is not a name"))
}

#[derive(Default)]
struct Reader {
    bad: Vec<String>,
}

impl Reader {
    fn named(&mut self, ident: &syn::Ident) {
        let name = ident.to_string();
        if NO_TYPE.iter().any(|end| name.ends_with(end)) {
            self.bad.push(format!("type {name}"));
        }
    }

    fn function(&mut self, signature: &syn::Signature) {
        let name = signature.ident.to_string();
        if name.starts_with("get_") {
            self.bad.push(format!("fn {name}: a getter is named for what it gives"));
        }
    }
}

impl<'ast> Visit<'ast> for Reader {
    fn visit_item_struct(&mut self, item: &'ast syn::ItemStruct) {
        self.named(&item.ident);
    }

    fn visit_item_enum(&mut self, item: &'ast syn::ItemEnum) {
        self.named(&item.ident);
    }

    fn visit_item_trait(&mut self, item: &'ast syn::ItemTrait) {
        self.named(&item.ident);
        syn::visit::visit_item_trait(self, item);
    }

    fn visit_item_mod(&mut self, item: &'ast syn::ItemMod) {
        if NO_FILE.contains(&item.ident.to_string().as_str()) {
            self.bad.push(format!("mod {}", item.ident));
        }
        syn::visit::visit_item_mod(self, item);
    }

    fn visit_signature(&mut self, signature: &'ast syn::Signature) {
        self.function(signature);
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use syn::visit::Visit;

    use super::{Reader, bad_file};

    fn bad(text: &str) -> usize {
        let mut reader = Reader::default();
        reader.visit_file(&syn::parse_file(text).unwrap());
        reader.bad.len()
    }

    #[test]
    fn empty_names_are_found() {
        assert!(bad_file(Path::new("crates/canon/src/conversation/mod.rs")).is_some());
        assert!(bad_file(Path::new("crates/canon/src/utils.rs")).is_some());
        assert!(bad_file(Path::new("crates/canon/src/usage.rs")).is_none());
        assert!(bad_file(Path::new("docs/common.md")).is_none());
        assert_eq!(bad("struct TokenManager; enum Fine {} mod helpers { trait StringHelper {} }"), 3);
        assert_eq!(bad("impl S { fn get_name(&self) {} fn name(&self) {} } fn get() {}"), 1);
    }
}
