//! Fields that never fail to parse: a value of the wrong shape is remembered as such, so that the fault can name its
//! path in OpenAI's words instead of a byte offset in the parser's.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

use qm_canon::{Fault, Text};
use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use crate::path::Path;

/// A field of the body.
#[derive(Default)]
pub(crate) enum Field<T> {
    /// Missing, or null.
    #[default]
    Absent,
    /// There, but of another shape.
    Wrong,
    /// As it should be.
    Is(T),
}

/// A shape of JSON value. What is not overridden is the wrong shape.
pub(crate) trait Shape<'de>: Sized {
    /// What the value should be, for the fault.
    const SHOULD: &'static str;

    fn boolean(_: bool) -> Option<Self> {
        None
    }

    fn number(_: f64) -> Option<Self> {
        None
    }

    fn text(_: Cow<'de, str>) -> Option<Self> {
        None
    }

    fn list<A: SeqAccess<'de>>(mut list: A) -> Result<Option<Self>, A::Error> {
        while list.next_element::<IgnoredAny>()?.is_some() {}
        Ok(None)
    }

    fn object<A: MapAccess<'de>>(mut object: A) -> Result<Option<Self>, A::Error> {
        while object.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(None)
    }
}

/// A list.
pub(crate) struct List<T>(pub(crate) Vec<Field<T>>);

/// A whole number, however it is written.
#[derive(Clone, Copy)]
pub(crate) struct Integer(pub(crate) f64);

/// A number, whole or not.
#[derive(Clone, Copy)]
pub(crate) struct Number(pub(crate) f64);

/// A text, kept as it is written in the body.
#[derive(Default)]
pub(crate) struct Literal<'a>(pub(crate) Field<Text<'a>>);

struct OfShape<T>(PhantomData<T>);

// === impl Field ===

impl<T> Field<T> {
    /// The value; `None` if it is missing.
    pub(crate) fn optional<'de>(self, path: &Path<'_>) -> Result<Option<T>, Fault>
    where
        T: Shape<'de>,
    {
        match self {
            Self::Absent => Ok(None),
            Self::Wrong => Err(path.wrong_type(T::SHOULD)),
            Self::Is(value) => Ok(Some(value)),
        }
    }

    /// The value, which must be there.
    pub(crate) fn required<'de>(self, path: &Path<'_>) -> Result<T, Fault>
    where
        T: Shape<'de>,
    {
        self.optional(path)?.ok_or_else(|| path.missing())
    }
}

impl<'de, T: Shape<'de>> Deserialize<'de> for Field<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(OfShape(PhantomData))
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Literal<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = <&'de RawValue>::deserialize(deserializer)?;
        Ok(Self(match Text::literal(value) {
            Some(text) => Field::Is(text),
            None if value.get() == "null" => Field::Absent,
            None => Field::Wrong,
        }))
    }
}

impl<'de, T: Shape<'de>> OfShape<T> {
    fn field(value: Option<T>) -> Field<T> {
        value.map_or(Field::Wrong, Field::Is)
    }
}

impl<'de, T: Shape<'de>> Visitor<'de> for OfShape<T> {
    type Value = Field<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any value")
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(Field::Absent)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Self::Value, E> {
        Ok(Self::field(T::boolean(value)))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Self::Value, E> {
        Ok(Self::field(T::number(value as f64)))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Self::Value, E> {
        Ok(Self::field(T::number(value as f64)))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Self::Value, E> {
        Ok(Self::field(T::number(value)))
    }

    fn visit_borrowed_str<E>(self, value: &'de str) -> Result<Self::Value, E> {
        Ok(Self::field(T::text(Cow::Borrowed(value))))
    }

    fn visit_str<E>(self, value: &str) -> Result<Self::Value, E> {
        Ok(Self::field(T::text(Cow::Owned(value.to_owned()))))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, list: A) -> Result<Self::Value, A::Error> {
        T::list(list).map(Self::field)
    }

    fn visit_map<A: MapAccess<'de>>(self, object: A) -> Result<Self::Value, A::Error> {
        T::object(object).map(Self::field)
    }
}

// === impl Shape ===

impl<'a, 'de: 'a> Shape<'de> for Cow<'a, str> {
    const SHOULD: &'static str = "a string";

    fn text(text: Cow<'de, str>) -> Option<Self> {
        Some(text)
    }
}

impl Shape<'_> for Text<'_> {
    const SHOULD: &'static str = "a string";
}

impl Shape<'_> for bool {
    const SHOULD: &'static str = "a boolean";

    fn boolean(value: bool) -> Option<Self> {
        Some(value)
    }
}

impl Shape<'_> for Integer {
    const SHOULD: &'static str = "an integer";

    fn number(value: f64) -> Option<Self> {
        (value.fract() == 0.0).then_some(Self(value))
    }
}

impl Shape<'_> for Number {
    const SHOULD: &'static str = "a decimal";

    fn number(value: f64) -> Option<Self> {
        Some(Self(value))
    }
}

impl<'de, T: Shape<'de>> Shape<'de> for List<T> {
    const SHOULD: &'static str = "an array";

    fn list<A: SeqAccess<'de>>(mut list: A) -> Result<Option<Self>, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = list.next_element()? {
            items.push(item);
        }
        Ok(Some(Self(items)))
    }
}

impl<'de, T: Shape<'de>> Shape<'de> for Box<T> {
    const SHOULD: &'static str = T::SHOULD;

    fn text(text: Cow<'de, str>) -> Option<Self> {
        T::text(text).map(Self::new)
    }

    fn list<A: SeqAccess<'de>>(list: A) -> Result<Option<Self>, A::Error> {
        Ok(T::list(list)?.map(Self::new))
    }

    fn object<A: MapAccess<'de>>(object: A) -> Result<Option<Self>, A::Error> {
        Ok(T::object(object)?.map(Self::new))
    }
}

/// Implements [`Shape`] for objects: the derived impls would also take a list for one, which no client means.
macro_rules! object {
    ($($name:ident),+ $(,)?) => {$(
        impl<'a, 'de: 'a> $crate::field::Shape<'de> for $name<'a> {
            const SHOULD: &'static str = "an object";

            fn object<A: serde::de::MapAccess<'de>>(object: A) -> Result<Option<Self>, A::Error> {
                serde::Deserialize::deserialize(serde::de::value::MapAccessDeserializer::new(object)).map(Some)
            }
        }
    )+};
}
pub(crate) use object;
