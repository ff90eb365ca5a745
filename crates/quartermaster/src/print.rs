//! What commands print: tables for people, JSON for programs.

use std::io::Write;
use std::process::ExitCode;

use comfy_table::presets;
use comfy_table::{ContentArrangement, Table};
use qm_accounts::View;
use qm_pool::Health;
use serde_json::{Value, json};

/// Writes to standard output.
pub(crate) fn out(text: &str) -> anyhow::Result<()> {
    let mut to = std::io::stdout().lock();
    to.write_all(text.as_bytes())?;
    to.write_all(b"\n")?;
    Ok(())
}

/// Writes what is for whoever sits there to standard error.
pub(crate) fn aside(text: &str) -> anyhow::Result<()> {
    writeln!(std::io::stderr().lock(), "{text}")?;
    Ok(())
}

/// Says what became of each that was named. The exit code is 1 when some could not be dealt with.
pub(crate) fn fates(
    what: &str,
    done: &[(String, Result<&'static str, String>)],
    json: bool,
) -> anyhow::Result<ExitCode> {
    if json {
        let all = done.iter().map(|(id, outcome)| match outcome {
            Ok(word) => json!({ what: id, "outcome": word }),
            Err(error) => json!({ what: id, "error": error }),
        });
        value(&json!({ format!("{what}s"): all.collect::<Vec<_>>() }))?;
    } else {
        for (id, outcome) in done {
            let words = match outcome {
                Ok(word) => *word,
                Err(error) => error.as_str(),
            };
            out(&format!("{id}: {words}"))?;
        }
    }
    let well = done.iter().all(|(_, outcome)| outcome.is_ok());
    Ok(if well { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Writes a value to standard output.
pub(crate) fn value(value: &Value) -> anyhow::Result<()> {
    out(&serde_json::to_string_pretty(value)?)
}

/// Writes a table as wide as the terminal at most.
pub(crate) fn table<const WIDTH: usize>(
    head: [&str; WIDTH],
    rows: impl IntoIterator<Item = [String; WIDTH]>,
) -> anyhow::Result<()> {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Dynamic).set_header(head);
    for row in rows {
        table.add_row(row.map(|cell| cell.replace(char::is_control, " ")));
    }
    out(&table.trim_fmt())
}

/// An account for programs.
pub(crate) fn account(view: &View) -> Value {
    let View { health, login, wishes, counts, .. } = view;
    json!({
        "number": view.number,
        "id": view.id,
        "label": view.label,
        "origin": view.origin,
        "slot": view.slot,
        "kind": login.kind,
        "fingerprint": login.fingerprint,
        "hasRefreshToken": login.has_refresh_token,
        "hasAccessToken": login.has_access_token,
        "expiresMs": login.expires_ms,
        "lastRefreshMs": login.last_refresh_ms,
        "lastRefreshStatus": login.last_refresh_status,
        "profileArn": login.arn.as_ref().map(|(arn, _)| arn),
        "owner": wishes.owner,
        "tags": wishes.tags,
        "enabled": wishes.enabled,
        "weight": wishes.weight,
        "priority": wishes.priority,
        "requestsPerMinute": wishes.rpm,
        "requestsPerHour": wishes.rate_per_hour,
        "concurrency": wishes.concurrency,
        "proxy": wishes.proxy,
        "state": health.state.word(),
        "untilMs": until_ms(&health.state),
        "reason": health.cause.as_ref().map(|cause| &cause.words),
        "code": health.cause.as_ref().map(|cause| &cause.code),
        "upstreamRequestId": health.cause.as_ref().map(|cause| &cause.upstream_request_id),
        "trouble": health.trouble,
        "successCount": counts.success_count,
        "errorCount": counts.error_count,
        "totalRequests": counts.total_requests,
        "lastUsedMs": counts.last_used_ms,
        "createdMs": view.created_ms,
        "updatedMs": view.updated_ms,
    })
}

/// How an account is, in few words.
pub(crate) fn state(view: &View, now_ms: u64) -> String {
    let (health, word) = (&view.health, view.health.state.word());
    match until_ms(&health.state) {
        _ if health.trouble.is_some() => "unusable".to_owned(),
        Some(until_ms) if until_ms > now_ms => format!("{word} for {}", span(until_ms - now_ms)),
        _ => word.to_owned(),
    }
}

/// Why it is so, as far as there is a reason.
pub(crate) fn reason(view: &View) -> String {
    let cause = || view.health.cause.as_ref().map(|cause| cause.words.to_string());
    let ill = view.health.state != Health::Ready;
    view.health.trouble.clone().or_else(|| cause().filter(|_| ill)).unwrap_or_default()
}

/// A moment, given in milliseconds since 1970, as people read it.
pub(crate) fn moment(ms: u64) -> String {
    let moment = i64::try_from(ms).ok().and_then(|ms| jiff::Timestamp::from_millisecond(ms).ok());
    moment.map_or_else(|| ms.to_string(), |moment| moment.strftime("%Y-%m-%d %H:%M:%SZ").to_string())
}

/// The day of a moment.
pub(crate) fn day(ms: u64) -> String {
    moment(ms).split(' ').next().unwrap_or_default().to_owned()
}

/// A time in its largest unit.
pub(crate) fn span(ms: u64) -> String {
    match ms.div_ceil(1000) {
        seconds @ 0..120 => format!("{seconds} s"),
        seconds @ 120..7_200 => format!("{} min", seconds / 60),
        seconds @ 7_200..172_800 => format!("{} h", seconds / 3_600),
        seconds => format!("{} days", seconds / 86_400),
    }
}

fn until_ms(health: &Health) -> Option<u64> {
    match health {
        Health::Cooling { until_ms, .. } => Some(*until_ms),
        Health::Exhausted { resets_ms } => Some(*resets_ms),
        Health::Ready | Health::Suspended | Health::Broken | Health::Disabled { .. } => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_told_in_universal_time() {
        assert_eq!(moment(1_795_280_461_999), "2026-11-21 17:01:01Z");
        assert_eq!(moment(u64::MAX), u64::MAX.to_string());
    }

    #[test]
    fn times_are_told_in_the_unit_that_people_think_in() {
        let cases = [
            (0, "0 s"),
            (1, "1 s"),
            (119_000, "119 s"),
            (1_800_000, "30 min"),
            (86_400_000, "24 h"),
            (172_800_000, "2 days"),
        ];
        for (ms, text) in cases {
            assert_eq!(span(ms), text, "{ms}");
        }
    }
}
