//! From the model a client names to the model that is asked (spec/upstream.md §6.3).

use qm_amazonq::model::{Catalogue, Model};
use qm_canon::{Conversation, Fault, Kind, Origin};

use crate::{Naming, Relay, alias};

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

/// What a name stands for.
struct Choice<'a> {
    /// The model of the catalogue.
    found: Option<&'a Model>,
    /// What the upstream would call it if the catalogue is not the last word.
    id: String,
}

/// Longest name that a refusal repeats, in characters.
const REPEATED: usize = 100;

impl Relay {
    /// The models that can be asked for: the upstream's in its order, then the operator's names for them.
    #[must_use]
    pub fn models(&self) -> Vec<ListedModel> {
        let catalogue = self.accounts.catalogue();
        let naming = self.names.now();
        let own = catalogue.models.iter().map(|model| model.id.as_str());
        let named = naming.aliases.listed().map(|alias| alias.name.as_str());
        own.chain(named.filter(|name| catalogue.find(name).is_none()))
            .filter_map(|id| Some(listed(id, naming.choose(&catalogue, id).found?)))
            .collect()
    }

    /// The model that a request naming `asked` would get; under the operator's name for it, if it was asked for by one.
    ///
    /// # Errors
    /// [`Kind::NotFound`], with the ids that come near.
    pub fn find_model(&self, asked: &str) -> Result<ListedModel, Fault> {
        let (catalogue, naming) = (self.accounts.catalogue(), self.names.now());
        let model = naming.choose(&catalogue, asked).found.ok_or_else(|| unknown(&catalogue, asked))?;
        let name = naming.aliases.listed().map(|alias| alias.name.as_str()).find(|name| *name == asked);
        Ok(listed(name.unwrap_or(&model.id), model))
    }

    /// The model to ask for this conversation, by the catalogue of all accounts.
    ///
    /// # Errors
    /// [`Kind::NotFound`] if there is none and the upstream has told its list; before that it is left to the upstream
    /// to decide.
    pub(crate) fn model(&self, conversation: &Conversation<'_>) -> Result<Model, Fault> {
        let catalogue = self.accounts.catalogue();
        match self.names.now().choose(&catalogue, conversation.model()) {
            Choice { found: Some(model), .. } => Ok(model.clone()),
            Choice { found: None, id } if !catalogue.live => Ok(Model::unlisted(&id)),
            Choice { .. } => Err(unknown(&catalogue, conversation.model())),
        }
    }
}

impl Naming {
    /// The operator's word, else the catalogue's, else what is usually meant by the name, else the operator's default.
    fn choose<'a>(&self, catalogue: &'a Catalogue, asked: &str) -> Choice<'a> {
        let resolved = catalogue.resolve(asked);
        let names = [asked.trim().to_ascii_lowercase(), resolved.id];
        let alias = self.aliases.of(&names);
        let id = match alias {
            Some(alias) if !alias.model.is_empty() => catalogue.resolve(&alias.model).id,
            _ => names[1].clone(),
        };
        let usual = || alias.is_none().then(|| alias::usually(catalogue, &names)).flatten();
        let default = || catalogue.find(&catalogue.resolve(self.default_model.as_deref()?).id);
        Choice { found: catalogue.find(&id).or_else(usual).or_else(default), id }
    }
}

fn listed(id: &str, model: &Model) -> ListedModel {
    let Model { name, window, max_output, .. } = model;
    ListedModel { id: id.to_owned(), name: name.clone(), window: *window, max_output: *max_output }
}

fn unknown(catalogue: &Catalogue, asked: &str) -> Fault {
    let near = catalogue.nearest(asked);
    let next = if near.is_empty() {
        "GET /v1/models lists those there are".to_owned()
    } else {
        format!("Near: {}", near.join(", "))
    };
    let asked: String = asked.chars().take(REPEATED).collect();
    Fault::new(Kind::NotFound, Origin::Client, format!("model: {asked}. {next}"))
        .never_retry()
        .code("model/unknown")
}
