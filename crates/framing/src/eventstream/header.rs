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
    let ascii = bytes.is_ascii();
    while !bytes.is_empty() {
        let raw = raw(&mut bytes)?;
        if !ascii {
            raw.decoded()?;
        }
    }
    Some(())
}

/// The value of the first header of this name that is a string.
pub(super) fn string<'a>(mut bytes: &'a [u8], name: &str) -> Option<&'a str> {
    while !bytes.is_empty() {
        let found = raw(&mut bytes)?;
        if found.kind == STRING && found.name == name.as_bytes() {
            return std::str::from_utf8(found.value).ok();
        }
    }
    None
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

/// Takes one header, by its lengths alone.
#[inline]
fn raw<'a>(bytes: &mut &'a [u8]) -> Option<Raw<'a>> {
    let length = usize::from(byte(bytes)?);
    let name = take(bytes, length)?;
    let kind = byte(bytes)?;
    let length = match kind {
        0 | 1 => 0,
        2 => 1,
        3 => 2,
        4 => 4,
        5 | 8 => 8,
        6 | STRING => usize::from(u16::from_be_bytes(exactly(take(bytes, 2)?)?)),
        9 => 16,
        _ => return None,
    };
    Some(Raw { name, kind, value: take(bytes, length)? })
}

fn byte(bytes: &mut &[u8]) -> Option<u8> {
    take(bytes, 1).map(|byte| byte[0])
}

fn exactly<const N: usize>(bytes: &[u8]) -> Option<[u8; N]> {
    bytes.try_into().ok()
}

fn take<'a>(bytes: &mut &'a [u8], length: usize) -> Option<&'a [u8]> {
    let (head, rest) = bytes.split_at_checked(length)?;
    *bytes = rest;
    Some(head)
}
