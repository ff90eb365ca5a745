//! Fields whose strings are kept as they are written in the body.

use std::fmt;
use std::marker::PhantomData;

use qm_canon::Text;
use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use super::{Field, OfShape, Shape};
use crate::read::AS_WRITTEN;

/// A shape whose strings are kept as they are written in the body.
pub trait Written<'de>: Shape<'de> {
    /// Of a string.
    fn written(text: Text<'de>) -> Self;
}

struct AsWritten<T>(PhantomData<T>);

/// Reads a field whose strings are to be kept as they are written. What is no string is of the shape that it is.
///
/// # Errors
/// Those of the deserializer.
pub fn as_written<'de, T, D>(deserializer: D) -> Result<Field<T>, D::Error>
where
    T: Written<'de>,
    D: Deserializer<'de>,
{
    deserializer.deserialize_newtype_struct(AS_WRITTEN, AsWritten(PhantomData))
}

impl<'de, T: Written<'de>> Visitor<'de> for AsWritten<T> {
    type Value = Field<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any value")
    }

    /// From [`crate::read`], with its quotes.
    fn visit_borrowed_str<E>(self, quoted: &'de str) -> Result<Self::Value, E> {
        Ok(OfShape::field(Text::quoted(quoted).map(T::written)))
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(self, other: D) -> Result<Self::Value, D::Error> {
        let value = <&'de RawValue>::deserialize(other)?.get();
        match Text::quoted(value) {
            Some(text) => Ok(Field::Is(T::written(text))),
            None => serde_json::from_str(value).map_err(D::Error::custom),
        }
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(Field::Absent)
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Self::Value, E> {
        OfShape(PhantomData).visit_bool(value)
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Self::Value, E> {
        OfShape(PhantomData).visit_u64(value)
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Self::Value, E> {
        OfShape(PhantomData).visit_i64(value)
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Self::Value, E> {
        OfShape(PhantomData).visit_f64(value)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, list: A) -> Result<Self::Value, A::Error> {
        OfShape(PhantomData).visit_seq(list)
    }

    fn visit_map<A: MapAccess<'de>>(self, object: A) -> Result<Self::Value, A::Error> {
        OfShape(PhantomData).visit_map(object)
    }
}
