//! What operators do to accounts at the command line.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;

use qm_simulator::{DeviceEnd, SimAccount};
use serde_json::Value;

use crate::house::{ADMIN, House, KEY};

fn labels(listed: &Value) -> Vec<(String, bool)> {
    let accounts = listed["accounts"].as_array().unwrap().iter();
    accounts
        .map(|account| (account["label"].as_str().unwrap().to_owned(), account["enabled"] == true))
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn accounts_go_out_under_a_passphrase_and_come_back_as_they_were() {
    let accounts: Vec<SimAccount> = (0..2).map(SimAccount::numbered).collect();
    let mut house = House::with(accounts.clone()).await;
    for (name, account) in ["one", "two"].into_iter().zip(&accounts) {
        house.account_file(name, account);
        let dry = house.json(&["accounts", "import", "--from", name, "--dry-run"]);
        assert_eq!(
            (&dry["added"], &dry["rows"][0]["outcome"]),
            (&1.into(), &"would be added".into()),
            "{dry}"
        );
        let before = house.json(&["accounts", "list"])["accounts"].as_array().unwrap().len();
        assert_eq!((&dry["dryRun"], before), (&true.into(), usize::from(name == "two")), "{dry}");
        house.json(&["accounts", "import", "--from", name, "--accept-terms"]);
    }
    let again = house.json(&["accounts", "import", "--from", "one"]);
    assert_eq!((&again["added"], &again["duplicates"]), (&0.into(), &1.into()), "{again}");
    house.json(&["accounts", "disable", "2"]);

    std::fs::write(house.path("words"), "a long enough passphrase\n").unwrap();
    let refused = house.run(&["accounts", "export", "--to", "out.age"]);
    assert!(refused.code == Some(1) && refused.err.contains("--passphrase-file"), "{}", refused.err);
    let export = ["accounts", "export", "--to", "out.age", "--passphrase-file", "words"];
    assert_eq!(house.json(&export)["accounts"], 2);
    let twice = house.run(&export);
    assert!(twice.code == Some(1) && twice.err.contains("is there already"), "{}", twice.err);
    let file = std::fs::read_to_string(house.path("out.age")).unwrap();
    assert!(file.starts_with("-----BEGIN AGE ENCRYPTED FILE-----"), "{file}");

    house.set("DATABASE_PATH", "elsewhere/accounts.db");
    house.set("QM_ACCEPT_UPSTREAM_TERMS", "true");
    let import = ["accounts", "import", "--from", "out.age", "--passphrase-file", "words"];
    assert_eq!(house.json(&import)["added"], 2);
    let listed = house.json(&["accounts", "list"]);
    assert_eq!(labels(&listed), [("one".to_owned(), true), ("two".to_owned(), false)]);
    assert!(!listed.to_string().contains("sim-refresh") && !listed.to_string().contains("sim-client-secret"));

    let tested = house.json(&["accounts", "test", "1"]);
    assert_eq!(tested["tests"][0]["token"], "ok", "{tested}");
    house.json(&["accounts", "enable", "2"]);
    house.json(&["accounts", "remove", "1"]);
    assert_eq!(labels(&house.json(&["accounts", "list"])), [("two".to_owned(), true)]);
    let unknown = house.run(&["accounts", "remove", "1"]);
    assert!(unknown.code == Some(1) && unknown.out.contains("not found"), "{}", unknown.out);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_logs_in_and_the_account_is_there() {
    let house = House::with(vec![SimAccount::default()]).await;
    let said = house.run(&["login", "--label", "mine", "--accept-terms", "--json"]);
    assert_eq!(said.code, Some(0), "{}{}", said.out, said.err);
    let lines: Vec<Value> = said.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let [invitation, account] = lines.as_slice() else { panic!("{}", said.out) };
    let (code, address) = (&invitation["userCode"], &invitation["verificationUriComplete"]);
    assert!(address.as_str().unwrap().contains(code.as_str().unwrap()), "{invitation}");
    assert_eq!(
        (&account["account"]["label"], &account["account"]["origin"]),
        (&"mine".into(), &"login".into())
    );
    assert_eq!(labels(&house.json(&["accounts", "list"])), [("mine".to_owned(), true)]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_login_that_is_interrupted_is_called_off() {
    let house = House::with(vec![SimAccount::default()]).await;
    house.sim.knobs().device = DeviceEnd::Manual;
    let said = house.interrupt(&["login", "--accept-terms", "--json"]);
    assert!(said.code == Some(1) && said.err.contains("was called off"), "{:?}: {}", said.code, said.err);
    assert!(labels(&house.json(&["accounts", "list"])).is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn who_would_serve_is_said_with_the_reasons_of_the_others() {
    let accounts: Vec<SimAccount> = (0..2).map(SimAccount::numbered).collect();
    let house = House::with(accounts.clone()).await;
    for (name, account) in ["one", "two"].into_iter().zip(&accounts) {
        house.account_file(name, account);
        house.json(&["accounts", "import", "--from", name, "--accept-terms"]);
    }
    house.json(&["accounts", "disable", "1"]);
    let picked = house.json(&["simulate-pick"]);
    let verdicts = picked["accounts"].as_array().unwrap();
    assert_eq!((&verdicts[0]["number"], &verdicts[0]["chosen"]), (&2.into(), &true.into()), "{picked}");
    assert_eq!((&verdicts[1]["number"], &verdicts[1]["reason"]), (&1.into(), &"disabled".into()), "{picked}");
    let table = house.run(&["simulate-pick"]);
    assert!(table.out.contains("would serve") && table.out.contains("disabled"), "{}", table.out);
    house.json(&["accounts", "disable", "2"]);
    assert_eq!(house.run(&["simulate-pick"]).code, Some(1), "nobody is left");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_conversation_is_found_again_in_the_gateway_by_the_number_that_the_command_says() {
    let accounts: Vec<SimAccount> = (0..2).map(SimAccount::numbered).collect();
    let mut house = House::with(accounts.clone()).await;
    house.set("OPENAI_KEYS", &format!("sk-another-key,{KEY}"));
    house.set("LOAD_BALANCE_STRATEGY", "priority");
    for (name, account) in ["one", "two"].into_iter().zip(&accounts) {
        house.account_file(name, account);
        house.json(&["accounts", "import", "--from", name, "--accept-terms"]);
    }
    let gateway = house.serve();
    let admin = |what: &str, body: &str| -> Value {
        let (status, body) = gateway.call(what, ADMIN, body);
        assert_eq!(status, 200, "{what}: {body}");
        serde_json::from_str(&body).unwrap()
    };
    // The first account would have everything; the conversation meets the second while the first is off.
    admin("PATCH /api/v1/accounts/2", r#"{"priority":5}"#);
    admin("POST /api/v1/accounts/1/disable", "");
    let asked = r#"{"model":"claude-sonnet-4-5","max_tokens":64,"metadata":{"user_id":"session-7"},
        "messages":[{"role":"user","content":"Hello"}]}"#;
    assert_eq!(gateway.call("POST /v1/messages", KEY, asked).0, 200);
    admin("POST /api/v1/accounts/1/enable", "");
    let chosen = |query: &str| -> Value {
        let explained = admin(&format!("GET /api/v1/pool/explain{query}"), "");
        let accounts = explained["accounts"].as_array().unwrap();
        accounts.iter().find(|one| one["chosen"] == true).unwrap()["number"].clone()
    };
    let with = |key: &str| -> Value {
        let picked = house.json(&["simulate-pick", "--affinity", "session-7", "--key", key]);
        chosen(&format!("?affinity={}", picked["affinity"].as_str().unwrap()))
    };
    assert_eq!((chosen(""), with("1")), (1.into(), 1.into()), "another key is another conversation");
    assert_eq!(with("2"), 2, "it stays with the account it had");
    let none = house.run(&["simulate-pick", "--affinity", "session-7", "--key", "3"]);
    assert!(none.code == Some(1) && none.err.contains("no key number 3"), "{}", none.err);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_doctor_says_what_is_wrong_and_makes_nothing() {
    let mut house = House::with(vec![SimAccount::numbered(0)]).await;
    let fresh = house.run(&["doctor"]);
    assert!(
        fresh.code == Some(0) && fresh.out.contains("the first start makes it"),
        "{}{}",
        fresh.out,
        fresh.err
    );
    assert!(!house.path("data").exists(), "a look makes nothing");

    house.account_file("one", &SimAccount::numbered(0));
    house.json(&["accounts", "import", "--from", "one", "--accept-terms"]);
    let well = house.json(&["doctor"]);
    assert_eq!(well["ok"], true, "{well}");

    house.set("OPENAI_KEYS", "");
    house.set("ADMIN_KEY", "");
    house.set("AMAZONQ_API_ENDPOINT", "http://127.0.0.1:9");
    std::fs::rename(house.path("data/quartermaster.key"), house.path("gone")).unwrap();
    let ill = house.run(&["doctor"]);
    assert_eq!(ill.code, Some(1), "{}", ill.out);
    for next_step in ["set OPENAI_KEYS", "put it back from your backup", "check firewall"] {
        let words: String = ill.out.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(words.contains(next_step), "{next_step}: {}", ill.out);
    }
    assert!(!house.path("data/quartermaster.key").exists(), "and still makes nothing");
}

/// Answers every call as an upstream does to whom it does not know, with this date.
fn clock(date: &'static str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut head = [0; 4096];
            if stream.read(&mut head).unwrap() > 0 {
                write!(stream, "HTTP/1.1 403 Forbidden\r\ndate: {date}\r\ncontent-length: 0\r\n\r\n")
                    .unwrap();
            }
        }
    });
    format!("http://{address}")
}

#[tokio::test(flavor = "multi_thread")]
async fn the_doctor_holds_the_clock_against_the_upstreams() {
    let mut house = House::with(Vec::new()).await;
    house.set("AMAZONQ_API_ENDPOINT", &clock("Thu, 01 Jan 2015 00:00:00 GMT"));
    let said = house.run(&["doctor", "--json"]);
    let told: Value = serde_json::from_str(&said.out).unwrap();
    let findings = told["findings"].as_array().unwrap();
    let of =
        |what: &str| findings.iter().find(|one| one["what"].as_str().unwrap().starts_with(what)).unwrap();
    assert_eq!(
        (said.code, &of("upstream")["ok"], &of("clock")["ok"]),
        (Some(1), &true.into(), &false.into()),
        "{told}"
    );
    let words = of("clock")["words"].as_str().unwrap();
    assert!(words.contains("days fast") && words.contains("set it"), "{words}");
    let offline = house.run(&["doctor", "--offline"]);
    assert!(!offline.out.contains("clock"), "{}", offline.out);
}
