//! What is logged, and how.

use tracing_subscriber::EnvFilter;

use super::reader::{Reader, Refused};

/// What is logged, and how.
#[derive(Clone, Debug)]
pub(crate) struct Log {
    /// As tracing's filters are written; known to be understood.
    pub(crate) filter: String,
    /// How lines look.
    pub(crate) format: LogFormat,
}

/// How log lines look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LogFormat {
    /// For people.
    Text,
    /// One JSON object per line, for machines.
    Json,
}

impl Default for Log {
    fn default() -> Self {
        Self { filter: "info".to_owned(), format: LogFormat::Text }
    }
}

pub(super) fn read(reader: &mut Reader<'_>) -> Result<Log, Refused> {
    let filter = reader.value("log.filter", |text| {
        let allowed =
            "expected a level (error, warn, info, debug, trace, off) or target=level pairs with commas";
        EnvFilter::try_new(text).map(|_| text.to_owned()).map_err(|_| allowed.to_owned())
    });
    let format = reader.value("log.format", |text| match text {
        "text" => Ok(LogFormat::Text),
        "json" => Ok(LogFormat::Json),
        _ => Err("expected text or json".to_owned()),
    });
    Ok(Log { filter: filter?, format: format? })
}
