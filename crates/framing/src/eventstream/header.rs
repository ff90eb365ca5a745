//! Headers of a frame. All ten value types are read, though the upstream sends only strings.

/// A header's value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Value<'a> {
    /// Types 0 and 1.
    Bool(bool),
    /// Types 2 to 5, whatever their width.
    Int(i64),
    /// Type 6.
    Bytes(&'a [u8]),
    /// Type 7.
    String(&'a str),
    /// Type 8, milliseconds since the Unix epoch.
    Timestamp(i64),
    /// Type 9.
    Uuid([u8; 16]),
}

/// The headers of one frame, name and value, in order.
#[derive(Clone)]
pub struct Headers<'a> {
    rest: &'a [u8],
}

impl<'a> Headers<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }
}

impl<'a> Iterator for Headers<'a> {
    type Item = (&'a str, Value<'a>);

    fn next(&mut self) -> Option<Self::Item> {
        if self.rest.is_empty() {
            return None;
        }
        // Checked when the frame was cut, so a failure cannot happen here; it would only end the list.
        raw(&mut self.rest)?.decoded()
    }
}

/// Whether the bytes are well-formed headers.
pub(super) fn check(mut bytes: &[u8]) -> Option<()> {
    // Nearly always: then every text in it is UTF-8, and none need be looked at for itself.
    let ascii = bytes.iter().fold(0, |all, byte| all | byte) < 0x80;
    while !bytes.is_empty() {
        let raw = raw(&mut bytes)?;
        if !ascii {
            raw.decoded()?;
        }
    }
    Some(())
}

/// The values of the first headers of these names that are strings.
pub(super) fn strings<'a, const N: usize>(mut bytes: &'a [u8], names: [&str; N]) -> [Option<&'a [u8]>; N] {
    let mut found = [None; N];
    while let Some(header) = raw(&mut bytes) {
        if header.kind == STRING
            && let Some(at) = names.iter().position(|name| name.as_bytes() == header.name)
        {
            found[at] = found[at].or(Some(header.value));
        }
    }
    found
}

/// The type of strings.
const STRING: u8 = 7;

/// A header as it stands.
struct Raw<'a> {
    name: &'a [u8],
    kind: u8,
    value: &'a [u8],
}

impl<'a> Raw<'a> {
    fn decoded(&self) -> Option<(&'a str, Value<'a>)> {
        let name = std::str::from_utf8(self.name).ok()?;
        let value = match self.kind {
            0 => Value::Bool(true),
            1 => Value::Bool(false),
            2 => Value::Int(i8::from_be_bytes(exactly(self.value)?).into()),
            3 => Value::Int(i16::from_be_bytes(exactly(self.value)?).into()),
            4 => Value::Int(i32::from_be_bytes(exactly(self.value)?).into()),
            5 => Value::Int(i64::from_be_bytes(exactly(self.value)?)),
            6 => Value::Bytes(self.value),
            STRING => Value::String(std::str::from_utf8(self.value).ok()?),
            8 => Value::Timestamp(i64::from_be_bytes(exactly(self.value)?)),
            9 => Value::Uuid(exactly(self.value)?),
            _ => return None,
        };
        Some((name, value))
    }
}

/// Takes one header, by its lengths alone. `None` as well when there is none.
#[inline]
fn raw<'a>(bytes: &mut &'a [u8]) -> Option<Raw<'a>> {
    let (&length, rest) = bytes.split_first()?;
    let (name, rest) = rest.split_at_checked(length.into())?;
    let (&kind, rest) = rest.split_first()?;
    let (length, rest) = match kind {
        6 | STRING => {
            let (&length, rest) = rest.split_first_chunk()?;
            (usize::from(u16::from_be_bytes(length)), rest)
        }
        0 | 1 => (0, rest),
        2 => (1, rest),
        3 => (2, rest),
        4 => (4, rest),
        5 | 8 => (8, rest),
        9 => (16, rest),
        _ => return None,
    };
    let (value, rest) = rest.split_at_checked(length)?;
    *bytes = rest;
    Some(Raw { name, kind, value })
}

fn exactly<const N: usize>(bytes: &[u8]) -> Option<[u8; N]> {
    bytes.try_into().ok()
}
