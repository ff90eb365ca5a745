//! Finding where a name leads.

use std::io;
use std::net::{IpAddr, ToSocketAddrs as _};
use std::pin::Pin;
use std::sync::Arc;

use tokio::sync::Semaphore;

/// Most names that are looked up at once. The system's resolver holds a thread for as long as it likes, and whoever
/// runs the name's servers can make that long; the threads are those that decompress bodies too.
const AT_ONCE: usize = 16;

/// What [`Names::lookup`] is going to give.
pub(super) type Found<'a> = Pin<Box<dyn Future<Output = io::Result<Vec<IpAddr>>> + Send + 'a>>;

/// Who knows names.
pub(super) trait Names: Send + Sync {
    /// All addresses of a name.
    fn lookup<'a>(&'a self, name: &'a str) -> Found<'a>;
}

/// The system's resolver.
pub(super) struct System {
    places: Arc<Semaphore>,
}

// === impl System ===

impl Default for System {
    fn default() -> Self {
        Self { places: Arc::new(Semaphore::new(AT_ONCE)) }
    }
}

impl Names for System {
    fn lookup<'a>(&'a self, name: &'a str) -> Found<'a> {
        Box::pin(async move {
            let place = Arc::clone(&self.places).acquire_owned().await.map_err(io::Error::other)?;
            // With the dot the name is whole: a local network's own endings are not tried on it.
            let whole = format!("{name}.");
            let lookup = move || {
                // Given back when the resolver is done, and not when nobody waits for it any more.
                let _place = place;
                let found = (whole.as_str(), 0).to_socket_addrs()?;
                Ok(found.map(|address| address.ip().to_canonical()).collect())
            };
            tokio::task::spawn_blocking(lookup).await.map_err(io::Error::other)?
        })
    }
}
