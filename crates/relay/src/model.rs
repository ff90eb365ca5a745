//! From the model a client names to the model that is asked (spec/upstream.md §6.3).

use std::sync::Arc;

use qm_amazonq::model::{Catalogue, Model};
use qm_canon::Conversation;
use qm_upstream::Account;

use crate::Relay;

/// A model as clients may list it.
pub struct ListedModel {
    /// Its id.
    pub id: String,
    /// Its name for people.
    pub name: String,
    /// Most tokens it reads.
    pub window: u64,
    /// Most tokens it writes.
    pub max_output: u64,
}

impl Relay {
    /// The models that can be asked for, in the upstream's order.
    #[must_use]
    pub fn models(&self) -> Vec<ListedModel> {
        self.catalogue().models.iter().map(listed).collect()
    }

    /// The model that a request naming `asked` would get.
    ///
    /// # Errors
    /// The ids that come near, if there is none.
    pub fn find_model(&self, asked: &str) -> Result<ListedModel, Vec<String>> {
        let catalogue = self.catalogue();
        let found = catalogue.find(&catalogue.resolve(asked).id).map(listed);
        found.ok_or_else(|| catalogue.nearest(asked).into_iter().map(str::to_owned).collect())
    }

    /// The model to ask for this conversation: the one in the account's catalogue, else the operator's default, else
    /// the name as it is, for the upstream to decide; a gateway is not a gatekeeper.
    pub(crate) fn model(&self, account: &Arc<Account>, conversation: &Conversation<'_>) -> Model {
        let catalogue = account.catalogue();
        let resolved = catalogue.resolve(conversation.model());
        let default = || catalogue.find(&catalogue.resolve(self.default_model.as_deref()?).id);
        let listed = catalogue.find(&resolved.id).or_else(default);
        listed.cloned().unwrap_or_else(|| Model::unlisted(&resolved.id))
    }

    fn catalogue(&self) -> Arc<Catalogue> {
        self.accounts.any().map_or_else(|| Arc::new(Catalogue::builtin()), |account| account.catalogue())
    }
}

fn listed(model: &Model) -> ListedModel {
    let Model { id, name, window, max_output, .. } = model;
    ListedModel { id: id.clone(), name: name.clone(), window: *window, max_output: *max_output }
}
