//! The vectors of spec/upstream.md §3.1, byte for byte.

use qm_simulator::frame;
use serde_json::json;

use crate::client::{decoded, payload};

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |text, byte| text + &format!("{byte:02x}"))
}

#[test]
fn the_spec_vectors_are_met() {
    let text = frame::event("assistantResponseEvent", &json!({ "content": "Hi" }));
    assert_eq!(
        hex(&text),
        "0000007c0000005c3bddcf780b3a6576656e742d74797065070016617373697374616e74526573706f6e73654576656e740d3a636f\
         6e74656e742d747970650700106170706c69636174696f6e2f6a736f6e0d3a6d6573736167652d747970650700056576656e747b22\
         636f6e74656e74223a224869227db02babdc"
    );
    let initial = frame::event("initial-response", &json!({ "conversationId": "" }));
    assert_eq!(
        hex(&initial),
        "0000007b000000566928fa760b3a6576656e742d74797065070010696e697469616c2d726573706f6e73650d3a636f6e74656e742d\
         747970650700106170706c69636174696f6e2f6a736f6e0d3a6d6573736167652d747970650700056576656e747b22636f6e766572\
         736174696f6e4964223a22227d41f96edd"
    );
    let thrown = frame::exception("ThrottlingException", "slow down", Some("INSUFFICIENT_MODEL_CAPACITY"));
    assert_eq!(
        hex(&thrown),
        "000000af00000061ade086e00f3a657863657074696f6e2d747970650700135468726f74746c696e67457863657074696f6e0d3a63\
         6f6e74656e742d747970650700106170706c69636174696f6e2f6a736f6e0d3a6d6573736167652d74797065070009657863657074\
         696f6e7b226d657373616765223a22736c6f7720646f776e222c22726561736f6e223a22494e53554646494349454e545f4d4f4445\
         4c5f4341504143495459227d63a12fcc"
    );
    assert_eq!(hex(&frame::empty()), "000000100000000005c248eb7d98c8ff");
}

#[test]
fn odd_headers_are_of_all_ten_types_and_decode() {
    let bytes = frame::with_odd_headers("assistantResponseEvent", &json!({ "content": "x" }));
    let frames = decoded(&bytes).unwrap();
    assert_eq!(frames.len(), 1);
    assert_eq!(frames[0].headers().len(), 13);
    assert_eq!(payload(&frames[0])["content"], "x");
    for kind in 0_u8..10 {
        let name = format!("x-odd-{kind}");
        let at = bytes.windows(name.len()).position(|window| window == name.as_bytes()).unwrap();
        assert_eq!(bytes[at + name.len()], kind, "the type byte of {name}");
    }
}

#[test]
fn a_spoiled_frame_is_refused_by_its_checksum() {
    let frame = frame::spoiled(frame::event("assistantResponseEvent", &json!({ "content": "x" })));
    assert!(decoded(&frame).is_err());
}
