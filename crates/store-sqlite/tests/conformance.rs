//! The suite of every store, on a file and in memory.

#![expect(clippy::unwrap_used, reason = "what fails here fails the test")]

use std::sync::Arc;

use qm_store::Store;
use qm_store_sqlite::SqliteStore;
use tempfile::TempDir;

mod on_file {
    use super::{Arc, SqliteStore, Store, TempDir};

    async fn open() -> (Arc<dyn Store>, TempDir) {
        let folder = tempfile::tempdir().unwrap();
        let store = SqliteStore::open(&folder.path().join("store.db")).await.unwrap();
        (Arc::new(store), folder)
    }

    qm_store::conformance!(open);
}

mod in_memory {
    use super::{Arc, SqliteStore, Store};

    async fn open() -> (Arc<dyn Store>, ()) {
        (Arc::new(SqliteStore::in_memory().await.unwrap()), ())
    }

    qm_store::conformance!(open);
}
