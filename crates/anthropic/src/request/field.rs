//! Fields of the body, with Anthropic's words for what is wrong with one.

use qm_canon::Fault;
pub(super) use qm_json::field::{
    Field, Integer, Kind, List, Literal, Number, Shape, Site, Written, as_written,
};

use super::path::Path;

impl Site for Path<'_> {
    fn missing(&self) -> Fault {
        self.required()
    }

    fn wrong_shape(&self, kind: Kind) -> Fault {
        self.fault(match kind {
            Kind::String => "Input should be a valid string",
            Kind::Boolean => "Input should be a valid boolean",
            Kind::Integer => "Input should be a valid integer",
            Kind::Number => "Input should be a valid number",
            Kind::List => "Input should be a valid list",
            Kind::Object => "Input should be a valid dictionary",
            Kind::Other(words) => words,
        })
    }
}
