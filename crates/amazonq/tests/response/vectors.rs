//! The byte-exact frames of spec/upstream.md §3.1, fed one byte at a time.

use qm_amazonq::request::Note;

use crate::wire::{Recording, event, frame};

const HI: &str = "0000007c0000005c3bddcf780b3a6576656e742d74797065070016617373697374616e74526573706f6e73654576656e740d3a636f6e74656e742d747970650700106170706c69636174696f6e2f6a736f6e0d3a6d6573736167652d747970650700056576656e747b22636f6e74656e74223a224869227db02babdc";
const INITIAL: &str = "0000007b000000566928fa760b3a6576656e742d74797065070010696e697469616c2d726573706f6e73650d3a636f6e74656e742d747970650700106170706c69636174696f6e2f6a736f6e0d3a6d6573736167652d747970650700056576656e747b22636f6e766572736174696f6e4964223a22227d41f96edd";
const THROTTLED: &str = "000000af00000061ade086e00f3a657863657074696f6e2d747970650700135468726f74746c696e67457863657074696f6e0d3a636f6e74656e742d747970650700106170706c69636174696f6e2f6a736f6e0d3a6d6573736167652d74797065070009657863657074696f6e7b226d657373616765223a22736c6f7720646f776e222c22726561736f6e223a22494e53554646494349454e545f4d4f44454c5f4341504143495459227d63a12fcc";
const EMPTY: &str = "000000100000000005c248eb7d98c8ff";

fn unhex(text: &str) -> Vec<u8> {
    let digits = text.as_bytes().chunks(2).map(|pair| std::str::from_utf8(pair).unwrap());
    digits.map(|pair| u8::from_str_radix(pair, 16).unwrap()).collect()
}

#[test]
fn aws_writes_the_same_bytes() {
    assert_eq!(event("assistantResponseEvent", r#"{"content":"Hi"}"#), unhex(HI));
    assert_eq!(event("initial-response", r#"{"conversationId":""}"#), unhex(INITIAL));
    let headers = [
        (":exception-type", "ThrottlingException"),
        (":content-type", "application/json"),
        (":message-type", "exception"),
    ];
    let payload = br#"{"message":"slow down","reason":"INSUFFICIENT_MODEL_CAPACITY"}"#;
    assert_eq!(frame(&headers, payload), unhex(THROTTLED));
    assert_eq!(frame(&[], b""), unhex(EMPTY));
}

#[test]
fn each_vector_is_understood_byte_by_byte() {
    let frames = [INITIAL, EMPTY, HI, THROTTLED].map(unhex).to_vec();
    let recording = Recording { note: Note::default(), frames, cut: false };
    let expected = "open text\n\
        delta \"Hi\"\n\
        fault Overloaded [Throttling/INSUFFICIENT_MODEL_CAPACITY] slow down\n\
        (1 unknown)\n";
    assert_eq!(recording.transcript(std::iter::repeat(1)), expected);
}
