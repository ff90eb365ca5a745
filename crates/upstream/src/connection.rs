//! One connection, driven by whoever waits for something from it: no task of its own, and no buffer while it waits.

use std::future::poll_fn;
use std::io::{self, IoSlice};
use std::mem::MaybeUninit;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker, ready};

use bytes::buf::Chain;
use bytes::{Buf as _, Bytes, BytesMut};
use http::Request;
use qm_http1::{Answer, HeadReader, Malformed};
use tokio::io::{AsyncRead as _, AsyncWrite as _, ReadBuf};
use tokio::task::coop::unconstrained;

use crate::connector::Stream;

/// Most bytes that are taken from the socket at once. They lie on the stack until they have been understood.
const MOST_AT_ONCE: usize = 16 << 10;

/// A request as it is sent.
pub(crate) type Call = Request<Bytes>;

/// A connection that carries one exchange after the other.
pub(crate) struct Connection {
    stream: Stream,
    /// The rest of a request whose answer has begun before. The peer may wait for it with the rest of the answer.
    overtaken: Option<Box<Sending>>,
    /// What came last, straight from the socket, was less than there was room for.
    drained: bool,
}

/// The head of an answer and the beginning of its body, still as it came.
pub(crate) struct Answered {
    pub(crate) answer: Answer,
    pub(crate) rest: Bytes,
}

/// Why there is no answer, or no more of it.
#[derive(Debug, thiserror::Error)]
pub enum Broken {
    /// The connection failed.
    #[error("the connection failed")]
    Io(#[from] io::Error),
    /// What came over it is no answer, or not a whole one.
    #[error(transparent)]
    Malformed(#[from] Malformed),
}

/// An exchange that failed before the head of an answer came.
pub(crate) struct Unanswered {
    pub(crate) error: Broken,
    /// Whether nothing of the request has been sent.
    pub(crate) unsent: bool,
}

/// What is sent and what has come of one exchange.
struct Exchange<'a> {
    connection: &'a mut Connection,
    sending: Sending,
    /// Why not all can be sent. The peer may have said something before it stopped listening.
    refused: Option<io::Error>,
    reader: HeadReader,
}

/// A request on its way out.
struct Sending {
    unsent: Chain<BytesMut, Bytes>,
    begun: bool,
    flushed: bool,
}

// === impl Connection ===

impl Connection {
    pub(crate) fn new(stream: Stream) -> Self {
        Self { stream, overtaken: None, drained: false }
    }

    /// Sends a request and waits for the head of its answer. The request's body is taken, and freed once it has been
    /// sent; it is put back if nothing has been. Dropping the connection closes it.
    pub(crate) async fn exchange(&mut self, call: &mut Call) -> Result<Answered, Unanswered> {
        let body = std::mem::take(call.body_mut());
        let unsent = qm_http1::head(call, body.len()).chain(body);
        let sending = Sending { unsent, begun: false, flushed: false };
        let mut exchange =
            Exchange { connection: self, sending, refused: None, reader: HeadReader::default() };
        match poll_fn(|cx| exchange.poll(cx)).await {
            Ok(answer) => Ok(exchange.answered(answer)),
            Err(error) => {
                let Sending { unsent, begun, .. } = exchange.sending;
                if !begun {
                    *call.body_mut() = unsent.into_inner().1;
                }
                Err(Unanswered { error, unsent: !begun })
            }
        }
    }

    /// Gives `take` what has come. Nothing means that the peer has said its last.
    pub(crate) fn poll_read<T>(
        &mut self,
        cx: &mut Context<'_>,
        take: impl FnOnce(&[u8]) -> T,
    ) -> Poll<io::Result<T>> {
        if let Some(sending) = &mut self.overtaken
            && sending.poll(&mut self.stream, cx).is_ready()
        {
            // All of it, or the peer stopped listening: what it has to say of that comes next.
            self.overtaken = None;
        }
        let mut space = [const { MaybeUninit::uninit() }; MOST_AT_ONCE];
        let mut buffer = ReadBuf::uninit(&mut space);
        ready!(Pin::new(&mut self.stream).poll_read(cx, &mut buffer))?;
        // TLS gives one record at a time, however many have come.
        self.drained = matches!(self.stream, Stream::Plain(_)) && buffer.filled().len() < MOST_AT_ONCE;
        Poll::Ready(Ok(take(buffer.filled())))
    }

    /// Whether the last read took all that had come, as far as can be told without another.
    pub(crate) fn is_drained(&self) -> bool {
        self.drained
    }

    /// Whether it can carry another exchange, as far as can be seen from here: nothing unasked has come, nor a close.
    /// Lets go of the task that read from it.
    pub(crate) fn is_quiet(&mut self) -> bool {
        // A task that has done much in this turn would be told that nothing has come, whatever has.
        let read = unconstrained(poll_fn(|cx| self.poll_read(cx, |_| ())));
        pin!(read).poll(&mut Context::from_waker(Waker::noop())).is_pending()
    }
}

// === impl Exchange ===

impl Exchange<'_> {
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Result<Answer, Broken>> {
        if self.refused.is_none()
            && let Poll::Ready(Err(error)) = self.sending.poll(&mut self.connection.stream, cx)
        {
            if !self.sending.begun {
                return Poll::Ready(Err(error.into()));
            }
            self.refused = Some(error);
        }
        loop {
            let Self { connection, reader, .. } = self;
            let fed = ready!(connection.poll_read(cx, |bytes| {
                if bytes.is_empty() { Err(Malformed::Cut) } else { reader.feed(bytes) }
            }));
            let error = match fed {
                Ok(Ok(None)) => continue,
                Ok(Ok(Some(answer))) => return Poll::Ready(Ok(answer)),
                Ok(Err(malformed)) => malformed.into(),
                Err(error) => Broken::Io(error),
            };
            return Poll::Ready(Err(match (error, self.refused.take()) {
                // It came to nothing because the request had before.
                (Broken::Malformed(Malformed::Cut) | Broken::Io(_), Some(refused)) => refused.into(),
                (error, _) => error,
            }));
        }
    }

    fn answered(self, mut answer: Answer) -> Answered {
        if !self.sending.flushed || self.refused.is_some() {
            // Whether the peer still takes the rest of the request for that, or for the next one, is not known.
            answer.keeps = false;
            // RFC 9112 §9.5: who refuses a request need not be sent all of it.
            let status = answer.head.status();
            if self.refused.is_none() && !status.is_client_error() && !status.is_server_error() {
                self.connection.overtaken = Some(Box::new(self.sending));
            }
        }
        Answered { answer, rest: Bytes::copy_from_slice(self.reader.rest()) }
    }
}

// === impl Sending ===

impl Sending {
    /// Ready once all has been sent, or cannot be.
    fn poll(&mut self, stream: &mut Stream, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut stream = Pin::new(stream);
        while self.unsent.has_remaining() {
            let mut pieces = [IoSlice::new(&[]); 2];
            let count = self.unsent.chunks_vectored(&mut pieces);
            let sent = ready!(stream.as_mut().poll_write_vectored(cx, &pieces[..count]))?;
            if sent == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            self.begun = true;
            self.unsent.advance(sent);
        }
        if !self.flushed {
            ready!(stream.poll_flush(cx))?;
            self.flushed = true;
            self.unsent = BytesMut::new().chain(Bytes::new());
        }
        Poll::Ready(Ok(()))
    }
}
