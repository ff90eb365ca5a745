//! Throughput mode: an answer built once and written again and again with as little work as can be.

use std::sync::{Arc, OnceLock};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::json;

mod metronome;

use self::metronome::Metronome;
use crate::frame;
use crate::http::{Connection, chunk};
use crate::knobs::Bench;
use crate::record::Outcome;

/// The most bytes of text in one event and events in one answer that are built.
const MOST_BYTES: usize = 1024 * 1024;
const MOST_EVENTS: usize = 100_000;

/// An answer ready to be written.
#[derive(Debug)]
pub(crate) struct Prebuilt {
    pub(crate) bench: Bench,
    /// The head of the answer and everything up to the first text, as HTTP bytes.
    head: Vec<u8>,
    /// Text events in groups of `per_write`, each group one HTTP chunk. One group when everything is one write.
    groups: Vec<Vec<u8>>,
    /// The tail events and the end of the body.
    tail: Vec<u8>,
    /// How many events each group has; used where the text changes with each write.
    sizes: Vec<usize>,
    /// Beats for all streams, once there is one that is paced.
    metronome: OnceLock<Arc<Metronome>>,
}

impl Prebuilt {
    pub(crate) fn new(bench: Bench) -> Self {
        let events = bench.events.min(MOST_EVENTS);
        let per_write = if bench.per_write == 0 { events.max(1) } else { bench.per_write };
        let text = filler(bench.bytes_per_event);
        let one = frame::event("assistantResponseEvent", &json!({ "content": text }));
        let sizes: Vec<usize> =
            (0..events).step_by(per_write).map(|first| per_write.min(events - first)).collect();
        let groups = sizes.iter().map(|size| chunk(&one.repeat(*size))).collect();
        let mut head =
            b"HTTP/1.1 200 OK\r\ncontent-type: application/vnd.amazon.eventstream\r\ntransfer-encoding: chunked\r\n\r\n"
                .to_vec();
        head.extend(chunk(&frame::event("initial-response", &json!({ "conversationId": "" }))));
        let mut ends = frame::event("metadataEvent", &json!({ "stopReason": "END_TURN" }));
        ends.extend(frame::event("contextUsageEvent", &json!({ "contextUsagePercentage": 1.5 })));
        let metering = json!({ "unit": "credit", "unitPlural": "credits", "usage": 0.0967 });
        ends.extend(frame::event("meteringEvent", &metering));
        let mut tail = chunk(&ends);
        tail.extend_from_slice(b"0\r\n\r\n");
        Self { bench, head, groups, tail, sizes, metronome: OnceLock::new() }
    }

    /// Writes the answer. The client is gone when a write fails; silence is only as long as the pace.
    pub(crate) async fn play(&self, connection: &mut Connection) -> Outcome {
        let played = match self.bench.pace {
            None if self.bench.per_write == 0 && !self.bench.stamp => self.at_once(connection).await,
            None => self.unpaced(connection).await,
            Some(pace) => self.paced(connection, pace).await,
        };
        if played.is_ok() { Outcome::Finished } else { Outcome::ClientGone }
    }

    async fn at_once(&self, connection: &mut Connection) -> std::io::Result<()> {
        let mut all = Vec::with_capacity(
            self.head.len() + self.tail.len() + self.groups.iter().map(Vec::len).sum::<usize>(),
        );
        all.extend_from_slice(&self.head);
        for group in &self.groups {
            all.extend_from_slice(group);
        }
        all.extend_from_slice(&self.tail);
        connection.write(&all).await
    }

    async fn unpaced(&self, connection: &mut Connection) -> std::io::Result<()> {
        connection.write(&self.head).await?;
        for index in 0..self.groups.len() {
            self.write_group(connection, index).await?;
        }
        connection.write(&self.tail).await
    }

    /// The first group at once, the others a pace apart.
    async fn paced(&self, connection: &mut Connection, pace: Duration) -> std::io::Result<()> {
        connection.write(&self.head).await?;
        let mut beats = self.metronome(pace).join();
        for index in 0..self.groups.len() {
            if index > 0 {
                beats.next().await;
            }
            self.write_group(connection, index).await?;
        }
        connection.write(&self.tail).await
    }

    fn metronome(&self, pace: Duration) -> &Arc<Metronome> {
        self.metronome.get_or_init(|| Metronome::start(pace, self.bench.poll))
    }

    async fn write_group(&self, connection: &mut Connection, index: usize) -> std::io::Result<()> {
        if !self.bench.stamp {
            return connection.write(&self.groups[index]).await;
        }
        let filler = filler(self.bench.bytes_per_event.saturating_sub(20));
        let text = json!({ "content": format!("{:020}{filler}", now_ns()) });
        let one = frame::event("assistantResponseEvent", &text);
        connection.write(&chunk(&one.repeat(self.sizes[index]))).await
    }
}

#[expect(clippy::disallowed_methods, reason = "the stamp is compared with another process's clock")]
fn now_ns() -> u128 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_nanos())
}

fn filler(bytes: usize) -> String {
    "words of the answer, one after another, ".chars().cycle().take(bytes.min(MOST_BYTES)).collect()
}
