//! `login`: a person logs in at the upstream, anywhere with a browser, and the account is here.

use std::io::{IsTerminal, Write};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, bail};
use clap::{Args, ValueEnum};
use qm_accounts::login::{LoginView, Portal, Provider, Start};
use qm_accounts::{Actor, LoginState, Wish};
use qrcode::QrCode;
use qrcode::render::unicode::Dense1x2;
use serde_json::json;

use crate::desk::{Desk, Place};
use crate::{fleet, print, stop};

/// With whom to log in, and what the account is to be.
#[derive(Args, Debug)]
pub(crate) struct Login {
    #[command(flatten)]
    pub(crate) place: Place,
    /// Start URL of an IAM Identity Center; without it, AWS Builder ID
    #[arg(long, value_name = "URL", conflicts_with = "social")]
    start_url: Option<String>,
    /// AWS region of the Identity Center; us-east-1 unless you say otherwise
    #[arg(long, value_name = "REGION", requires = "start_url")]
    region: Option<String>,
    /// Log in with Google or GitHub, by way of Kiro
    #[arg(long, value_name = "PROVIDER")]
    social: Option<Social>,
    /// What to call the account
    #[arg(long, value_name = "TEXT")]
    label: Option<String>,
    /// Whose it is
    #[arg(long, value_name = "NAME")]
    owner: Option<String>,
    /// Number or id of the account whose login this renews
    #[arg(long, value_name = "ACCOUNT")]
    renew: Option<String>,
    /// You have read the note on the upstream's terms in the README
    #[arg(long)]
    accept_terms: bool,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Social {
    Google,
    Github,
}

/// How often the countdown is drawn.
const TICK: Duration = Duration::from_secs(1);

/// Logs in. Interrupted, it calls the login off.
pub(crate) async fn run(desk: &Desk, login: &Login) -> anyhow::Result<ExitCode> {
    desk.terms(login.accept_terms).await?;
    let begun = desk.fleet.login_start(login.wish()?, &Actor::Cli).await?;
    let person = async {
        invite(desk, &begun)?;
        wait(desk, &begun).await
    };
    let ended = tokio::select! {
        // First, so that whoever has seen the invitation can call it off.
        biased;
        () = stop::asked() => desk.fleet.login_cancel(&begun.id, &Actor::Cli).await?,
        ended = person => ended?,
    };
    let account = match ended.state {
        LoginState::Completed { account } => account,
        LoginState::Pending { .. } => bail!("the login is not over, though waiting for it is; try again"),
        LoginState::Expired => bail!("the code has expired before anybody confirmed it; try again"),
        LoginState::Denied => bail!("the login was denied"),
        LoginState::Cancelled => bail!("the login was called off"),
        LoginState::Failed { words } => bail!("the login failed: {words}"),
    };
    let view = desk.fleet.get(&account).await.context("the account is there, but cannot be shown")?;
    if desk.json {
        // One line, as the one before it.
        print::out(&json!({ "account": print::account(&view) }).to_string())?;
    } else {
        print::out(&format!("Logged in: account {} ({}).", view.number, view.label))?;
    }
    Ok(ExitCode::SUCCESS)
}

impl Login {
    fn wish(&self) -> anyhow::Result<Wish> {
        let start = match self.social {
            Some(Social::Google) => Start::Social(Provider::Google),
            Some(Social::Github) => Start::Social(Provider::Github),
            None => Start::Portal(Portal::new(self.start_url.as_deref(), self.region.as_deref())?),
        };
        let (label, owner, renews) = (self.label.clone(), self.owner.clone(), self.renew.clone());
        Ok(Wish { label, owner, renews, ..Wish::of(start) })
    }
}

/// Says where to go: in words, and as a picture for a phone.
fn invite(desk: &Desk, login: &LoginView) -> anyhow::Result<()> {
    let address = login.verification_uri_complete.as_ref().unwrap_or(&login.verification_uri);
    if desk.json {
        return print::out(
            &json!({
                "login": login.id,
                "verificationUri": login.verification_uri,
                "verificationUriComplete": login.verification_uri_complete,
                "userCode": login.user_code,
                "expiresMs": login.expires_ms,
            })
            .to_string(),
        );
    }
    if std::io::stdout().is_terminal()
        && let Ok(code) = QrCode::new(address)
    {
        print::out(&code.render::<Dense1x2>().build())?;
    }
    print::out(&format!(
        "Open {address}\nand confirm the code {}. Ctrl-C calls the login off.",
        login.user_code
    ))
}

/// Waits until the login is over, and counts down meanwhile for who sits there.
async fn wait(desk: &Desk, login: &LoginView) -> anyhow::Result<LoginView> {
    let watched = !desk.json && std::io::stderr().is_terminal();
    loop {
        let view = desk.fleet.login_claim(&login.id, TICK).await?;
        if !matches!(view.state, LoginState::Pending { .. }) {
            if watched {
                writeln!(std::io::stderr().lock())?;
            }
            return Ok(view);
        }
        if watched {
            let left = view.expires_ms.saturating_sub(fleet::now_ms()) / 1000;
            let mut to = std::io::stderr().lock();
            write!(to, "\rWaiting: {}:{:02} left ", left / 60, left % 60)?;
            to.flush()?;
        }
    }
}
