//! Bytes in random splits are cut into the same frames as the whole.
#![no_main]

use libfuzzer_sys::fuzz_target;
use qm_framing::eventstream::{Frame, FrameError, Frames};
use quartermaster_fuzz::stream::Stream;

const MOST: usize = 64 * 1024;

#[derive(Debug, PartialEq)]
struct Cut {
    frames: Vec<Vec<u8>>,
    error: Option<FrameError>,
    partial: bool,
}

fuzz_target!(|stream: Stream| {
    let bytes = stream.bytes();
    let whole = cut(&[&bytes]);
    assert_eq!(cut(&stream.chunks(&bytes)), whole);
    if let Some(error) = whole.error {
        // Once wrong, always wrong: nothing is found again behind a bad frame.
        let mut frames = Frames::new(MOST);
        frames.feed(&bytes);
        while let Ok(Some(_)) = frames.next() {}
        assert_eq!(frames.next().err(), Some(error));
    }
});

fn cut(chunks: &[&[u8]]) -> Cut {
    let mut frames = Frames::new(MOST);
    let mut cut = Cut { frames: Vec::new(), error: None, partial: false };
    for chunk in chunks {
        frames.feed(chunk);
        loop {
            match frames.next() {
                Ok(Some(frame)) => cut.frames.push(seen(frame)),
                Ok(None) => break,
                Err(error) => {
                    cut.error = Some(error);
                    return cut;
                }
            }
            // Put back, it comes again, the same.
            let last = cut.frames.last().cloned();
            frames.put_back();
            let again = frames.next().ok().flatten().map(seen);
            assert_eq!(again, last);
        }
    }
    cut.partial = frames.is_partial();
    cut
}

fn seen(frame: Frame<'_>) -> Vec<u8> {
    let headers: Vec<_> = frame.headers().collect();
    let found = frame.string(":event-type");
    format!("{headers:?} {found:?} {:?}", frame.payload).into_bytes()
}
