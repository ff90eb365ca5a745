//! The table of settings against itself, the report and the operator's page.

use super::super::settings::OF_ACCOUNTS;
use super::*;

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
    let page = include_str!("../../../../../docs/CONFIGURATION.md");
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
