//! How a secret is sealed: with a key of ours for the store, with a passphrase for a file that leaves the house.
//!
//! Knows: XChaCha20-Poly1305, keys and their ids, associated data; the age format with a passphrase.
//! Must not know: what the secret is, where it or the key is kept, any I/O, clock or chance (nonces are arguments).

pub mod key;
pub mod passphrase;
pub mod sealed;

pub use key::{Key, KeyError, Keyring};
pub use sealed::{OpenError, SealError, Sealed};
