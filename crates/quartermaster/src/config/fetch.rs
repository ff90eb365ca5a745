//! Whether pictures behind URLs are fetched for clients.

use super::reader::{Reader, Refused};

/// Which pictures behind URLs are fetched.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum FetchImages {
    /// None.
    #[default]
    Off,
    /// Those of `https`.
    Https,
    /// Those of plain `http` too.
    HttpToo,
}

pub(super) fn read(reader: &mut Reader<'_>) -> Result<FetchImages, Refused> {
    reader.value("fetch.images", |text| match text {
        "off" => Ok(FetchImages::Off),
        "https" => Ok(FetchImages::Https),
        "http-too" => Ok(FetchImages::HttpToo),
        _ => Err("expected off, https or http-too".to_owned()),
    })
}
