//! The operator's words on the names of models, which may change while the house stands.

use std::sync::{Arc, PoisonError, RwLock};

use crate::alias::Aliases;

/// What the names of models stand for, by the operator's word.
#[derive(Clone, Debug, Default)]
pub struct Naming {
    /// The operator's names for models.
    pub aliases: Aliases,
    /// The model to use for one that is not in the catalogue. Without it such a name is refused, or goes upstream as
    /// it is for as long as the upstream has not told its list.
    pub default_model: Option<String>,
}

/// The naming in force. Each request goes by the one it began with.
#[derive(Debug, Default)]
pub struct Names {
    now: RwLock<Arc<Naming>>,
}

impl Names {
    /// This naming, until another is set.
    #[must_use]
    pub fn new(naming: Naming) -> Self {
        Self { now: RwLock::new(Arc::new(naming)) }
    }

    /// The naming in force.
    #[must_use]
    pub fn now(&self) -> Arc<Naming> {
        Arc::clone(&self.now.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// From the next request on, this one.
    pub fn set(&self, naming: Naming) {
        *self.now.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(naming);
    }
}
