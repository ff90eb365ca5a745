//! Reading a request's body: bounded, decompressed.

use std::io::Read;

use axum::body::{Body, HttpBody as _};
use axum::http::HeaderMap;
use axum::http::header::CONTENT_ENCODING;
use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt as _;
use qm_canon::{Fault, Kind, Origin};

/// How much of an oversized body is read and thrown away, as a multiple of the limit: a client that is still writing
/// when we close would see a reset instead of our answer.
const DISCARDED: usize = 3;

/// Reads it whole.
///
/// # Errors
/// [`Kind::TooLarge`] above `max` bytes, before or after decompression; [`Kind::Invalid`] for an encoding that is
/// unknown or broken, or a body that ends early.
pub(crate) async fn read(headers: &HeaderMap, body: Body, max: usize) -> Result<Bytes, Fault> {
    let raw = collect(body, max).await?;
    let encoding = headers.get(CONTENT_ENCODING).map_or("", |value| value.to_str().unwrap_or("?")).trim();
    let open: fn(Bytes, usize) -> Result<Bytes, Fault> = match encoding.to_ascii_lowercase().as_str() {
        "" | "identity" => return Ok(raw),
        "gzip" | "x-gzip" => |raw, max| inflate(flate2::read::MultiGzDecoder::new(&*raw), max),
        "deflate" => |raw, max| inflate(flate2::read::ZlibDecoder::new(&*raw), max),
        "zstd" => |raw, max| match ruzstd::decoding::StreamingDecoder::new(&*raw) {
            Ok(decoder) => inflate(decoder, max),
            Err(_) => Err(garbled()),
        },
        _ => {
            return Err(Fault::invalid("content-encoding: send the body plain, or as gzip, deflate or zstd"));
        }
    };
    // Off the data path: a small body can become a large one.
    tokio::task::spawn_blocking(move || open(raw, max)).await.unwrap_or_else(|_| Err(garbled()))
}

async fn collect(mut body: Body, max: usize) -> Result<Bytes, Fault> {
    let expected = usize::try_from(body.size_hint().lower()).unwrap_or(usize::MAX);
    let mut first = Bytes::new();
    let mut whole = BytesMut::new();
    let mut seen = 0;
    while let Some(frame) = body.frame().await {
        let Ok(chunk) = frame.map_err(|_| Fault::invalid("the request body ended early"))?.into_data() else {
            continue;
        };
        seen += chunk.len();
        if seen > max * DISCARDED {
            break;
        }
        if seen > max {
            whole.clear();
        } else if seen == chunk.len() {
            // Most bodies come in one piece; those are not copied.
            first = chunk;
        } else {
            if whole.is_empty() {
                whole.reserve(expected.min(max));
                whole.extend_from_slice(&first);
            }
            whole.extend_from_slice(&chunk);
        }
    }
    if seen > max {
        return Err(too_large(max));
    }
    Ok(if whole.is_empty() { first } else { whole.freeze() })
}

fn inflate(decoder: impl Read, max: usize) -> Result<Bytes, Fault> {
    let mut out = Vec::new();
    decoder.take(max as u64 + 1).read_to_end(&mut out).map_err(|_| garbled())?;
    if out.len() > max { Err(too_large(max)) } else { Ok(out.into()) }
}

fn garbled() -> Fault {
    Fault::invalid("the request body does not match its content-encoding")
}

fn too_large(max: usize) -> Fault {
    Fault::new(
        Kind::TooLarge,
        Origin::Client,
        format!("Request exceeds the maximum allowed number of bytes ({max}). Send less, or fewer images."),
    )
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    fn encoded(encoding: &'static str) -> HeaderMap {
        HeaderMap::from_iter([(CONTENT_ENCODING, encoding.parse().expect("ascii"))])
    }

    fn gzip(text: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
        encoder.write_all(text).expect("writes to memory");
        encoder.finish().expect("writes to memory")
    }

    #[tokio::test]
    async fn what_is_within_bounds_is_read_whole() {
        let plain = read(&HeaderMap::new(), Body::from("hello"), 5).await.expect("fits");
        assert_eq!(plain, "hello");
        let zipped = read(&encoded("gzip"), Body::from(gzip(b"hello")), 100).await.expect("fits");
        assert_eq!(zipped, "hello");
        let zstd =
            ruzstd::encoding::compress_to_vec(&b"hello"[..], ruzstd::encoding::CompressionLevel::Fastest);
        assert_eq!(read(&encoded("zstd"), Body::from(zstd), 100).await.expect("fits"), "hello");
    }

    #[tokio::test]
    async fn a_bomb_does_not_go_off() {
        let bomb = gzip(&vec![0; 1 << 20]);
        assert!(bomb.len() < 2000);
        let fault = read(&encoded("gzip"), Body::from(bomb), 2000).await.expect_err("too large");
        assert_eq!(fault.kind, Kind::TooLarge);
        let fault = read(&HeaderMap::new(), Body::from("123456"), 5).await.expect_err("too large");
        assert_eq!(fault.kind, Kind::TooLarge);
    }

    #[tokio::test]
    async fn nonsense_is_refused() {
        for encoding in ["gzip", "deflate", "zstd", "br"] {
            let fault = read(&encoded(encoding), Body::from("not that"), 100).await.expect_err("refused");
            assert_eq!(fault.kind, Kind::Invalid, "{encoding}");
        }
    }
}
