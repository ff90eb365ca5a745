//! Counters that are taken from, settled and given back atomically.
//!
//! Knows: sliding windows, counters of a calendar period, places that are held; all of a request's at once or none.
//! Must not know: what is counted, for whom, and why; any clock.
