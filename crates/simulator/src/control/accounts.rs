//! The accounts: listed with their counts, replaced, added, and made to behave.

use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Value, json};

use super::{done, wrong};
use crate::account::{Behaviour, SimAccount};
use crate::auth::{Auth, Holder};
use crate::http::{Answer, Head};
use crate::world::World;

/// The most accounts there can be.
const MOST_ACCOUNTS: usize = 100_000;

/// So many accounts alike but for their tokens.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Many {
    many: usize,
    #[serde(default)]
    behaviour: Behaviour,
}

/// Answers a call under `/_sim/accounts`; `rest` is what follows.
pub(super) fn answer(world: &World, head: &Head, rest: &str, body: &Value) -> Answer {
    let parts: Vec<&str> = rest.split('/').collect();
    let numbered = |number: &str| number.parse().ok().filter(|number| *number < world.auth().count());
    match (head.method.as_str(), parts.as_slice()) {
        ("GET", [""]) => list(world, head),
        ("POST", [""]) => match given(body) {
            Ok(accounts) => {
                *world.auth() = Auth::new(accounts);
                done()
            }
            Err(why) => wrong(400, &why),
        },
        ("POST", ["add"]) => match given(body) {
            Ok(accounts) if world.auth().count() + accounts.len() > MOST_ACCOUNTS => wrong(409, TOO_MANY),
            Ok(accounts) => add(world, accounts),
            Err(why) => wrong(400, &why),
        },
        (method, [number, what @ ..]) => match numbered(number) {
            Some(account) => one(world, (method, what), account, body),
            None => wrong(404, "there is no account of this number; GET /_sim/accounts lists them"),
        },
        _ => wrong(404, "no such control; see the simulator's README"),
    }
}

const TOO_MANY: &str = "there are at most 100000 accounts";

/// An array of accounts, or `{"many":N}` with a behaviour if wanted.
fn given(body: &Value) -> Result<Vec<SimAccount>, String> {
    if body.is_array() {
        return read(body);
    }
    let Many { many, behaviour } = read(body)?;
    if many > MOST_ACCOUNTS {
        return Err(TOO_MANY.to_owned());
    }
    Ok((0..many).map(|n| SimAccount::numbered(n).behaving(behaviour.clone())).collect())
}

fn add(world: &World, accounts: Vec<SimAccount>) -> Answer {
    let mut auth = world.auth();
    let numbers: Vec<usize> = accounts.into_iter().map(|account| auth.add(account)).collect();
    Answer::json(200, &json!({ "ok": true, "accounts": numbers }))
}

fn list(world: &World, head: &Head) -> Answer {
    let number = |name: &str| head.parameter(name).and_then(|text| text.parse::<usize>().ok());
    let (from, count) = (number("from").unwrap_or(0), number("count").unwrap_or(MOST_ACCOUNTS));
    let auth = world.auth();
    let until = auth.count().min(from.saturating_add(count));
    let told: Vec<Value> =
        (from..until).filter_map(|n| auth.holder(n).map(|holder| shown(n, holder))).collect();
    Answer::json(200, &Value::Array(told))
}

fn one(world: &World, call: (&str, &[&str]), account: usize, body: &Value) -> Answer {
    match call {
        ("GET", []) => {
            let auth = world.auth();
            auth.holder(account).map_or_else(done, |holder| Answer::json(200, &shown(account, holder)))
        }
        ("POST", ["behaviour"]) => match read::<Behaviour>(body) {
            Ok(behaviour) => {
                world.auth().behave(account, behaviour);
                done()
            }
            Err(why) => wrong(400, &why),
        },
        ("POST", ["revoke"]) => {
            world.auth().revoke_of(account);
            done()
        }
        _ => wrong(404, "no such control; see the simulator's README"),
    }
}

/// An account as it is now; of its secrets the last four characters.
fn shown(number: usize, holder: &Holder) -> Value {
    let account = &holder.account;
    let tail = |secret: &str| {
        let at = secret.char_indices().rev().nth(3).map_or(0, |(at, _)| at);
        format!("...{}", &secret[at..])
    };
    json!({ "account": number, "login": account.login, "refresh_token": tail(&account.refresh_token),
        "client_id": account.client_id, "api_key": account.api_key.as_deref().map(tail),
        "profile_arn": account.profile_arn, "email": account.email, "state": holder.state(),
        "behaviour": account.behaviour, "spent_credits": holder.spent(), "counts": holder.counts })
}

fn read<T: DeserializeOwned>(body: &Value) -> Result<T, String> {
    T::deserialize(body).map_err(|error| error.to_string())
}
