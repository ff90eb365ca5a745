//! `accounts add`: one account by hand. Its secrets are asked for or piped in, and are never arguments, which every
//! process of a machine can read.

use std::collections::BTreeMap;
use std::io::{self, IsTerminal, Read};
use std::process::ExitCode;

use anyhow::{Context, bail};
use clap::{Args, ValueEnum};
use qm_accounts::{Actor, View};
use qm_credential::import::{Row, detect};
use qm_credential::{Draft, Zeroizing};
use serde::Serialize;
use serde_json::json;

use crate::desk::Desk;
use crate::print;

/// What the account is. The secrets come from elsewhere.
#[derive(Args, Debug)]
#[command(after_help = ORDER)]
pub(crate) struct Add {
    /// What kind of login it is
    #[arg(long, value_name = "KIND")]
    kind: Kind,
    /// What to call the account
    #[arg(long, value_name = "TEXT")]
    label: Option<String>,
    /// Whose it is
    #[arg(long, value_name = "NAME")]
    owner: Option<String>,
    /// Words of yours about it
    #[arg(long, value_name = "TEXT")]
    notes: Option<String>,
    /// Its share among others
    #[arg(long, value_name = "NUMBER")]
    weight: Option<u32>,
    /// A label to group it by; may be given several times
    #[arg(long = "tag", value_name = "TEXT")]
    tags: Vec<String>,
    /// Most requests a minute
    #[arg(long, value_name = "NUMBER")]
    rpm: Option<u32>,
    /// Most requests at once
    #[arg(long, value_name = "NUMBER")]
    concurrency: Option<u32>,
    /// It has a proxy of its own: asked for last of all, for its address may hold a password
    #[arg(long)]
    proxy: bool,
    /// Smaller is earlier
    #[arg(long, value_name = "NUMBER", allow_negative_numbers = true)]
    priority: Option<i32>,
    /// Its profile, where it has one
    #[arg(long, value_name = "ARN")]
    profile_arn: Option<String>,
    /// AWS region of its login; of an API key, of the service
    #[arg(long, value_name = "REGION")]
    region: Option<String>,
    /// Start URL of its IAM Identity Center
    #[arg(long, value_name = "URL")]
    start_url: Option<String>,
    /// google or github, for a social login
    #[arg(long, value_name = "PROVIDER")]
    provider: Option<String>,
    /// Where an external identity provider renews tokens
    #[arg(long, value_name = "URL")]
    token_endpoint: Option<String>,
    /// Keep it switched off
    #[arg(long)]
    disabled: bool,
    /// You have read the note on the upstream's terms in the README
    #[arg(long)]
    accept_terms: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Kind {
    BuilderId,
    IdentityCenter,
    Social,
    ExternalIdp,
    ApiKey,
}

/// A secret part of a login.
#[derive(Clone, Copy)]
struct Part {
    /// What people call it.
    name: &'static str,
    /// Its field in the form that an import reads.
    field: &'static str,
}

const ORDER: &str = "\
The secrets are asked for on a terminal. Otherwise they are read from standard input, one a line, in this order:
  builder-id, identity-center   client id, client secret, refresh token
  external-idp                  client id, client secret (an empty line where there is none), refresh token
  social                        refresh token
  api-key                       API key
With --proxy one line more: its address, or `direct`.";

const CLIENT_ID: Part = Part { name: "client id", field: "clientId" };
const CLIENT_SECRET: Part = Part { name: "client secret", field: "clientSecret" };
const REFRESH_TOKEN: Part = Part { name: "refresh token", field: "refreshToken" };
const API_KEY: Part = Part { name: "API key", field: "kiroApiKey" };
const PROXY: Part = Part { name: "proxy", field: "proxyUrl" };

/// Most that is read of all secrets together. Client secrets are tokens of some kilobytes.
const MOST_BYTES: usize = 64 * 1024;

/// Secrets in the order of an account's parts.
type Secrets = Vec<Zeroizing<String>>;

/// A field of the form that an import reads.
#[derive(Serialize)]
#[serde(untagged)]
enum Field<'a> {
    Text(&'a str),
    List(&'a [String]),
}

/// Adds the account. Nothing is asked of the upstream yet.
pub(super) async fn run(desk: &Desk, add: &Add) -> anyhow::Result<ExitCode> {
    add.refuse_strays()?;
    desk.terms(add.accept_terms).await?;
    let parts = add.parts();
    let secrets = if io::stdin().is_terminal() { ask(&parts)? } else { read(&parts, io::stdin().lock())? };
    let (draft, notices) = add.draft(&parts, &secrets)?;
    let view = desk.fleet.add(&draft, &Actor::Cli).await?;
    tell(desk, &view, &notices)
}

impl Kind {
    fn parts(self) -> &'static [Part] {
        match self {
            Self::BuilderId | Self::IdentityCenter | Self::ExternalIdp => {
                &[CLIENT_ID, CLIENT_SECRET, REFRESH_TOKEN]
            }
            Self::Social => &[REFRESH_TOKEN],
            Self::ApiKey => &[API_KEY],
        }
    }

    /// The word for it in the form that an import reads.
    fn method(self) -> &'static str {
        match self {
            Self::BuilderId => "builder-id",
            Self::IdentityCenter => "identity-center",
            Self::Social => "social",
            Self::ExternalIdp => "external-idp",
            Self::ApiKey => "api-key",
        }
    }
}

