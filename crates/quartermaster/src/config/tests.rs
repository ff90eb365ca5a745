//! Flags, environment and file to a configuration, or to mistakes.

mod mistakes;
mod table;

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;

use qm_pool::Strategy;
use secrecy::ExposeSecret;

use super::foreign::FOREIGN;
use super::settings::CONFIG_VARIABLE;
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
    assert!(config.ledger.keeps);
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
    assert_eq!(
        (days(config.ledger.retention.receipts), days(config.ledger.retention.hours)),
        (Some(90), Some(400))
    );
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
        ("QM_LEDGER", "false"),
        ("QM_KEEP_RECEIPTS", "0"),
        ("QM_KEEP_HOURS", "32d"),
    ];
    let config = load(&sources(&[], &environment, None)).unwrap();
    assert!(!config.console.enabled && !config.console.at_root);
    let Answers { counts_for_everybody, unhealthy_is_200, no_account_is_401, origins } = config.answers;
    assert!(counts_for_everybody && unhealthy_is_200 && no_account_is_401 && origins.len() == 2);
    assert_eq!((config.keys.rpm, config.keys.concurrency), (Some(60), Some(5)));
    assert!(!config.ledger.keeps);
    assert_eq!(config.ledger.retention.receipts, None);
    assert_eq!(config.ledger.retention.hours, Some(Duration::from_secs(32 * 86_400)));
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
