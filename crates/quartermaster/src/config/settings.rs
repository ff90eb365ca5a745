//! The one table of settings: how each may be written. Documented for operators in docs/CONFIGURATION.md.

/// How one setting may be written.
#[derive(Debug)]
pub(crate) struct Setting {
    /// `section.key` of the file, and the setting's name in messages.
    pub(crate) key: &'static str,
    /// The environment variable.
    pub(crate) environment: &'static str,
    /// The flag. Secrets have none: a command line is readable by every process of the machine.
    pub(crate) flag: Option<&'static str>,
    /// What stands for the value in the help.
    pub(crate) shape: &'static str,
    /// The value when nobody says anything, as it would be written.
    pub(crate) default: Option<&'static str>,
    /// Never shown or logged.
    pub(crate) secret: bool,
    /// What it is, in a line.
    pub(crate) doc: &'static str,
}

/// Every setting, in the order of reports.
pub(crate) static SETTINGS: &[Setting] = &[
    plain("listen.host", "HOST", "--host", "ADDR", Some("127.0.0.1"), "Address to listen on"),
    plain("listen.port", "PORT", "--port", "PORT", Some("8080"), "Port to listen on; 0 takes a free one"),
    plain(
        "listen.on",
        "QM_LISTEN",
        "--listen",
        "ADDR:PORT,..",
        None,
        "All addresses to listen on, separated by commas; instead of host and port",
    ),
    plain(
        "listen.body_limit",
        "QM_BODY_LIMIT",
        "--body-limit",
        "SIZE",
        Some("32MiB"),
        "Largest request body",
    ),
    plain(
        "listen.path_prefix",
        "QM_PATH_PREFIX",
        "--path-prefix",
        "PATH",
        None,
        "Path under which everything is served as well, for a reverse proxy that passes it on",
    ),
    plain(
        "listen.trusted_proxies",
        "QM_TRUSTED_PROXIES",
        "--trusted-proxies",
        "NETWORKS",
        None,
        "Reverse proxies whose X-Forwarded-For is believed: addresses and networks, separated by commas",
    ),
    plain(
        "auth.mode",
        "AUTH_MODE",
        "--auth-mode",
        "keys|open",
        Some("keys"),
        "Whether clients need a key; open lets everybody ask who reaches this machine's own address",
    ),
    plain(
        "auth.open_on_public",
        "ALLOW_OPEN_ON_PUBLIC",
        "--allow-open-on-public",
        "BOOL",
        Some("false"),
        "Let auth.mode be open on addresses that other machines reach",
    ),
    plain(
        "console.enabled",
        "ENABLE_CONSOLE",
        "--console",
        "BOOL",
        Some("true"),
        "Serve the management routes and their pages; false leaves the routes of clients alone",
    ),
    plain(
        "console.root",
        "QM_ROOT",
        "--root",
        "console|json",
        Some("console"),
        "What browsers find at /; other clients always find a line of JSON",
    ),
    plain(
        "cors.origins",
        "QM_CORS_ORIGINS",
        "--cors-origins",
        "ORIGINS",
        None,
        "Web pages whose scripts may ask for answers, separated by commas; management is never among it",
    ),
    plain(
        "health.counts",
        "QM_HEALTH_COUNTS",
        "--health-counts",
        "admins|everybody",
        Some("admins"),
        "Who sees the numbers of accounts and keys in /health",
    ),
    plain(
        "health.unhealthy_status",
        "QM_UNHEALTHY_STATUS",
        "--unhealthy-status",
        "503|200",
        Some("503"),
        "Status of /health when no account can serve; some earlier systems answered 200",
    ),
    plain(
        "answers.no_account_status",
        "QM_NO_ACCOUNT_STATUS",
        "--no-account-status",
        "503|401",
        Some("503"),
        "Status of an answer for which there is no account; one earlier system answered 401",
    ),
    plain(
        "upstream.api_endpoint",
        "AMAZONQ_API_ENDPOINT",
        "--api-endpoint",
        "URL",
        None,
        "Base address for all calls but tokens, instead of the surface's own hosts",
    ),
    plain(
        "upstream.token_endpoint",
        "AMAZONQ_TOKEN_ENDPOINT",
        "--token-endpoint",
        "URL",
        Some("https://oidc.us-east-1.amazonaws.com/token"),
        "Where tokens are refreshed; a closing /token may be left out",
    ),
    plain(
        "upstream.region",
        "QM_REGION",
        "--region",
        "REGION",
        None,
        "AWS region of the service; without it the profile's region, else us-east-1",
    ),
    plain(
        "upstream.surface",
        "QM_SURFACE",
        "--surface",
        "NAME",
        Some("auto"),
        "Face of the upstream to speak to; auto: whichever serves the account",
    ),
    plain(
        "upstream.user_agent",
        "QM_USER_AGENT",
        "--user-agent",
        "TEXT",
        None,
        "User agent sent upstream, instead of Quartermaster's own",
    ),
    plain(
        "upstream.share_content",
        "QM_SHARE_CONTENT",
        "--share-content",
        "BOOL",
        Some("false"),
        "Let the upstream's owner use content to improve the service; false sends the opt-out",
    ),
    secret("proxy.http", "HTTP_PROXY", "Outbound proxy for all calls upstream; http, https or socks5h"),
    secret("proxy.https", "HTTPS_PROXY", "Outbound proxy for https addresses, if it is another one"),
    plain(
        "proxy.except",
        "NO_PROXY",
        "--no-proxy",
        "HOSTS",
        None,
        "Hosts, .domains and networks that are reached without a proxy, separated by commas",
    ),
    secret("account.refresh_token", "AMAZONQ_REFRESH_TOKEN", "The account's refresh token"),
    secret("account.client_id", "AMAZONQ_CLIENT_ID", "Client id the refresh token was issued to"),
    secret("account.client_secret", "AMAZONQ_CLIENT_SECRET", "Client secret of that client id"),
    plain(
        "account.profile_arn",
        "AMAZONQ_PROFILE_ARN",
        "--profile-arn",
        "ARN",
        None,
        "The account's profile, where it has one; its region decides the service's",
    ),
    secret(
        "keys.clients",
        "OPENAI_KEYS",
        "Keys that clients may use, separated by commas; none means closed",
    ),
    secret("keys.client", "API_KEY", "One more key that clients may use, under the name it had elsewhere"),
    secret("keys.admin", "ADMIN_KEY", "Key of the admin, at least 16 characters"),
    secret("keys.admin_password", "ADMIN_PASSWORD", "The same under the name it had elsewhere"),
    plain(
        "keys.rpm",
        "QM_KEYS_RPM",
        "--keys-rpm",
        "NUMBER",
        None,
        "Most requests a minute of each of these keys of clients; unset for no limit",
    ),
    plain(
        "keys.concurrency",
        "QM_KEYS_CONCURRENCY",
        "--keys-concurrency",
        "NUMBER",
        None,
        "Most requests at once of each of these keys of clients; unset for no limit",
    ),
    unflagged(
        "database.url",
        "DATABASE_URL",
        "URL",
        "File with the accounts, as sqlite:PATH; instead of database.path",
    ),
    plain(
        "database.path",
        "DATABASE_PATH",
        "--database",
        "FILE",
        Some("data/quartermaster.db"),
        "File with the accounts; made if it is missing",
    ),
    secret(
        "master.key",
        "QM_MASTER_KEY",
        "Key that seals the secrets of accounts: 32 random bytes in base64",
    ),
    plain(
        "master.key_file",
        "QM_MASTER_KEY_FILE",
        "--master-key-file",
        "FILE",
        None,
        "File with that key; without both one is made beside the accounts at the first start",
    ),
    plain(
        "ledger.keeps",
        "QM_LEDGER",
        "--ledger",
        "BOOL",
        Some("true"),
        "Write down who asked what; false keeps neither receipts nor sums, and what is used meanwhile is forgotten at each start",
    ),
    plain(
        "ledger.receipts",
        "QM_KEEP_RECEIPTS",
        "--keep-receipts",
        "TIME",
        Some("90d"),
        "How long the receipt of each request is kept; 0 for ever",
    ),
    plain(
        "ledger.hours",
        "QM_KEEP_HOURS",
        "--keep-hours",
        "TIME",
        Some("400d"),
        "How long the sums of each hour are kept; 0 for ever. Those of each day are kept always",
    ),
    plain(
        "terms.accepted",
        "QM_ACCEPT_UPSTREAM_TERMS",
        "--accept-upstream-terms",
        "BOOL",
        Some("false"),
        "You have read the note on the upstream's terms in the README",
    ),
    plain(
        "pool.strategy",
        "LOAD_BALANCE_STRATEGY",
        "--strategy",
        "WORD",
        Some("round_robin"),
        "By which rule an account is chosen among those that can serve",
    ),
    plain(
        "pool.max_errors",
        "MAX_ERROR_COUNT",
        "--max-errors",
        "NUMBER",
        Some("100"),
        "Failures on end after which an account is switched off; 0 for never",
    ),
    plain(
        "pool.quarantines",
        "CIRCUIT_BREAKER_ENABLED",
        "--quarantines",
        "BOOL",
        Some("true"),
        "Leave an account alone for a while after failures that pass; false asks it anew each time",
    ),
    plain(
        "pool.quarantine_after",
        "CIRCUIT_BREAKER_ERROR_THRESHOLD",
        "--quarantine-after",
        "NUMBER",
        Some("5"),
        "Failures within ten minutes after which it is left alone for longer; 0 for never",
    ),
    plain(
        "pool.quarantine",
        "CIRCUIT_BREAKER_RECOVERY_TIMEOUT",
        "--quarantine",
        "TIME",
        Some("30m"),
        "How long it is left alone then",
    ),
    plain(
        "pool.quota_every",
        "HEALTH_CHECK_INTERVAL",
        "--quota-every",
        "TIME",
        Some("15m"),
        "How often each account's usage limits are asked for; 0 for never",
    ),
    plain(
        "models.default",
        "QM_DEFAULT_MODEL",
        "--default-model",
        "MODEL",
        None,
        "Model that answers when the one asked for is unknown",
    ),
    plain(
        "models.aliases",
        "QM_MODEL_ALIASES",
        "--model-aliases",
        "NAME=MODEL,..",
        None,
        "Names that stand for models, ahead of the upstream's own and of those built in",
    ),
    plain(
        "responses.keep",
        "QM_KEEP_RESPONSES",
        "--keep-responses",
        "NUMBER",
        Some("0"),
        "Most responses kept in memory for previous_response_id; 0 keeps none",
    ),
    plain(
        "responses.memory",
        "QM_RESPONSES_MEMORY",
        "--responses-memory",
        "SIZE",
        Some("64MiB"),
        "Most memory that kept responses take together",
    ),
    plain(
        "fetch.images",
        "QM_FETCH_IMAGES",
        "--fetch-images",
        "off|https|http-too",
        Some("off"),
        "Fetch the images that requests point to by URL, from public addresses only",
    ),
    plain(
        "timeouts.connect",
        "QM_CONNECT_TIMEOUT",
        "--connect-timeout",
        "TIME",
        Some("10s"),
        "Longest wait for a connection upstream",
    ),
    plain(
        "timeouts.first_event",
        "QM_FIRST_EVENT_TIMEOUT",
        "--first-event-timeout",
        "TIME",
        Some("240s"),
        "Longest wait for an answer's first event",
    ),
    plain(
        "timeouts.idle",
        "QM_IDLE_TIMEOUT",
        "--idle-timeout",
        "TIME",
        Some("180s"),
        "Longest silence of the upstream within an answer",
    ),
    plain(
        "timeouts.total",
        "QM_TOTAL_TIMEOUT",
        "--total-timeout",
        "TIME",
        Some("3600s"),
        "Longest time for a whole answer",
    ),
    plain(
        "timeouts.ping_every",
        "QM_PING_EVERY",
        "--ping-every",
        "TIME",
        Some("15s"),
        "How often a stream that has nothing to say tells the client that it lives",
    ),
    plain(
        "log.filter",
        "QM_LOG",
        "--log",
        "FILTER",
        Some("info"),
        "What is logged, as tracing's filters are written",
    ),
    plain(
        "log.format",
        "QM_LOG_FORMAT",
        "--log-format",
        "FORMAT",
        Some("text"),
        "How log lines look: text or json",
    ),
];

