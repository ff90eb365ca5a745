//! What was measured, as a table that says for each floor whether it holds.

use std::fmt::Write as _;

use crate::plan::{EVENTS, Results, STREAMS, Shape};
use crate::process::Memory;
use crate::rig::Arm;
use crate::speed;
use crate::statistics::Spread;
use crate::storm::Storm;
use crate::workload::{Outcome, Window};

/// A megabyte, as memory is counted.
const MEGABYTE: f64 = 1_048_576.0;

/// One round of the storm: nginx's and the gateway's.
type Pair = (Storm, Storm);

/// One measure.
pub(crate) struct Row {
    measure: String,
    nginx: String,
    gateway: String,
    /// What the floor speaks of.
    value: Spread,
    unit: &'static str,
    /// None where the targets ask for nothing: the number is there to be known.
    floor: Option<f64>,
    goal: &'static str,
}

impl Row {
    /// Whether there is a floor to hold.
    pub(crate) fn has_floor(&self) -> bool {
        self.floor.is_some()
    }

    /// Whether the median holds the floor.
    pub(crate) fn holds(&self) -> bool {
        self.floor.is_none_or(|floor| self.value.median <= floor)
    }
}

/// The rows of `results`, in the order of the targets.
pub(crate) fn rows(results: &Results) -> Vec<Row> {
    let mut rows = Vec::new();
    for (shape, outcome) in &results.outcomes {
        let format = shape.format();
        match shape {
            Shape::Small | Shape::ChatSmall | Shape::ResponsesSmall => {
                let measure = format!("CPU per request, small body, 50 events in one burst{format}");
                rows.push(cpu_row(&measure, outcome, 1.0, 2.5, "1.5×"));
            }
            Shape::Ledger => rows.push(ledger_row(outcome)),
            Shape::Large | Shape::ChatLarge | Shape::ResponsesLarge => {
                let measure = format!("CPU per request, 200 KB conversation, 50 events{format}");
                rows.push(cpu_row(&measure, outcome, 1.0, 3.0, "1.25×"));
                if *shape == Shape::Large {
                    rows.push(whole_row(outcome));
                }
            }
            Shape::Writes => {
                let measure = "CPU per request, small body, 50 events in 50 writes";
                rows.push(cpu_row(measure, outcome, 1.0, 2.5, "1.5×"));
            }
            Shape::Paced | Shape::ChatPaced | Shape::ResponsesPaced => {
                let measure = format!("CPU per event, paced 20 ms apart, 600 streams{format}");
                rows.push(cpu_row(&measure, outcome, EVENTS as f64, 1.5, "1.0×"));
                rows.extend(delay_rows(outcome, speed::STREAMS, format));
            }
            Shape::Scaled | Shape::ChatScaled | Shape::ResponsesScaled => {
                rows.extend(delay_rows(outcome, speed::streams(results.write_and_read), format));
            }
            Shape::Storm => {}
        }
    }
    if !results.storms.is_empty() {
        rows.extend(storm_rows(results));
    }
    let ready = Spread::of(results.outcomes.iter().flat_map(|(_, outcome)| outcome.ready_ms.iter().copied()));
    rows.push(Row {
        measure: "start to listening".into(),
        nginx: "–".into(),
        gateway: format!("{:.0} ms", ready.median),
        value: ready,
        unit: " ms",
        floor: Some(100.0),
        goal: "10 ms",
    });
    let size = results.binary_bytes as f64 / MEGABYTE;
    rows.push(Row {
        measure: "size of the binary, stripped".into(),
        nginx: "–".into(),
        gateway: format!("{size:.1} MB"),
        value: Spread::of([size]),
        unit: " MB",
        floor: Some(25.0),
        goal: "12 MB",
    });
    rows
}

/// The table in Markdown.
pub(crate) fn table(rows: &[Row]) -> String {
    let mut table = String::from(
        "| measure | nginx | gateway | median (min – max over rounds) | floor | goal | |\n\
         | --- | --- | --- | --- | --- | --- | --- |\n",
    );
    for row in rows {
        let Row { measure, nginx, gateway, value, unit, floor, goal } = row;
        let (floor, verdict) = match floor {
            Some(floor) => (format!("{floor}{unit}"), if row.holds() { "holds" } else { "**missed**" }),
            None => ("–".to_owned(), "no floor"),
        };
        let limit = row.floor.unwrap_or(1.0);
        let digits = match *unit {
            " ms" if limit <= 1.0 => 3,
            " MB" => 1,
            "×" if row.floor.is_some_and(|floor| floor < 1.1) => 3,
            _ if limit > 50.0 => 1,
            _ => 2,
        };
        let Spread { median, min, max } = value;
        // Writing into a String can not fail.
        let _ = writeln!(
            table,
            "| {measure} | {nginx} | {gateway} | **{median:.digits$}{unit}** ({min:.digits$} – {max:.digits$}) \
             | {floor} | {goal} | {verdict} |"
        );
    }
    table
}