impl Add {
    /// What is secret of it: of its kind, and of its own.
    fn parts(&self) -> Vec<Part> {
        self.kind.parts().iter().copied().chain(self.proxy.then_some(PROXY)).collect()
    }

    /// A flag of another kind would be left out, or would make another kind of it, in silence.
    fn refuse_strays(&self) -> anyhow::Result<()> {
        for (flag, given, kind) in [
            ("--start-url", &self.start_url, Kind::IdentityCenter),
            ("--provider", &self.provider, Kind::Social),
            ("--token-endpoint", &self.token_endpoint, Kind::ExternalIdp),
        ] {
            if given.is_some() && self.kind != kind {
                bail!("{flag} goes with --kind {} alone", kind.method());
            }
        }
        Ok(())
    }

    /// The account in the form that an import reads, so that it is held against the same rules.
    fn draft(&self, parts: &[Part], secrets: &Secrets) -> anyhow::Result<(Draft, Vec<String>)> {
        let numbers = [self.weight, self.rpm, self.concurrency].map(|number| number.map(|n| n.to_string()));
        let [weight, rpm, concurrency] = &numbers;
        let priority = self.priority.map(|number| number.to_string());
        let said = [
            ("authMethod", Some(self.kind.method())),
            ("label", self.label.as_deref()),
            ("owner", self.owner.as_deref()),
            ("notes", self.notes.as_deref()),
            ("weight", weight.as_deref()),
            ("requestsPerMinute", rpm.as_deref()),
            ("concurrency", concurrency.as_deref()),
            ("priority", priority.as_deref()),
            ("profileArn", self.profile_arn.as_deref()),
            ("region", self.region.as_deref()),
            ("startUrl", self.start_url.as_deref()),
            ("provider", self.provider.as_deref()),
            ("tokenEndpoint", self.token_endpoint.as_deref()),
            ("enabled", self.disabled.then_some("false")),
        ];
        let secret = parts.iter().zip(secrets).map(|(part, text)| (part.field, text.as_str()));
        let texts = said.into_iter().filter_map(|(name, text)| Some((name, text?))).chain(secret);
        let mut fields: BTreeMap<&str, Field<'_>> =
            texts.map(|(name, text)| (name, Field::Text(text))).collect();
        if !self.tags.is_empty() {
            fields.insert("tags", Field::List(&self.tags));
        }
        // As large as it can get, so that it leaves no copy behind by growing.
        let mut bytes = Zeroizing::new(Vec::with_capacity(2 * MOST_BYTES));
        serde_json::to_writer(&mut *bytes, &fields)?;
        let mut rows = detect(&bytes).context("no account was added")?.rows.into_iter();
        let Some(Row { result, notices, .. }) = rows.next() else { bail!("no account was added") };
        let draft = result.context("no account was added")?;
        Ok((draft, notices.iter().map(ToString::to_string).collect()))
    }
}

/// Asks whoever sits there, showing nothing of what is typed.
fn ask(parts: &[Part]) -> anyhow::Result<Secrets> {
    let ask = |part: &Part| rpassword::prompt_password(format!("{}: ", part.name)).map(Zeroizing::new);
    let asked: io::Result<Secrets> = parts.iter().map(ask).collect();
    asked.context("the secrets cannot be asked for on this terminal; pipe them in")
}

/// Reads the lines that the account has, no fewer and no more: a line too many is one that was meant for another kind.
fn read(parts: &[Part], from: impl Read) -> anyhow::Result<Secrets> {
    let mut text = Zeroizing::new(String::with_capacity(MOST_BYTES + 1));
    let bytes = from.take(MOST_BYTES as u64 + 1).read_to_string(&mut text);
    if bytes.context("the secrets cannot be read from standard input")? > MOST_BYTES {
        bail!("standard input has more than {MOST_BYTES} bytes of secrets");
    }
    let lines: Secrets = text.trim_end().lines().map(|line| Zeroizing::new(line.trim().to_owned())).collect();
    if lines.len() != parts.len() {
        let names = parts.iter().map(|part| part.name).collect::<Vec<_>>().join(", ");
        let (expected, found) = (parts.len(), lines.len());
        bail!("standard input has {found} lines instead of {expected}, one each for: {names}");
    }
    Ok(lines)
}

fn tell(desk: &Desk, view: &View, notices: &[String]) -> anyhow::Result<ExitCode> {
    if desk.json {
        print::value(&json!({ "account": print::account(view), "notices": notices }))?;
    } else {
        let number = view.number;
        print::out(&format!("Added: account {number} ({}). `accounts test {number}` tries it.", view.label))?;
        for notice in notices {
            print::out(&format!("note: {notice}"))?;
        }
    }
    Ok(ExitCode::SUCCESS)
}
