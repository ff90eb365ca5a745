//! Whether clients need a key.

use super::listen::Listen;
use super::reader::{Reader, Refused};
use super::units;

/// Who may ask.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub(crate) enum Auth {
    /// Whoever has a key.
    #[default]
    Keys,
    /// Everybody.
    Open,
}

pub(super) fn read(reader: &mut Reader<'_>, listen: Option<&Listen>) -> Result<Auth, Refused> {
    let mode = reader.value("auth.mode", |text| match text {
        "keys" => Ok(Auth::Keys),
        "open" => Ok(Auth::Open),
        _ => Err("expected keys or open".to_owned()),
    });
    let public = reader.value("auth.open_on_public", units::answer);
    let (mode, public) = (mode?, public?);
    if mode == Auth::Keys {
        return Ok(mode);
    }
    if let Some(address) = listen.and_then(Listen::first_public)
        && !public
    {
        let why = format!(
            "{address} is reached by other machines, and everybody there could use your accounts; \
             listen on 127.0.0.1, or say ALLOW_OPEN_ON_PUBLIC=1"
        );
        reader.refuse("auth.mode", &why);
        return Err(Refused);
    }
    reader.note("auth.mode is open: everybody who reaches this port may use the accounts".to_owned());
    Ok(mode)
}
