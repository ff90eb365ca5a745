//! Databases with the tables of other systems, as those make them, filled with logins that never were.

#![expect(clippy::unwrap_used, reason = "what fails here fails the test")]

use std::path::{Path, PathBuf};

use qm_store_sqlite::foreign::{Foreign, ForeignError, System, is_database, read};
use qm_store_sqlite::{OpenError, SqliteStore};
use serde_json::{Value, json};
use sqlx::SqlitePool;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions};
use tempfile::TempDir;

const Q2API: &str = include_str!("fixtures/q2api.sql");
const AMQ2API_V15: &str = include_str!("fixtures/amq2api-v1.5.sql");
const AMQ2API_V2: &str = include_str!("fixtures/amq2api-v2.0.sql");
const KIRO_CLI: &str = include_str!("fixtures/kiro-cli.sql");

async fn write(path: &Path, sql: &'static str, journal: SqliteJournalMode) -> SqlitePool {
    let options = SqliteConnectOptions::new().filename(path).create_if_missing(true).journal_mode(journal);
    let pool = SqlitePoolOptions::new().max_connections(1).connect_with(options).await.unwrap();
    sqlx::raw_sql(sql).execute(&pool).await.unwrap();
    pool
}

async fn made(sql: &'static str) -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("theirs.db");
    write(&path, sql, SqliteJournalMode::Delete).await.close().await;
    (folder, path)
}

fn json_of(foreign: &Foreign) -> Value {
    serde_json::from_slice(&foreign.json).unwrap()
}

#[tokio::test]
async fn q2api_is_read() {
    let (_folder, path) = made(Q2API).await;
    let foreign = read(&path).await.unwrap();
    assert_eq!((foreign.system, foreign.rows), (System::Q2api, 2));
    let expected = json!({"accounts": [
        {
            "label": "first", "clientId": "client-1", "clientSecret": "client-secret-1", "refreshToken": "aorRefresh-1",
            "accessToken": "aoaAccess-1", "other": "{\"source\":\"feed\"}", "enabled": 1,
            "expires_at": "2026-01-02T03:04:05"
        },
        {"clientId": "client-2", "clientSecret": "client-secret-2", "refreshToken": "aorRefresh-2", "enabled": 0},
    ]});
    assert_eq!(json_of(&foreign), expected);
}

#[tokio::test]
async fn amq2api_v15_is_read_and_keeps_whose_accounts_they_are() {
    let (_folder, path) = made(AMQ2API_V15).await;
    let foreign = read(&path).await.unwrap();
    assert_eq!((foreign.system, foreign.rows), (System::Amq2apiV15, 3));
    let accounts = json_of(&foreign)["accounts"].clone();
    let types: Vec<&str> = (0..3).map(|at| accounts[at]["type"].as_str().unwrap()).collect();
    assert_eq!(types, ["amazonq", "gemini", "amazonq"]);
    assert_eq!(accounts[0]["rate_limit_per_hour"], 20);
    assert_eq!(accounts[0]["other"], "{\"suspended\": true, \"suspend_reason\": \"TEMPORARILY_SUSPENDED\"}");
    assert_eq!(accounts[2]["refreshToken"], "aorRefresh-5");
}

#[tokio::test]
async fn amq2api_v2_is_read() {
    let (_folder, path) = made(AMQ2API_V2).await;
    let foreign = read(&path).await.unwrap();
    assert_eq!((foreign.system, foreign.rows), (System::Amq2apiV2, 2));
    let accounts = json_of(&foreign)["accounts"].clone();
    let expected = json!({
        "name": "组织", "refresh_token": "aorRefresh-6", "client_id": "client-6", "client_secret": "client-secret-6",
        "profile_arn": "arn:aws:codewhisperer:us-east-1:123456789012:profile/ABCDEFGHIJKL", "is_active": 1,
        "requests_per_minute": 10, "notes": "of the team"
    });
    assert_eq!(accounts[0], expected);
    assert_eq!(accounts[1]["is_active"], 0);
}

#[tokio::test]
async fn the_command_lines_store_is_read_without_what_is_none_of_our_business() {
    let (_folder, path) = made(KIRO_CLI).await;
    let foreign = read(&path).await.unwrap();
    assert_eq!((foreign.system, foreign.rows), (System::CommandLine, 3));
    let read = json_of(&foreign);
    let token: Value = serde_json::from_str(read["auth_kv"]["kirocli:odic:token"].as_str().unwrap()).unwrap();
    assert_eq!(token["refresh_token"], "aorRefresh-8");
    assert!(read["auth_kv"]["kirocli:odic:device-registration"].is_string());
    assert_eq!(read["state"]["auth.idc.region"], "\"eu-central-1\"", "a blob in their table");
    assert!(read["state"].get("telemetry.id").is_none() && !read.to_string().contains("a private question"));
}

/// A container that was stopped hard leaves its last writes in the log.
#[tokio::test]
async fn what_is_still_in_the_log_is_read_while_the_other_program_runs() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("data.sqlite3");
    let theirs = write(&path, Q2API, SqliteJournalMode::Wal).await;
    assert!(std::fs::metadata(folder.path().join("data.sqlite3-wal")).unwrap().len() > 0);
    assert_eq!(read(&path).await.unwrap().rows, 2);
    let copy = folder.path().join("copy.sqlite3");
    for suffix in ["", "-wal"] {
        std::fs::copy(
            folder.path().join(format!("data.sqlite3{suffix}")),
            format!("{}{suffix}", copy.display()),
        )
        .unwrap();
    }
    assert_eq!(read(&copy).await.unwrap().rows, 2);
    theirs.close().await;
}

#[tokio::test]
async fn nothing_of_theirs_is_written() {
    for sql in [Q2API, AMQ2API_V15, AMQ2API_V2, KIRO_CLI] {
        let (folder, path) = made(sql).await;
        let before = (std::fs::read(&path).unwrap(), std::fs::metadata(&path).unwrap().permissions());
        read(&path).await.map(|_| ()).unwrap();
        let refused = SqliteStore::open(&path).await.err().unwrap();
        assert!(matches!(refused, OpenError::Foreign(_)), "{refused}");
        assert!(refused.to_string().contains("accounts import --from"), "{refused}");
        let after = (std::fs::read(&path).unwrap(), std::fs::metadata(&path).unwrap().permissions());
        assert!(before == after, "the file is as it was");
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1, "and nothing is beside it");
    }
}

#[tokio::test]
async fn other_files_are_refused_with_a_reason() {
    let (_folder, path) = made("CREATE TABLE accounts (id INTEGER, balance REAL);").await;
    assert!(is_database(&std::fs::read(&path).unwrap()));
    assert!(matches!(read(&path).await, Err(ForeignError::Unknown(_))));
    let text = path.with_extension("json");
    std::fs::write(&text, "{\"refreshToken\":\"aorSecret\"}".repeat(100)).unwrap();
    assert!(!is_database(&std::fs::read(&text).unwrap()));
    let refused = read(&text).await.err().unwrap().to_string();
    assert!(!refused.contains("aorSecret"), "{refused}");
    let missing = read(&path.with_extension("none")).await.err().unwrap();
    assert!(matches!(missing, ForeignError::Database { .. }), "{missing}");
    assert!(!path.with_extension("none").exists(), "a missing file is not made");
}
