//! The load: kept connections in a closed loop, each asking again when its answer is whole. One thread, raw sockets,
//! so that the client costs little beside what it measures.

use std::cell::RefCell;
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::{Context as _, Result, bail};
use hdrhistogram::Histogram;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::Instant;

use crate::answer::{Answer, Form, Seen};
use crate::http::Response;

/// What one arm asks, of whom, and how it reads the answer.
#[derive(Clone)]
pub(crate) struct Target {
    pub(crate) address: SocketAddr,
    /// The whole request, head and body.
    pub(crate) request: Rc<[u8]>,
    pub(crate) form: Form,
    /// Text events that each answer must hold.
    pub(crate) texts: u64,
}

/// A kept connection.
pub(crate) struct Connection {
    stream: TcpStream,
    buffer: Vec<u8>,
}

/// What all connections saw together.
pub(crate) struct Tally {
    pub(crate) answers: u64,
    pub(crate) texts: u64,
    /// Whole answers, from the request's first byte to the answer's last (nanoseconds).
    pub(crate) durations_ns: Histogram<u64>,
    /// From the stamp in a text event to its arrival here (nanoseconds), of those that came while every connection asked: not
    /// before the last has begun, not after the first was done.
    pub(crate) delays_ns: Histogram<u64>,
}

/// What the connections of one load share.
#[derive(Clone)]
struct Asking {
    until: Until,
    /// When the last of them begins.
    complete: Instant,
    tally: Rc<RefCell<Tally>>,
}

/// When a connection stops asking.
#[derive(Clone, Copy)]
pub(crate) enum Until {
    /// After this many answers.
    Answers(u64),
    /// At the end of the answer in which this moment falls.
    Moment(Instant),
}

impl Tally {
    fn new() -> Result<Self> {
        let histogram = || Histogram::new_with_bounds(1, 600_000_000_000, 3);
        Ok(Self { answers: 0, texts: 0, durations_ns: histogram()?, delays_ns: histogram()? })
    }
}

impl Connection {
    /// # Errors
    /// When nobody listens.
    pub(crate) async fn open(address: SocketAddr) -> Result<Self> {
        let stream = TcpStream::connect(address).await.with_context(|| format!("connecting to {address}"))?;
        stream.set_nodelay(true)?;
        Ok(Self { stream, buffer: vec![0; 64 * 1024] })
    }

    /// Asks once and reads the answer to its end; `heard` gets the read's moment (nanoseconds since the epoch) and
    /// each stamp in it.
    ///
    /// # Errors
    /// When the answer is not a whole, good one.
    pub(crate) async fn ask(
        &mut self,
        request: &[u8],
        mut answer: Answer,
        mut heard: impl FnMut(u64, u64),
    ) -> Result<Answer> {
        self.stream.write_all(request).await.context("sending the request")?;
        let mut response = Response::new();
        while !response.done() {
            let read = self.stream.read(&mut self.buffer).await.context("reading the answer")?;
            if read == 0 {
                bail!("the connection was closed inside an answer");
            }
            let now = unix_ns();
            response.feed(&self.buffer[..read], |piece| answer.feed(piece, |stamp| heard(now, stamp)))?;
        }
        if response.status() != 200 {
            bail!("status {}", response.status());
        }
        if !answer.complete() {
            bail!("an answer without a good end: {:?}", answer.seen());
        }
        Ok(answer)
    }
}

impl Target {
    /// Asks once on a connection of its own and keeps the text.
    ///
    /// # Errors
    /// When there is no whole, good answer.
    pub(crate) async fn ask_once(&self) -> Result<(Seen, String)> {
        let mut connection = Connection::open(self.address).await?;
        let answer = connection.ask(&self.request, Answer::keeping(self.form), |_, _| ()).await?;
        let quoted = format!("\"{}\"", String::from_utf8_lossy(answer.text()));
        let text = serde_json::from_str(&quoted).context("text of an answer")?;
        Ok((answer.seen(), text))
    }

    /// Opens `count` connections.
    ///
    /// # Errors
    /// When one can not be opened.
    pub(crate) async fn connect(&self, count: usize) -> Result<Vec<Connection>> {
        let mut connections = Vec::with_capacity(count);
        for _ in 0..count {
            connections.push(Connection::open(self.address).await?);
        }
        Ok(connections)
    }

