//! The body of an answer.

use crate::Malformed;
use crate::chunked::Chunked;

/// A body on its way in (RFC 9112 §6.3). Bytes may come in any pieces.
#[derive(Clone, Debug)]
pub struct Body(Form);

#[derive(Clone, Debug)]
enum Form {
    /// So many bytes are still to come.
    Length(u64),
    Chunked(Chunked),
    /// All that comes until the connection is closed.
    UntilClose {
        closed: bool,
    },
}

// === impl Body ===

impl Body {
    /// A body of so many bytes.
    pub(crate) fn of_length(length: u64) -> Self {
        Self(Form::Length(length))
    }

    /// A body in chunks.
    pub(crate) fn chunked() -> Self {
        Self(Form::Chunked(Chunked::new()))
    }

    /// A body that ends with its connection.
    pub(crate) fn until_close() -> Self {
        Self(Form::UntilClose { closed: false })
    }

    /// Whether all of it has come.
    #[must_use]
    pub fn is_done(&self) -> bool {
        match &self.0 {
            Form::Length(left) => *left == 0,
            Form::Chunked(chunked) => chunked.is_done(),
            Form::UntilClose { closed } => *closed,
        }
    }

    /// Bytes that are still to come, where that is known.
    #[must_use]
    pub fn left(&self) -> Option<u64> {
        match &self.0 {
            Form::Length(left) => Some(*left),
            Form::Chunked(_) | Form::UntilClose { .. } => None,
        }
    }

    /// Takes in what has come and gives `take` what the sender meant, piece by piece, as it lies there. How many bytes
    /// belonged to the body: all of them, unless it has ended; what follows was not asked for.
    ///
    /// # Errors
    /// For chunks that are none. The data before them has been given.
    pub fn decode(&mut self, input: &[u8], mut take: impl FnMut(&[u8])) -> Result<usize, Malformed> {
        match &mut self.0 {
            Form::Length(left) => {
                let most = usize::try_from(*left).map_or(input.len(), |left| left.min(input.len()));
                if most > 0 {
                    take(&input[..most]);
                }
                *left -= most as u64;
                Ok(most)
            }
            Form::Chunked(chunked) => chunked.decode(input, take),
            Form::UntilClose { closed: false } => {
                if !input.is_empty() {
                    take(input);
                }
                Ok(input.len())
            }
            Form::UntilClose { closed: true } => Ok(0),
        }
    }

    /// The connection was closed.
    ///
    /// # Errors
    /// [`Malformed::Cut`], unless that is how this body ends or it had ended already.
    pub fn close(&mut self) -> Result<(), Malformed> {
        if let Form::UntilClose { closed } = &mut self.0 {
            *closed = true;
        }
        if self.is_done() { Ok(()) } else { Err(Malformed::Cut) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_of_a_length_takes_no_more_and_is_cut_by_less() {
        let (mut body, mut data) = (Body::of_length(3), Vec::new());
        assert_eq!((body.is_done(), body.left()), (false, Some(3)));
        assert_eq!(body.decode(b"ab", |piece| data.extend_from_slice(piece)), Ok(2));
        assert_eq!(body.clone().close(), Err(Malformed::Cut));
        assert_eq!(body.decode(b"cde", |piece| data.extend_from_slice(piece)), Ok(1));
        assert_eq!((data.as_slice(), body.is_done(), body.close()), (b"abc".as_slice(), true, Ok(())));
        assert_eq!(body.decode(b"x", |piece| data.extend_from_slice(piece)), Ok(0));
        assert!(Body::of_length(0).is_done());
    }

    #[test]
    fn a_body_without_a_length_ends_with_its_connection_and_in_no_other_way() {
        let (mut body, mut data) = (Body::until_close(), Vec::new());
        assert_eq!(body.decode(b"0\r\n\r\n", |piece| data.extend_from_slice(piece)), Ok(5));
        assert!(!body.is_done());
        assert_eq!(body.close(), Ok(()));
        assert!(body.is_done());
        assert_eq!(body.decode(b"x", |piece| data.extend_from_slice(piece)), Ok(0));
        assert_eq!(&data[..], b"0\r\n\r\n");
    }

    #[test]
    fn chunks_without_the_last_one_are_cut() {
        let (mut body, mut data) = (Body::chunked(), Vec::new());
        assert_eq!(body.decode(b"2\r\nok\r\n", |piece| data.extend_from_slice(piece)), Ok(7));
        assert_eq!(body.clone().close(), Err(Malformed::Cut));
        assert_eq!(body.decode(b"0\r\n\r\n", |piece| data.extend_from_slice(piece)), Ok(5));
        assert_eq!((body.close(), body.is_done()), (Ok(()), true));
    }
}
