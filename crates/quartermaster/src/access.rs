//! The keys, from the configuration: the same for `serve`, the demo and every command.

use std::sync::Arc;

use qm_access::{Access, AccessError, Parts};
use qm_coord::Memory;
use qm_keys::Limits;
use qm_store_sqlite::SqliteStore;

use crate::config::{Auth, Config};
use crate::fleet;

/// All keys, those of the configuration among them.
pub(crate) async fn open(config: &Config, store: &SqliteStore) -> Result<Access, AccessError> {
    let keys = &config.keys;
    Access::open(Parts {
        store: Arc::new(store.clone()),
        coord: Arc::new(Memory::default()),
        clients: keys.clients.clone(),
        client_limits: Limits { rpm: keys.rpm, concurrency: keys.concurrency, ..Limits::default() },
        admins: keys.admins.clone(),
        open: config.auth == Auth::Open,
        now: fleet::clock(),
        random: fleet::random(),
    })
    .await
}
