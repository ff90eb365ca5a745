//! The fields of one account, taken out one by one, whatever spelling they have.

use secrecy::zeroize::Zeroizing;

use super::Problem;
use super::tree::Node;

/// The fields of an object. `refresh_token`, `refreshToken` and `RefreshToken` are one name: `refreshtoken`.
pub(super) struct Fields {
    left: Vec<(String, Zeroizing<String>, Node)>,
}

/// A name without the differences between spellings.
pub(super) fn plain(name: &str) -> String {
    name.chars().filter(|c| !matches!(c, '_' | '-' | ' ')).collect::<String>().to_lowercase()
}

impl Fields {
    /// Of an object's members.
    pub(super) fn new(members: Vec<(Zeroizing<String>, Node)>) -> Self {
        let mut fields = Self { left: Vec::with_capacity(members.len()) };
        fields.lay_over(members);
        fields
    }

    /// Adds members, which win over those that are there.
    pub(super) fn lay_over(&mut self, members: Vec<(Zeroizing<String>, Node)>) {
        self.left.extend(members.into_iter().map(|(name, node)| (plain(&name), name, node)));
    }

    /// Adds a field.
    pub(super) fn put(&mut self, name: &str, node: Node) {
        self.left.push((plain(name), Zeroizing::new(name.to_owned()), node));
    }

    /// Whether it has such a field, with anything in it.
    pub(super) fn has(&self, name: &str) -> bool {
        self.left.iter().any(|(plain, _, node)| plain == name && !is_nothing(node))
    }

    /// The text of a field, left where it is.
    pub(super) fn look(&self, name: &str) -> Option<&str> {
        let found = self.left.iter().rev().find(|(plain, _, node)| plain == name && !is_nothing(node));
        found.and_then(|(_, _, node)| if let Node::Text(text) = node { Some(text.trim()) } else { None })
    }

    /// Takes the first of these fields that has anything in it; of two of one name, the later.
    pub(super) fn take(&mut self, names: &[&str]) -> Option<Node> {
        let mut found = None;
        for name in names {
            while let Some(at) = self.left.iter().rposition(|(plain, _, _)| plain == name) {
                let (_, _, node) = self.left.remove(at);
                if found.is_none() && !is_nothing(&node) {
                    found = Some(node);
                }
            }
        }
        found
    }

    /// Takes a text, without the spaces around it.
    ///
    /// # Errors
    /// Calls it `field` if it is something else.
    pub(super) fn text(
        &mut self,
        names: &[&str],
        field: &'static str,
    ) -> Result<Option<Zeroizing<String>>, Problem> {
        match self.take(names) {
            None => Ok(None),
            Some(Node::Text(text)) => Ok(Some(Zeroizing::new(text.trim().to_owned()))),
            Some(_) => Err(Problem::Malformed(field)),
        }
    }

    /// What nobody took, under its own names.
    pub(super) fn rest(self) -> impl Iterator<Item = (Zeroizing<String>, Node)> {
        self.left.into_iter().map(|(_, name, node)| (name, node))
    }
}

/// Null and blank texts are as good as missing.
pub(super) fn is_nothing(node: &Node) -> bool {
    match node {
        Node::Null => true,
        Node::Text(text) => text.trim().is_empty(),
        Node::Bool(_) | Node::Number(_) | Node::List(_) | Node::Object(_) => false,
    }
}
