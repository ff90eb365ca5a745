//! The person at a login by device: sees what waits, approves it or not.

use serde_json::{Value, json};

use super::{done, wrong};
use crate::http::{Answer, Head};
use crate::world::World;

/// Answers a call under `/_sim/devices`; `rest` is what follows.
pub(super) fn answer(world: &World, head: &Head, rest: &str, body: &Value) -> Answer {
    let parts: Vec<&str> = rest.split('/').collect();
    match (head.method.as_str(), parts.as_slice()) {
        ("GET", [""]) => {
            let auth = world.auth();
            let waiting: Vec<Value> = auth
                .devices()
                .map(|device| json!({ "user_code": device.user_code, "origin": device.origin }))
                .collect();
            Answer::json(200, &Value::Array(waiting))
        }
        ("POST", [user_code, verdict @ ("approve" | "deny")]) => {
            let account = body["account"].as_u64().and_then(|number| usize::try_from(number).ok());
            if world.auth().decide(user_code, *verdict == "approve", account) {
                done()
            } else {
                wrong(404, "no login waits with this code, or there is no such account")
            }
        }
        _ => wrong(404, "no such control; see the simulator's README"),
    }
}
