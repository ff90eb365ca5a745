//! Tool schemas as the upstream takes them (spec/upstream.md §2.6, spec/upstream-2026.md §5.1).
//!
//! ```text
//! root      type is "object"; no oneOf/anyOf/allOf (merged); property names ^[a-zA-Z0-9_.-]{1,64}$ (renamed)
//! anywhere  the keywords of `walk::keyword` are cut; null or misshapen properties, required, additionalProperties
//!           are cut; an empty required is cut
//! ```
//!
//! A schema is read as text, once, and copied in runs with the cuts left out; only a root that must be merged or
//! renamed is taken apart. Names of properties are never keywords, and what is inside `enum`, `const` and
//! `examples` is left alone.

mod merge;
mod scan;
mod walk;

use self::scan::Scan;
pub(crate) use self::scan::Trouble;
use self::walk::Walk;

/// Upstream name and client's name of each root property that had to be renamed, sorted by the client's: an input
/// with many keys must not be compared with each of many names.
pub(crate) type Properties = Vec<(String, String)>;

/// Appends the schema `text`, which is valid JSON, to `out`.
pub(crate) fn write(text: &str, out: &mut String) -> Result<Properties, Trouble> {
    if !text.starts_with('{') {
        // Nothing usable was said about the arguments.
        out.push_str(r#"{"type":"object"}"#);
        return Ok(Properties::new());
    }
    let start = out.len();
    match Walk::new(text, out).root() {
        Err(Trouble::NeedsMerging) => {
            out.truncate(start);
            merge::write(text, out)
        }
        done => done.map(|()| Properties::new()),
    }
}

/// Appends a tool's `input`, a JSON object, with its keys under their upstream names.
pub(crate) fn write_input(input: &str, properties: &Properties, out: &mut String) -> Result<(), Trouble> {
    let mut scan = Scan::new(input);
    scan.expect(b'{')?;
    out.push('{');
    let mut first = true;
    while let Some(key) = scan.member(first)? {
        let name = scan::decoded(key);
        let value = scan.value(0)?;
        if !first {
            out.push(',');
        }
        first = false;
        match properties.binary_search_by(|(_, theirs)| theirs.as_str().cmp(&name)) {
            Ok(index) => scan::push_quoted(out, &properties[index].0),
            Err(_) => out.push_str(key),
        }
        out.push(':');
        out.push_str(value);
    }
    out.push('}');
    Ok(())
}

#[cfg(test)]
mod tests;
