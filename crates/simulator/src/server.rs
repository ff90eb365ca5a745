//! Connections: accept, read a call, answer it, write it down.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::Value;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

use crate::auth::{answer_oidc, answer_social};
use crate::http::{Answer, Connection, Head, ReadError};
use crate::knobs::{Knobs, RefreshFault};
use crate::play::Played;
use crate::record::{Outcome, Recorded};
use crate::route::{self, Face, Operation};
use crate::world::World;
use crate::{chat, control, manage};

/// Accepts connections until dropped; every connection ends with it.
pub(crate) async fn serve(world: Arc<World>, listener: TcpListener) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => {
                    connections.spawn(converse(Arc::clone(&world), stream));
                }
                // Out of descriptors, most likely: wait for some to come back instead of spinning.
                Err(_) => tokio::time::sleep(Duration::from_millis(20)).await,
            },
            Some(_) = connections.join_next(), if !connections.is_empty() => {}
        }
    }
}

async fn converse(world: Arc<World>, stream: TcpStream) {
    if stream.set_nodelay(true).is_err() {
        return;
    }
    let mut connection = Connection::new(stream, world.next_connection());
    loop {
        let kept = match connection.head().await {
            Ok(Some(head)) => {
                exchange(&world, &mut connection, &head).await.map(|kept| kept && !head.closes())
            }
            Ok(None) => return,
            Err(error) => Err(error),
        };
        match kept {
            Ok(true) => {}
            Ok(false) | Err(ReadError::Broken) => return,
            Err(ReadError::Refused(status)) => {
                let body = serde_json::json!({ "message": "The request could not be read." });
                // The peer may be gone already; there is nobody else to tell.
                drop(connection.respond(&Answer::json(status, &body)).await);
                return;
            }
        }
    }
}

/// One call and its answer. True when the connection can carry another.
async fn exchange(world: &Arc<World>, connection: &mut Connection, head: &Head) -> Result<bool, ReadError> {
    let (operation, face) = route::of(head);
    let bench = world.knobs().bench;
    if let Some(bench) = bench.filter(|_| operation.is_chat()) {
        connection.skip_body(head).await?;
        return Ok(world.prebuilt(&bench).play(connection).await == Outcome::Finished);
    }
    let bytes = connection.body(head).await?;
    let body: Option<Value> = serde_json::from_slice(&bytes).ok();
    if operation == Operation::Control {
        let answer = control::answer(world, head, body.as_ref());
        return Ok(chat::refuse(connection, &answer).await.keep);
    }
    let id = world.log.enter(entry(connection.id, head, operation, body.as_ref(), &bytes));
    connection.sent_bytes = 0;
    let mut pending = Pending { world, id, done: false };
    let (played, reason) = answer(world, connection, head, (operation, face), body.as_ref()).await;
    pending.done = true;
    let sent_bytes = connection.sent_bytes;
    world.log.update(id, |call| {
        call.status = played.status;
        call.outcome = played.outcome;
        call.reason = reason;
        call.bytes = sent_bytes;
    });
    Ok(played.keep)
}

async fn answer(
    world: &Arc<World>,
    connection: &mut Connection,
    head: &Head,
    (operation, face): (Operation, Face),
    body: Option<&Value>,
) -> (Played, Option<String>) {
    if operation.is_chat() {
        return chat::answer(world, connection, head, (operation, face), body).await;
    }
    let answer = match operation {
        Operation::RegisterClient
        | Operation::StartDeviceAuthorization
        | Operation::CreateToken
        | Operation::SocialRefresh
        | Operation::SocialToken
        | Operation::SocialDevice
        | Operation::SocialPoll => {
            let Some(answer) = login(world, operation, body).await else {
                connection.peer_gone().await;
                return (Played { status: 0, outcome: Outcome::ClientGone, keep: false }, None);
            };
            answer
        }
        _ => manage::answer(world, head, operation, face, body),
    };
    let reason = serde_json::from_slice::<Value>(&answer.body).ok().and_then(|body| {
        let field = body.get("reason").filter(|reason| reason.is_string()).or_else(|| body.get("error"));
        field.and_then(Value::as_str).map(str::to_owned)
    });
    (chat::refuse(connection, &answer).await, reason)
}

/// A call of one of the two login services; `None` means never to answer.
async fn login(world: &World, operation: Operation, body: Option<&Value>) -> Option<Answer> {
    let nothing = Value::Null;
    let body = body.unwrap_or(&nothing);
    let refresh = operation == Operation::SocialRefresh || body["grantType"] == "refresh_token";
    let mut knobs = world.knobs().clone();
    knobs.refresh_fault = if refresh { due_refresh_fault(&mut world.knobs()) } else { None };
    if knobs.refresh_delay_ms > 0 {
        tokio::time::sleep(Duration::from_millis(knobs.refresh_delay_ms)).await;
    }
    let mut auth = world.auth();
    if matches!(
        operation,
        Operation::RegisterClient | Operation::StartDeviceAuthorization | Operation::CreateToken
    ) {
        answer_oidc(&mut auth, operation, body, &knobs, now_s())
    } else {
        answer_social(&mut auth, operation, body, &knobs)
    }
}

/// The refresh fault that is due; one that holds for a number of times is used up by it.
fn due_refresh_fault(knobs: &mut Knobs) -> Option<RefreshFault> {
    let fault = knobs.refresh_fault?;
    match knobs.refresh_fault_times {
        0 => {}
        1 => (knobs.refresh_fault, knobs.refresh_fault_times) = (None, 0),
        _ => knobs.refresh_fault_times -= 1,
    }
    Some(fault)
}

/// Marks a call whose connection was torn down with the simulator, so that no entry stays open for ever.
struct Pending<'a> {
    world: &'a World,
    id: u64,
    done: bool,
}

impl Drop for Pending<'_> {
    fn drop(&mut self) {
        if !self.done {
            self.world.log.update(self.id, |call| call.outcome = Outcome::Cut);
        }
    }
}

fn entry(connection: u64, head: &Head, operation: Operation, body: Option<&Value>, bytes: &[u8]) -> Recorded {
    let headers: BTreeMap<String, String> = head
        .headers
        .iter()
        .map(|(name, value)| {
            (name.clone(), if name == "authorization" { last_four(value) } else { value.clone() })
        })
        .collect();
    let text = || match bytes.len() {
        0 => Value::Null,
        length => Value::String(String::from_utf8_lossy(&bytes[..length.min(4096)]).into_owned()),
    };
    Recorded {
        id: 0,
        connection,
        operation: operation.name().to_owned(),
        method: head.method.clone(),
        path: head.path.clone(),
        query: head.query.clone(),
        headers,
        body: body.map_or_else(text, |body| if operation.is_chat() { body.clone() } else { masked(body) }),
        body_bytes: bytes.len(),
        status: 0,
        reason: None,
        outcome: Outcome::Open,
        bytes: 0,
    }
}

/// The body with secrets reduced to their last four characters.
fn masked(body: &Value) -> Value {
    let mut body = body.clone();
    if let Value::Object(fields) = &mut body {
        for name in ["refreshToken", "clientSecret", "accessToken", "code", "codeVerifier", "code_verifier"] {
            if let Some(Value::String(secret)) = fields.get_mut(name) {
                *secret = last_four(secret);
            }
        }
    }
    body
}

fn last_four(secret: &str) -> String {
    let count = secret.chars().count();
    let tail: String = secret.chars().skip(count.saturating_sub(4)).collect();
    format!("...{tail}")
}

#[expect(clippy::disallowed_methods, reason = "registrations carry wall-clock times")]
fn now_s() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}
