//! Variables of earlier systems that have no meaning here: named in the log with the reason, so that nobody waits for an
//! effect.

/// A variable that is left alone.
pub(crate) struct Foreign {
    /// Its name; a `*` at the end stands for any ending.
    pub(crate) name: &'static str,
    /// Why nothing follows from it.
    pub(crate) why: &'static str,
}

const NO_REDIS: &str = "tokens and limits are kept by this process and its database";

const ALL_ACCOUNTS: &str = "all accounts are held at once, and a token is renewed when its account is used";

const NO_FEEDER: &str = "there is no feeder: accounts are added with an admin key";

/// All that are known.
pub(crate) static FOREIGN: &[Foreign] = &[
    Foreign { name: "REDIS_URL", why: NO_REDIS },
    Foreign { name: "REDIS_HOST", why: NO_REDIS },
    Foreign { name: "REDIS_PORT", why: NO_REDIS },
    Foreign { name: "REDIS_DB", why: NO_REDIS },
    Foreign { name: "REDIS_PASSWORD", why: NO_REDIS },
    Foreign { name: "ZERO_INPUT_TOKEN_MODELS", why: "the input of every model is counted" },
    Foreign {
        name: "TOKEN_COUNT_MULTIPLIER",
        why: "tokens are told as the upstream tells them, or as a tokenizer estimates them, and are not scaled",
    },
    Foreign {
        name: "DEBUG_MESSAGE_CONVERSION",
        why: "what clients write is never logged; QM_LOG says how much else is",
    },
    Foreign { name: "LAZY_ACCOUNT_POOL_*", why: ALL_ACCOUNTS },
    Foreign { name: "BASE_URL", why: "it was for logins at Google, which this gateway has not" },
    Foreign { name: "FEEDER_PORT", why: NO_FEEDER },
    Foreign { name: "API_SERVER", why: NO_FEEDER },
    Foreign { name: "API_SERVER_PASSWORD", why: NO_FEEDER },
];

/// The one of this name.
pub(crate) fn foreign(name: &str) -> Option<&'static Foreign> {
    FOREIGN.iter().find(|known| {
        known.name.strip_suffix('*').map_or(known.name == name, |beginning| name.starts_with(beginning))
    })
}
