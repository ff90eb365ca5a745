//! Fields that never fail to parse: a value of the wrong shape is remembered as such, so that the fault can name its
//! path in the vendor's words instead of a byte offset in the parser's.

mod written;

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

use qm_canon::{Fault, Text};
use serde::de::{Deserialize, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};

pub use self::written::{Written, as_written};

/// A field of the body.
#[derive(Default)]
pub enum Field<T> {
    /// Missing, or null.
    #[default]
    Absent,
    /// There, but of another shape.
    Wrong,
    /// As it should be.
    Is(T),
}

/// What a value should have been.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A string.
    String,
    /// True or false.
    Boolean,
    /// A whole number.
    Integer,
    /// A number.
    Number,
    /// A list.
    List,
    /// An object.
    Object,
    /// What only the vendor has words for.
    Other(&'static str),
}

/// Where a field stands: what a vendor says of one that is missing or of the wrong shape.
pub trait Site {
    /// It must be there.
    fn missing(&self) -> Fault;
    /// It is of another shape.
    fn wrong_shape(&self, kind: Kind) -> Fault;
}

/// A shape of JSON value. What is not overridden is the wrong shape.
pub trait Shape<'de>: Sized {
    /// What it is, for the fault.
    const KIND: Kind;

    /// Of true or false.
    #[must_use]
    fn boolean(_: bool) -> Option<Self> {
        None
    }

    /// Of a number.
    #[must_use]
    fn number(_: f64) -> Option<Self> {
        None
    }

    /// Of a string.
    #[must_use]
    fn text(_: Cow<'de, str>) -> Option<Self> {
        None
    }

    /// Of a list.
    fn list<A: SeqAccess<'de>>(mut list: A) -> Result<Option<Self>, A::Error> {
        while list.next_element::<IgnoredAny>()?.is_some() {}
        Ok(None)
    }

    /// Of an object.
    fn object<A: MapAccess<'de>>(mut object: A) -> Result<Option<Self>, A::Error> {
        // Keys are read as text: `serde_json` wants them whole, even where nobody wants to know them.
        while object.next_entry::<String, IgnoredAny>()?.is_some() {}
        Ok(None)
    }
}

/// A list.
pub struct List<T>(pub Vec<Field<T>>);

/// A whole number, however it is written.
#[derive(Clone, Copy)]
pub struct Integer(pub f64);

/// A number, whole or not.
#[derive(Clone, Copy)]
pub struct Number(pub f64);

/// A text, kept as it is written in the body.
#[derive(Default)]
pub struct Literal<'a>(pub Field<Text<'a>>);

struct OfShape<T>(PhantomData<T>);

// === impl Field ===

impl<T> Field<T> {
    /// The value; `None` if it is missing.
    pub fn optional<'de>(self, site: &impl Site) -> Result<Option<T>, Fault>
    where
        T: Shape<'de>,
    {
        match self {
            Self::Absent => Ok(None),
            Self::Wrong => Err(site.wrong_shape(T::KIND)),
            Self::Is(value) => Ok(Some(value)),
        }
    }

    /// The value, which must be there.
    pub fn required<'de>(self, site: &impl Site) -> Result<T, Fault>
    where
        T: Shape<'de>,
    {
        self.optional(site)?.ok_or_else(|| site.missing())
    }
}

impl<'de, T: Shape<'de>> Deserialize<'de> for Field<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(OfShape(PhantomData))
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Literal<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        as_written(deserializer).map(Self)
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

    fn visit_str<E: Error>(self, value: &str) -> Result<Self::Value, E> {
        self.visit_string(value.to_owned())
    }

    fn visit_string<E>(self, value: String) -> Result<Self::Value, E> {
        Ok(Self::field(T::text(Cow::Owned(value))))
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
    const KIND: Kind = Kind::String;

    fn text(text: Cow<'de, str>) -> Option<Self> {
        Some(text)
    }
}

impl Shape<'_> for Text<'_> {
    const KIND: Kind = Kind::String;
}

impl<'a, 'de: 'a> Written<'de> for Text<'a> {
    fn written(text: Text<'de>) -> Self {
        text
    }
}

impl Shape<'_> for bool {
    const KIND: Kind = Kind::Boolean;

    fn boolean(value: bool) -> Option<Self> {
        Some(value)
    }
}

impl Shape<'_> for Integer {
    const KIND: Kind = Kind::Integer;

    fn number(value: f64) -> Option<Self> {
        (value.fract() == 0.0).then_some(Self(value))
    }
}

impl Shape<'_> for Number {
    const KIND: Kind = Kind::Number;

    fn number(value: f64) -> Option<Self> {
        Some(Self(value))
    }
}

impl<'de, T: Shape<'de>> Shape<'de> for List<T> {
    const KIND: Kind = Kind::List;

    fn list<A: SeqAccess<'de>>(mut list: A) -> Result<Option<Self>, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = list.next_element()? {
            if items.is_empty() {
                // Many lists have one item only, and items may be large.
                items.reserve_exact(1);
            }
            items.push(item);
        }
        Ok(Some(Self(items)))
    }
}

impl<'de, T: Shape<'de>> Shape<'de> for Box<T> {
    const KIND: Kind = T::KIND;

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
#[macro_export]
macro_rules! object {
    ($($name:ident),+ $(,)?) => {$(
        impl<'a, 'de: 'a> $crate::field::Shape<'de> for $name<'a> {
            const KIND: $crate::field::Kind = $crate::field::Kind::Object;

            fn object<A: serde::de::MapAccess<'de>>(object: A) -> Result<Option<Self>, A::Error> {
                serde::Deserialize::deserialize(serde::de::value::MapAccessDeserializer::new(object)).map(Some)
            }
        }
    )+};
}
