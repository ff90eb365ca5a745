use bytes::Bytes;

use super::*;

fn read(text: &str) -> Result<Option<Answer>, Malformed> {
    HeadReader::default().feed(text.as_bytes())
}

fn answer(fields: &str) -> Answer {
    read(&format!("HTTP/1.1 200 OK\r\n{fields}\r\n")).expect("is a head").expect("is whole")
}

/// How a body is told: its length, `chunked` or `until close`, and whether the connection is kept.
fn told(answer: &Answer) -> (String, bool) {
    let form = format!("{:?}", answer.body).to_lowercase();
    let form = match answer.body.left() {
        Some(length) => length.to_string(),
        None if form.contains("chunked") => "chunked".to_owned(),
        None => "until close".to_owned(),
    };
    (form, answer.keeps)
}

#[test]
fn status_fields_and_what_follows_are_read() {
    let text = "HTTP/1.1 429 Slow Down\r\nRetry-After: 3\r\nset-cookie: a\r\nSet-Cookie: b\r\ncontent-length: 2\r\n\r\nok";
    let mut reader = HeadReader::default();
    let answer = reader.feed(text.as_bytes()).unwrap().unwrap();
    assert_eq!(answer.head.status(), 429);
    assert_eq!(answer.head.headers()["retry-after"], "3");
    assert_eq!(answer.head.headers().get_all("set-cookie").iter().count(), 2);
    assert_eq!((told(&answer), reader.rest()), (("2".into(), true), b"ok".as_slice()));
}

#[test]
fn a_head_is_the_same_in_any_two_pieces() {
    let text = b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\n";
    for at in 0..=text.len() {
        let mut reader = HeadReader::default();
        let mut answer = reader.feed(&text[..at]).unwrap();
        let mut rest = Bytes::copy_from_slice(reader.rest());
        if answer.is_none() {
            answer = reader.feed(&text[at..]).unwrap();
            rest = Bytes::copy_from_slice(reader.rest());
        } else {
            rest = [&rest, &text[at..]].concat().into();
        }
        assert_eq!(told(&answer.unwrap()), ("chunked".into(), true), "at {at}");
        assert_eq!(rest, b"5\r\n".as_slice(), "at {at}");
    }
}

#[test]
fn the_length_of_a_body_is_told_as_the_standard_says() {
    let cases = [
        ("", "until close", false),
        ("content-length: 0\r\n", "0", true),
        ("content-length: 12\r\n", "12", true),
        ("content-length: 12, 12\r\ncontent-length: 12\r\n", "12", true),
        ("transfer-encoding: chunked\r\n", "chunked", true),
        ("transfer-encoding: gzip\r\ntransfer-encoding: Chunked\r\n", "chunked", true),
        ("transfer-encoding: chunked, gzip\r\n", "until close", false),
        ("transfer-encoding: chunked,\r\n", "chunked", true),
        ("transfer-encoding: , chunked\r\ntransfer-encoding:\r\n", "chunked", true),
        ("transfer-encoding:\r\n", "until close", false),
        ("transfer-encoding: gzip\r\n", "until close", false),
        ("transfer-encoding: chunked\r\ncontent-length: 3\r\n", "chunked", false),
    ];
    for (fields, form, keeps) in cases {
        assert_eq!(told(&answer(fields)), (form.into(), keeps), "{fields:?}");
    }
    for status in ["204 No Content", "304 Not Modified"] {
        let answer = read(&format!("HTTP/1.1 {status}\r\ncontent-length: 9\r\n\r\n")).unwrap().unwrap();
        assert_eq!(told(&answer), ("0".into(), true), "{status}");
    }
}

#[test]
fn a_length_that_is_not_clear_is_refused() {
    let unclear = [
        "HTTP/1.1 200 OK\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\n",
        "HTTP/1.1 200 OK\r\ncontent-length: 1, 2\r\n\r\n",
        "HTTP/1.1 200 OK\r\ncontent-length: \r\n\r\n",
        "HTTP/1.1 200 OK\r\ncontent-length: +1\r\n\r\n",
        "HTTP/1.1 200 OK\r\ncontent-length: 0x1\r\n\r\n",
        "HTTP/1.1 200 OK\r\ncontent-length: 18446744073709551616\r\n\r\n",
        "HTTP/1.0 200 OK\r\ntransfer-encoding: chunked\r\n\r\n",
    ];
    for text in unclear {
        assert_eq!(read(text).unwrap_err(), Malformed::Length, "{text:?}");
    }
}

#[test]
fn a_connection_is_kept_as_its_version_and_its_fields_say() {
    let length = "content-length: 0\r\n";
    let cases = [
        ("1.1", "", true),
        ("1.1", "connection: Close\r\n", false),
        ("1.1", "connection: keep-alive, close\r\n", false),
        ("1.1", "connection: x\r\nconnection: close\r\n", false),
        ("1.0", "", false),
        ("1.0", "connection: Keep-Alive\r\n", true),
        ("1.0", "connection: keep-alive, close\r\n", false),
    ];
    for (version, fields, keeps) in cases {
        let answer = read(&format!("HTTP/{version} 200 OK\r\n{fields}{length}\r\n")).unwrap().unwrap();
        assert_eq!(answer.keeps, keeps, "{version} {fields:?}");
    }
}

#[test]
fn what_is_no_answer_is_refused() {
    let cases = [
        ("HTTP/2 200 OK\r\n\r\n", Malformed::Head),
        ("SSH-2.0-OpenSSH_9.2\r\n\r\n", Malformed::Head),
        ("HTTP/1.1 20 OK\r\n\r\n", Malformed::Head),
        ("HTTP/1.1 000 OK\r\n\r\n", Malformed::Head),
        ("HTTP/1.1 200 OK\r\nname : value\r\n\r\n", Malformed::Head),
        ("HTTP/1.1 200 OK\r\nname: value\r\n folded\r\n\r\n", Malformed::Head),
        ("HTTP/1.1 200 OK\r\nname: a\0b\r\n\r\n", Malformed::Head),
        ("HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\n\r\n", Malformed::Protocol),
    ];
    for (text, error) in cases {
        assert_eq!(read(text).unwrap_err(), error, "{text:?}");
    }
}

#[test]
fn a_head_is_bounded_whole_or_not_and_with_all_that_came_before_it() {
    let fields = |count: usize| "n: v\r\n".repeat(count);
    assert!(read(&format!("HTTP/1.1 200 OK\r\n{}\r\n", fields(MAX_FIELDS))).is_ok());
    let long = format!("HTTP/1.1 200 OK\r\nn: {}", "v".repeat(MAX_HEAD));
    let interims = "HTTP/1.1 100 Continue\r\n\r\n".repeat(MAX_HEAD / 25 + 1);
    let cases = [
        format!("HTTP/1.1 200 OK\r\n{}\r\n", fields(MAX_FIELDS + 1)),
        format!("{long}\r\n\r\n"),
        long,
        format!("{interims}HTTP/1.1 200 OK\r\n\r\n"),
        interims,
    ];
    for text in cases {
        assert_eq!(read(&text).unwrap_err(), Malformed::HeadTooLong, "{} bytes", text.len());
    }
    let mut reader = HeadReader::default();
    let endless = std::iter::repeat_n(&b"n: v"[..], MAX_HEAD);
    assert!(endless.map(|piece| reader.feed(piece)).any(|fed| fed.is_err()), "however small the pieces");
}
