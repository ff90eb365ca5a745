//! Refusals in words for a client, each with when to come again.

use std::time::Duration;

use qm_canon::{Fault, Kind, Origin};
use qm_coord::Room;
use qm_keys::{Budget, Period, Unit};

use crate::denied::{Denied, Why};
use crate::measure::Measure;

/// Where room comes when another request ends, nobody knows when: soon enough to try.
const SOON: Duration = Duration::from_secs(1);

/// Characters of a name that are repeated to who sent it.
const REPEATED: usize = 100;

/// The key may not use this model. Holds the name as the client sent it.
pub(crate) fn model(asked: &str) -> Fault {
    let asked: String = asked.chars().take(REPEATED).collect();
    let words = format!(
        "This API key may not use the model `{asked}`. Ask the gateway's operator, or take another model."
    );
    Fault::new(Kind::Forbidden, Origin::Client, words).never_retry().code("key/model")
}

/// The key is good, but not for the routes of models.
pub(crate) fn scope() -> Fault {
    let words = "This API key opens the management interface alone. Use a key with the scope `inference`.";
    Fault::new(Kind::Forbidden, Origin::Client, words).never_retry().code("key/scope")
}

/// Nobody was let in.
pub(crate) fn denied(denied: &Denied) -> Fault {
    let of = |kind| Fault::new(kind, Origin::Client, denied.words.clone());
    match denied.why {
        Why::Missing | Why::Invalid => of(Kind::Unauthenticated).never_retry().code("key/refused"),
        Why::Throttled { left_ms } => {
            of(Kind::Throttled).retry_after(Duration::from_millis(left_ms)).code("key/guessed")
        }
        Why::Forbidden => of(Kind::Forbidden).never_retry().code("key/scope"),
        Why::Forged => of(Kind::Forbidden).never_retry().code("session/forged"),
        Why::Failed => Fault::internal("key/failed"),
    }
}

/// One of the key's limits has no room for a request that asks for `asked` of it.
pub(crate) fn full(measure: Option<Measure>, asked: u64, room: Room, now_ms: u64) -> Fault {
    let Some(measure) = measure else { return Fault::internal("key/limit") };
    let name = name(measure);
    let throttled = |words| Fault::new(Kind::Throttled, Origin::Client, words).code("key/limit");
    match room {
        Room::Never => throttled(format!(
            "This request needs about {asked} tokens, more than the {name} of this API key. Send less at once."
        ))
        .never_retry(),
        Room::At(at_ms) => {
            let fault = match (measure, measure.period()) {
                (_, None) => throttled(format!("The {name} of this API key is reached. Try again shortly.")),
                // Not for today: clients that hear of a rate would wait for hours where they should say so.
                (measure, Some(period)) => Fault::new(Kind::Exhausted, Origin::Client, until(&name, period))
                    .code(if matches!(measure, Measure::Spending(_)) { "key/budget" } else { "key/limit" }),
            };
            fault.retry_after(Duration::from_millis(at_ms.saturating_sub(now_ms)))
        }
        Room::WhenSettled => {
            let words = match measure {
                Measure::AtOnce(_) => format!("The {name} of this API key is reached."),
                _ => format!("What is left of the {name} of this API key is reserved by requests under way."),
            };
            throttled(format!("{words} Try again when one has ended.")).retry_after(SOON)
        }
    }
}

fn until(name: &str, period: Period) -> String {
    let period = period.word();
    format!("The {name} of this API key is reached. It begins anew with the next {period} (UTC).")
}

fn name(measure: Measure) -> String {
    match measure {
        Measure::PerMinute(most) => format!("limit of {most} requests per minute"),
        Measure::PerDay(most) => format!("limit of {most} requests per day"),
        Measure::TokensPerMinute(most) => format!("limit of {most} tokens per minute"),
        Measure::AtOnce(most) => format!("limit of {most} requests at once"),
        Measure::Spending(Budget { unit, period, hard, .. }) => {
            let amount = amount(unit, hard.unwrap_or(u64::MAX));
            format!("budget of {amount} {} per {}", unit.word(), period.word())
        }
    }
}

/// An amount as people say it: credits with up to two decimals.
pub(crate) fn amount(unit: Unit, parts: u64) -> String {
    match unit {
        Unit::Tokens => parts.to_string(),
        Unit::Credits => {
            let hundredths = parts / 10_000;
            match (hundredths / 100, hundredths % 100) {
                (whole, 0) => whole.to_string(),
                (whole, rest) => format!("{whole}.{rest:02}"),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use qm_canon::Kind;
    use qm_coord::Room;
    use qm_keys::{Budget, Period, Unit};

    use super::{amount, full};
    use crate::measure::Measure;

    #[test]
    fn each_limit_has_its_words_and_its_time() {
        let month = Measure::Spending(Budget {
            unit: Unit::Credits,
            period: Period::Month,
            soft: None,
            hard: Some(100_500_000),
        });
        let s = Duration::from_secs;
        for (measure, room, kind, after, words) in [
            (
                Measure::PerMinute(60),
                Room::At(31_000),
                Kind::Throttled,
                Some(s(30)),
                "60 requests per minute",
            ),
            (Measure::PerDay(9), Room::At(61_000), Kind::Exhausted, Some(s(60)), "next day (UTC)"),
            (Measure::AtOnce(5), Room::WhenSettled, Kind::Throttled, Some(s(1)), "5 requests at once"),
            (Measure::TokensPerMinute(70), Room::Never, Kind::Throttled, None, "about 7 tokens"),
            (month, Room::At(2_000), Kind::Exhausted, Some(s(1)), "100.50 credits per month"),
            (month, Room::WhenSettled, Kind::Throttled, Some(s(1)), "reserved by requests under way"),
        ] {
            let fault = full(Some(measure), 7, room, 1_000);
            assert_eq!(
                (fault.kind, fault.retry_after, fault.final_),
                (kind, after, after.is_none()),
                "{words}"
            );
            assert!(fault.message.contains(words), "{}", fault.message);
        }
    }

    #[test]
    fn credits_are_said_with_two_decimals_at_most() {
        for (parts, said) in [(0, "0"), (1, "0"), (10_000, "0.01"), (2_000_000, "2"), (81_259_999, "81.25")] {
            assert_eq!(amount(Unit::Credits, parts), said);
        }
        assert_eq!(amount(Unit::Tokens, 81_259_999), "81259999");
    }
}
