//! Accounts that are added by hand.

use qm_simulator::SimAccount;
use serde_json::{Value, json};

use crate::house::{House, Said};

fn account(said: &Said) -> Value {
    assert_eq!(said.code, Some(0), "{}{}", said.out, said.err);
    serde_json::from_str::<Value>(&said.out).unwrap()["account"].clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_is_added_by_flags_and_lines_and_serves() {
    let sim = SimAccount::numbered(0);
    let house = House::with(vec![sim.clone()]).await;
    let lines = format!("{}\n{}\r\n{}\n", sim.client_id, sim.client_secret, sim.refresh_token);
    let add =
        ["accounts", "add", "--kind", "builder-id", "--label", "mine", "--owner", "ann", "--weight", "7"];
    let unread = house.run_with(&add, &lines);
    assert!(unread.code == Some(1) && unread.err.contains("--accept-terms"), "{}", unread.err);

    let added = account(&house.run_with(&[&add[..], &["--accept-terms", "--json"]].concat(), &lines));
    let told = ["kind", "label", "owner", "weight"].map(|field| added[field].clone());
    assert_eq!(told, ["builder-id".into(), "mine".into(), "ann".into(), Value::from(7)], "{added}");
    assert_eq!(house.json(&["accounts", "test", "1"])["tests"][0]["token"], "ok");
    let twice = house.run_with(&add, &lines);
    assert!(twice.code == Some(1) && !twice.err.contains(&sim.refresh_token), "{}", twice.err);
    assert_eq!(house.json(&["accounts", "list"])["accounts"].as_array().unwrap().len(), 1);
    assert_eq!(house.shows(&sim.refresh_token), None, "what is kept is sealed");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_kind_has_its_lines_and_its_flags() {
    let mut house = House::with(Vec::new()).await;
    house.set("QM_ACCEPT_UPSTREAM_TERMS", "true");
    let token = "aorAAAAAG0123456789";
    let endpoint = "https://login.microsoftonline.com/tenant/oauth2/v2.0/token";
    for (flags, lines, kind) in [
        (
            &["identity-center", "--start-url", "https://d-9067.awsapps.com/start"][..],
            "c\ns1\naorBBBB\n",
            "identity-center",
        ),
        (&["identity-center", "--region", "eu-west-1"], "c\ns2\naorCCCC", "identity-center"),
        (&["social", "--provider", "github", "--disabled"], token, "social"),
        (&["external-idp", "--token-endpoint", endpoint], "c\n\nexternal-refresh\n", "external-idp"),
        (&["api-key", "--region", "us-east-1"], "ksk_0123456789abcdef\n", "api-key"),
    ] {
        let said = house.run_with(&[&["accounts", "add", "--json", "--kind"], flags].concat(), lines);
        let added = account(&said);
        assert_eq!(
            (&added["kind"], added["enabled"] == true),
            (&kind.into(), kind != "social"),
            "{flags:?}: {added}"
        );
    }
    for (flags, lines, why) in [
        (&["builder-id"][..], "c\nsecret-line\n", "2 lines instead of 3"),
        (&["social"], "c\nsecret-line\nr\n", "3 lines instead of 1"),
        (
            &["builder-id", "--start-url", "https://d-9067.awsapps.com/start"],
            "c\nsecret-line\nr",
            "goes with --kind identity-center",
        ),
        (&["external-idp"], "c\nsecret-line\nr", "tokenEndpoint is missing"),
        (&["builder-id"], "c\n\nsecret-line", "clientSecret is missing"),
        (&["api-key"], "secret line", "kiroApiKey is malformed"),
    ] {
        let said = house.run_with(&[&["accounts", "add", "--kind"], flags].concat(), lines);
        assert!(said.code == Some(1) && said.err.contains(why), "{flags:?}: {:?} {}", said.code, said.err);
        assert!(!said.err.contains("secret-line"), "{}", said.err);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_is_added_with_its_limits_and_its_proxy_and_its_token_renewed() {
    let sim = SimAccount::numbered(0);
    let mut house = House::with(vec![sim.clone()]).await;
    house.set("QM_ACCEPT_UPSTREAM_TERMS", "true");
    let lines = format!("{}\n{}\n{}\ndirect\n", sim.client_id, sim.client_secret, sim.refresh_token);
    let add = ["accounts", "add", "--kind", "builder-id", "--tag", "ci", "--tag", "night", "--rpm", "10"];
    let more = ["--concurrency", "3", "--proxy", "--json"];
    let added = account(&house.run_with(&[&add[..], &more].concat(), &lines));
    assert_eq!(added["tags"], json!(["ci", "night"]), "{added}");
    assert_eq!((&added["requestsPerMinute"], &added["concurrency"]), (&10.into(), &3.into()), "{added}");
    assert_eq!(added["proxy"], "direct", "{added}");

    let before = house.sim.counts(0).unwrap().refreshed;
    house.json(&["accounts", "refresh", "1"]);
    let all = house.json(&["accounts", "refresh", "--all"]);
    assert_eq!(all["accounts"], json!([{ "account": "1", "outcome": "renewed" }]), "{all}");
    assert_eq!(house.sim.counts(0).unwrap().refreshed, before + 2);
    let unknown = house.run(&["accounts", "refresh", "7"]);
    assert!(unknown.code == Some(1) && unknown.out.contains("not found"), "{}", unknown.out);
    assert_eq!(house.run(&["accounts", "refresh"]).code, Some(2), "whose tokens must be said");
}

#[tokio::test(flavor = "multi_thread")]
async fn long_work_writes_no_line_where_there_is_no_terminal() {
    let accounts: Vec<SimAccount> = (0..4).map(SimAccount::numbered).collect();
    let mut house = House::with(accounts.clone()).await;
    house.set("QM_ACCEPT_UPSTREAM_TERMS", "true");
    house.set("QM_LOG", "error");
    let rows: Vec<Value> = accounts
        .iter()
        .map(|SimAccount { refresh_token, client_id, client_secret, .. }| {
            json!({ "clientId": client_id, "clientSecret": client_secret, "refreshToken": refresh_token })
        })
        .collect();
    std::fs::write(house.path("many"), Value::from(rows).to_string()).unwrap();
    for command in [&["accounts", "import", "--from", "many"][..], &["accounts", "test", "1", "2", "3", "4"]]
    {
        let said = house.run(command);
        assert_eq!((said.code, said.err.as_str()), (Some(0), ""), "{command:?}: {}", said.out);
        assert!(!said.out.contains("1 of 4"), "{}", said.out);
    }
}
