//! Connections: accept, read a call, answer it, write it down.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

use crate::auth::{self, Reply};
use crate::http::{Answer, Connection, Head, ReadError, pairs};
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
    let body = parsed(head, &bytes);
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
    let answer = if operation.is_login() {
        match auth::answer(world, head, operation, body).await {
            Reply::Answer(answer) => answer,
            Reply::Stall(_going_on) => {
                connection.peer_gone().await;
                return (Played { status: 0, outcome: Outcome::ClientGone, keep: false }, None);
            }
            Reply::Cut => {
                // Should the socket refuse, it is closed in order instead, without an answer all the same.
                drop(connection.reset_on_close());
                return (Played { status: 0, outcome: Outcome::Cut, keep: false }, None);
            }
        }
    } else {
        manage::answer(world, head, operation, face, body)
    };
    let reason = serde_json::from_slice::<Value>(&answer.body).ok().and_then(|body| {
        let field = body.get("reason").filter(|reason| reason.is_string()).or_else(|| body.get("error"));
        field.and_then(Value::as_str).map(str::to_owned)
    });
    (chat::refuse(connection, &answer).await, reason)
}

/// The body as JSON; a form becomes an object of its fields.
fn parsed(head: &Head, bytes: &[u8]) -> Option<Value> {
    if head.is_form() {
        let fields =
            pairs(std::str::from_utf8(bytes).ok()?).map(|(name, value)| (name, Value::String(value)));
        return Some(Value::Object(fields.collect()));
    }
    serde_json::from_slice(bytes).ok()
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

/// Fields of token calls that the record must not show.
const SECRETS: [&str; 9] = [
    "refreshToken",
    "refresh_token",
    "clientSecret",
    "client_secret",
    "accessToken",
    "deviceCode",
    "code",
    "codeVerifier",
    "code_verifier",
];

/// The body with secrets reduced to their last four characters.
fn masked(body: &Value) -> Value {
    let mut body = body.clone();
    if let Value::Object(fields) = &mut body {
        for name in SECRETS {
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
