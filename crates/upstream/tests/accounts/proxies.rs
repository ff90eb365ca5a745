//! Calls go out through proxies: with a password, by name, and with an error that says where it failed.

use qm_credential::Kind;
use qm_simulator::SimAccount;
use qm_simulator::proxy::{ProxyFault, ProxyKind, ProxyOptions, start};
use qm_upstream::{Endpoints, Pins, Proxies, Proxy, Way};

use super::house::{Bench, chat, client, login};

/// A name that nobody can resolve: only the proxy can know where it leads.
const NOWHERE: &str = "http://upstream.invalid";

fn options(bench: &Bench, kind: ProxyKind) -> ProxyOptions {
    let login = Some(("user".to_owned(), "secret".to_owned()));
    ProxyOptions { kind, login, to: Some(bench.simulator.addr()), fault: None }
}

async fn chat_by(bench: &Bench, way: Way) -> Result<(), String> {
    let endpoints = Endpoints::new(Some(NOWHERE), Some(NOWHERE)).expect("an address");
    let credential = login(Kind::BuilderId, &SimAccount::default());
    let account = bench.account_by(client().by(way), credential, Pins::default(), endpoints);
    chat(&account).await.1.map_err(|failure| failure.fault.code.into_owned())
}

#[tokio::test]
async fn everything_goes_through_the_proxy_and_names_are_resolved_there() {
    for kind in [ProxyKind::Http, ProxyKind::Socks5] {
        let bench = Bench::of(SimAccount::default()).await;
        let proxy = start(options(&bench, kind)).await.expect("a proxy");
        let way = Way::Through(Proxy::parse(&proxy.url()).expect("an address"));
        assert_eq!(chat_by(&bench, way).await, Ok(()), "{kind:?}");
        let counts = proxy.counts();
        assert!(counts.tunnels > 0 && counts.refused == 0, "{counts:?}");
        assert!(counts.targets.iter().all(|target| target == "upstream.invalid:80"), "{:?}", counts.targets);
    }
}

#[tokio::test]
async fn a_failure_names_the_proxy_and_the_stage() {
    for kind in [ProxyKind::Http, ProxyKind::Socks5] {
        let bench = Bench::of(SimAccount::default()).await;
        let proxy = start(options(&bench, kind)).await.expect("a proxy");
        let through = |url: &str| Way::Through(Proxy::parse(url).expect("an address"));
        let wrong = proxy.url().replace("secret", "guess");
        assert_eq!(
            chat_by(&bench, through(&wrong)).await,
            Err("refresh/network-proxy-login".to_owned()),
            "{kind:?}"
        );
        let without = proxy.url().replace("user:secret@", "");
        assert_eq!(
            chat_by(&bench, through(&without)).await,
            Err("refresh/network-proxy-login".to_owned()),
            "{kind:?}"
        );
        proxy.set_fault(Some(ProxyFault::Unreachable));
        assert_eq!(
            chat_by(&bench, through(&proxy.url())).await,
            Err("refresh/network-proxy-beyond".to_owned()),
            "{kind:?}"
        );
        let gone = if kind == ProxyKind::Http { "http://127.0.0.1:1" } else { "socks5h://127.0.0.1:1" };
        assert_eq!(
            chat_by(&bench, through(gone)).await,
            Err("refresh/network-proxy-reach".to_owned()),
            "{kind:?}"
        );
    }
}

#[tokio::test]
async fn a_simulator_on_this_machine_is_reached_past_the_machines_proxy() {
    let bench = Bench::of(SimAccount::default()).await;
    let proxies = Proxies { http: Proxy::parse("http://127.0.0.1:1").ok(), ..Proxies::default() };
    let account = bench.account_by(
        client().by(Way::Usual(proxies.into())),
        login(Kind::BuilderId, &SimAccount::default()),
        Pins::default(),
        Endpoints::behind(&bench.simulator.base()).expect("an address"),
    );
    assert_eq!(chat(&account).await.1.map_err(|failure| failure.fault.code), Ok(()));
}
