//! Reading a request's body: bounded in size, in time and in sum, decompressed.

use std::collections::HashMap;
use std::io::Read;
use std::mem;
use std::ops::Deref;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::body::{Body, HttpBody as _};
use axum::http::HeaderMap;
use axum::http::header::CONTENT_ENCODING;
use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt as _;
use qm_canon::{Fault, Kind, Origin};
use qm_relay::KeyId;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

/// How much of an oversized body is read and thrown away, as a multiple of the limit: a client that is still writing
/// when we close would see a reset instead of our answer.
const DISCARDED: usize = 3;

/// How long a body may take to arrive once its turn has come: 32 MiB at 2 Mbit/s.
const ARRIVAL: Duration = Duration::from_secs(140);

/// How long a request may wait for room in memory.
const TURN: Duration = Duration::from_secs(20);

/// How much, and how long, of a refused request's body is read away.
const MAX_DISCARDED: usize = 8 << 20;
const DISCARDING: Duration = Duration::from_secs(2);

/// Unit of the budget: permits are counted in 32 bits.
const UNIT: usize = 1024;

/// The part of the budget that one key's bodies may take on their way.
const QUARTER: usize = 4;

/// Up to here a body is counted to no key, in bytes.
const SMALL: usize = 256 << 10;

/// The code of the fault that the body ended early: the client has left.
pub(crate) const BROKEN_OFF: &str = "body/broken-off";

/// What bodies may take, one and all together.
pub struct Bodies {
    max: usize,
    budget: Arc<Semaphore>,
    /// What bodies of one key may take of it while they arrive.
    of_one: usize,
    arriving: Arc<Arriving>,
}

/// The keys of which large bodies arrive or wait to, each with how many and with what is left of its share.
type Arriving = Mutex<HashMap<KeyId, (usize, Arc<Semaphore>)>>;

/// A place in a key's share, from the moment it is waited for until the body is here.
struct Place {
    key: KeyId,
    arriving: Arc<Arriving>,
    taken: Option<OwnedSemaphorePermit>,
}

/// The places that a body has while it arrives: of its key, if it is large, and of all.
type Turn = (Option<Place>, OwnedSemaphorePermit);

/// A body in memory. Its share of the budget is given back when it is dropped.
pub(crate) struct Held {
    bytes: Bytes,
    _share: OwnedSemaphorePermit,
}

impl Bodies {
    /// At most `max` bytes for one body, compressed or not, and `total` bytes for all that are being read or held;
    /// further ones wait. Of one key a quarter of that may be on its way at once: who announces much and sends it slowly
    /// keeps out nobody but himself.
    #[must_use]
    pub fn new(max: usize, total: usize) -> Self {
        let budget = Arc::new(Semaphore::new(units(total.max(max))));
        Self { max, budget, of_one: units((total / QUARTER).max(max)), arriving: Arc::default() }
    }

    /// Reads one whole.
    ///
    /// # Errors
    /// [`Kind::TooLarge`] above the bound, before or after decompression; [`Kind::Invalid`] for an encoding that is
    /// unknown or broken, or a body that ends early or takes too long.
    pub(crate) async fn read(&self, key: &KeyId, headers: &HeaderMap, body: Body) -> Result<Held, Fault> {
        // What may become larger than it says is counted as large as it may become.
        let declared = body.size_hint().exact().filter(|_| !headers.contains_key(CONTENT_ENCODING));
        let share =
            declared.map_or(self.max, |length| usize::try_from(length).unwrap_or(self.max).min(self.max));
        let turn = self.turn(key, units(share));
        let (place, mut share) = timeout(TURN, turn).await.unwrap_or_else(|_| Err(too_many()))?;
        let bytes =
            timeout(ARRIVAL, read(headers, body, self.max)).await.unwrap_or_else(|_| Err(too_slow()))?;
        drop(place);
        // Only what it takes is kept from others while it waits for its answer.
        drop(share.split(share.num_permits().saturating_sub(units(bytes.len()))));
        Ok(Held { bytes, _share: share })
    }

    /// Waits for room: first for the key's own, so that nothing is kept from others meanwhile.
    async fn turn(&self, key: &KeyId, units: usize) -> Result<Turn, Fault> {
        let closed = |_| Fault::internal("body/budget-closed");
        let mut place = None;
        if units > SMALL / UNIT {
            let (waiting, share) = self.place(key);
            let waiting = place.insert(waiting);
            waiting.taken = Some(share.acquire_many_owned(units as u32).await.map_err(closed)?);
        }
        let share = Arc::clone(&self.budget).acquire_many_owned(units as u32).await.map_err(closed)?;
        Ok((place, share))
    }

