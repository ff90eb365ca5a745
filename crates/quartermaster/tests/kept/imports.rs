//! Every format that people keep accounts in, by the command line: files, folders, databases.

use std::path::{Path, PathBuf};

use sqlx::sqlite::{SqliteConnectOptions, SqlitePoolOptions};

use crate::house::House;

/// Fixtures of files and folders, and how many accounts of theirs are added, there already, refused.
const FILES: [(&str, [u64; 3]); 25] = [
    ("amq2api_v2.json", [1, 0, 0]),
    ("amq2api_v2_rows.json", [1, 0, 0]),
    ("api_keys.txt", [2, 0, 0]),
    ("aws_sso_cache.json", [1, 0, 0]),
    ("aws_sso_upload.json", [1, 0, 0]),
    ("bad_rows.json", [4, 0, 15]),
    ("cliproxyapi.json", [1, 0, 0]),
    ("environment.env", [4, 0, 2]),
    ("json_lines.json", [2, 0, 0]),
    ("kiro2api.json", [3, 0, 0]),
    ("kiro_account_manager.json", [2, 0, 0]),
    ("kiro_account_manager_flat.json", [1, 0, 0]),
    ("kiro_cli.json", [4, 0, 0]),
    ("kiro_cli_table.json", [1, 0, 0]),
    ("kiro_gateway.json", [1, 0, 2]),
    ("kiro_ide_idc", [1, 0, 0]),
    ("kiro_ide_social", [1, 0, 0]),
    ("kiro_rs.json", [5, 0, 0]),
    ("kiro_rs_single.json", [1, 0, 0]),
    ("lines_full.txt", [2, 0, 1]),
    ("lines_short.txt", [2, 0, 0]),
    ("q2api_array.json", [2, 0, 0]),
    ("q2api_feed.json", [1, 0, 0]),
    ("q2api_object.json", [1, 0, 0]),
    ("q2api_rows.json", [1, 0, 1]),
];

/// Databases of other systems, and the same.
const DATABASES: [(&str, &str, [u64; 3]); 4] = [
    ("q2api", include_str!("../../../store-sqlite/tests/fixtures/q2api.sql"), [2, 0, 0]),
    ("amq2api-v1.5", include_str!("../../../store-sqlite/tests/fixtures/amq2api-v1.5.sql"), [2, 0, 1]),
    ("amq2api-v2.0", include_str!("../../../store-sqlite/tests/fixtures/amq2api-v2.0.sql"), [2, 0, 0]),
    ("kiro-cli", include_str!("../../../store-sqlite/tests/fixtures/kiro-cli.sql"), [2, 0, 0]),
];

fn imported(house: &mut House, name: &str, from: &Path) -> (Option<i32>, [u64; 3]) {
    house.set("DATABASE_PATH", &format!("data/{name}.db"));
    let from = from.to_str().unwrap();
    let said = house.run(&["accounts", "import", "--from", from, "--accept-terms", "--json"]);
    assert!(said.out.starts_with('{'), "{name}: {}", said.err);
    let report: serde_json::Value = serde_json::from_str(&said.out).unwrap();
    for secret in ["aorRefresh", "aor-", "client-secret", "ksk_"] {
        assert!(!said.out.contains(secret) && !said.err.contains(secret), "{name}: {secret}");
    }
    let counts = ["added", "duplicates", "refused"].map(|count| report[count].as_u64().unwrap());
    let listed = house.json(&["accounts", "list"]);
    assert_eq!(listed["accounts"].as_array().unwrap().len() as u64, counts[0], "{name}");
    (said.code, counts)
}

#[tokio::test(flavor = "multi_thread")]
async fn files_and_folders_of_every_format_are_taken() {
    let mut house = House::with(Vec::new()).await;
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("../credential/tests/fixtures");
    let mut there: Vec<PathBuf> =
        std::fs::read_dir(&fixtures).unwrap().map(|entry| entry.unwrap().path()).collect();
    there.sort();
    let mut found = Vec::new();
    for path in &there {
        let name = path.file_name().unwrap().to_str().unwrap();
        let (code, counts) = imported(&mut house, name, path);
        assert_eq!(code, Some(i32::from(counts[2] > 0)), "{name}");
        found.push((name, counts));
    }
    assert_eq!(found, FILES);
}

#[tokio::test(flavor = "multi_thread")]
async fn databases_of_other_systems_are_taken_and_left_as_they_were() {
    let mut house = House::with(Vec::new()).await;
    for (name, sql, expected) in DATABASES {
        let path = house.path(&format!("{name}.theirs"));
        let options = SqliteConnectOptions::new().filename(&path).create_if_missing(true);
        let theirs = SqlitePoolOptions::new().max_connections(1).connect_with(options).await.unwrap();
        sqlx::raw_sql(sql).execute(&theirs).await.unwrap();
        theirs.close().await;
        let before = std::fs::read(&path).unwrap();
        let (_, counts) = imported(&mut house, name, &path);
        assert_eq!(counts, expected, "{name}");
        assert!(std::fs::read(&path).unwrap() == before, "{name}");
    }
}
