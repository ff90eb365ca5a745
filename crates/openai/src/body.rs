//! Reading a request's body, whichever API it is for.

use qm_canon::Fault;

use crate::field::{Field, Shape};

/// Parses a body that must be one object.
///
/// # Errors
/// [`qm_canon::Kind::Invalid`] when it is not JSON or no object.
pub(crate) fn parse<'a, T: Shape<'a>>(body: &'a [u8]) -> Result<T, Fault> {
    // Checked once here, so that the parser need not check every string again.
    let text = qm_json::read::text(body).map_err(|at| broken(format_args!("not UTF-8 at byte {at}")))?;
    // The parser's words name what it expected and where, never what it found: no field here has a shape that it
    // could quote.
    match qm_json::read::from_str::<Field<T>>(text) {
        Ok(Field::Is(body)) => Ok(body),
        Ok(Field::Absent | Field::Wrong) => Err(broken(format_args!("it should be an object"))),
        Err(error) => Err(broken(format_args!("{error}"))),
    }
}

fn broken(why: std::fmt::Arguments<'_>) -> Fault {
    Fault::invalid(format!("We could not parse the JSON body of your request: {why}."))
}
