//! What is fetched and what is not, with real sockets on loopback.

mod closed;
mod server;
mod tls;

use std::sync::Arc;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use qm_canon::{At, Conversation, Draft, Fault, Kind, MediaType, Part, Place, Remote, Role, Turn};
use tokio::sync::{Barrier, Notify};

use self::server::{Answer, Server, Table, chunked, ok, redirect};
use super::*;

/// What the upstream takes of one picture.
const IMAGE_CHARS: usize = 5_242_880;

const PNG: &[u8] = b"\x89PNG\r\n\x1a\n and so on";

/// Fetches from these places and no others on loopback, over plain http too.
fn fetching(policy: Policy, servers: &[&Server], names: Table) -> Images {
    let policy = servers.iter().fold(policy, |policy, server| policy.with_place(server.at));
    let tls = HttpsConnectorBuilder::new().with_webpki_roots().https_or_http().enable_http1();
    let fetcher =
        Fetcher::new(policy.with_plain_http(), Arc::new(names), |connector| tls.wrap_connector(connector));
    Images(Some(fetcher))
}

fn from(servers: &[&Server]) -> Images {
    fetching(Policy::new(IMAGE_CHARS), servers, Table::default())
}

/// A question about the pictures behind these URLs.
fn about<'a>(urls: impl IntoIterator<Item = String>) -> Conversation<'a> {
    let parts = urls.into_iter().zip(0..).map(|(url, part)| {
        let refusal = Fault::invalid(format!("picture {part} is not fetched"));
        Part::Remote(Box::new(Remote { url: url.into(), at: At { message: 0, part }, refusal }))
    });
    let parts = parts.chain([Part::Text("What do they show?".into())]).collect();
    let turns = vec![Turn { role: Role::User, parts }];
    Conversation::new(Draft { turns, ..Draft::default() }).expect("a regular conversation")
}

fn pictures(conversation: &Conversation<'_>) -> Vec<(MediaType, Vec<u8>)> {
    let parts = conversation.turns().iter().flat_map(|turn| &turn.parts);
    let images = parts.filter_map(|part| match part {
        Part::Image(image) => {
            Some((image.media_type, BASE64_STANDARD.decode(image.base64.as_ref()).expect("base64")))
        }
        _ => None,
    });
    images.collect()
}

/// What comes of one URL.
async fn fetch(images: &Images, url: &str) -> Result<(MediaType, Vec<u8>), Fault> {
    let mut conversation = about([url.to_owned()]);
    images.fill(&mut conversation, "req_1").await?;
    assert_eq!(conversation.remotes().count(), 0);
    Ok(pictures(&conversation).remove(0))
}

async fn refused(images: &Images, url: &str) -> Fault {
    fetch(images, url).await.err().unwrap_or_else(|| panic!("it was fetched: {url}"))
}

#[tokio::test]
async fn a_picture_is_known_by_its_bytes_and_asked_for_without_a_word_of_the_clients() {
    let server = Server::saying(ok("text/html", PNG)).await;
    let found = fetch(&from(&[&server]), &server.url("/a.png?b=c#d")).await.expect("is fetched");
    assert_eq!(found, (MediaType::Png, PNG.to_vec()));
    let expected = format!(
        "GET /a.png?b=c HTTP/1.1\r\nhost: {}\r\nuser-agent: Quartermaster/{}\r\n\
         accept: image/png, image/jpeg, image/webp, image/gif\r\naccept-encoding: identity\r\n\
         connection: close\r\n\r\n",
        server.at,
        env!("CARGO_PKG_VERSION"),
    );
    assert_eq!(server.heads(), [expected]);
}

#[tokio::test]
async fn every_type_is_told_and_comes_in_its_place() {
    let server = Server::new(|head| {
        Answer::All(match head.split(' ').nth(1) {
            Some("/jpeg") => chunked(&[&b"\xff"[..], b"\xd8\xff\xe0", b" and so on, to the end"]),
            Some("/gif") => ok("image/png", b"GIF89a and so on"),
            Some("/webp") => b"HTTP/1.0 200 OK\r\n\r\nRIFF\0\0\0\0WEBP, ended by closing".to_vec(),
            _ => ok("image/png", PNG),
        })
    })
    .await;
    let mut conversation = about(["/jpeg", "/png", "/gif", "/webp"].map(|path| server.url(path)));
    let shares = from(&[&server]).fill(&mut conversation, "req_1").await.expect("are fetched");
    assert!(shares.is_some());
    let types: Vec<MediaType> = pictures(&conversation).into_iter().map(|(found, _)| found).collect();
    assert_eq!(types, [MediaType::Jpeg, MediaType::Png, MediaType::Gif, MediaType::Webp]);
}

