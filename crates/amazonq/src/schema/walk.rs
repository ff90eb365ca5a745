//! The walk over a schema that copies it in runs and leaves out what the upstream may refuse.

use super::scan::{Scan, Trouble, decoded};
use crate::limits::SCHEMA_DEPTH;
use crate::names::is_property;

/// One walk: what lies before `copied` has been copied or cut.
pub(super) struct Walk<'a, 'o> {
    scan: Scan<'a>,
    copied: usize,
    out: &'o mut String,
}

/// What a keyword's value is.
enum Keyword {
    /// The keyword is cut, whatever the value.
    Doubtful,
    /// Names with a schema each.
    Map,
    /// A schema, or a list of them.
    Schema,
    /// A schema or a boolean.
    Additional,
    /// A list of names.
    Required,
    /// None of our business.
    Opaque,
}

impl<'a, 'o> Walk<'a, 'o> {
    pub(super) fn new(text: &'a str, out: &'o mut String) -> Self {
        Self { scan: Scan::new(text), copied: 0, out }
    }

    /// Copies a root schema. [`Trouble::NeedsMerging`] when that takes more than cuts.
    pub(super) fn root(mut self) -> Result<(), Trouble> {
        let mut typed = false;
        let kept = self.members(|walk, key| match key {
            "type" => {
                let start = walk.scan.at();
                if walk.scan.value(1)? != r#""object""# {
                    walk.cut(start, walk.scan.at());
                    walk.out.push_str(r#""object""#);
                }
                typed = true;
                Ok(true)
            }
            "oneOf" | "anyOf" | "allOf" => Err(Trouble::NeedsMerging),
            "$ref" if walk.scan.clone().value(1)?.starts_with("\"#/") => Err(Trouble::NeedsMerging),
            "properties" if walk.scan.peek() == b'{' => walk.map(1, is_property).map(|()| true),
            _ => walk.keyword(key, 1),
        })?;
        if !typed {
            let end = self.scan.at() - 1;
            self.cut(end, end);
            self.out.push_str(if kept { r#","type":"object""# } else { r#""type":"object""# });
        }
        self.finish();
        Ok(())
    }

    /// Copies a schema that is part of another, all of it.
    pub(super) fn part(mut self, depth: usize) -> Result<(), Trouble> {
        self.schema(depth)?;
        self.finish();
        Ok(())
    }

    /// Copies the value of `key`, all of it; false, and nothing of use is copied, when the keyword is to be cut.
    pub(super) fn value_of(mut self, key: &str, depth: usize) -> Result<bool, Trouble> {
        let keep = self.keyword(key, depth)?;
        self.finish();
        Ok(keep)
    }

    fn schema(&mut self, depth: usize) -> Result<(), Trouble> {
        if depth > SCHEMA_DEPTH {
            return Err(Trouble::TooDeep);
        }
        match self.scan.peek() {
            b'{' => self.members(|walk, key| walk.keyword(key, depth + 1)).map(|_| ()),
            b'[' => {
                self.scan.bump();
                let mut first = true;
                while self.scan.element(first)? {
                    first = false;
                    self.schema(depth + 1)?;
                }
                Ok(())
            }
            _ => self.scan.value(depth).map(|_| ()),
        }
    }

    /// Walks an object; `visit` takes each value and says whether its member stays. Returns whether any did.
    fn members(
        &mut self,
        mut visit: impl FnMut(&mut Self, &str) -> Result<bool, Trouble>,
    ) -> Result<bool, Trouble> {
        self.scan.expect(b'{')?;
        let (mut first, mut kept) = (true, false);
        loop {
            // The comma before this member, or the member itself if there is none.
            self.scan.peek();
            let before = self.scan.at();
            let Some(key) = self.scan.member(first)? else { return Ok(kept) };
            first = false;
            self.scan.peek();
            if visit(self, &decoded(key))? {
                kept = true;
            } else if kept {
                self.cut(before, self.scan.at());
            } else {
                // Nothing stands before it, so the comma after it goes too.
                if self.scan.peek() == b',' {
                    self.scan.bump();
                    first = true;
                }
                self.cut(before, self.scan.at());
            }
        }
    }

    /// Takes the value of a keyword; false if it is to be cut.
    fn keyword(&mut self, key: &str, depth: usize) -> Result<bool, Trouble> {
        match (keyword(key), self.scan.peek()) {
            (Keyword::Map, b'{') => self.map(depth, |_| true).map(|()| true),
            (Keyword::Schema | Keyword::Additional, b'{') | (Keyword::Schema, b'[') => {
                self.schema(depth).map(|()| true)
            }
            (Keyword::Schema | Keyword::Additional, b't' | b'f') | (Keyword::Opaque, _) => {
                self.scan.value(depth).map(|_| true)
            }
            (Keyword::Required, b'[') => self.required(),
            _ => self.scan.value(depth).map(|_| false),
        }
    }

    /// Walks names with a schema each; a name that is not `legal` needs merging.
    fn map(&mut self, depth: usize, legal: fn(&str) -> bool) -> Result<(), Trouble> {
        self.members(|walk, name| {
            if !legal(name) {
                return Err(Trouble::NeedsMerging);
            }
            walk.schema(depth + 1).map(|()| true)
        })
        .map(|_| ())
    }

    fn required(&mut self) -> Result<bool, Trouble> {
        let start = self.scan.at();
        let (mut names, mut others) = (Vec::new(), false);
        self.scan.bump();
        let mut first = true;
        while self.scan.element(first)? {
            first = false;
            if self.scan.peek() == b'"' {
                names.push(self.scan.string()?);
            } else {
                self.scan.value(0)?;
                others = true;
            }
        }
        if others && !names.is_empty() {
            self.cut(start, self.scan.at());
            self.out.push('[');
            self.out.push_str(&names.join(","));
            self.out.push(']');
        }
        Ok(!names.is_empty())
    }

    /// Copies up to `from` and goes on at `to`.
    fn cut(&mut self, from: usize, to: usize) {
        self.out.push_str(self.scan.between(self.copied, from));
        self.copied = to;
    }

    fn finish(&mut self) {
        let end = self.scan.at();
        self.cut(end, end);
    }
}

/// The keywords that are cut wherever they stand: reported to fail on one surface or another, and none of them tells
/// the model what its description does not (spec/upstream.md §2.6, §11).
fn keyword(key: &str) -> Keyword {
    match key {
        "$schema" | "$id" | "$comment" | "pattern" | "format" | "minimum" | "maximum" | "minLength"
        | "maxLength" | "minItems" | "maxItems" | "minProperties" | "maxProperties" | "minContains"
        | "maxContains" | "exclusiveMinimum" | "exclusiveMaximum" | "multipleOf" | "uniqueItems"
        | "default" | "propertyNames" | "if" | "then" | "else" | "contentEncoding" | "contentMediaType"
        | "contentSchema" => Keyword::Doubtful,
        "properties" | "patternProperties" | "$defs" | "definitions" | "dependentSchemas" => Keyword::Map,
        "items"
        | "prefixItems"
        | "additionalItems"
        | "contains"
        | "anyOf"
        | "oneOf"
        | "allOf"
        | "not"
        | "unevaluatedItems"
        | "unevaluatedProperties" => Keyword::Schema,
        "additionalProperties" => Keyword::Additional,
        "required" => Keyword::Required,
        _ => Keyword::Opaque,
    }
}
