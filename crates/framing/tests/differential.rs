//! Our decoder of event streams against AWS's own.
#![expect(clippy::unwrap_used, reason = "a test that cannot build its input should fail loudly")]

use aws_smithy_eventstream::frame::{DecodedFrame, MessageFrameDecoder, write_message_to};
use aws_smithy_types::DateTime;
use aws_smithy_types::event_stream::{Header, HeaderValue, Message};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;
use qm_framing::eventstream::{Frame, FrameError, Frames, Value};

const MAX_FRAME_BYTES: usize = 1 << 20;

/// A header as both sides can be made to say it.
#[derive(Clone, Debug, PartialEq)]
enum Plain {
    Bool(bool),
    Int(i64),
    Bytes(Vec<u8>),
    String(String),
    Timestamp(i64),
    Uuid(u128),
}

#[derive(Clone, Debug, PartialEq)]
struct Decoded {
    headers: Vec<(String, Plain)>,
    payload: Vec<u8>,
}

fn ours(bytes: &[u8], sizes: &[usize]) -> Result<(Vec<Decoded>, bool), FrameError> {
    let mut frames = Frames::new(MAX_FRAME_BYTES);
    let mut decoded = Vec::new();
    let mut rest = bytes;
    let mut sizes = sizes.iter();
    while !rest.is_empty() {
        let size = sizes.next().map_or(rest.len(), |&size| size.clamp(1, rest.len()));
        frames.feed(&rest[..size]);
        rest = &rest[size..];
        while let Some(frame) = frames.next()? {
            decoded.push(read(frame));
        }
    }
    Ok((decoded, frames.is_partial()))
}

fn read(frame: Frame<'_>) -> Decoded {
    let plain = |value| match value {
        Value::Bool(value) => Plain::Bool(value),
        Value::Int(value) => Plain::Int(value),
        Value::Bytes(value) => Plain::Bytes(value.to_vec()),
        Value::String(value) => Plain::String(value.to_owned()),
        Value::Timestamp(value) => Plain::Timestamp(value),
        Value::Uuid(value) => Plain::Uuid(u128::from_be_bytes(value)),
    };
    let headers = frame.headers().map(|(name, value)| (name.to_owned(), plain(value))).collect();
    Decoded { headers, payload: frame.payload.to_vec() }
}

/// What AWS's decoder makes of the bytes, and whether some are left; `None` if it refuses them.
fn theirs(bytes: &[u8]) -> Option<(Vec<Decoded>, bool)> {
    let mut decoder = MessageFrameDecoder::new();
    let mut rest = bytes;
    let mut messages = Vec::new();
    loop {
        // It takes the prelude of a frame that is not whole out of the buffer, so what is left is seen before.
        let left = !rest.is_empty();
        match decoder.decode_frame(&mut rest).ok()? {
            DecodedFrame::Complete(message) => messages.push(plain_message(&message)),
            DecodedFrame::Incomplete => return Some((messages, left)),
        }
    }
}

fn plain_message(message: &Message) -> Decoded {
    let plain = |value: &HeaderValue| match value {
        HeaderValue::Bool(value) => Plain::Bool(*value),
        HeaderValue::Byte(value) => Plain::Int((*value).into()),
        HeaderValue::Int16(value) => Plain::Int((*value).into()),
        HeaderValue::Int32(value) => Plain::Int((*value).into()),
        HeaderValue::Int64(value) => Plain::Int(*value),
        HeaderValue::ByteArray(value) => Plain::Bytes(value.to_vec()),
        HeaderValue::String(value) => Plain::String(value.as_str().to_owned()),
        HeaderValue::Timestamp(value) => Plain::Timestamp(value.to_millis().unwrap()),
        HeaderValue::Uuid(value) => Plain::Uuid(*value),
        other => unreachable!("{other:?}"),
    };
    let headers = message.headers().iter();
    let headers = headers.map(|header| (header.name().as_str().to_owned(), plain(header.value()))).collect();
    Decoded { headers, payload: message.payload().to_vec() }
}

fn encoded(messages: &[Message]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for message in messages {
        write_message_to(message, &mut bytes).unwrap();
    }
    bytes
}

fn header() -> impl Strategy<Value = Header> {
    // AWS keeps timestamps as seconds and a fraction: a range in which that loses nothing.
    const MAX_MS: i64 = 253_402_300_799_000;
    let value = prop_oneof![
        any::<bool>().prop_map(HeaderValue::Bool),
        any::<i8>().prop_map(HeaderValue::Byte),
        any::<i16>().prop_map(HeaderValue::Int16),
        any::<i32>().prop_map(HeaderValue::Int32),
        any::<i64>().prop_map(HeaderValue::Int64),
        vec(any::<u8>(), 0..40).prop_map(|bytes| HeaderValue::ByteArray(bytes.into())),
        ".{0,20}".prop_map(|text| HeaderValue::String(text.into())),
        (0..MAX_MS).prop_map(|at| HeaderValue::Timestamp(DateTime::from_millis(at))),
        any::<u128>().prop_map(HeaderValue::Uuid),
    ];
    (".{1,20}", value).prop_map(|(name, value)| Header::new(name, value))
}

fn message() -> impl Strategy<Value = Message> {
    (vec(header(), 0..5), vec(any::<u8>(), 0..200))
        .prop_map(|(headers, payload)| Message::new_from_parts(headers, payload))
}

