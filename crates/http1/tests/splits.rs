//! It does not matter in which pieces an answer comes, and no bytes make the reader panic.

use proptest::prelude::*;
use qm_http1::{HeadReader, Malformed};

#[derive(Debug, PartialEq)]
struct Seen {
    head: String,
    data: Vec<u8>,
    end: Result<(), Malformed>,
    keeps: bool,
}

/// Reads it as a connection would, one piece after the other, to its end.
fn seen(pieces: &[&[u8]]) -> Seen {
    let mut pieces = pieces.iter().copied();
    let mut reader = HeadReader::default();
    let answer = loop {
        let fed = pieces.next().map_or(Err(Malformed::Cut), |piece| reader.feed(piece));
        match fed {
            Ok(Some(answer)) => break answer,
            Ok(None) => {}
            Err(error) => {
                return Seen { head: String::new(), data: Vec::new(), end: Err(error), keeps: false };
            }
        }
    };
    let head = format!("{:?}", answer.head);
    let (mut body, mut data, mut keeps) = (answer.body, Vec::new(), answer.keeps);
    let end = std::iter::once(reader.rest()).chain(pieces).try_for_each(|piece| {
        let used = body.decode(piece, |piece| data.extend_from_slice(piece))?;
        keeps &= used == piece.len();
        Ok(())
    });
    let end = end.and_then(|()| if body.is_done() { Ok(()) } else { body.close() });
    Seen { head, data, keeps: keeps && end.is_ok(), end }
}

fn piece() -> impl Strategy<Value = Vec<u8>> {
    let whole = [
        "HTTP/1.1 200 OK\r\n",
        "HTTP/1.0 200 OK\r\n",
        "HTTP/1.1 100 Continue\r\n\r\n",
        "HTTP/1.1 204 \r\n",
        "transfer-encoding: chunked\r\n",
        "content-length: 4\r\n",
        "content-length: 5\r\n",
        "connection: close\r\n",
        "\r\n",
        "\n",
        "\r",
        "2\r\nok\r\n",
        "A;x=y\r\n0123456789\r\n",
        "0\r\n\r\n",
        "0\r\nname: value\r\n\r\n",
        "okay",
    ];
    prop_oneof![
        8 => proptest::sample::select(whole.to_vec()).prop_map(|text| text.as_bytes().to_vec()),
        1 => proptest::collection::vec(any::<u8>(), 0..4),
    ]
}

fn answer() -> impl Strategy<Value = Vec<u8>> {
    let fields = prop_oneof![
        Just("transfer-encoding: chunked\r\n\r\n"),
        Just("content-length: 12\r\n\r\n"),
        Just("content-length: 4\r\nconnection: close\r\n\r\n"),
        Just("\r\n"),
        Just(""),
    ];
    (fields, proptest::collection::vec(piece(), 0..8))
        .prop_map(|(fields, pieces)| [b"HTTP/1.1 200 OK\r\n", fields.as_bytes(), &pieces.concat()].concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn an_answer_is_the_same_in_any_pieces(bytes in answer(), cuts in proptest::collection::vec(any::<prop::sample::Index>(), 0..6)) {
        let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut.index(bytes.len() + 1)).collect();
        cuts.sort_unstable();
        let ends = cuts.iter().copied().chain([bytes.len()]);
        let pieces: Vec<&[u8]> = std::iter::once(0).chain(cuts.iter().copied()).zip(ends).map(|(from, to)| &bytes[from..to]).collect();
        let single: Vec<&[u8]> = bytes.chunks(1).collect();
        let whole = seen(&[&bytes]);
        prop_assert_eq!(&seen(&pieces), &whole);
        prop_assert_eq!(&seen(&single), &whole);
    }

    #[test]
    fn chance_makes_no_answer_and_no_panic(pieces in proptest::collection::vec(piece(), 0..12)) {
        let bytes = pieces.concat();
        let whole = seen(&[&bytes]);
        prop_assert!(whole.data.len() <= bytes.len());
        prop_assert_eq!(seen(&bytes.chunks(1).collect::<Vec<_>>()), whole);
    }
}
