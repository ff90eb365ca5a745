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
        header(&mut self.rest)
    }
}

/// Whether the bytes are well-formed headers.
pub(super) fn check(mut bytes: &[u8]) -> Option<()> {
    while !bytes.is_empty() {
        header(&mut bytes)?;
    }
    Some(())
}

fn header<'a>(bytes: &mut &'a [u8]) -> Option<(&'a str, Value<'a>)> {
    let length = usize::from(byte(bytes)?);
    let name = std::str::from_utf8(take(bytes, length)?).ok()?;
    let value = match byte(bytes)? {
        0 => Value::Bool(true),
        1 => Value::Bool(false),
        2 => Value::Int(i8::from_be_bytes(array(bytes)?).into()),
        3 => Value::Int(i16::from_be_bytes(array(bytes)?).into()),
        4 => Value::Int(i32::from_be_bytes(array(bytes)?).into()),
        5 => Value::Int(i64::from_be_bytes(array(bytes)?)),
        6 => Value::Bytes(sized(bytes)?),
        7 => Value::String(std::str::from_utf8(sized(bytes)?).ok()?),
        8 => Value::Timestamp(i64::from_be_bytes(array(bytes)?)),
        9 => Value::Uuid(array(bytes)?),
        _ => return None,
    };
    Some((name, value))
}

fn byte(bytes: &mut &[u8]) -> Option<u8> {
    take(bytes, 1).map(|byte| byte[0])
}

fn sized<'a>(bytes: &mut &'a [u8]) -> Option<&'a [u8]> {
    let length = u16::from_be_bytes(array(bytes)?);
    take(bytes, length.into())
}

fn array<const N: usize>(bytes: &mut &[u8]) -> Option<[u8; N]> {
    let (head, rest) = bytes.split_first_chunk::<N>()?;
    *bytes = rest;
    Some(*head)
}

fn take<'a>(bytes: &mut &'a [u8], length: usize) -> Option<&'a [u8]> {
    let (head, rest) = bytes.split_at_checked(length)?;
    *bytes = rest;
    Some(head)
}
