//! One word to one account, without a client: whether it really answers. A chat, for that is what no question beside
//! chats can prove; it costs what the shortest one does.

use std::time::Duration;

use qm_amazonq::fault::Failure;
use qm_amazonq::model::{Catalogue, Model};
use qm_canon::{Conversation, Draft, Fault, Kind, Origin, Part, Role, Turn};
use qm_pool::Outcome;
use qm_upstream::{Account, uuid};
use tokio::time::{Instant, sleep, timeout_at};

use crate::attempt::Attempt;
use crate::verdict::{History, Verdict};
use crate::{Random, blame};

/// An account that does not answer.
#[derive(Debug)]
pub struct Unanswered {
    /// Why.
    pub failure: Failure,
    /// What that says of the account, for the pool.
    pub outcome: Outcome,
}

/// How long the beginning of an answer is waited for, all attempts together.
const PATIENCE: Duration = Duration::from_secs(60);

/// Says hello to this account and no other, on each of its faces and after a renewal of its token if need be. The
/// beginning of the answer is enough; the rest is not waited for.
///
/// # Errors
/// When none begins within a minute.
pub async fn hello(account: &Account, random: &Random) -> Result<(), Box<Unanswered>> {
    let model = cheapest(&account.known_models());
    let answered = match said() {
        Ok(conversation) => {
            let deadline = Instant::now() + PATIENCE;
            // Boxed: the path of one attempt is long.
            let trying = Box::pin(tried(account, &model, &conversation, random));
            timeout_at(deadline, trying).await.unwrap_or_else(|_| Err(too_late()))
        }
        Err(fault) => Err(Failure { fault, remedy: qm_amazonq::Remedy::None }),
    };
    answered.map_err(|failure| {
        let outcome = blame::of_failure(&failure, &model.id);
        Box::new(Unanswered { failure, outcome })
    })
}

async fn tried(
    account: &Account,
    model: &Model,
    conversation: &Conversation<'_>,
    random: &Random,
) -> Result<(), Failure> {
    let (mut history, mut refused) = (History::default(), None);
    for number in 1.. {
        let [conversation_id, invocation_id] = [uuid(random()), uuid(random())];
        let attempt = Attempt {
            account,
            model,
            conversation_id: &conversation_id,
            invocation_id: &invocation_id,
            number,
            replay_reasoning: false,
            model_fields: false,
        };
        let Err(failure) = attempt.make(conversation, &mut refused).await else { break };
        match history.judge(&failure, 0.0) {
            Verdict::Again(pause) => sleep(pause).await,
            Verdict::GiveUp | Verdict::Elsewhere => return Err(failure),
            _ => {}
        }
    }
    Ok(())
}

fn said() -> Result<Conversation<'static>, Fault> {
    let turns = vec![Turn { role: Role::User, parts: vec![Part::Text("hello".into())] }];
    Conversation::new(Draft { turns, ..Draft::default() })
}

/// The one that costs least, as far as that is known.
fn cheapest(catalogue: &Catalogue) -> Model {
    let rate = |model: &&Model| model.rate.unwrap_or(f64::INFINITY);
    let least = catalogue.models.iter().min_by(|one, other| rate(one).total_cmp(&rate(other)));
    least.cloned().unwrap_or_else(|| Model::unlisted("auto"))
}

fn too_late() -> Failure {
    let message = "The upstream did not begin to answer within a minute.";
    Failure {
        fault: Fault::new(Kind::Timeout, Origin::Upstream, message).code("hello/too-late"),
        remedy: qm_amazonq::Remedy::Again { after: Duration::ZERO },
    }
}
