//! The JSON that vendors' formats are written in: read leniently field by field, written by hand without an allocation.
//!
//! Knows: shapes of JSON values, how a field of the wrong shape is remembered, how strings are escaped.
//! Must not know: any vendor's fields, words or paths.

pub mod field;
pub mod read;
pub mod write;
