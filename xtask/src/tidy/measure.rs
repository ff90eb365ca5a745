//! How long files and functions are, tests left out.

use std::ops::RangeInclusive;
use std::path::Path;

use syn::spanned::Spanned;
use syn::visit::{self, Visit};

use super::modules::{Source, is_for_tests};

const FILE_AIM: usize = 300;
const FILE_MOST: usize = 600;
const FUNCTION_MOST: usize = 80;

/// The mark of an exception, followed by its reason: in the first lines of a file, or in or just above a function.
const EXCUSE: &str = "// long because ";
const EXCUSE_WITHIN: usize = 12;

/// The lengths of everything.
pub(super) struct Measured {
    files: Vec<Length>,
    functions: Vec<Length>,
}

struct Length {
    name: String,
    lines: usize,
    excused: bool,
}

/// Measures every file that is not for tests alone.
pub(super) fn all(sources: &[Source]) -> Measured {
    let mut measured = Measured { files: Vec::new(), functions: Vec::new() };
    for source in sources.iter().filter(|source| !source.for_tests) {
        measured.take(&source.path, &source.text, &source.syntax);
    }
    measured
}

// === impl Measured ===

impl Measured {
    pub(super) fn long_files(&self) -> Vec<String> {
        over(&self.files, FILE_MOST)
    }

    pub(super) fn long_functions(&self) -> Vec<String> {
        over(&self.functions, FUNCTION_MOST)
    }

    /// Says how the house stands, and which files are past what we aim at.
    pub(super) fn report(&self) {
        let (files, functions) = (sorted(&self.files), sorted(&self.functions));
        println!(
            "tidy: {} files, median {} lines, longest {}; {} functions, p95 {} lines, longest {}",
            files.len(),
            at(&files, 50),
            at(&files, 100),
            functions.len(),
            at(&functions, 95),
            at(&functions, 100),
        );
        for file in self.files.iter().filter(|file| file.lines > FILE_AIM) {
            println!("tidy: note: {} has {} lines, over the {FILE_AIM} we aim at", file.name, file.lines);
        }
    }

    fn take(&mut self, path: &Path, text: &str, syntax: &syn::File) {
        let lines: Vec<&str> = text.lines().collect();
        let mut reader = Reader { tests: Vec::new(), functions: Vec::new() };
        reader.visit_file(syntax);
        let in_tests: usize = reader.tests.iter().map(|range| range.clone().count()).sum();
        let excused = lines.iter().take(EXCUSE_WITHIN).any(|line| line.starts_with(EXCUSE));
        let name = path.display().to_string();
        for (function, range) in reader.functions {
            let own = &lines[range.start().saturating_sub(4)..(*range.end()).min(lines.len())];
            let excused = own.iter().any(|line| line.trim_start().starts_with(EXCUSE));
            self.functions.push(Length {
                name: format!("{name}: fn {function}"),
                lines: range.count(),
                excused,
            });
        }
        self.files.push(Length { name, lines: lines.len() - in_tests, excused });
    }
}

/// Notes the lines of tests, which it does not enter, and of functions, which may be inside functions.
struct Reader {
    tests: Vec<RangeInclusive<usize>>,
    functions: Vec<(String, RangeInclusive<usize>)>,
}

impl<'ast> Visit<'ast> for Reader {
    fn visit_item_mod(&mut self, module: &'ast syn::ItemMod) {
        if is_for_tests(&module.attrs) {
            self.tests.push(lines(module.span()));
        } else {
            visit::visit_item_mod(self, module);
        }
    }

    fn visit_item_fn(&mut self, function: &'ast syn::ItemFn) {
        if is_for_tests(&function.attrs) {
            self.tests.push(lines(function.span()));
        } else {
            self.function(&function.sig, &function.block);
            visit::visit_item_fn(self, function);
        }
    }

    fn visit_impl_item_fn(&mut self, function: &'ast syn::ImplItemFn) {
        if is_for_tests(&function.attrs) {
            self.tests.push(lines(function.span()));
        } else {
            self.function(&function.sig, &function.block);
            visit::visit_impl_item_fn(self, function);
        }
    }

    fn visit_trait_item_fn(&mut self, function: &'ast syn::TraitItemFn) {
        if let Some(block) = &function.default {
            self.function(&function.sig, block);
        }
        visit::visit_trait_item_fn(self, function);
    }
}

impl Reader {
    fn function(&mut self, signature: &syn::Signature, block: &syn::Block) {
        let range = *lines(signature.span()).start()..=*lines(block.span()).end();
        self.functions.push((signature.ident.to_string(), range));
    }
}

fn lines(span: proc_macro2::Span) -> RangeInclusive<usize> {
    span.start().line..=span.end().line
}

fn over(lengths: &[Length], most: usize) -> Vec<String> {
    let long = lengths.iter().filter(|length| length.lines > most && !length.excused);
    long.map(|length| format!("{} has {} lines", length.name, length.lines)).collect()
}

fn sorted(lengths: &[Length]) -> Vec<usize> {
    let mut lines: Vec<usize> = lengths.iter().map(|length| length.lines).collect();
    lines.sort_unstable();
    lines
}

fn at(sorted: &[usize], percent: usize) -> usize {
    let place = (sorted.len() * percent).div_ceil(100).saturating_sub(1);
    sorted.get(place).copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::{Measured, at};

    fn measured(text: &str) -> Measured {
        let mut measured = Measured { files: Vec::new(), functions: Vec::new() };
        measured.take(Path::new("a.rs"), text, &syn::parse_file(text).unwrap());
        measured
    }

    fn function(lines: usize, inside: &str) -> String {
        format!("fn long() {{\n{inside}\n{}}}\n", "    let _ = 1;\n".repeat(lines - 3))
    }

    #[test]
    fn a_function_of_81_lines_is_found_and_one_of_80_is_not() {
        assert_eq!(measured(&function(81, "")).long_functions(), ["a.rs: fn long has 81 lines"]);
        assert!(measured(&function(80, "")).long_functions().is_empty());
    }

    #[test]
    fn a_long_method_inside_a_module_is_found() {
        let text = format!("mod inner {{ struct S; impl S {{\n{}}} }}\n", function(90, ""));
        assert_eq!(measured(&text).long_functions().len(), 1);
    }

    #[test]
    fn a_reason_excuses_a_function_but_an_empty_one_does_not() {
        assert!(measured(&function(90, "    // long because it is a table")).long_functions().is_empty());
        assert_eq!(measured(&function(90, "    // long because")).long_functions().len(), 1);
    }

    #[test]
    fn a_long_file_is_found_and_its_tests_do_not_count() {
        let constants = "const _: () = ();\n".repeat(601);
        assert_eq!(measured(&constants).long_files(), ["a.rs has 601 lines"]);
        assert!(measured(&format!("// long because it is a table\n{constants}")).long_files().is_empty());
        let tests = format!("#[cfg(test)]\nmod tests {{\n{constants}}}\n");
        assert!(measured(&tests).long_files().is_empty());
        assert!(measured(&tests).long_functions().is_empty());
    }

    #[test]
    fn percentiles() {
        let hundred: Vec<usize> = (1..=100).collect();
        assert_eq!((at(&hundred, 50), at(&hundred, 95), at(&hundred, 100)), (50, 95, 100));
        assert_eq!(at(&[], 95), 0);
    }
}
