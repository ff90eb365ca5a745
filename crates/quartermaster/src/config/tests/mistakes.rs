//! What is wrong in a configuration, and how it is told.

use super::*;

/// What each single mistake says: setting, value, origin, what is allowed.
#[test]
fn every_kind_of_mistake_names_setting_value_origin_and_what_is_allowed() {
    let cases: &[(&str, &str, &[&str])] = &[
        ("PORT", "80x", &["listen.port is \"80x\" (environment variable PORT): expected a port number"]),
        ("PORT", "65536", &["listen.port is \"65536\""]),
        ("HOST", "example.com", &["listen.host is \"example.com\"", "127.0.0.1"]),
        ("QM_BODY_LIMIT", "0", &["listen.body_limit is \"0\"", "1KiB to 1024MiB"]),
        ("QM_PATH_PREFIX", "team", &["listen.path_prefix is \"team\"", "such as /quartermaster"]),
        ("QM_PATH_PREFIX", "/a//b", &["listen.path_prefix"]),
        ("QM_LISTEN", "8080", &["listen.on is \"8080\"", "address number 1: expected ADDR:PORT"]),
        ("QM_TRUSTED_PROXIES", "nginx", &["listen.trusted_proxies is \"nginx\"", "10.0.0.0/8"]),
        ("AUTH_MODE", "none", &["auth.mode is \"none\"", "keys or open"]),
        ("ALLOW_OPEN_ON_PUBLIC", "maybe", &["auth.open_on_public"]),
        ("ENABLE_CONSOLE", "maybe", &["console.enabled is \"maybe\"", "true or false"]),
        ("QM_ROOT", "html", &["console.root", "console or json"]),
        ("QM_CORS_ORIGINS", "*", &["cors.origins is \"*\"", "and no *"]),
        ("QM_HEALTH_COUNTS", "all", &["health.counts", "admins or everybody"]),
        ("QM_UNHEALTHY_STATUS", "500", &["health.unhealthy_status", "503 or 200"]),
        ("QM_NO_ACCOUNT_STATUS", "429", &["answers.no_account_status", "503 or 401"]),
        ("QM_KEYS_RPM", "0", &["keys.rpm is \"0\"", "from 1 to"]),
        ("QM_KEYS_CONCURRENCY", "-1", &["keys.concurrency is \"-1\""]),
        ("QM_LEDGER", "perhaps", &["ledger.keeps", "true or false"]),
        ("QM_KEEP_RECEIPTS", "1h", &["ledger.receipts is \"1h\"", "1d to 36500d"]),
        ("QM_KEEP_HOURS", "31d", &["ledger.hours is \"31d\"", "32d to 36500d"]),
        ("AMAZONQ_API_ENDPOINT", "http://example.com", &["upstream.api_endpoint", "https://", "loopback"]),
        (
            "AMAZONQ_TOKEN_ENDPOINT",
            "https://example.com/token",
            &["upstream.token_endpoint", "amazonaws.com"],
        ),
        ("QM_REGION", "evil.example/", &["upstream.region", "us-east-1 or eu-central-1"]),
        ("QM_SURFACE", "telnet", &["upstream.surface is \"telnet\"", "runtime, runtime-ide, q"]),
        ("QM_USER_AGENT", "a\nb", &["upstream.user_agent is \"a\\nb\"", "printable"]),
        ("QM_SHARE_CONTENT", "perhaps", &["upstream.share_content", "true or false"]),
        ("AMAZONQ_PROFILE_ARN", "arn:x", &["account.profile_arn is \"arn:x\"", "profile/ID"]),
        (
            "OPENAI_KEYS",
            "abc",
            &["keys.clients is set (environment variable OPENAI_KEYS): key number 1 must have"],
        ),
        ("OPENAI_KEYS", "sk-fine-enough,changeme", &["key number 2 is known to everybody"]),
        ("ADMIN_KEY", "too-short", &["keys.admin is set", "ADMIN_KEY", "16 to 512 characters"]),
        ("ADMIN_PASSWORD", "Change-Me-Please-Now", &["keys.admin_password is set", "known to everybody"]),
        ("DATABASE_URL", "postgres://host/x", &["database.url is", "SQLite only", "sqlite:PATH"]),
        ("DATABASE_URL", "postgres://me:word@host/x", &["database.url is (hidden"]),
        ("DATABASE_PATH", "data/", &["database.path is \"data/\"", "path of a file"]),
        ("QM_MASTER_KEY", "a passphrase", &["master.key is set", "32 random bytes"]),
        ("QM_ACCEPT_UPSTREAM_TERMS", "maybe", &["terms.accepted is \"maybe\"", "README"]),
        ("LOAD_BALANCE_STRATEGY", "fastest", &["pool.strategy is \"fastest\"", "round_robin, random"]),
        ("MAX_ERROR_COUNT", "-1", &["pool.max_errors", "0 is never"]),
        ("CIRCUIT_BREAKER_ENABLED", "2", &["pool.quarantines"]),
        ("CIRCUIT_BREAKER_RECOVERY_TIMEOUT", "0", &["pool.quarantine is \"0\"", "1s to 24h"]),
        ("HEALTH_CHECK_INTERVAL", "5s", &["pool.quota_every", "1m to 24h"]),
        ("AMAZONQ_ACCOUNT_COUNT", "many", &["AMAZONQ_ACCOUNT_COUNT", "number of accounts"]),
        ("QM_DEFAULT_MODEL", "two words", &["models.default"]),
        ("QM_MODEL_ALIASES", "gpt-4:m", &["models.aliases is \"gpt-4:m\"", "pair number 1", "NAME=MODEL"]),
        ("QM_IDLE_TIMEOUT", "0", &["timeouts.idle is \"0\"", "10ms to 24h"]),
        ("QM_KEEP_RESPONSES", "all", &["responses.keep is \"all\"", "from 0"]),
        ("QM_RESPONSES_MEMORY", "1KiB", &["responses.memory", "1MiB"]),
        ("QM_FETCH_IMAGES", "http", &["fetch.images is \"http\"", "off, https or http-too"]),
        ("QM_PING_EVERY", "soon", &["timeouts.ping_every is \"soon\""]),
        ("QM_LOG", "a=b=c", &["log.filter is \"a=b=c\""]),
        ("QM_LOG_FORMAT", "xml", &["log.format is \"xml\"", "text or json"]),
    ];
    for (name, value, expected) in cases {
        let found = mistakes(&sources(&[], &[(name, value)], None));
        assert_eq!(found.len(), 1, "{name}: {found:?}");
        for part in *expected {
            assert!(found[0].contains(part), "{name}: {found:?} lacks {part:?}");
        }
    }
}