    /// Asks on all `connections` at once, the first question of each delayed by its share of `stagger`, and gives
    /// them back with what they saw. Takes at most `limit`.
    ///
    /// # Errors
    /// When one answer is late, bad, or holds another number of text events than it must: no number is published
    /// from a run that lost anything.
    pub(crate) async fn load(
        &self,
        connections: Vec<Connection>,
        until: Until,
        stagger: Duration,
        limit: Duration,
    ) -> Result<(Vec<Connection>, Tally)> {
        let tally = Rc::new(RefCell::new(Tally::new()?));
        let count = connections.len() as u32;
        let shared = Asking { until, complete: Instant::now() + stagger, tally: Rc::clone(&tally) };
        let mut asking = JoinSet::new();
        for (index, connection) in connections.into_iter().enumerate() {
            let pause = stagger * index as u32 / count;
            asking.spawn_local(self.clone().keep_asking(connection, pause, shared.clone()));
        }
        drop(shared);
        let all = async {
            let mut back = Vec::with_capacity(count as usize);
            while let Some(connection) = asking.join_next().await {
                back.push(connection.context("a connection's task")??);
            }
            anyhow::Ok(back)
        };
        let back = tokio::time::timeout(limit, all).await.context("the load did not end in time")??;
        drop(asking);
        let tally = Rc::try_unwrap(tally).ok().context("the tally is still in use")?;
        Ok((back, tally.into_inner()))
    }

    async fn keep_asking(
        self,
        mut connection: Connection,
        pause: Duration,
        asking: Asking,
    ) -> Result<Connection> {
        if !pause.is_zero() {
            tokio::time::sleep(pause).await;
        }
        let mut answers = 0;
        while asking.until.lasts(answers) {
            let start = Instant::now();
            let heard = |now: u64, stamp: u64| {
                if asking.all_ask(answers) {
                    asking.tally.borrow_mut().delays_ns.saturating_record(now.saturating_sub(stamp));
                }
            };
            let answer = connection.ask(&self.request, Answer::new(self.form), heard).await?;
            let seen = answer.seen();
            if seen.texts != self.texts {
                bail!("{} text events came out where {} went in", seen.texts, self.texts);
            }
            let mut tally = asking.tally.borrow_mut();
            tally.answers += 1;
            tally.texts += seen.texts;
            tally.durations_ns.saturating_record(start.elapsed().as_nanos() as u64);
            answers += 1;
        }
        Ok(connection)
    }
}

impl Asking {
    /// Whether every connection is at it now.
    fn all_ask(&self, answers: u64) -> bool {
        Instant::now() >= self.complete && self.until.lasts(answers)
    }
}

impl Until {
    fn lasts(self, answers: u64) -> bool {
        match self {
            Until::Answers(count) => answers < count,
            Until::Moment(moment) => Instant::now() < moment,
        }
    }
}

/// Nanoseconds since the Unix epoch, the clock of the simulator's stamps.
#[expect(clippy::disallowed_methods, reason = "a stamp is compared with the clock of another process")]
pub(crate) fn unix_ns() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_nanos() as u64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::net::TcpListener;
    use tokio::task::LocalSet;

    /// A server that answers each request (one read each) with `answer`, and closes after `per_connection`.
    async fn serve(answer: &'static str, per_connection: usize) -> SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::task::spawn_local(async move {
            loop {
                let (mut stream, _) = listener.accept().await.unwrap();
                tokio::task::spawn_local(async move {
                    let mut request = [0; 1024];
                    for _ in 0..per_connection {
                        if stream.read(&mut request).await.unwrap_or(0) == 0 {
                            return;
                        }
                        let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n", answer.len());
                        stream.write_all(head.as_bytes()).await.unwrap();
                        stream.write_all(answer.as_bytes()).await.unwrap();
                    }
                });
            }
        });
        address
    }

    async fn load(answer: &'static str, per_connection: usize, texts: u64) -> Result<Tally> {
        let run = async {
            let address = serve(answer, per_connection).await;
            let request = Rc::from(b"POST / HTTP/1.1\r\n\r\n".as_slice());
            let target = Target { address, request, form: Form::Messages, texts };
            let connections = target.connect(3).await?;
            let limit = Duration::from_secs(20);
            let (back, tally) = target.load(connections, Until::Answers(5), Duration::ZERO, limit).await?;
            assert_eq!(back.len(), 3);
            Ok(tally)
        };
        LocalSet::new().run_until(run).await
    }

    const GOOD: &str = "event: content_block_delta\ndata: {\"text\":\"00000000000000000001\"}\n\n\
        event: content_block_delta\ndata: {\"text\":\"b\"}\n\nevent: message_stop\ndata: {}\n\n";

    #[tokio::test]
    async fn counts_every_answer() {
        let tally = load(GOOD, 5, 2).await.unwrap();
        assert_eq!((tally.answers, tally.texts), (15, 30));
        assert_eq!((tally.durations_ns.len(), tally.delays_ns.len()), (15, 15));
    }

    #[tokio::test]
    async fn a_lost_event_a_cut_or_an_error_is_no_result() {
        assert!(load(GOOD, 5, 3).await.is_err());
        assert!(load(GOOD, 4, 2).await.is_err());
        assert!(load("event: message_start\ndata: {}\n\n", 5, 0).await.is_err());
        assert!(load("event: error\ndata: {}\n\nevent: message_stop\ndata: {}\n\n", 5, 0).await.is_err());
    }
}
