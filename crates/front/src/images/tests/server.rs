//! Servers on loopback that say what a test wants, and names that lead where it wants.

use std::collections::HashMap;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;
use tokio::task::JoinSet;

use crate::images::names::{Found, Names};

/// A server; it ends with the test.
pub(super) struct Server {
    pub(super) at: SocketAddr,
    heads: Arc<Mutex<Vec<String>>>,
    _running: JoinSet<()>,
}

/// What a server does once it has read a request's head.
pub(super) enum Answer {
    /// Writes this and closes.
    All(Vec<u8>),
    /// Writes this, says so, and then nothing any more.
    Stuck(Vec<u8>, Arc<Notify>),
}

/// Names by a table; each lookup takes the next of its answers, the last one stays.
#[derive(Default)]
pub(super) struct Table {
    answers: Mutex<HashMap<String, Vec<Vec<IpAddr>>>>,
    pub(super) asked: Mutex<Vec<String>>,
}

impl Server {
    /// Answers every request by its head.
    pub(super) async fn new(answer: impl Fn(&str) -> Answer + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let at = listener.local_addr().expect("an address");
        let (heads, answer) = (Arc::<Mutex<Vec<String>>>::default(), Arc::new(answer));
        let seen = Arc::clone(&heads);
        let mut running = JoinSet::new();
        running.spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                let (answer, seen) = (Arc::clone(&answer), Arc::clone(&seen));
                connections.spawn(async move { drop(serve(stream, &*answer, &seen).await) });
            }
        });
        Self { at, heads, _running: running }
    }

    /// Answers every request alike.
    pub(super) async fn saying(bytes: impl Into<Vec<u8>>) -> Self {
        let bytes = bytes.into();
        Self::new(move |_| Answer::All(bytes.clone())).await
    }

    pub(super) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.at)
    }

    /// The heads of all requests so far.
    pub(super) fn heads(&self) -> Vec<String> {
        self.heads.lock().expect("no test panicked with it").clone()
    }
}

async fn serve(
    mut stream: TcpStream,
    answer: &(impl Fn(&str) -> Answer + Sync),
    seen: &Mutex<Vec<String>>,
) -> io::Result<()> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await?);
    }
    let head = String::from_utf8_lossy(&head).into_owned();
    let answer = answer(&head);
    seen.lock().expect("no test panicked with it").push(head);
    match answer {
        Answer::All(bytes) => stream.write_all(&bytes).await?,
        Answer::Stuck(bytes, done) => {
            stream.write_all(&bytes).await?;
            done.notify_one();
            std::future::pending::<()>().await;
        }
    }
    stream.shutdown().await
}

/// A response with a body of known length.
pub(super) fn ok(media_type: &str, body: &[u8]) -> Vec<u8> {
    let length = body.len();
    let head = format!("HTTP/1.1 200 OK\r\ncontent-type: {media_type}\r\ncontent-length: {length}\r\n\r\n");
    [head.as_bytes(), body].concat()
}

/// A response whose length shows only when it ends.
pub(super) fn chunked(chunks: &[&[u8]]) -> Vec<u8> {
    let mut response = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n".to_vec();
    for chunk in chunks {
        response.extend_from_slice(format!("{:x}\r\n", chunk.len()).as_bytes());
        response.extend_from_slice(chunk);
        response.extend_from_slice(b"\r\n");
    }
    response.extend_from_slice(b"0\r\n\r\n");
    response
}

pub(super) fn redirect(location: &str) -> Vec<u8> {
    format!("HTTP/1.1 302 Found\r\nlocation: {location}\r\ncontent-length: 0\r\n\r\n").into_bytes()
}

impl Table {
    pub(super) fn with(self, name: &str, answers: &[&[&str]]) -> Self {
        let parse = |text: &&str| text.parse::<IpAddr>().expect("an address");
        let answers = answers.iter().map(|found| found.iter().map(parse).collect()).collect();
        self.answers.lock().expect("no test panicked with it").insert(name.to_owned(), answers);
        self
    }
}

impl Names for Table {
    fn lookup<'a>(&'a self, name: &'a str) -> Found<'a> {
        self.asked.lock().expect("no test panicked with it").push(name.to_owned());
        let mut answers = self.answers.lock().expect("no test panicked with it");
        let found = answers.get_mut(name).and_then(|answers| {
            if answers.len() > 1 { Some(answers.remove(0)) } else { answers.first().cloned() }
        });
        Box::pin(async move { found.ok_or_else(|| io::ErrorKind::NotFound.into()) })
    }
}
