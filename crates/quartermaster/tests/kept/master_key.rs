//! The master key: made once, never guessed anew, and changed without losing a login.

use qm_simulator::SimAccount;

use crate::house::{House, KEY};

const KEY_FILE: &str = "data/quartermaster.key";

async fn house_with_an_account() -> House {
    let account = SimAccount::numbered(0);
    let house = House::with(vec![account.clone()]).await;
    house.account_file("one", &account);
    house.json(&["accounts", "import", "--from", "one", "--accept-terms"]);
    house
}

fn lines(house: &House) -> Vec<String> {
    let text = std::fs::read_to_string(house.path(KEY_FILE)).unwrap();
    text.lines().map(str::to_owned).collect()
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn it_is_made_once_and_for_its_owner_only() {
    use std::os::unix::fs::PermissionsExt as _;

    let house = house_with_an_account().await;
    let mode = |name: &str| std::fs::metadata(house.path(name)).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(KEY_FILE), mode("data/quartermaster.db"), mode("data")), (0o600, 0o600, 0o700));
    let before = lines(&house);
    let gateway = house.serve();
    assert_eq!(gateway.ask(KEY), 200);
    assert_eq!((gateway.stop(), lines(&house)), (Some(0), before));
}

#[tokio::test(flavor = "multi_thread")]
async fn without_it_nothing_starts_and_no_new_one_is_made() {
    let mut house = house_with_an_account().await;
    let key = lines(&house).remove(0);
    std::fs::remove_file(house.path(KEY_FILE)).unwrap();
    assert_eq!(house.json(&["migrate"])["upToDate"], true, "a schema is no secret");
    for command in [&["serve", "--port", "0"][..], &["accounts", "list"]] {
        let said = house.run(command);
        assert!(said.code == Some(1) && said.err.contains("put it back from your backup"), "{}", said.err);
    }
    assert!(!house.path(KEY_FILE).exists());
    house.set("QM_MASTER_KEY", &key);
    assert_eq!(house.json(&["accounts", "list"])["accounts"][0]["state"], "ready");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_one_takes_over_in_two_steps() {
    let house = house_with_an_account().await;
    let old = lines(&house);
    let first = house.json(&["rekey"]);
    assert_eq!(first["sealed"], 1, "{first}");
    let both = lines(&house);
    assert_eq!((both.len(), &both[1]), (2, &old[0]), "the old key still opens");

    // A gateway from before seals with the old key until it is restarted: as if nothing had been sealed anew.
    let swapped = format!("{}\n{}\n", both[1], both[0]);
    std::fs::write(house.path(KEY_FILE), swapped).unwrap();
    assert_eq!(house.json(&["rekey", "--finish"])["sealed"], 1, "it is sealed back with the first");
    std::fs::write(house.path(KEY_FILE), both.join("\n")).unwrap();

    let last = house.json(&["rekey", "--finish"]);
    assert_eq!((&last["sealed"], lines(&house)), (&1.into(), vec![both[0].clone()]), "{last}");
    let gateway = house.serve();
    assert_eq!(gateway.ask(KEY), 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_that_was_broken_off_goes_on() {
    let house = house_with_an_account().await;
    let old = lines(&house);
    // The file is written before anything is sealed: broken off there, both keys are in it.
    house.json(&["rekey"]);
    house.json(&["rekey"]);
    assert_eq!((lines(&house).len(), lines(&house).pop()), (3, old.into_iter().next()));
    house.json(&["rekey", "--finish"]);
    assert_eq!(lines(&house).len(), 1);
    assert_eq!(house.json(&["accounts", "test", "1"])["tests"][0]["token"], "ok");
}
