//! Accounts out of files and back into them.

use std::fs;
use std::path::Path;

use qm_accounts::{Actor, ErrorKind, ExportForm, Fate, Fleet, ImportInput, ImportOptions, Report, Selection};
use qm_simulator::SimAccount;
use secrecy::SecretString;

use super::house::{Bench, KEY, chat};

const DRY: ImportOptions = ImportOptions {
    dry_run: true,
    replace: false,
    enabled: None,
    owner: None,
    tags: Vec::new(),
    progress: None,
};

async fn import(fleet: &Fleet, bytes: &[u8], options: &ImportOptions) -> Report {
    fleet.import(ImportInput::File(bytes), options, &Actor::Cli).await.unwrap()
}

fn numbers(report: &Report) -> [usize; 4] {
    [report.added(), report.updated(), report.duplicates(), report.refused()]
}

/// Five rows: two accounts, one of them twice, one without a token, one that is no account.
fn rows() -> String {
    let row = |n: usize, label: &str| {
        format!(
            r#"{{"label":"{label}","clientId":"sim-client-id-{n}","clientSecret":"sim-client-secret-{n}","refreshToken":"sim-refresh-token-{n}"}}"#
        )
    };
    format!("[{},{},{},{{\"clientId\":\"c\"}},17]", row(0, "a"), row(1, "b"), row(0, "again"))
}

#[tokio::test]
async fn each_row_is_taken_whole_or_not_at_all_and_said_so() {
    let bench = Bench::of([0, 1].map(SimAccount::numbered).to_vec()).await;
    let fleet = bench.fleet().await;
    let dry = import(&fleet, rows().as_bytes(), &DRY).await;
    assert_eq!(numbers(&dry), [2, 0, 1, 2], "{dry:?}");
    assert_eq!(fleet.summary().await.unwrap().total, 0, "a dry run changes nothing");

    let report = import(&fleet, rows().as_bytes(), &ImportOptions::default()).await;
    assert_eq!(numbers(&report), [2, 0, 1, 2], "{report:?}");
    assert_eq!(report.rows[2].fate, Fate::Duplicate { of: report.rows[0].place.clone() });
    assert_eq!(chat(&fleet).await, Ok(()));

    let again = import(&fleet, rows().as_bytes(), &ImportOptions::default()).await;
    assert_eq!(numbers(&again), [0, 0, 3, 2], "{again:?}");
    let replace = ImportOptions { replace: true, ..ImportOptions::default() };
    assert_eq!(numbers(&import(&fleet, rows().as_bytes(), &replace).await), [0, 2, 1, 2]);
    assert_eq!(chat(&fleet).await, Ok(()));

    let nothing = fleet.import(ImportInput::File(b"{\"x\":"), &DRY, &Actor::Cli).await.unwrap_err();
    assert_eq!(nothing.kind, ErrorKind::Invalid);
}

#[tokio::test]
async fn every_format_ends_up_in_the_store_as_a_dry_run_said() {
    let bench = Bench::of(Vec::new()).await;
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("../credential/tests/fixtures");
    let mut formats = 0;
    for entry in fs::read_dir(fixtures).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        let fleet = bench.open(&format!("{name}.db"), KEY, true).await;
        let reports = if path.is_dir() {
            let files: Vec<(String, Vec<u8>)> = fs::read_dir(&path)
                .unwrap()
                .map(|file| file.unwrap().path())
                .map(|file| {
                    (file.file_name().unwrap().to_str().unwrap().to_owned(), fs::read(&file).unwrap())
                })
                .collect();
            let files: Vec<(&str, &[u8])> =
                files.iter().map(|(name, bytes)| (name.as_str(), bytes.as_slice())).collect();
            let dry = fleet.import(ImportInput::Files(&files), &DRY, &Actor::Cli).await.unwrap();
            let wet = ImportOptions::default();
            [dry, fleet.import(ImportInput::Files(&files), &wet, &Actor::Cli).await.unwrap()]
        } else {
            let bytes = fs::read(&path).unwrap();
            [import(&fleet, &bytes, &DRY).await, import(&fleet, &bytes, &ImportOptions::default()).await]
        };
        let [dry, wet] = reports;
        assert_eq!(numbers(&dry), numbers(&wet), "{name}: {wet:?}");
        assert!(wet.added() > 0 || name == "bad_rows.json", "{name}: {wet:?}");
        let summary = fleet.summary().await.unwrap();
        assert_eq!(summary.total, wet.added(), "{name}");
        assert_eq!(bench.open(&format!("{name}.db"), KEY, true).await.summary().await.unwrap(), summary);
        formats += 1;
    }
    assert!(formats >= 20, "the fixtures of qm-credential are there");
}

#[tokio::test]
async fn what_is_exported_with_a_passphrase_is_imported_with_it_elsewhere() {
    let bench = Bench::of([0, 1].map(SimAccount::numbered).to_vec()).await;
    let fleet = bench.fleet().await;
    import(&fleet, rows().as_bytes(), &ImportOptions::default()).await;
    let passphrase = || SecretString::from("correct horse battery");
    let short = fleet.export_sealed(&Selection::All, ExportForm::Json, "short".into(), &Actor::Cli).await;
    assert!(short.is_err_and(|error| error.kind == ErrorKind::Invalid));
    let sealed =
        fleet.export_sealed(&Selection::All, ExportForm::Json, passphrase(), &Actor::Cli).await.unwrap();
    assert_eq!((sealed.accounts, sealed.left_out), (2, 0));
    let shown = String::from_utf8_lossy(&sealed.bytes);
    assert!(!shown.contains("sim-refresh-token"), "{shown}");

    let elsewhere = bench.open("elsewhere.db", KEY, true).await;
    let wrong = ImportInput::Sealed(&sealed.bytes, "another passphrase".into());
    assert!(elsewhere.import(wrong, &ImportOptions::default(), &Actor::Cli).await.is_err());
    let input = ImportInput::Sealed(&sealed.bytes, passphrase());
    let report = elsewhere.import(input, &ImportOptions::default(), &Actor::Cli).await.unwrap();
    assert_eq!(numbers(&report), [2, 0, 0, 0], "{report:?}");
    assert_eq!(chat(&elsewhere).await, Ok(()));

    let one = Selection::These(vec!["1".to_owned()]);
    let lines = fleet.export(&one, ExportForm::Lines, &Actor::Cli).await.unwrap();
    assert!(String::from_utf8_lossy(&lines.bytes).contains("|sim-refresh-token-0|"));
    let none = Selection::These(vec!["99".to_owned()]);
    assert!(fleet.export(&none, ExportForm::Json, &Actor::Cli).await.is_err());
}

#[tokio::test]
async fn a_large_file_is_read_while_requests_are_served() {
    let bench = Bench::of(Vec::new()).await;
    let fleet = bench.fleet().await;
    let options = DRY;
    for (bytes, beside) in [(1_000, false), (4 << 20, true)] {
        // Not closed: it is read whole, and then nothing comes of it.
        let file = format!("[\"{}", "x".repeat(bytes));
        let turns = std::cell::Cell::new(0);
        let others = async {
            loop {
                turns.set(turns.get() + 1);
                tokio::task::yield_now().await;
            }
        };
        let read = fleet.import(ImportInput::File(file.as_bytes()), &options, &Actor::Cli);
        let read = tokio::select! {
            biased;
            read = read => read,
            () = others => unreachable!("they go on for ever"),
        };
        assert_eq!(read.unwrap_err().kind, ErrorKind::Invalid);
        assert_eq!(turns.get() > 0, beside, "{bytes} bytes: others had {} turns", turns.get());
    }
}
