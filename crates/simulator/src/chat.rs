//! A chat call: refused by the rules, or answered by the next script.

mod busy;

use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;

use crate::http::{Answer, Connection, Head};
use crate::persona;
use crate::play::{self, Played, Scene};
use crate::record::Outcome;
use crate::route::{Face, Operation, place};
use crate::script::{Script, Step};
use crate::validate::{self, Call, Refusal};
use crate::world::World;

pub(crate) use busy::Busy;

/// Answers one chat call. Gives back how it went and the reason of a refusal.
pub(crate) async fn answer(
    world: &Arc<World>,
    connection: &mut Connection,
    head: &Head,
    (operation, face): (Operation, Face),
    body: Option<&Value>,
) -> (Played, Option<String>) {
    let knobs = world.knobs().clone();
    let call = Call { head, face, place: place::of(head, body), operation, body, knobs: &knobs };
    let caller = match validate::chat(world, &call) {
        Ok(caller) => caller,
        Err(refusal) => {
            let played = refuse(connection, &refusal.answer(face)).await;
            return (played, refusal.reason.or(Some(refusal.kind.to_owned())));
        }
    };
    let (busy, delay_ms) = Busy::begin(world, caller.account, knobs.credits);
    if delay_ms > 0 {
        tokio::time::sleep(Duration::from_millis(delay_ms)).await;
    }
    let nothing = Value::Null;
    let body = body.unwrap_or(&nothing);
    let mut scene = scene(world, body, face);
    scene.window_tokens = knobs.window_tokens.unwrap_or_else(|| validate::window_of(body));
    let script = match choose(world, body, knobs.pace_ms) {
        Ok(script) => script,
        Err(refusal) => return (refuse(connection, &refusal.answer(face)).await, refusal.reason),
    };
    let script = if body["dryRun"] == true { dry_run() } else { script };
    let (played, told) = play::play(connection, script, &scene, &knobs, busy).await;
    if played.status == 200 {
        world.served().add(played.outcome, told);
    }
    (played, None)
}

/// Sends a whole answer.
pub(crate) async fn refuse(connection: &mut Connection, answer: &Answer) -> Played {
    match connection.respond(answer).await {
        Ok(()) => Played { status: answer.status, outcome: Outcome::Finished, keep: true },
        Err(_) => Played { status: answer.status, outcome: Outcome::ClientGone, keep: false },
    }
}

/// The queue first, then a marker in the text, then the default persona.
fn choose(world: &World, body: &Value, pace_ms: u64) -> Result<Script, Refusal> {
    if let Some(script) = world.next_script() {
        return Ok(script);
    }
    let Some(name) = persona::marker(body) else {
        return Ok(persona::reply(body, pace_ms));
    };
    Script::named(&name).ok_or_else(|| {
        Refusal::new(400, "ValidationException", &format!("There is no script named {name}."), None)
    })
}

fn scene(world: &World, body: &Value, face: Face) -> Scene {
    let given = body.pointer("/conversationState/conversationId").and_then(Value::as_str);
    let serial = world.next_serial();
    Scene {
        rpc: face == Face::Rpc,
        conversation_id: given.filter(|id| !id.is_empty()).map_or_else(String::new, str::to_owned),
        input_tokens: validate::text_bytes(body) / 4,
        window_tokens: 200_000,
        serial,
    }
}

fn dry_run() -> Script {
    let event = Step::Event { name: "dryRunSucceedEvent".to_owned(), payload: serde_json::json!({}) };
    Script(vec![event, Step::EndClean])
}