    fn place(&self, key: &KeyId) -> (Place, Arc<Semaphore>) {
        let mut arriving = self.arriving.lock().unwrap_or_else(PoisonError::into_inner);
        let new = || (0, Arc::new(Semaphore::new(self.of_one)));
        let (places, share) = arriving.entry(key.clone()).or_insert_with(new);
        *places += 1;
        let place = Place { key: key.clone(), arriving: Arc::clone(&self.arriving), taken: None };
        (place, Arc::clone(share))
    }

    /// The share of what the gateway itself adds to a body, which with it counts as one; it is given back when it is
    /// dropped.
    ///
    /// # Errors
    /// [`Kind::TooLarge`] when both together are above the bound, [`Kind::Unavailable`] when there is no room now.
    pub(crate) fn share(&self, added: usize, body: usize) -> Result<OwnedSemaphorePermit, Fault> {
        if added.saturating_add(body) > self.max {
            return Err(too_large(self.max));
        }
        Arc::clone(&self.budget).try_acquire_many_owned(units(added) as u32).map_err(|_| too_many())
    }
}

/// The body of a request whose caller is admitted. That of one who is not is read away, within bounds: a client that is
/// still writing when we close would see a reset instead of the answer.
pub(crate) async fn of_admitted<A, R>(admitted: Result<A, R>, body: Body) -> Result<(A, Body), R> {
    match admitted {
        Ok(caller) => Ok((caller, body)),
        Err(refused) => {
            discard(body).await;
            Err(refused)
        }
    }
}

async fn discard(mut body: Body) {
    let drain = async {
        let mut seen = 0;
        while let Some(Ok(frame)) = body.frame().await {
            seen += frame.data_ref().map_or(0, Bytes::len);
            if seen > MAX_DISCARDED {
                break;
            }
        }
    };
    // Out of time is as good as done.
    drop(timeout(DISCARDING, drain).await);
}

impl Drop for Place {
    /// The last place of a key takes its entry along.
    fn drop(&mut self) {
        drop(self.taken.take());
        let mut arriving = self.arriving.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((places, _)) = arriving.get_mut(&self.key) {
            *places -= 1;
            if *places == 0 {
                arriving.remove(&self.key);
            }
        }
    }
}

impl Deref for Held {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.bytes
    }
}

fn units(bytes: usize) -> usize {
    bytes.div_ceil(UNIT).clamp(1, Semaphore::MAX_PERMITS.min(u32::MAX as usize))
}

async fn read(headers: &HeaderMap, body: Body, max: usize) -> Result<Bytes, Fault> {
    let raw = collect(body, max).await?;
    let encoding = headers.get(CONTENT_ENCODING).map_or("", |value| value.to_str().unwrap_or("?")).trim();
    let open: fn(Bytes, usize) -> Result<Bytes, Fault> = match encoding.to_ascii_lowercase().as_str() {
        "" | "identity" => return Ok(raw),
        "gzip" | "x-gzip" => |raw, max| inflate(flate2::read::MultiGzDecoder::new(&*raw), max),
        "deflate" => |raw, max| inflate(flate2::read::ZlibDecoder::new(&*raw), max),
        "zstd" => |raw, max| match ruzstd::decoding::StreamingDecoder::new(&*raw) {
            Ok(decoder) => inflate(decoder, max),
            Err(_) => Err(garbled()),
        },
        _ => {
            return Err(Fault::invalid("content-encoding: send the body plain, or as gzip, deflate or zstd"));
        }
    };
    // Off the data path: a small body can become a large one.
    tokio::task::spawn_blocking(move || open(raw, max)).await.unwrap_or_else(|_| Err(garbled()))
}

async fn collect(mut body: Body, max: usize) -> Result<Bytes, Fault> {
    let expected = usize::try_from(body.size_hint().lower()).unwrap_or(usize::MAX);
    let mut first = Bytes::new();
    let mut whole = BytesMut::new();
    let mut seen = 0;
    while let Some(frame) = body.frame().await {
        let Ok(chunk) = frame.map_err(|_| broken_off())?.into_data() else {
            continue;
        };
        seen += chunk.len();
        if seen > max * DISCARDED {
            break;
        }
        if seen > max {
            whole.clear();
        } else if seen == chunk.len() && seen >= expected {
            // Most bodies come in one piece; those are not copied.
            first = chunk;
        } else {
            // A piece is copied and let go at once: the connection reads the next one into its place, which is still
            // in the processor's cache.
            if whole.is_empty() {
                whole.reserve(expected.min(max).max(seen));
                whole.extend_from_slice(&mem::take(&mut first));
            }
            whole.extend_from_slice(&chunk);
        }
    }
    if seen > max {
        return Err(too_large(max));
    }
    Ok(if whole.is_empty() { first } else { whole.freeze() })
}

