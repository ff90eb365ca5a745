//! What was used: receipts on their way into the store, who asks what right now, and the questions people have about both.
//!
//! Knows: how a receipt gets from the request's path into the store without waiting and without being lost, how long it is kept,
//! which roll-up answers which question.
//! Must not know: HTTP routes, SQL, clients' formats, what a request said.
