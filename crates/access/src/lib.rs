//! The life of an API key and of a console session: made, admitted, limited, rotated, revoked.
//!
//! Knows: which keys are in force, what each may do and has left, who did what to which.
//! Must not know: HTTP routes, SQL, clients' formats, the command line.
