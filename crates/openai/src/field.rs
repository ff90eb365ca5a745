//! Fields of the body, with OpenAI's words for what is wrong with one.

use qm_canon::Fault;
pub(crate) use qm_json::field::{
    Field, Integer, Kind, List, Literal, Number, Shape, Site, Written, as_written,
};
pub(crate) use qm_json::object;

use crate::path::Path;

impl Site for Path<'_> {
    fn missing(&self) -> Fault {
        self.missing()
    }

    fn wrong_shape(&self, kind: Kind) -> Fault {
        self.wrong_type(match kind {
            Kind::String => "a string",
            Kind::Boolean => "a boolean",
            Kind::Integer => "an integer",
            Kind::Number => "a decimal",
            Kind::List => "an array",
            Kind::Object => "an object",
            Kind::Other(words) => words,
        })
    }
}