fn inflate(decoder: impl Read, max: usize) -> Result<Bytes, Fault> {
    let mut out = Vec::new();
    decoder.take(max as u64 + 1).read_to_end(&mut out).map_err(|_| garbled())?;
    if out.len() > max { Err(too_large(max)) } else { Ok(out.into()) }
}

fn too_many() -> Fault {
    Fault::new(
        Kind::Unavailable,
        Origin::Gateway,
        "The gateway is full of large requests. Try again shortly.",
    )
    .retry_after(Duration::from_secs(5))
    .code("body/no-room")
}

fn broken_off() -> Fault {
    Fault::invalid("the request body ended early").code(BROKEN_OFF)
}

fn too_slow() -> Fault {
    Fault::invalid("the request body did not arrive in time")
}

fn garbled() -> Fault {
    Fault::invalid("the request body does not match its content-encoding")
}

fn too_large(max: usize) -> Fault {
    Fault::new(
        Kind::TooLarge,
        Origin::Client,
        format!("Request exceeds the maximum allowed number of bytes ({max}). Send less, or fewer images."),
    )
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    /// A body of which nothing ever comes.
    struct Silent;

    impl axum::body::HttpBody for Silent {
        type Data = Bytes;
        type Error = std::convert::Infallible;

        fn poll_frame(
            self: std::pin::Pin<&mut Self>,
            _: &mut std::task::Context<'_>,
        ) -> std::task::Poll<Option<Result<hyper::body::Frame<Bytes>, Self::Error>>> {
            std::task::Poll::Pending
        }
    }

    /// A body in pieces, of a length that is told or not.
    struct Pieces(std::vec::IntoIter<&'static str>, Option<u64>);

    impl axum::body::HttpBody for Pieces {
        type Data = Bytes;
        type Error = std::convert::Infallible;

        fn poll_frame(
            mut self: std::pin::Pin<&mut Self>,
            _: &mut std::task::Context<'_>,
        ) -> std::task::Poll<Option<Result<hyper::body::Frame<Bytes>, Self::Error>>> {
            let piece =
                self.0.next().map(|piece| Ok(hyper::body::Frame::data(Bytes::from_static(piece.as_bytes()))));
            std::task::Poll::Ready(piece)
        }

        fn size_hint(&self) -> hyper::body::SizeHint {
            self.1.map_or_else(hyper::body::SizeHint::default, hyper::body::SizeHint::with_exact)
        }
    }

    #[tokio::test]
    async fn pieces_become_one_whether_their_length_is_told_or_not() {
        for pieces in [vec!["hel", "lo"], vec!["hello"], vec!["", "h", "", "ello", ""], vec!["hello", ""]] {
            for told in [None, Some(5)] {
                let body = Body::new(Pieces(pieces.clone().into_iter(), told));
                assert_eq!(read(&HeaderMap::new(), body, 5).await.expect("fits"), "hello");
                let body = Body::new(Pieces(pieces.clone().into_iter(), told));
                let fault = read(&HeaderMap::new(), body, 4).await.expect_err("too large");
                assert_eq!(fault.kind, Kind::TooLarge);
            }
        }
    }

    fn key() -> KeyId {
        "key".into()
    }

    /// Announces so many bytes and sends none.
    struct Announced(u64);

    impl axum::body::HttpBody for Announced {
        type Data = Bytes;
        type Error = std::convert::Infallible;

        fn poll_frame(
            self: std::pin::Pin<&mut Self>,
            _: &mut std::task::Context<'_>,
        ) -> std::task::Poll<Option<Result<hyper::body::Frame<Bytes>, Self::Error>>> {
            std::task::Poll::Pending
        }

        fn size_hint(&self) -> hyper::body::SizeHint {
            hyper::body::SizeHint::with_exact(self.0)
        }
    }

    #[tokio::test(start_paused = true)]
    async fn who_announces_much_and_sends_nothing_keeps_out_nobody_but_himself() {
        let large = 1 << 20;
        let bodies = Arc::new(Bodies::new(large, 8 * large));
        let (greedy, other, none) = (KeyId::from("greedy"), KeyId::from("other"), HeaderMap::new());
        let mut waiting = tokio::task::JoinSet::new();
        for _ in 0..32 {
            let (bodies, greedy) = (Arc::clone(&bodies), greedy.clone());
            waiting.spawn(async move {
                let body = Body::new(Announced(large as u64));
                bodies.read(&greedy, &HeaderMap::new(), body).await.map(drop).map_err(|fault| fault.kind)
            });
        }
        tokio::task::yield_now().await;
        assert_eq!(bodies.budget.available_permits(), 6 * large / UNIT, "a quarter is taken, no more");
        // Others come in at once; so does what is small, whoever sends it.
        let theirs = bodies.read(&other, &none, Body::from(vec![b'a'; large]));
        assert_eq!(
            timeout(Duration::from_secs(1), theirs).await.expect("at once").expect("fits").len(),
            large
        );
        let small = bodies.read(&greedy, &none, Body::from("small"));
        assert!(timeout(Duration::from_secs(1), small).await.expect("at once").is_ok());
        // The other thirty had their turn to wait for, and the two their time.
        let ended: Vec<_> = waiting.join_all().await.into_iter().map(Result::unwrap_err).collect();
        let full = ended.iter().filter(|kind| **kind == Kind::Unavailable).count();
        assert_eq!((full, ended.len()), (30, 32));
        assert!(bodies.arriving.lock().expect("whole").is_empty(), "nobody is remembered");
        assert_eq!(bodies.budget.available_permits(), 8 * large / UNIT);
    }

    fn encoded(encoding: &'static str) -> HeaderMap {
        HeaderMap::from_iter([(CONTENT_ENCODING, encoding.parse().expect("ascii"))])
    }

    fn gzip(text: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
        encoder.write_all(text).expect("writes to memory");
        encoder.finish().expect("writes to memory")
    }

    #[tokio::test]
    async fn what_is_within_bounds_is_read_whole() {
        let plain = read(&HeaderMap::new(), Body::from("hello"), 5).await.expect("fits");
        assert_eq!(plain, "hello");
        let zipped = read(&encoded("gzip"), Body::from(gzip(b"hello")), 100).await.expect("fits");
        assert_eq!(zipped, "hello");
        let zstd =
            ruzstd::encoding::compress_to_vec(&b"hello"[..], ruzstd::encoding::CompressionLevel::Fastest);
        assert_eq!(read(&encoded("zstd"), Body::from(zstd), 100).await.expect("fits"), "hello");
    }

    #[tokio::test]
    async fn a_bomb_does_not_go_off() {
        let bomb = gzip(&vec![0; 1 << 20]);
        assert!(bomb.len() < 2000);
        let fault = read(&encoded("gzip"), Body::from(bomb), 2000).await.expect_err("too large");
        assert_eq!(fault.kind, Kind::TooLarge);
        let fault = read(&HeaderMap::new(), Body::from("123456"), 5).await.expect_err("too large");
        assert_eq!(fault.kind, Kind::TooLarge);
    }

    #[tokio::test]
    async fn bodies_wait_for_each_other_when_the_budget_is_spent() {
        let bodies = Bodies::new(2 * UNIT, 3 * UNIT);
        let first =
            bodies.read(&key(), &HeaderMap::new(), Body::from(vec![b'a'; 2 * UNIT])).await.expect("fits");
        let (mine, headers) = (key(), HeaderMap::new());
        let mut second = std::pin::pin!(bodies.read(&mine, &headers, Body::from(vec![b'b'; 2 * UNIT])));
        tokio::select! {
            biased;
            _ = &mut second => panic!("there is no room for a second one"),
            () = std::future::ready(()) => {}
        }
        drop(first);
        assert_eq!(second.await.expect("fits now").len(), 2 * UNIT);
    }

    #[tokio::test]
    async fn a_body_of_unknown_size_keeps_no_more_than_it_takes() {
        let bodies = Bodies::new(4 * UNIT, 4 * UNIT);
        let (mine, headers) = (key(), encoded("gzip"));
        let _small = bodies.read(&mine, &headers, Body::from(gzip(b"hello"))).await.expect("fits");
        assert_eq!(bodies.budget.available_permits(), 3);
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_that_does_not_come_is_given_up() {
        let never = Body::new(Silent);
        let fault =
            Bodies::new(UNIT, UNIT).read(&key(), &HeaderMap::new(), never).await.err().expect("given up");
        assert_eq!(fault.kind, Kind::Invalid);
    }

    #[tokio::test]
    async fn nonsense_is_refused() {
        for encoding in ["gzip", "deflate", "zstd", "br"] {
            let fault = read(&encoded(encoding), Body::from("not that"), 100).await.expect_err("refused");
            assert_eq!(fault.kind, Kind::Invalid, "{encoding}");
        }
    }
}
