//! The simulator's own controls over HTTP, for tests in other languages.

mod accounts;
mod devices;

use serde_json::{Value, json};

use crate::http::{Answer, Head};
use crate::knobs::Knobs;
use crate::script::Script;
use crate::world::World;

/// Answers a call under `/_sim/`.
pub(crate) fn answer(world: &World, head: &Head, body: Option<&Value>) -> Answer {
    let nothing = Value::Null;
    let body = body.unwrap_or(&nothing);
    let path = head.path.trim_start_matches("/_sim/");
    if let Some(rest) = path.strip_prefix("accounts") {
        return accounts::answer(world, head, rest.trim_start_matches('/'), body);
    }
    if let Some(rest) = path.strip_prefix("devices") {
        return devices::answer(world, head, rest.trim_start_matches('/'), body);
    }
    match (head.method.as_str(), path) {
        ("POST", "script") => queue(world, body),
        ("GET", "scripts") => Answer::json(200, &json!(Script::names().collect::<Vec<_>>())),
        ("GET", "requests") => {
            let since = head.parameter("since").and_then(|id| id.parse().ok()).unwrap_or(0);
            told(&world.log.all().into_iter().filter(|call| call.id > since).collect::<Vec<_>>())
        }
        ("GET", "served") => told(&*world.served()),
        ("GET", "knobs") => told(&*world.knobs()),
        ("POST", "knobs") => turn(world, body),
        ("POST", "reset") => {
            world.reset();
            done()
        }
        ("POST", "revoke") => {
            world.auth().revoke();
            done()
        }
        _ => wrong(404, "no such control; see the simulator's README"),
    }
}

/// A script as an array of steps, `{"name":…}` of an embedded one, or either with `"times"`.
fn queue(world: &World, body: &Value) -> Answer {
    let named = body.get("name").and_then(Value::as_str).map(Script::named);
    let script = match named {
        Some(Some(script)) => script,
        Some(None) => return wrong(400, "no script of that name; GET /_sim/scripts lists them"),
        None => match serde_json::from_value(body.get("steps").unwrap_or(body).clone()) {
            Ok(script) => script,
            Err(error) => return wrong(400, &error.to_string()),
        },
    };
    let times = body.get("times").and_then(Value::as_u64).unwrap_or(1);
    for _ in 0..times {
        if !world.push(script.clone()) {
            return wrong(409, "the queue is full");
        }
    }
    done()
}

/// Merges the given fields into the knobs.
fn turn(world: &World, body: &Value) -> Answer {
    let mut knobs = world.knobs();
    let merged = serde_json::to_value(&*knobs).and_then(|mut all| {
        if let (Value::Object(all), Value::Object(given)) = (&mut all, body) {
            all.extend(given.clone());
        }
        serde_json::from_value::<Knobs>(all)
    });
    match merged {
        Ok(merged) if body.is_object() => *knobs = merged,
        Ok(_) => return wrong(400, "knobs are an object"),
        Err(error) => return wrong(400, &error.to_string()),
    }
    done()
}

fn told<T: serde::Serialize>(value: &T) -> Answer {
    serde_json::to_value(value)
        .map_or_else(|error| wrong(500, &error.to_string()), |value| Answer::json(200, &value))
}

fn done() -> Answer {
    Answer::json(200, &json!({ "ok": true }))
}

fn wrong(status: u16, message: &str) -> Answer {
    Answer::json(status, &json!({ "error": message }))
}
