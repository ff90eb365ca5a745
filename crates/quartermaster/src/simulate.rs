//! `simulate`: the simulated upstream alone.

use std::io::Write;

use anyhow::Context;
use qm_simulator::{Bench, Options, SimAccount};

use crate::cli::SimulateFlags;
use crate::stop;

/// Runs the simulator until asked to stop.
pub(crate) async fn run(flags: SimulateFlags) -> anyhow::Result<()> {
    let account = SimAccount::default();
    let bench = flags.bench_events.map(|events| Bench {
        events,
        bytes_per_event: flags.bench_bytes,
        pace: flags.bench_pace(),
        per_write: flags.bench_per_write,
        stamp: flags.bench_stamp,
        poll: false,
    });
    let options = Options {
        bind: flags.bind,
        pace: flags.pace(),
        accounts: vec![account.clone()],
        bench,
        ..Options::default()
    };
    let simulator = qm_simulator::start(options)
        .await
        .with_context(|| format!("the simulator cannot listen on {}: choose another --bind", flags.bind))?;
    std::io::stdout().lock().write_all(how_to_use(&simulator.base(), &account).as_bytes())?;
    stop::asked().await;
    Ok(())
}

/// The address in the first line alone, for scripts; then the variables that point a gateway at it.
fn how_to_use(base: &str, account: &SimAccount) -> String {
    let SimAccount { refresh_token, client_id, client_secret, .. } = account;
    format!(
        "{base}\n\
         AMAZONQ_API_ENDPOINT={base}\n\
         AMAZONQ_TOKEN_ENDPOINT={base}/token\n\
         AMAZONQ_REFRESH_TOKEN={refresh_token}\n\
         AMAZONQ_CLIENT_ID={client_id}\n\
         AMAZONQ_CLIENT_SECRET={client_secret}\n"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_line_is_the_address_and_the_rest_can_be_sourced() {
        let text = how_to_use("http://127.0.0.1:9", &SimAccount::default());
        let mut lines = text.lines();
        assert_eq!(lines.next(), Some("http://127.0.0.1:9"));
        assert_eq!(lines.filter(|line| line.starts_with("AMAZONQ_") && line.contains('=')).count(), 5);
    }
}