/// How the rig behaved: its own disagreement, rates, its own delay, and how many answers there were.
pub(crate) fn rig_table(results: &Results) -> String {
    let mut table = String::from(
        "| workload | nginx against itself | answers a second: direct, nginx, gateway | whole answer p50: direct, \
         nginx, gateway | delay p50, p99, direct | answers measured | stolen |\n| --- | --- | --- | --- | --- | --- | --- |\n",
    );
    let beside_nginx = results.outcomes.iter().filter(|(shape, _)| *shape != Shape::Ledger);
    for (shape, outcome) in beside_nginx {
        let figure = |arm, figure: fn(&Window) -> f64| Spread::of(outcome.each(arm, figure)).median;
        let three =
            |what: fn(&Window) -> f64| [Arm::Direct, Arm::Nginx, Arm::Gateway].map(|arm| figure(arm, what));
        let again = outcome.each(Arm::NginxAgain, |window| window.cpu_us);
        let itself = ratios(&again, &outcome.each(Arm::Nginx, |window| window.cpu_us));
        let rates = three(|window| window.rate);
        let durations = three(|window| window.duration_p50_ms);
        let answers: u64 = outcome.rounds.iter().flatten().map(|window| window.answers).sum();
        let (p50, p99) = (figure(Arm::Direct, |w| w.delay_p50_ms), figure(Arm::Direct, |w| w.delay_p99_ms));
        let delay = if p50 > 0.0 { format!("{p50:.2}, {p99:.2} ms") } else { "–".to_owned() };
        let stolen = Spread::of(outcome.rounds.iter().flatten().map(|window| window.stolen));
        let _ = writeln!(
            table,
            "| {} | {:.2} ({:.2} – {:.2}) | {:.0}, {:.0}, {:.0} | {:.2}, {:.2}, {:.2} ms | {delay} | {answers} | {:.1} % |",
            shape.name(),
            itself.median,
            itself.min,
            itself.max,
            rates[0],
            rates[1],
            rates[2],
            durations[0],
            durations[1],
            durations[2],
            stolen.max * 100.0,
        );
    }
    table
}

fn cpu_row(measure: &str, outcome: &Outcome, divisor: f64, floor: f64, goal: &'static str) -> Row {
    let nginx = outcome.yardstick(|window| window.cpu_us);
    Row { floor: Some(floor), goal, ..compared(measure, outcome, &nginx, divisor) }
}

/// What it costs to write requests down.
fn ledger_row(outcome: &Outcome) -> Row {
    let forgetful = outcome.each(Arm::GatewayForgetful, |window| window.cpu_us);
    let measure = "the same, against itself while it keeps no ledger";
    let row = compared(measure, outcome, &forgetful, 1.0);
    Row { floor: Some(1.05), goal: "1.01×", nginx: format!("– (without: {})", row.nginx), ..row }
}

/// What the large body costs beside an nginx that does not stream it.
fn whole_row(outcome: &Outcome) -> Row {
    let nginx = outcome.each(Arm::NginxWhole, |window| window.cpu_us);
    let measure = "the same, against an nginx that takes the whole body into memory first";
    compared(measure, outcome, &nginx, 1.0)
}

fn compared(measure: &str, outcome: &Outcome, nginx: &[f64], divisor: f64) -> Row {
    let gateway = outcome.each(Arm::Gateway, |window| window.cpu_us);
    let shown =
        |values: &[f64]| format!("{:.1} µs", Spread::of(values.iter().map(|value| value / divisor)).median);
    Row {
        measure: measure.into(),
        nginx: shown(nginx),
        gateway: shown(&gateway),
        value: ratios(&gateway, nginx),
        unit: "×",
        floor: None,
        goal: "–",
    }
}