#[test]
fn the_origin_is_told_for_flags_and_files_too() {
    let found = mistakes(&sources(&[("listen.port", "x")], &[], Some("[log]\nformat = \"y\"\n")));
    assert!(found[0].starts_with("listen.port is \"x\" (flag --port): "), "{found:?}");
    assert!(
        found[1].starts_with("log.format is \"y\" (file quartermaster.toml, key log.format): "),
        "{found:?}"
    );
}

#[test]
fn all_mistakes_are_told_at_once() {
    let file = "[listen]\nprot = 1\n[pond]\nsize = 3\n[log]\nfilter = [\"a\"]\n";
    let environment = [("PORT", "x"), ("AMAZONQ_REFRESH_TOKEN", TOKEN), ("QM_LOG_FORMAT", "xml")];
    let found = mistakes(&sources(&[("upstream.surface", "?")], &environment, Some(file)));
    let expected = [
        "key listen.prot: there is no such setting; did you mean listen.port?",
        "key log.filter: must be a text",
        "key pond: there is no such section",
        "listen.port is \"x\"",
        "upstream.surface is \"?\" (flag --surface)",
        "account.client_id is missing",
        "account.client_secret is missing",
        "log.format is \"xml\"",
    ];
    assert_eq!(found.len(), expected.len(), "{found:#?}");
    for (found, expected) in found.iter().zip(expected) {
        assert!(found.contains(expected), "{found} lacks {expected}");
    }
}

#[test]
fn half_an_account_is_a_mistake_whichever_half() {
    for left_out in 0..3 {
        let half: Vec<_> =
            account().into_iter().enumerate().filter(|(at, _)| *at != left_out).map(|(_, v)| v).collect();
        let found = mistakes(&sources(&[], &half, None));
        let (variable, _) = account()[left_out];
        assert!(
            found.len() == 1 && found[0].contains("is missing") && found[0].contains(variable),
            "{found:?}"
        );
    }
    assert!(load(&sources(&[], &[("AMAZONQ_PROFILE_ARN", ARN)], None)).unwrap().accounts.is_empty());
}

#[test]
fn a_region_must_agree_with_the_profile_and_an_unknown_one_is_noted() {
    let profile = ("AMAZONQ_PROFILE_ARN", ARN);
    let found = mistakes(&sources(&[], &[profile, ("QM_REGION", "us-east-1")], None));
    assert!(found.len() == 1 && found[0].contains("account.profile_arn says eu-central-1"), "{found:?}");
    let config = load(&sources(&[], &[("QM_REGION", "ap-northeast-2")], None)).unwrap();
    assert!(config.notes.len() == 1 && config.notes[0].contains("ap-northeast-2"), "{:?}", config.notes);
    let elsewhere = [("QM_REGION", "ap-northeast-2"), ("AMAZONQ_API_ENDPOINT", "http://127.0.0.1:1")];
    assert!(load(&sources(&[], &elsewhere, None)).unwrap().notes.is_empty());
    let hostless = [("QM_REGION", "eu-central-1"), ("QM_SURFACE", "codewhisperer")];
    let notes = load(&sources(&[], &hostless, None)).unwrap().notes;
    assert!(notes.len() == 1 && notes[0].contains("q-rest"), "{notes:?}");
}

#[test]
fn a_file_that_cannot_be_read_or_understood_is_a_mistake_that_quotes_nothing() {
    let mut unreadable = sources(&[], &[], None);
    unreadable.file =
        FileSource::Unreadable { path: PathBuf::from("q.toml"), why: "no such file".to_owned() };
    assert_eq!(mistakes(&unreadable), ["file q.toml: cannot be read: no such file"]);
    let broken = format!("[keys]\nclients = \"{KEY}\" oops {SECRET}\n");
    assert_eq!(
        mistakes(&sources(&[], &[], Some(&broken))),
        ["file quartermaster.toml: is not valid TOML, line 2"]
    );
    let comma = mistakes(&sources(&[], &[], Some("[keys]\nclients = [\"sk-one-key,sk-two-key\"]\n")));
    assert_eq!(
        comma,
        ["file quartermaster.toml, key keys.clients: must be a text or a list of texts without commas"]
    );
    let number = mistakes(&sources(&[], &[], Some("listen = 3\n")));
    assert_eq!(number, ["file quartermaster.toml, key listen: must be a section, written [listen]"]);
}

#[test]
fn slips_in_the_names_of_variables_are_pointed_out() {
    let slips = [("QM_LOGS", "something-long-enough"), (CONFIG_VARIABLE, "y")];
    let config = load(&sources(&[], &slips, None)).unwrap();
    assert!(
        config.notes.len() == 1 && config.notes[0].contains("did you mean QM_LOG?"),
        "{:?}",
        config.notes
    );
    assert!(!config.notes[0].contains("something-long-enough"));
}
