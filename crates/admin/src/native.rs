//! The dialect `/api/v1`: our own. Times are milliseconds since 1970; an account's revision is its `ETag`.

pub(crate) mod accounts;
pub(crate) mod export;
pub(crate) mod import;
pub(crate) mod logins;
pub(crate) mod pool;
pub(crate) mod shape;
pub(crate) mod terms;
pub(crate) mod verbs;
pub(crate) mod words;