fn delay_rows(paced: &Outcome, streams: usize, format: &str) -> [Row; 2] {
    let p50 = |window: &Window| window.delay_p50_ms;
    let p99 = |window: &Window| window.delay_p99_ms;
    let (direct, nginx, gateway) =
        (paced.each(Arm::Direct, p50), paced.yardstick(p50), paced.each(Arm::Gateway, p50));
    let added = |values: &[f64]| Spread::of(values.iter().zip(&direct).map(|(value, direct)| value - direct));
    let (nginx_p99, gateway_p99) = (paced.yardstick(p99), paced.each(Arm::Gateway, p99));
    let shown = |values: &[f64]| format!("{:.2} ms", Spread::of(values.iter().copied()).median);
    let median = |spread: Spread| format!("{:.3} ms", spread.median);
    [
        Row {
            measure: format!("delay added to an event, {streams} paced streams, p50{format}"),
            nginx: median(added(&nginx)),
            gateway: median(added(&gateway)),
            value: added(&gateway),
            unit: " ms",
            floor: Some(0.1),
            goal: "0.003 ms",
        },
        Row {
            measure: format!("delay of an event, {streams} paced streams, p99, all the way{format}"),
            nginx: shown(&nginx_p99),
            gateway: shown(&gateway_p99),
            value: ratios(&gateway_p99, &nginx_p99),
            unit: "×",
            floor: Some(2.0),
            goal: "1.0×",
        },
    ]
}

fn storm_rows(results: &Results) -> [Row; 2] {
    let storms = &results.storms;
    let megabytes = |bytes: u64| bytes as f64 / MEGABYTE;
    let memory = |pick: fn(&Pair) -> Memory| {
        let rss = Spread::of(storms.iter().map(|pair| megabytes(pick(pair).rss)));
        let pss = Spread::of(storms.iter().map(|pair| megabytes(pick(pair).pss)));
        (rss, pss)
    };
    let (yardstick, yardstick_shared) = memory(|pair| pair.0.flowing);
    let (rss, pss) = memory(|pair| pair.1.flowing);
    let (idle, _) = memory(|pair| pair.1.idle);
    let (rested, _) = memory(|pair| pair.1.rested);
    let first = |pick: fn(&Pair) -> &Storm| -> Vec<f64> {
        storms.iter().map(|pair| pick(pair).first_ns.value_at_quantile(0.5) as f64 / 1e9).collect()
    };
    let (nginx_first, first) = (first(|pair| &pair.0), first(|pair| &pair.1));
    let cpu = |pick: fn(&Pair) -> f64| Spread::of(storms.iter().map(pick)).median;
    let (yardstick_cpu, cpu) = (cpu(|pair| pair.0.cpu_us), cpu(|pair| pair.1.cpu_us));
    let seconds = |values: &[f64], cpu: f64| {
        format!("{:.2} s ({cpu:.0} µs CPU each)", Spread::of(values.iter().copied()).median)
    };
    [
        Row {
            measure: format!("memory (RSS) with {STREAMS} open streams"),
            nginx: format!("{:.0} MB (PSS {:.0})", yardstick.median, yardstick_shared.median),
            gateway: format!(
                "{:.0} MB (PSS {:.0}; idle {:.0}, after the storm {:.0})",
                rss.median, pss.median, idle.median, rested.median
            ),
            value: rss,
            unit: " MB",
            floor: Some(200.0),
            goal: "1.0× nginx",
        },
        Row {
            measure: format!("time to the first event, {STREAMS} arriving at once, p50"),
            nginx: seconds(&nginx_first, yardstick_cpu),
            gateway: seconds(&first, cpu),
            value: ratios(&first, &nginx_first),
            unit: "×",
            floor: Some(3.0),
            goal: "1.5×",
        },
    ]
}

fn ratios(values: &[f64], yardstick: &[f64]) -> Spread {
    Spread::of(values.iter().zip(yardstick).map(|(value, yardstick)| value / yardstick))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(median: f64) -> Row {
        Row {
            measure: "CPU".into(),
            nginx: "10.0 µs".into(),
            gateway: "20.0 µs".into(),
            value: Spread { median, min: 1.0, max: 9.0 },
            unit: "×",
            floor: Some(2.5),
            goal: "1.5×",
        }
    }

    #[test]
    fn a_floor_holds_or_is_missed() {
        assert!(row(2.5).holds() && !row(2.51).holds() && !row(f64::NAN).holds());
        let table = table(&[row(2.0), row(3.0)]);
        assert!(table.contains("| **2.00×** (1.00 – 9.00) | 2.5× | 1.5× | holds |"), "{table}");
        assert!(table.contains("| **3.00×** (1.00 – 9.00) | 2.5× | 1.5× | **missed** |"), "{table}");
    }
}
