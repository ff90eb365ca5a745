//! Chat Completions.

pub mod request;
