//! The upstream's wire: Amazon Q Developer, CodeWhisperer and Kiro, which are one service with four faces.
//!
//! Knows: its JSON and its events, its quirks and limits, its models, how its errors read (spec/upstream.md,
//! spec/upstream-2026.md).
//! Must not know: any client's format, tokens or accounts, sockets or clocks.

pub mod decoder;
pub mod fault;
mod limits;
pub mod model;
mod names;
pub mod profiles;
pub mod request;
mod schema;
pub mod surface;
pub mod thinking;
pub mod usage;

pub use decoder::{Decoder, Glance};
pub use fault::{Failure, Remedy};
pub use limits::IMAGE_CHARS;
pub use model::{Catalogue, Model};
pub use request::{Note, Profile, encode};
pub use surface::Surface;
