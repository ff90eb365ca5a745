//! What a failure says of the account: a table from the upstream's errors to the pool's outcomes.

use qm_amazonq::Remedy;
use qm_amazonq::fault::{Ailment as Trouble, Failure};
use qm_canon::{Fault, Kind, Origin};
use qm_pool::changes::Moved;
use qm_pool::{Ailment, Evidence, Outcome};

/// What came of attempts that ended with this failure, seen from the account.
pub(crate) fn of_failure(failure: &Failure, model: &str) -> Outcome {
    let Failure { fault, remedy } = failure;
    let retry_after_ms = fault.retry_after.map(|wait| wait.as_millis() as u64);
    let ailment = match remedy {
        // What helps is a change of the request.
        Remedy::None | Remedy::WithoutReasoning | Remedy::WithoutModelFields | Remedy::NewConversation => {
            return Outcome::RequestAtFault;
        }
        Remedy::Again { .. } if fault.code.starts_with("network/") => Ailment::Network,
        Remedy::Again { .. } if fault.kind == Kind::Overloaded => {
            Ailment::ModelBusy { model: model.into(), retry_after_ms }
        }
        Remedy::Again { .. } => Ailment::Failed,
        Remedy::Refresh | Remedy::OtherFace | Remedy::Elsewhere(Trouble::Refused) => Ailment::Refused,
        Remedy::Elsewhere(Trouble::Throttled) => Ailment::Throttled { retry_after_ms },
        Remedy::Elsewhere(Trouble::Exhausted) => Ailment::Exhausted { resets_ms: None },
        Remedy::Elsewhere(Trouble::ExhaustedToday) => Ailment::ExhaustedToday,
        Remedy::Elsewhere(Trouble::Suspended) => Ailment::Suspended,
        Remedy::Elsewhere(Trouble::Suspected) => Ailment::Suspected,
        Remedy::Elsewhere(Trouble::LacksModel) => Ailment::LacksModel { model: model.into() },
        Remedy::Elsewhere(Trouble::LoginDead) => Ailment::LoginDead,
        Remedy::Elsewhere(Trouble::LoginBusy | Trouble::Unreached) => Ailment::Network,
    };
    Outcome::Ailing(ailment, evidence(fault))
}

/// What an answer that broke off says of the account.
pub(crate) fn of_broken_answer(fault: &Fault) -> Outcome {
    match fault.origin {
        Origin::Upstream => Outcome::Ailing(Ailment::Failed, evidence(fault)),
        Origin::Client | Origin::Gateway => Outcome::RequestAtFault,
    }
}

/// A change of state is worth a line in the log: it says why requests go elsewhere from now on.
pub(crate) fn log(moved: Option<Moved>) {
    if let Some(Moved { id, from, to }) = moved {
        if to == qm_pool::Health::Ready {
            tracing::info!(account.number = id.0, from = from.word(), "account is well again");
        } else {
            tracing::warn!(
                account.number = id.0,
                from = from.word(),
                to = to.word(),
                ?to,
                "account has changed its state"
            );
        }
    }
}

fn evidence(fault: &Fault) -> Evidence {
    Evidence {
        code: fault.code.as_ref().into(),
        words: fault.message.as_ref().into(),
        upstream_request_id: fault.upstream_id.clone(),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn failure(kind: Kind, code: &'static str, remedy: Remedy) -> Failure {
        let fault =
            Fault::new(kind, Origin::Upstream, "words").code(code).retry_after(Duration::from_secs(7));
        Failure { fault, remedy }
    }

    fn ailment(failure: &Failure) -> Option<Ailment> {
        match of_failure(failure, "m") {
            Outcome::Ailing(ailment, evidence) => {
                assert_eq!((&*evidence.code, &*evidence.words), (&*failure.fault.code, "words"));
                Some(ailment)
            }
            _ => None,
        }
    }

    #[test]
    fn every_failure_is_held_against_who_made_it() {
        let again = Remedy::Again { after: Duration::ZERO };
        let retry_after_ms = Some(7_000);
        let rows = [
            (Kind::Invalid, "x", Remedy::None, None),
            (Kind::Invalid, "x", Remedy::WithoutReasoning, None),
            (Kind::Unavailable, "network/connect", again, Some(Ailment::Network)),
            (Kind::Unavailable, "x", again, Some(Ailment::Failed)),
            (Kind::Overloaded, "x", again, Some(Ailment::ModelBusy { model: "m".into(), retry_after_ms })),
            (Kind::Unavailable, "x", Remedy::Refresh, Some(Ailment::Refused)),
            (
                Kind::Throttled,
                "x",
                Remedy::Elsewhere(Trouble::Throttled),
                Some(Ailment::Throttled { retry_after_ms }),
            ),
            (Kind::Unavailable, "x", Remedy::Elsewhere(Trouble::LoginDead), Some(Ailment::LoginDead)),
            (
                Kind::NotFound,
                "x",
                Remedy::Elsewhere(Trouble::LacksModel),
                Some(Ailment::LacksModel { model: "m".into() }),
            ),
        ];
        for (kind, code, remedy, expected) in rows {
            assert_eq!(ailment(&failure(kind, code, remedy)), expected, "{kind:?} {code} {remedy:?}");
        }
    }

    #[test]
    fn an_answer_that_we_cut_is_not_held_against_the_account() {
        let ours = Fault::new(Kind::Invalid, Origin::Gateway, "");
        assert_eq!(of_broken_answer(&ours), Outcome::RequestAtFault);
        let theirs = Fault::new(Kind::Broken, Origin::Upstream, "");
        assert!(matches!(of_broken_answer(&theirs), Outcome::Ailing(Ailment::Failed, _)));
    }
}
