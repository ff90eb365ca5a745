//! What a key of the gateway is: how one is made, hashed, shown, scoped and limited, and how wrong guesses are slowed down.
//!
//! Knows: the form of keys, of console sessions and their tokens; scopes; limits and the periods they run over; failures.
//! Must not know: where keys are kept, who asks, HTTP, any clock or chance.