/// Variables of accounts that are no settings, because there may be any number of them: names, and beginnings of names.
pub(crate) static OF_ACCOUNTS: &[&str] =
    &["AMAZONQ_ACCOUNT_*", "KIRO_API_KEY", "KIRO_API_REGION", "KIRO_AUTH_TOKEN"];

/// The variable that names the configuration file.
pub(crate) const CONFIG_VARIABLE: &str = "QM_CONFIG";

/// The setting of this key.
pub(crate) fn setting(key: &str) -> Option<&'static Setting> {
    SETTINGS.iter().find(|setting| setting.key == key)
}

const fn plain(
    key: &'static str,
    environment: &'static str,
    flag: &'static str,
    shape: &'static str,
    default: Option<&'static str>,
    doc: &'static str,
) -> Setting {
    Setting { key, environment, flag: Some(flag), shape, default, secret: false, doc }
}

const fn secret(key: &'static str, environment: &'static str, doc: &'static str) -> Setting {
    Setting { key, environment, flag: None, shape: "SECRET", default: None, secret: true, doc }
}

/// One whose values may hold a password, though they need not: without a flag, but shown where there is none.
const fn unflagged(
    key: &'static str,
    environment: &'static str,
    shape: &'static str,
    doc: &'static str,
) -> Setting {
    Setting { key, environment, flag: None, shape, default: None, secret: false, doc }
}
