//! Flags, environment and file to a configuration, or to mistakes.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;

use qm_pool::Strategy;
use secrecy::ExposeSecret;

use super::foreign::FOREIGN;
use super::settings::{CONFIG_VARIABLE, OF_ACCOUNTS};
use super::*;

const TOKEN: &str = "refresh-7f3a";
const SECRET: &str = "hidden-9b1c";
const KEY: &str = "sk-client-4d2e";
const MASTER: &str = "q83vEjRWeJq83vEjRWeJAAECAwQFBgcICQoLDA0ODxA=";
const OLD_MASTER: &str = "000102030405060708090a0b0c0d0e0ff0f1f2f3f4f5f6f7f8f9fafbfcfdfeff";
const ARN: &str = "arn:aws:codewhisperer:eu-central-1:123456789012:profile/ABCDEFGHJKLM";

fn sources(flags: &[(&'static str, &str)], environment: &[(&str, &str)], file: Option<&str>) -> Sources {
    let file = file.map_or(FileSource::None, |text| FileSource::Text {
        path: PathBuf::from("quartermaster.toml"),
        text: text.into(),
    });
    Sources {
        scope: Scope::Gateway,
        flags: flags.iter().map(|(key, text)| (*key, (*text).to_owned())).collect(),
        environment: environment
            .iter()
            .map(|(name, text)| ((*name).to_owned(), (*text).to_owned()))
            .collect(),
        file,
    }
}

fn account() -> [(&'static str, &'static str); 3] {
    [("AMAZONQ_REFRESH_TOKEN", TOKEN), ("AMAZONQ_CLIENT_ID", "client-1"), ("AMAZONQ_CLIENT_SECRET", SECRET)]
}

/// The lines of the mistakes, without the heading.
#[track_caller]
fn mistakes(sources: &Sources) -> Vec<String> {
    let text = load(sources).expect_err("a mistake").to_string();
    let lines: Vec<String> =
        text.lines().skip(1).map(|line| line.trim_start_matches("- ").to_owned()).collect();
    let count = format!("has {} mistake", lines.len());
    assert!(text.contains(&count), "{text}");
    lines
}

#[test]
fn nothing_set_is_a_closed_gateway_on_loopback() {
    let config = load(&sources(&[], &[], None)).unwrap();
    assert_eq!(config.listen.addresses, [SocketAddr::from((Ipv4Addr::LOCALHOST, 8080))]);
    assert_eq!(config.listen.body_limit_bytes, 32 * 1024 * 1024);
    assert!(config.accounts.is_empty() && config.models.default.is_none());
    assert!(config.keys.clients.is_empty() && config.keys.admins.is_empty() && !config.terms);
    assert_eq!(config.database.path, PathBuf::from("data/quartermaster.db"));
    assert!(matches!(config.master, Master::Beside(path) if path == Path::new("data/quartermaster.key")));
    assert_eq!((config.pool.strategy, config.pool.rules), (Strategy::RoundRobin, qm_pool::Rules::default()));
    assert_eq!(config.pool.quota_every, Some(Duration::from_secs(900)));
    assert_eq!(config.upstream.token_base.as_str(), "https://oidc.us-east-1.amazonaws.com");
    assert!(config.upstream.api_endpoint.is_none() && config.upstream.user_agent.is_none());
    assert!(!config.upstream.share_content);
    assert_eq!((config.upstream.surface, config.upstream.region), (None, None));
    let Timeouts { connect, first_event, idle, total, ping_every } = config.timeouts;
    assert_eq!(
        [connect, first_event, idle, total, ping_every],
        [10, 240, 180, 3600, 15].map(Duration::from_secs)
    );
    assert_eq!((config.log.filter.as_str(), config.log.format), ("info", LogFormat::Text));
    assert_eq!((config.responses.keep, config.responses.memory_bytes), (0, 64 << 20));
    assert_eq!(config.fetch, FetchImages::Off);
    assert_eq!((config.auth, config.keys.rpm, config.keys.concurrency), (Auth::Keys, None, None));
    assert!(config.console.enabled && config.console.at_root && config.listen.trusted_proxies.is_empty());
    let Answers { counts_for_everybody, unhealthy_is_200, no_account_is_401, origins } = config.answers;
    assert!(!counts_for_everybody && !unhealthy_is_200 && !no_account_is_401 && origins.is_empty());
    let days = |time: Option<Duration>| time.map(|time| time.as_secs() / 86_400);
    assert_eq!((days(config.retention.receipts), days(config.retention.hours)), (Some(90), Some(400)));
    assert!(config.notes.is_empty());
}

#[test]
fn flags_win_over_the_environment_and_that_over_the_file() {
    let file = Some("[listen]\nport = 1\nhost = \"::1\"\nbody_limit = \"1MiB\"\n");
    let config =
        load(&sources(&[("listen.port", "3")], &[("PORT", "2"), ("HOST", "0.0.0.0")], file)).unwrap();
    assert_eq!(config.listen.addresses, [SocketAddr::from((Ipv4Addr::UNSPECIFIED, 3))]);
    assert_eq!(config.listen.body_limit_bytes, 1 << 20);
    let emptied = load(&sources(&[], &[("PORT", "")], file)).unwrap();
    assert_eq!(emptied.listen.addresses[0].port(), 1, "an empty variable is an unset one");
}

/// Spec A12.1: port 8080 and, for scripts of the system that had it, port 8000 beside it.
#[test]
fn a12_1_several_addresses_are_listened_on_and_the_nearest_writing_wins() {
    let two = [SocketAddr::from(([0, 0, 0, 0], 8080)), SocketAddr::from(([127, 0, 0, 1], 8000))];
    let variable = [("QM_LISTEN", "0.0.0.0:8080,127.0.0.1:8000")];
    let file = "[listen]\non = [\"0.0.0.0:8080\", \"127.0.0.1:8000\"]\nport = 9\n";
    for (flags, environment, file, expected) in [
        (&[][..], &variable[..], None, &two[..]),
        (&[], &[], Some(file), &two),
        (&[], &[("PORT", "7"), variable[0]], None, &two),
        (&[], &[("PORT", "7")], Some(file), &[SocketAddr::from((Ipv4Addr::LOCALHOST, 7))]),
        (&[("listen.host", "::1")], &variable, None, &["[::1]:8080".parse().unwrap()]),
    ] {
        let config = load(&sources(flags, environment, file)).unwrap();
        assert_eq!(config.listen.addresses, expected, "{flags:?} {environment:?} {file:?}");
    }
}

/// Spec A12.3 and E3: without keys only this machine's own programs are let in, unless the operator insists.
#[test]
fn a12_3_open_mode_is_for_loopback_alone_unless_insisted_on() {
    let open = ("AUTH_MODE", "open");
    let config = load(&sources(&[], &[open], None)).unwrap();
    assert_eq!((config.auth, config.notes.len()), (Auth::Open, 1), "{:?}", config.notes);
    for public in [("HOST", "0.0.0.0"), ("HOST", "::"), ("QM_LISTEN", "127.0.0.1:1,192.0.2.1:1")] {
        let found = mistakes(&sources(&[], &[open, public], None));
        assert!(found.len() == 1 && found[0].contains("ALLOW_OPEN_ON_PUBLIC=1"), "{public:?}: {found:?}");
        let insisted = [open, public, ("ALLOW_OPEN_ON_PUBLIC", "1")];
        assert_eq!(load(&sources(&[], &insisted, None)).unwrap().auth, Auth::Open);
    }
    assert!(load(&sources(&[], &[open, ("HOST", "::ffff:127.0.0.1")], None)).is_ok());
}

#[test]
fn a12_17_variables_without_a_meaning_here_such_as_those_of_redis_are_named_with_the_reason() {
    for foreign in FOREIGN {
        let name = foreign.name.replace('*', "ENABLED");
        let config = load(&sources(&[], &[(&name, "not-to-be-seen")], None)).unwrap();
        let expected = format!("{name} is set and not used: {}", foreign.why);
        assert_eq!(config.notes, [expected]);
    }
    assert!(FOREIGN.iter().all(|foreign| SETTINGS.iter().all(|known| known.environment != foreign.name)));
}

#[test]
fn what_is_told_to_whom_is_chosen_by_words() {
    let environment = [
        ("ENABLE_CONSOLE", "false"),
        ("QM_ROOT", "json"),
        ("QM_HEALTH_COUNTS", "everybody"),
        ("QM_UNHEALTHY_STATUS", "200"),
        ("QM_NO_ACCOUNT_STATUS", "401"),
        ("QM_CORS_ORIGINS", "https://chat.example.com, http://localhost:5173"),
        ("QM_KEYS_RPM", "60"),
        ("QM_KEYS_CONCURRENCY", "5"),
        ("QM_KEEP_RECEIPTS", "0"),
        ("QM_KEEP_HOURS", "32d"),
    ];
    let config = load(&sources(&[], &environment, None)).unwrap();
    assert!(!config.console.enabled && !config.console.at_root);
    let Answers { counts_for_everybody, unhealthy_is_200, no_account_is_401, origins } = config.answers;
    assert!(counts_for_everybody && unhealthy_is_200 && no_account_is_401 && origins.len() == 2);
    assert_eq!((config.keys.rpm, config.keys.concurrency), (Some(60), Some(5)));
    assert_eq!(config.retention.receipts, None);
    assert_eq!(config.retention.hours, Some(Duration::from_secs(32 * 86_400)));
}

#[test]
fn a_whole_account_is_read_from_the_environment_or_the_file() {
    let extra = [
        ("AMAZONQ_PROFILE_ARN", ARN),
        ("AMAZONQ_API_ENDPOINT", "http://127.0.0.1:9/"),
        ("AMAZONQ_TOKEN_ENDPOINT", "http://127.0.0.1:9/token"),
        ("OPENAI_KEYS", "sk-client-4d2e, sk-client-other"),
    ];
    let config = load(&sources(&[], &[&account()[..], &extra].concat(), None)).unwrap();
    let [account] = config.accounts.as_slice() else { panic!("{} accounts", config.accounts.len()) };
    let credential = &account.draft.credential;
    let client = credential.client.as_ref().unwrap();
    assert_eq!(account.slot, "AMAZONQ");
    assert_eq!(credential.refresh_token.as_ref().unwrap().expose_secret(), TOKEN);
    assert_eq!(client.id, "client-1");
    assert_eq!(client.secret.as_ref().unwrap().expose_secret(), SECRET);
    assert_eq!(credential.arn.as_ref().unwrap().value, ARN);
    assert_eq!(config.upstream.api_endpoint.unwrap().as_str(), "http://127.0.0.1:9");
    assert_eq!(config.upstream.token_base.as_str(), "http://127.0.0.1:9");
    assert_eq!(config.upstream.region, None, "the profile decides");
    assert_eq!(config.keys.clients.len(), 2);

    let file = format!(
        "[account]\nrefresh_token = \"{TOKEN}\"\nclient_id = \"client-1\"\nclient_secret = \"{SECRET}\"\n\
         [keys]\nclients = [\"{KEY}\", \"sk-client-other\"]\n[upstream]\nshare_content = true\nsurface = \"q\"\n\
         [timeouts]\nidle = 30\nping_every = \"250ms\"\n[log]\nformat = \"json\"\n[models]\ndefault = \"m\"\n\
         [responses]\nkeep = 1000\nmemory = \"8MiB\"\n"
    );
    let config = load(&sources(&[], &[], Some(&file))).unwrap();
    assert!(config.accounts.len() == 1 && config.upstream.share_content);
    assert_eq!(
        (config.keys.clients.len(), config.upstream.surface.map(|surface| surface.name)),
        (2, Some("q"))
    );
    assert_eq!(config.timeouts.idle, Duration::from_secs(30));
    assert_eq!(config.timeouts.ping_every, Duration::from_millis(250));
    assert_eq!((config.log.format, config.models.default.as_deref()), (LogFormat::Json, Some("m")));
    assert_eq!((config.responses.keep, config.responses.memory_bytes), (1000, 8 << 20));
}

#[test]
fn images_are_fetched_only_as_far_as_it_is_said() {
    for (text, expected) in
        [("off", FetchImages::Off), ("https", FetchImages::Https), ("http-too", FetchImages::HttpToo)]
    {
        let from_environment = load(&sources(&[], &[("QM_FETCH_IMAGES", text)], None)).unwrap();
        let from_file = load(&sources(&[], &[], Some(&format!("[fetch]\nimages = \"{text}\"\n")))).unwrap();
        assert_eq!((from_environment.fetch, from_file.fetch), (expected, expected), "{text}");
    }
}

#[test]
fn aliases_are_written_as_pairs_or_as_a_section() {
    let pairs = load(&sources(&[], &[("QM_MODEL_ALIASES", "gpt-4 = m, gpt-4.1* =")], None)).unwrap();
    let file = "[models.aliases]\n\"gpt-4.1*\" = \"\"\ngpt-4 = \"m\"\n";
    let section = load(&sources(&[], &[], Some(file))).unwrap();
    let [pairs, section] = [pairs, section].map(|config| format!("{:?}", config.models.aliases));
    assert!(pairs.contains("gpt-4.1*") && pairs == section, "{pairs}\n{section}");
    for wrong in ["gpt-4 = 3", "\"a=b\" = \"m\"", "gpt-4 = \"m,x=y\"", "a = { b = \"c\" }"] {
        let found = mistakes(&sources(&[], &[], Some(&format!("[models.aliases]\n{wrong}\n"))));
        assert!(
            found.len() == 1
                && found[0].contains("key models.aliases: must be a section of names and models"),
            "{wrong}: {found:?}"
        );
    }
}

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

#[test]
fn accounts_with_variables_of_their_own_are_read_each_by_its_slot() {
    let numbered = [
        ("AMAZONQ_ACCOUNT_1_REFRESH_TOKEN", "aor-one"),
        ("AMAZONQ_ACCOUNT_1_CLIENT_ID", "client-1"),
        ("AMAZONQ_ACCOUNT_1_CLIENT_SECRET", SECRET),
        ("AMAZONQ_ACCOUNT_1_WEIGHT", "3"),
        ("AMAZONQ_ACCOUNT_3_REFRESH_TOKEN", "aor-three"),
        ("AMAZONQ_ACCOUNT_3_CLIENT_ID", "client-3"),
        ("AMAZONQ_ACCOUNT_3_CLIENT_SECRET", SECRET),
        ("AMAZONQ_ACCOUNT_3_ENABLED", "false"),
        ("KIRO_API_KEY", "ksk_0123456789abcdef0123"),
    ];
    let config = load(&sources(&[], &[&account()[..], &numbered].concat(), None)).unwrap();
    let slots: Vec<&str> = config.accounts.iter().map(|account| account.slot.as_str()).collect();
    assert_eq!(slots, ["AMAZONQ", "AMAZONQ_ACCOUNT_1", "AMAZONQ_ACCOUNT_3", "KIRO_API_KEY"]);
    assert_eq!((config.accounts[1].draft.weight, config.accounts[2].draft.enabled), (Some(3), Some(false)));

    let found = mistakes(&sources(&[], &[&numbered[..1], &[("PORT", "x")]].concat(), None));
    assert_eq!(found.len(), 2, "{found:?}");
    assert!(
        found[1].starts_with("the account of the environment variables AMAZONQ_ACCOUNT_1: "),
        "{found:?}"
    );
    assert!(!found[1].contains("aor-one"), "{found:?}");
}

#[test]
fn a12_15_the_database_is_named_by_address_or_path_and_its_key_beside_it() {
    let load = |environment: &[(&str, &str)]| load(&sources(&[], environment, None)).unwrap();
    let config = load(&[("DATABASE_PATH", "a/b.db"), ("DATABASE_URL", "sqlite:///c/d.sqlite3")]);
    assert_eq!(config.database.path, PathBuf::from("/c/d.sqlite3"), "the address wins");
    assert!(matches!(config.master, Master::Beside(path) if path == Path::new("/c/d.key")));
    let url = [("DATABASE_URL", "sqlite:a.db")];
    let flagged = super::load(&sources(&[("database.path", "b.db")], &url, None)).unwrap();
    assert_eq!(flagged.database.path, PathBuf::from("b.db"), "but a flag wins over the environment");
    let config = load(&[("QM_MASTER_KEY_FILE", "/run/secrets/key")]);
    assert!(matches!(config.master, Master::File(path) if path == Path::new("/run/secrets/key")));
    let config = load(&[("QM_MASTER_KEY", &format!("{MASTER},{OLD_MASTER}"))]);
    assert!(matches!(config.master, Master::Given(_)) && !format!("{config:?}").contains(MASTER));
}

#[test]
fn one_more_key_of_clients_has_the_name_it_had_elsewhere() {
    let other = "sk-client-other";
    for (environment, expected) in [
        (&[("API_KEY", KEY)][..], &[KEY][..]),
        (&[("OPENAI_KEYS", other), ("API_KEY", KEY)], &[other, KEY]),
        (&[("OPENAI_KEYS", KEY), ("API_KEY", KEY)], &[KEY]),
        (&[("API_KEY", "sk-with,comma")], &["sk-with,comma"]),
    ] {
        let keys = load(&sources(&[], environment, None)).unwrap().keys;
        let clients: Vec<&str> = keys.clients.iter().map(ExposeSecret::expose_secret).collect();
        assert_eq!(clients, expected, "{environment:?}");
    }
    let weak = mistakes(&sources(&[], &[("API_KEY", "changeme")], None));
    assert!(weak.len() == 1 && weak[0].starts_with("keys.client is set"), "{weak:?}");
    assert!(weak[0].contains("known to everybody"), "{weak:?}");
    let shared = [("ADMIN_KEY", "qm-admin-93ab77c2"), ("API_KEY", "qm-admin-93ab77c2")];
    let found = mistakes(&sources(&[], &shared, None));
    assert!(found.len() == 1 && found[0].contains("one of the clients' keys too"), "{found:?}");
}

#[test]
fn admins_have_keys_of_their_own() {
    let environment =
        [("ADMIN_KEY", "qm-admin-6b1f4e0d"), ("ADMIN_PASSWORD", "qm-admin-93ab77c2"), ("OPENAI_KEYS", KEY)];
    let keys = load(&sources(&[], &environment, None)).unwrap().keys;
    assert_eq!((keys.admins.len(), keys.clients.len()), (2, 1));
    let shared = [("ADMIN_PASSWORD", "qm-admin-93ab77c2"), ("OPENAI_KEYS", "qm-admin-93ab77c2")];
    let found = mistakes(&sources(&[], &shared, None));
    assert!(found.len() == 1 && found[0].starts_with("keys.admin_password is set"), "{found:?}");
}

/// The rules themselves are the pool's: `crates/pool/tests/choice.rs`.
#[test]
fn a12_5_every_strategy_of_the_earlier_systems_has_its_word() {
    let of =
        |word: &str| load(&sources(&[], &[("LOAD_BALANCE_STRATEGY", word)], None)).unwrap().pool.strategy;
    for (word, strategy) in [
        ("round_robin", Strategy::RoundRobin),
        ("lowest_rpm", Strategy::RoundRobin),
        ("random", Strategy::Random),
        ("least_used", Strategy::LeastUsed),
        ("weighted", Strategy::Weighted),
        ("weighted_round_robin", Strategy::Weighted),
        ("priority", Strategy::Priority),
        ("sticky", Strategy::Sticky),
    ] {
        assert_eq!(of(word), strategy, "{word}");
    }
}

#[test]
fn the_pool_is_set_by_the_names_of_the_systems_before() {
    let environment = [
        ("LOAD_BALANCE_STRATEGY", "weighted_round_robin"),
        ("MAX_ERROR_COUNT", "7"),
        ("CIRCUIT_BREAKER_ENABLED", "false"),
        ("CIRCUIT_BREAKER_ERROR_THRESHOLD", "9"),
        ("CIRCUIT_BREAKER_RECOVERY_TIMEOUT", "300"),
        ("HEALTH_CHECK_INTERVAL", "0"),
    ];
    let pool = load(&sources(&[], &environment, None)).unwrap().pool;
    assert_eq!((pool.strategy, pool.quota_every), (Strategy::Weighted, None));
    assert_eq!((pool.rules.max_errors, pool.rules.strikes, pool.rules.rests), (7, 0, false));
    assert_eq!(pool.rules.quarantine_ms, 300_000);
}

#[test]
fn the_demo_uses_no_account_or_key_that_happens_to_be_set() {
    let extra = [
        ("OPENAI_KEYS", "abc"),
        ("AMAZONQ_API_ENDPOINT", "http://example.com"),
        ("AMAZONQ_ACCOUNT_COUNT", "7"),
        ("DATABASE_URL", "postgres://nobody"),
        ("QM_MASTER_KEY", "short"),
        ("PORT", "0"),
    ];
    let mut sources = sources(&[], &[&account()[..], &extra].concat(), None);
    sources.scope = Scope::Demo;
    let config = load(&sources).unwrap();
    assert!(
        config.accounts.is_empty()
            && config.keys.clients.is_empty()
            && config.upstream.api_endpoint.is_none()
    );
    assert_eq!(config.listen.addresses[0].port(), 0);
}

#[test]
fn secrets_show_neither_in_debug_nor_in_reports_nor_in_mistakes() {
    let keys = [("OPENAI_KEYS", KEY)];
    let whole = sources(&[], &[&account()[..], &keys].concat(), None);
    let shown = [format!("{:?}", load(&whole).unwrap()), describe(&whole).unwrap()];
    let spoiled = sources(
        &[],
        &[
            ("AMAZONQ_REFRESH_TOKEN", "refresh-7f3a with space"),
            ("AMAZONQ_CLIENT_ID", "client-1"),
            ("AMAZONQ_CLIENT_SECRET", "hidden-9b1c\u{7f}"),
            ("OPENAI_KEYS", "sk-client-4d2e,x"),
            ("AMAZONQ_API_ENDPOINT", "https://user:hidden-9b1c@q.us-east-1.amazonaws.com"),
        ],
        None,
    );
    let told = mistakes(&spoiled);
    assert_eq!(told.len(), 4, "{told:?}");
    for text in shown.iter().chain(&told) {
        for secret in [TOKEN, SECRET, KEY] {
            assert!(!text.contains(secret), "{secret} in {text}");
        }
    }
    assert!(shown[1].contains("account.client_secret = set (environment variable AMAZONQ_CLIENT_SECRET)"));
}

#[test]
fn the_report_has_every_setting_once() {
    let report = describe(&sources(&[("listen.port", "9")], &[], None)).unwrap();
    for setting in SETTINGS {
        let lines = report.lines().filter(|line| line.split(' ').next() == Some(setting.key)).count();
        assert_eq!(lines, 1, "{}", setting.key);
    }
    assert!(report.contains("listen.port = \"9\" (flag --port)\n"), "{report}");
    assert!(report.contains("listen.host = \"127.0.0.1\" (default)\n"), "{report}");
    assert!(report.contains("account.refresh_token is unset\n"), "{report}");
}

#[test]
fn the_table_has_no_name_twice_and_its_defaults_are_sound() {
    let keys: BTreeMap<_, _> = SETTINGS.iter().map(|setting| (setting.key, setting)).collect();
    let names: BTreeMap<_, _> = SETTINGS.iter().map(|setting| (setting.environment, setting)).collect();
    let flags: BTreeMap<_, _> = SETTINGS.iter().map(|setting| (setting.flag, setting)).collect();
    let with_flags = SETTINGS.iter().filter(|setting| setting.flag.is_some()).count();
    assert_eq!((keys.len(), names.len()), (SETTINGS.len(), SETTINGS.len()));
    assert_eq!(flags.keys().filter(|flag| flag.is_some()).count(), with_flags);
    assert!(SETTINGS.iter().all(|setting| setting.key.split('.').count() == 2));
}

/// The operator's page has a row for every setting with its names and default, and no row for anything else.
#[test]
fn the_documentation_agrees_with_the_table() {
    let page = include_str!("../../../../docs/CONFIGURATION.md");
    for setting in SETTINGS {
        let flag = setting.flag.map_or("none".to_owned(), |flag| format!("`{flag}`"));
        let default = setting.default.map_or("none".to_owned(), |text| format!("`{text}`"));
        let row = format!("| `{}` | `{}` | {flag} | {default} |", setting.key, setting.environment);
        assert!(page.contains(&row), "docs/CONFIGURATION.md lacks the row: {row}");
    }
    let rows =
        page.lines().filter(|line| line.starts_with("| `") && line.matches(" | ").count() == 4).count();
    assert_eq!(rows, SETTINGS.len(), "docs/CONFIGURATION.md has a row for something that is no setting");
    for name in OF_ACCOUNTS.iter().chain([&CONFIG_VARIABLE]).chain(FOREIGN.iter().map(|one| &one.name)) {
        assert!(page.contains(&format!("`{name}`")), "docs/CONFIGURATION.md does not mention {name}");
    }
}

#[test]
fn proxies_are_read_in_capitals_and_in_small_letters_which_hold_where_both_are_set() {
    let proxies = |environment: &[(&str, &str)]| {
        let Proxies { http, https, except } = load(&sources(&[], environment, None)).unwrap().proxies;
        let [http, https] = [http, https].map(|proxy| proxy.map(|proxy| proxy.to_string()));
        (http.unwrap_or_default(), https.unwrap_or_default(), except)
    };
    let [large, small] = ["http://large:1", "http://small:2"];
    assert_eq!(
        proxies(&[("http_proxy", small), ("no_proxy", "a")]),
        (small.into(), String::new(), vec!["a".into()])
    );
    let both = [("HTTPS_PROXY", large), ("https_proxy", small), ("NO_PROXY", "a"), ("no_proxy", "b")];
    assert_eq!(proxies(&both), (String::new(), small.into(), vec!["b".into()]));
    assert_eq!(proxies(&[("HTTP_PROXY", large)]).0, large);
    let mistake = mistakes(&sources(&[], &[("https_proxy", "nonsense")], None));
    assert!(mistake[0].contains("https_proxy"), "named as it was written: {mistake:?}");
}
