//! An HTTP/1.1 answer is the same in any pieces, and never more than what came.
#![no_main]

use arbitrary::Arbitrary;
use libfuzzer_sys::fuzz_target;
use qm_http1::{HeadReader, Malformed};

#[derive(Arbitrary, Debug)]
struct Answer {
    bytes: Vec<u8>,
    cuts: Vec<u16>,
}

#[derive(Debug, PartialEq)]
struct Seen {
    head: String,
    data: Vec<u8>,
    end: Result<(), Malformed>,
    keeps: bool,
}

fuzz_target!(|answer: Answer| {
    let whole = seen(&[&answer.bytes]);
    assert!(whole.data.len() <= answer.bytes.len());
    assert!(whole.end.is_ok() || !whole.keeps);
    let mut cuts: Vec<usize> =
        answer.cuts.iter().map(|&cut| usize::from(cut) % (answer.bytes.len() + 1)).collect();
    cuts.sort_unstable();
    let ends = cuts.iter().copied().chain([answer.bytes.len()]);
    let begins = std::iter::once(0).chain(cuts.iter().copied());
    let pieces: Vec<&[u8]> = begins.zip(ends).map(|(from, to)| &answer.bytes[from..to]).collect();
    assert_eq!(seen(&pieces), whole);
});

/// Reads it as a connection would, to its end.
fn seen(pieces: &[&[u8]]) -> Seen {
    let failed = |error| Seen { head: String::new(), data: Vec::new(), end: Err(error), keeps: false };
    let mut pieces = pieces.iter().copied();
    let mut reader = HeadReader::default();
    let answer = loop {
        let Some(piece) = pieces.next() else { return failed(Malformed::Cut) };
        match reader.feed(piece) {
            Ok(Some(answer)) => break answer,
            Ok(None) => {}
            Err(error) => return failed(error),
        }
    };
    let (mut body, mut data, mut keeps) = (answer.body, Vec::new(), answer.keeps);
    let end = std::iter::once(reader.rest()).chain(pieces).try_for_each(|piece| {
        let used = body.decode(piece, |piece| data.extend_from_slice(piece))?;
        keeps &= used == piece.len();
        Ok(())
    });
    let end = end.and_then(|()| if body.is_done() { Ok(()) } else { body.close() });
    Seen { head: format!("{:?}", answer.head), data, keeps: keeps && end.is_ok(), end }
}
