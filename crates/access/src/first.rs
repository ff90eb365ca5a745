//! The first admin key of a house that has none (spec/mission.md A5.5, E1): random, returned once.

use qm_keys::Scopes;
use qm_store::KeyOrigin;
use secrecy::SecretString;

use crate::edit::KeyWish;
use crate::{Access, AccessError, Actor};

impl Access {
    /// Makes an admin key if none stands in the configuration and none is kept, in force or not: who revoked the last one
    /// did not ask for another. Of two processes that start at once, one makes it.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn ensure_first_admin(&self) -> Result<Option<SecretString>, AccessError> {
        let house = &self.house;
        if house.roster().configured().iter().any(|entry| entry.scopes.are_admin()) {
            return Ok(None);
        }
        let wish = KeyWish {
            description: Some("Made at the first start. Make your own, then remove this one.".to_owned()),
            ..KeyWish::named("first admin", Scopes::ADMIN)
        };
        let (key, new) = house.mint(wish, KeyOrigin::Setup, &Actor::House)?;
        let _changing = house.changing.lock().await;
        let made = house.store.keys().insert_first(new, "admin", house.now_ms()).await?;
        let Some(record) = made else { return Ok(None) };
        let view = house.take_in(record).await?;
        house.audit_of_secret(&Actor::House, "key.create", &view.id, String::new()).await;
        Ok(Some(key))
    }
}
