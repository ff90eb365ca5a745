//! Logins at the upstream: what one is made of, and every file format in which people keep theirs.
//!
//! Knows: the parts of a login of each kind, what a profile's name may look like, the files, lines, variables and
//! database rows of other programs, and our own form of all that.
//! Must not know: where ours are kept, how one is sealed, how one is used or renewed.

mod arn;
mod credential;
mod draft;
pub mod export;
mod fingerprint;
mod form;
pub mod import;
pub mod region;

pub use arn::{Arn, ArnFlaw, ArnOrigin, SERVICE_BUILDER_ID, SERVICE_SOCIAL};
pub use credential::{Access, Client, Credential, Kind};
pub use draft::{Draft, Proxy};
pub use fingerprint::Fingerprint;
pub use form::FormError;
pub use secrecy::zeroize::Zeroizing;
