//! What a reply took.

/// Tokens and credits of one reply. Cache figures are there only if the upstream reported them.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Usage {
    /// Tokens read, those read from and written to a cache not included.
    pub input: u64,
    /// Tokens produced, reasoning included.
    pub output: u64,
    /// Tokens read from the upstream's cache.
    pub cache_read: Option<u64>,
    /// Tokens written to the upstream's cache.
    pub cache_write: Option<u64>,
    /// Credits billed by the upstream, if it said.
    pub credits: Option<f64>,
    /// How far the token figures can be trusted.
    pub basis: Basis,
}

/// Where token figures come from, best first (spec/upstream.md §8.1).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Basis {
    /// The upstream counted them.
    Reported,
    /// Input from the share of the context window in use, output estimated.
    Window,
    /// Both estimated.
    #[default]
    Estimated,
}