/// AWS checks a prelude only once the frame it speaks of is whole, so what we refuse at once, they may wait for.
fn is_refused_or_awaited(theirs: Option<(Vec<Decoded>, bool)>) -> bool {
    theirs.is_none_or(|(_, partial)| partial)
}

/// A frame with these bytes as headers and both checksums right.
fn sealed(headers: &[u8], payload: &[u8]) -> Vec<u8> {
    let total = u32::try_from(16 + headers.len() + payload.len()).unwrap();
    let mut bytes = total.to_be_bytes().to_vec();
    bytes.extend(u32::try_from(headers.len()).unwrap().to_be_bytes());
    bytes.extend(crc32fast::hash(&bytes).to_be_bytes());
    bytes.extend(headers);
    bytes.extend(payload);
    bytes.extend(crc32fast::hash(&bytes).to_be_bytes());
    bytes
}

proptest! {
    #[test]
    fn what_aws_writes_we_read(messages in vec(message(), 0..6), sizes in vec(1_usize..64, 0..200)) {
        let expected: Vec<Decoded> = messages.iter().map(plain_message).collect();
        prop_assert_eq!(ours(&encoded(&messages), &sizes), Ok((expected, false)));
    }

    #[test]
    fn a_cut_stream_gives_what_was_whole(messages in vec(message(), 1..4), at in any::<Index>()) {
        let bytes = encoded(&messages);
        let bytes = &bytes[..at.index(bytes.len() + 1)];
        prop_assert_eq!(ours(bytes, &[]).ok(), theirs(bytes));
    }

    #[test]
    fn one_flipped_bit_is_found(messages in vec(message(), 1..4), at in any::<Index>(), bit in 0_u8..8) {
        let mut bytes = encoded(&messages);
        let at = at.index(bytes.len());
        bytes[at] ^= 1_u8 << bit;
        prop_assert!(ours(&bytes, &[]).is_err());
        prop_assert!(is_refused_or_awaited(theirs(&bytes)));
    }

    #[test]
    fn a_wrong_checksum_is_named(message in message(), sum in any::<u32>()) {
        let mut bytes = encoded(&[message]);
        let end = bytes.len() - 4;
        prop_assume!(bytes[end..] != sum.to_be_bytes());
        bytes[end..].copy_from_slice(&sum.to_be_bytes());
        prop_assert_eq!(ours(&bytes, &[]), Err(FrameError::Checksum));
        bytes[8..12].copy_from_slice(&sum.to_be_bytes());
        prop_assume!(crc32fast::hash(&bytes[..8]) != sum);
        prop_assert_eq!(ours(&bytes, &[]), Err(FrameError::PreludeChecksum));
    }

    #[test]
    fn sealed_headers_are_refused_alike(headers in vec(prop_oneof![0_u8..12, any::<u8>()], 0..24), payload in vec(any::<u8>(), 0..8)) {
        // The checksums hold, so what decides is how the headers read.
        let bytes = sealed(&headers, &payload);
        prop_assert_eq!(ours(&bytes, &[]), theirs(&bytes).ok_or(FrameError::Headers));
    }

    #[test]
    fn any_bytes_are_frames_for_both_or_for_none(bytes in vec(any::<u8>(), 0..64)) {
        match ours(&bytes, &[]) {
            Ok(decoded) => prop_assert_eq!(Some(decoded), theirs(&bytes)),
            Err(_) => prop_assert!(is_refused_or_awaited(theirs(&bytes))),
        }
    }
}

#[test]
fn every_place_of_a_cut_gives_the_same() {
    let header =
        |name: &'static str, value: &'static str| Header::new(name, HeaderValue::String(value.into()));
    let headers = vec![header(":event-type", "assistantResponseEvent"), header(":message-type", "event")];
    let messages = [
        Message::new_from_parts(headers.clone(), &br#"{"content":"Hi"}"#[..]),
        Message::new_from_parts(vec![], &b""[..]),
        Message::new_from_parts(headers, &br#"{"content":"there"}"#[..]),
    ];
    let bytes = encoded(&messages);
    let whole = ours(&bytes, &[]);
    assert_eq!(whole.as_ref().map(|(decoded, partial)| (decoded.len(), *partial)), Ok((3, false)));
    for first in 1..bytes.len() {
        assert_eq!(ours(&bytes, &[first]), whole, "cut at {first}");
        assert_eq!(ours(&bytes, &vec![first; bytes.len()]), whole, "pieces of {first}");
    }
}

#[test]
fn lengths_are_bounded_before_anything_is_awaited() {
    let claims = |total: u32, headers: u32| {
        let mut bytes = [total.to_be_bytes(), headers.to_be_bytes()].concat();
        bytes.extend(crc32fast::hash(&bytes).to_be_bytes());
        ours(&bytes, &[]).map(|(decoded, partial)| (decoded.len(), partial))
    };
    let most = u32::try_from(MAX_FRAME_BYTES).unwrap();
    assert_eq!(claims(16, 0), Ok((0, true)));
    assert_eq!(claims(most, 0), Ok((0, true)));
    for (total, headers) in
        [(0, 0), (15, 0), (most + 1, 0), (u32::MAX, 0), (16, 1), (most, most), (u32::MAX, u32::MAX)]
    {
        assert_eq!(claims(total, headers), Err(FrameError::Length), "{total} {headers}");
    }
}
