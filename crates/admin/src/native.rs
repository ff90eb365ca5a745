//! The dialect `/api/v1`: our own. Times are milliseconds since 1970; a record's revision is its `ETag`.

pub(crate) mod accounts;
pub(crate) mod audit;
pub(crate) mod export;
pub(crate) mod import;
mod key_shape;
pub(crate) mod key_verbs;
pub(crate) mod keys;
pub(crate) mod logins;
pub(crate) mod me;
mod paged;
pub(crate) mod pool;
pub(crate) mod requests;
pub(crate) mod session;
pub(crate) mod settings;
pub(crate) mod shape;
pub(crate) mod terms;
pub(crate) mod usage;
pub(crate) mod verbs;
pub(crate) mod version;
mod whose;
pub(crate) mod words;
