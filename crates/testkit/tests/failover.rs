//! One account of several is out of order: nobody but its operator notices.

#[cfg(test)]
mod failover {
    use qm_simulator::{AccountState, Behaviour, Options, RefreshFault};
    use qm_testkit::{ADMIN_KEY, Answer, Client, House, Plan};
    use serde_json::{Value, json};

    const ACCOUNTS: usize = 5;
    /// The one that is out of order.
    const SICK: usize = ACCOUNTS - 1;
    const REQUESTS: usize = 60;

    async fn house() -> House {
        House::build(Plan { simulator: Options::many(ACCOUNTS), ..Plan::default() }).await.expect("a house")
    }

    fn request() -> Value {
        json!({"model": "claude-sonnet-4-5", "max_tokens": 100, "messages": [{"role": "user", "content": "hi"}]})
    }

    async fn ask(client: &Client) -> Answer {
        client.post("/v1/messages", &request()).await.expect("an answer")
    }

    #[tokio::test]
    async fn what_one_account_cannot_serve_another_does() {
        // What is wrong with one account, and how often it may be asked before it is left alone.
        let ills = [
            ("suspended", Behaviour::of(AccountState::Suspended), 1),
            ("risk", Behaviour::of(AccountState::RiskThrottled), 1),
            ("throttled", Behaviour::of(AccountState::Throttled), 1),
            ("month used", Behaviour::of(AccountState::QuotaUsed), 1),
            ("day used", Behaviour::of(AccountState::DailyUsed), 1),
            ("overage used", Behaviour::of(AccountState::OverageUsed), 1),
            ("logged out", Behaviour::of(AccountState::Revoked), 0),
            ("refresh in trouble", Behaviour::refresh_fault(RefreshFault::Html), 0),
            ("no such model", Behaviour::without_models(&["claude-sonnet-4.5"]), 1),
            ("flapping", Behaviour::flapping(1, 3), u64::MAX),
        ];
        for (name, behaviour, most) in ills {
            let house = house().await;
            house.simulator.set_behaviour(SICK, behaviour).expect("there is one");
            for request in 0..REQUESTS {
                let answer = ask(&house.client).await;
                assert_eq!(answer.status, 200, "{name}, request {request}: {}", answer.text());
            }
            let refused = house.simulator.counts(SICK).expect("there is one").refused;
            assert!(refused <= most, "{name}: asked {refused} times too often");
            let shares: Vec<_> =
                (0..SICK).map(|n| house.simulator.counts(n).expect("there is one").chats).collect();
            assert!(shares.iter().all(|share| *share >= 9), "{name}: {shares:?}");
        }
    }

    #[tokio::test]
    async fn an_admin_sees_which_accounts_were_asked_and_nobody_else_does() {
        let house = house().await;
        for n in 0..ACCOUNTS - 1 {
            house.simulator.set_behaviour(n, Behaviour::of(AccountState::Suspended)).expect("there is one");
        }
        let admin = house.client.with_key(ADMIN_KEY).expect("a key");
        let tried = ask(&admin).await.header("x-quartermaster-accounts").to_owned();
        assert!(tried.split(", ").count() >= 2 && tried.ends_with("account 5"), "{tried}");
        assert_eq!(ask(&house.client).await.header("x-quartermaster-accounts"), "");
    }

    #[tokio::test]
    async fn only_an_admin_may_choose_the_account() {
        let house = house().await;
        let choose = |mut client: Client, id: &'static str| async move {
            client.headers.insert("x-account-id", id.parse().expect("ascii"));
            ask(&client).await
        };
        let admin = house.client.with_key(ADMIN_KEY).expect("a key");
        for _ in 0..3 {
            let answer = choose(admin.clone(), "4").await;
            assert_eq!((answer.status, answer.header("x-quartermaster-accounts")), (200, "account 4"));
        }
        assert_eq!(choose(admin.clone(), "9").await.status, 404);
        assert_eq!(choose(admin, "nonsense").await.status, 404);
        let refused = choose(house.client.clone(), "4").await;
        assert_eq!((refused.status, &refused.json()["error"]["type"]), (403, &json!("permission_error")));
    }

    #[tokio::test]
    async fn when_all_are_out_of_order_the_client_is_told_so() {
        let cases = [
            (AccountState::Suspended, 503, "suspended"),
            (AccountState::QuotaUsed, 429, "credits"),
            (AccountState::Revoked, 503, "Token refresh failed"),
        ];
        for (state, status, words) in cases {
            let house = house().await;
            for n in 0..ACCOUNTS {
                house.simulator.set_behaviour(n, Behaviour::of(state)).expect("there is one");
            }
            // The first ones find out; after that nobody is asked any more.
            let mut answer = ask(&house.client).await;
            for _ in 0..ACCOUNTS {
                answer = ask(&house.client).await;
            }
            assert_eq!(answer.status, status, "{state:?}: {}", answer.text());
            assert!(answer.text().contains(words), "{state:?}: {}", answer.text());
        }
    }
}
