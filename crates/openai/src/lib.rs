//! `OpenAI`'s formats, both ways: what a client asks as Chat Completions or Responses, read into the canon; what the
//! canon says, written as their events, whole answers, errors and model lists.
//!
//! Knows: both APIs as real clients speak them (spec/clients.md), and their wordings.
//! Must not know: HTTP beyond a status number, the upstream and its limits, keys, accounts, any I/O or clock.

mod body;
mod call;
pub mod chat;
mod custom;
pub mod fault;
mod field;
mod id;
mod json;
mod media;
pub mod models;
mod path;
pub mod responses;
mod setting;
