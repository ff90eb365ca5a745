//! Responses: requests, replies as events and whole, and what it takes to keep them.

mod item;
mod note;
pub mod request;
mod response;
mod stream;
pub mod thread;
mod whole;

pub use note::{Note, Reply};
pub use stream::Stream;
pub use whole::Whole;
