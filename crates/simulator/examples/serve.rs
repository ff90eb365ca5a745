//! The simulator alone, for a look by hand: `cargo run -p qm-simulator --example serve [ADDRESS]`.

use std::io::Write as _;

#[tokio::main(flavor = "current_thread")]
async fn main() -> std::io::Result<()> {
    let mut options = qm_simulator::Options::default();
    if let Some(address) = std::env::args().nth(1) {
        options.bind = address.parse().map_err(std::io::Error::other)?;
    }
    let simulator = qm_simulator::start(options).await?;
    writeln!(std::io::stdout(), "{}", simulator.base())?;
    simulator.run().await;
    Ok(())
}
