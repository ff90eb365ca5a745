//! Responses: requests without a store, replies as events and whole.

mod item;
mod note;
pub mod request;
mod response;
mod stream;
mod whole;

pub use note::{Note, Reply};
pub use stream::Stream;
pub use whole::Whole;