#[tokio::test]
async fn where_nothing_is_fetched_the_first_refusal_is_the_answer() {
    let mut conversation = about(["https://example.com/a", "nonsense"].map(str::to_owned));
    let fault = Images::off().fill(&mut conversation, "req_1").await.err().expect("is refused");
    assert_eq!(fault.message, "picture 0 is not fetched");
    assert!(Images::off().fill(&mut about([]), "req_1").await.is_ok_and(|shares| shares.is_none()));
}

#[tokio::test]
async fn a_picture_may_be_as_large_as_the_upstream_takes_it_and_no_larger() {
    let most = IMAGE_CHARS / 4 * 3;
    let mut bytes = PNG.to_vec();
    bytes.resize(most, 0);
    let fits = [ok("image/png", &bytes), chunked(&[&bytes])];
    bytes.push(0);
    let declared = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n", 1_u64 << 60).into_bytes();
    let too_large = [ok("image/png", &bytes), chunked(&[&bytes]), declared];
    for response in fits {
        let server = Server::saying(response).await;
        let (_, found) = fetch(&from(&[&server]), &server.url("/")).await.expect("fits");
        assert_eq!(found.len(), most);
        assert_eq!(BASE64_STANDARD.encode(found).len(), IMAGE_CHARS);
    }
    for response in too_large {
        let server = Server::saying(response).await;
        let fault = refused(&from(&[&server]), &server.url("/")).await;
        assert!(fault.message.contains("too large") && fault.message.contains("5242880"), "{fault}");
    }
}

#[tokio::test]
async fn what_is_no_picture_is_refused_whatever_the_server_says_it_is() {
    let bodies: [&[u8]; 6] = [
        b"",
        b"<html>private words</html>",
        b"<svg xmlns='http://www.w3.org/2000/svg'/>",
        b"\x1f\x8b\x08\0\0\0\0\0\0\0 a picture in gzip",
        b"\x89PN",
        b"RIFF\0\0\0\0WAVE and so on",
    ];
    for body in bodies {
        for response in
            [ok("image/png", body), chunked(&[body].map(|body| if body.is_empty() { b" " } else { body }))]
        {
            let server = Server::saying(response).await;
            let fault = refused(&from(&[&server]), &server.url("/")).await;
            assert!(fault.message.contains("should be an image: image/png"), "{fault}");
            assert!(!fault.message.contains("private"), "{fault}");
        }
    }
}

#[tokio::test]
async fn more_than_ten_are_not_asked_for_at_all() {
    let server = Server::saying(ok("image/png", PNG)).await;
    let images = from(&[&server]);
    let many = |count: usize| about((0..count).map(|_| server.url("/")));
    let fault = images.fill(&mut many(MOST + 1), "req_1").await.err().expect("too many");
    assert_eq!(fault.place, Some(Place::Message(At { message: 0, part: 10 })));
    assert!(fault.kind == Kind::Invalid && fault.message.starts_with("At most 10 images"), "{fault}");
    assert!(server.heads().is_empty());
    let mut ten = many(MOST);
    images.fill(&mut ten, "req_1").await.expect("ten are fetched");
    assert_eq!((pictures(&ten).len(), server.heads().len()), (10, 10), "each on a connection of its own");
}

/// Two must be under way at once for any to be answered, and never more than [`AT_ONCE`] are.
#[tokio::test]
async fn some_are_fetched_at_once_but_not_all() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let place = listener.local_addr().expect("an address");
    let both = Arc::new(Barrier::new(2));
    let under_way = Arc::new(Semaphore::new(AT_ONCE));
    let mut running = tokio::task::JoinSet::new();
    running.spawn(async move {
        let mut connections = tokio::task::JoinSet::new();
        while let Ok((mut stream, _)) = listener.accept().await {
            let (both, under_way) = (Arc::clone(&both), Arc::clone(&under_way));
            connections.spawn(async move {
                use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
                // Without a place it is one too many, and gets no answer.
                let Ok(place) = under_way.try_acquire_owned() else { return };
                drop(stream.read(&mut [0; 1024]).await);
                both.wait().await;
                drop(place);
                drop(stream.write_all(&ok("image/png", PNG)).await);
            });
        }
    });
    let images = fetching(Policy::new(IMAGE_CHARS).with_place(place), &[], Table::default());
    let mut conversation = about((0..MOST).map(|_| format!("http://{place}/")));
    images.fill(&mut conversation, "req_1").await.expect("all are fetched");
    assert_eq!(pictures(&conversation).len(), MOST);
}

