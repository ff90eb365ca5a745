//! What a key of the gateway is: how one is made, hashed, shown, scoped and limited, and how wrong guesses are slowed down.
//!
//! Knows: the form of keys, of console sessions and their tokens; scopes; limits and the periods they run over; failures.
//! Must not know: where keys are kept, who asks, HTTP, any clock or chance.

pub mod digest;
pub mod hint;
pub mod limits;
pub mod models;
pub mod period;
pub mod scopes;
pub mod throttle;
pub mod token;

pub use digest::Digest;
pub use hint::Hint;
pub use limits::{Budget, Limits, LimitsError, Unit};
pub use models::ModelPattern;
pub use period::{Period, Span};
pub use scopes::{Scope, Scopes, UnknownScope};
pub use throttle::Throttle;
