//! The audit at the command line.

use std::str::FromStr as _;

use qm_simulator::SimAccount;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions as _, Connection as _};

use crate::house::House;

pub(crate) async fn alter(house: &House, statement: &'static str) {
    let options =
        SqliteConnectOptions::from_str(house.path("data/quartermaster.db").to_str().unwrap()).unwrap();
    let mut connection = options.connect().await.unwrap();
    sqlx::query(statement).execute(&mut connection).await.unwrap();
    connection.close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_done_is_listed_and_an_altered_entry_is_found() {
    let house = House::with(vec![SimAccount::numbered(0)]).await;
    for command in ["list", "verify"] {
        let none = house.run(&["audit", command]);
        assert!(none.code == Some(1) && none.err.contains("is not there"), "{}", none.err);
    }
    house.account_file("one", &SimAccount::numbered(0));
    house.json(&["accounts", "import", "--from", "one", "--accept-terms"]);
    house.json(&["accounts", "disable", "1"]);
    house.json(&["accounts", "enable", "1"]);

    let listed = house.json(&["audit", "list", "--action", "account"]);
    let entries = listed["entries"].as_array().unwrap();
    let newest = &entries[0];
    assert_eq!((&newest["actor"], &newest["action"]), (&"cli".into(), &"account.enable".into()), "{listed}");
    assert!(newest["atMs"].as_u64().unwrap() > 1_700_000_000_000, "{listed}");
    let limited = house.json(&["audit", "list", "--limit", "1"]);
    assert_eq!(limited["entries"].as_array().unwrap().len(), 1);
    let table = house.run(&["audit", "list"]);
    assert!(table.code == Some(0) && table.out.contains("account.disable"), "{}", table.out);

    let whole = house.json(&["audit", "verify"]);
    assert_eq!((&whole["whole"], &whole["lastHash"]), (&true.into(), &newest["hash"]), "{whole}");
    let second = entries[1]["number"].as_i64().unwrap();
    // Whoever can write the file can take the guard away too; what was written then still does not follow.
    alter(&house, "DROP TRIGGER audit_is_never_changed").await;
    alter(&house, "UPDATE audit SET actor = 'nobody' WHERE number = (SELECT max(number) - 1 FROM audit)")
        .await;
    let said = house.run(&["audit", "verify", "--json"]);
    let broken: serde_json::Value = serde_json::from_str(&said.out).unwrap();
    assert_eq!(
        (said.code, &broken["whole"], broken["brokenAt"].as_i64()),
        (Some(1), &false.into(), Some(second))
    );
}