#[tokio::test]
async fn a_server_that_does_not_go_on_is_given_up() {
    for begun in [&b""[..], b"HTTP/1.1 200 OK\r\n", b"HTTP/1.1 200 OK\r\n\r\n\x89PNG\r\n\x1a\n and"] {
        let stuck = Arc::new(Notify::new());
        let said = Arc::clone(&stuck);
        let server = Server::new(move |_| Answer::Stuck(begun.to_vec(), Arc::clone(&said))).await;
        let images = from(&[&server]);
        let url = server.url("/");
        let mut fetching = std::pin::pin!(fetch(&images, &url));
        tokio::select! {
            _ = &mut fetching => panic!("nothing could be known yet"),
            () = stuck.notified() => {}
        }
        tokio::time::pause();
        tokio::time::advance(DEADLINE).await;
        let fault = fetching.await.expect_err("is given up");
        tokio::time::resume();
        assert!(fault.kind == Kind::Invalid && fault.message.contains("within 10 seconds"), "{fault}");
        let Images(Some(fetcher)) = &images else { panic!("it fetches") };
        assert_eq!(fetcher.budget.available_permits(), BUDGET_BYTES / UNIT, "nothing is left of it");
    }
}

#[tokio::test]
async fn what_pictures_take_is_counted_until_it_is_dropped() {
    let bytes = [PNG, &vec![0; 300 * UNIT]].concat();
    let server = Server::saying(ok("image/png", &bytes)).await;
    let images = from(&[&server]);
    let Images(Some(fetcher)) = &images else { panic!("it fetches") };
    let mut conversation = about([server.url("/"), server.url("/")]);
    let shares = images.fill(&mut conversation, "req_1").await.expect("are fetched");
    let taken = 2 * bytes.len().div_ceil(3).saturating_mul(4).div_ceil(UNIT);
    assert_eq!(fetcher.budget.available_permits(), BUDGET_BYTES / UNIT - taken);
    drop(shares);
    assert_eq!(fetcher.budget.available_permits(), BUDGET_BYTES / UNIT);
}

#[tokio::test]
async fn without_room_it_is_the_gateway_that_cannot() {
    let answered = Arc::new(Notify::new());
    let said = Arc::clone(&answered);
    let server = Server::new(move |_| Answer::Stuck(ok("image/png", PNG), Arc::clone(&said))).await;
    let images = from(&[&server]);
    let Images(Some(fetcher)) = &images else { panic!("it fetches") };
    let all = Arc::clone(&fetcher.budget).acquire_many_owned((BUDGET_BYTES / UNIT) as u32).await;
    let url = server.url("/");
    let mut fetching = std::pin::pin!(fetch(&images, &url));
    tokio::select! {
        _ = &mut fetching => panic!("there is no room"),
        () = answered.notified() => {}
    }
    tokio::time::pause();
    tokio::time::advance(DEADLINE).await;
    let fault = fetching.await.expect_err("is given up");
    assert_eq!((fault.kind, fault.retry_after), (Kind::Unavailable, Some(Duration::from_secs(5))), "{fault}");
    drop(all);
}

#[tokio::test]
async fn three_redirects_are_followed_and_a_fourth_is_not() {
    let server = Server::new(|head| {
        let step = head.split(['/', ' ']).nth(2).and_then(|step| step.parse::<usize>().ok());
        Answer::All(match step {
            Some(0) => ok("image/png", PNG),
            Some(step) => redirect(&format!("/{}", step - 1)),
            None => redirect("0"),
        })
    })
    .await;
    let images = from(&[&server]);
    for path in ["/3", "/folder"] {
        assert!(fetch(&images, &server.url(path)).await.is_ok(), "{path}");
    }
    let before = server.heads().len();
    let fault = refused(&images, &server.url("/4")).await;
    assert!(fault.message.starts_with("The image could not be fetched"), "{fault}");
    assert_eq!(server.heads().len() - before, 4);
    for head in server.heads() {
        let head = head.to_ascii_lowercase();
        assert!(!head.contains("referer") && !head.contains("cookie") && !head.contains("authorization"));
    }
}
