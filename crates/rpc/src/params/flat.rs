//! Values spread over flat names.

use super::json::{self, Json};
use super::tree::Tree;
use super::{MAX_INDEX, ParamError, text};
use serde::de::{DeserializeSeed, Deserializer, IntoDeserializer, MapAccess, SeqAccess, Visitor};
use serde_json::Value;
use std::collections::btree_map;
use std::vec;

/// Deserializes the parameters below one name.
pub(super) struct Flat<'t>(pub(super) &'t Tree<'t>);

/// How a list or an object came.
enum Shape<'t> {
    /// As parameters of longer names.
    Spread(&'t Tree<'t>),
    /// As one JSON text.
    Json(Value),
}

impl<'t> Flat<'t> {
    /// The text of a scalar that may be empty.
    fn text(&self) -> Result<&'t str, ParamError> {
        match self.0.text {
            Some(text) if self.0.children.is_empty() => text::holdable(text),
            Some(_) => Err(ParamError::invalid("is given in two forms")),
            None => Err(ParamError::invalid("is not one value")),
        }
    }

    /// The text of a scalar that may not.
    fn filled(&self) -> Result<&'t str, ParamError> {
        match self.text()? {
            "" => Err(ParamError::blank()),
            text => Ok(text),
        }
    }

    fn shape(&self) -> Result<Shape<'t>, ParamError> {
        match self.0.text {
            None => Ok(Shape::Spread(self.0)),
            Some("") if !self.0.children.is_empty() => Ok(Shape::Spread(self.0)),
            Some(_) => match json::parse(self.filled()?)? {
                Value::Null => Err(ParamError::blank()),
                value => Ok(Shape::Json(value)),
            },
        }
    }
}

macro_rules! integers {
    ($($method:ident $visit:ident $type:ty,)*) => {$(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ParamError> {
            visitor.$visit(text::integer::<$type>(self.filled()?)?)
        }
    )*};
}

impl<'de> Deserializer<'de> for Flat<'_> {
    type Error = ParamError;

    integers! {
        deserialize_i8 visit_i8 i8, deserialize_i16 visit_i16 i16,
        deserialize_i32 visit_i32 i32, deserialize_i64 visit_i64 i64,
        deserialize_u8 visit_u8 u8, deserialize_u16 visit_u16 u16,
        deserialize_u32 visit_u32 u32, deserialize_u64 visit_u64 u64,
    }

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ParamError> {
        let is_index = |name: &&str| index(name).is_ok();
        if self.0.text.is_some() {
            self.deserialize_str(visitor)
        } else if !self.0.children.is_empty() && self.0.children.keys().all(is_index) {
            self.deserialize_seq(visitor)
        } else {
            self.deserialize_map(visitor)
        }
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ParamError> {
        visitor.visit_bool(text::boolean(self.filled()?)?)
    }

    fn deserialize_f32<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ParamError> {
        self.deserialize_f64(visitor)
    }

    fn deserialize_f64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ParamError> {
        visitor.visit_f64(text::float(self.filled()?)?)
    }

    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ParamError> {
        visitor.visit_str(self.text()?)
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ParamError> {
        self.deserialize_str(visitor)
    }

    fn deserialize_char<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ParamError> {
        visitor.visit_str(self.filled()?)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ParamError> {
        visitor.visit_some(self)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        visitor: V,
    ) -> Result<V::Value, ParamError> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ParamError> {
        match self.shape()? {
            Shape::Json(value) => Json(&value).deserialize_seq(visitor),
            Shape::Spread(tree) => visitor.visit_seq(Elements::of(tree)?),
        }
    }

    fn deserialize_tuple<V: Visitor<'de>>(
        self,
        _len: usize,
        visitor: V,
    ) -> Result<V::Value, ParamError> {
        self.deserialize_seq(visitor)
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        _len: usize,
        visitor: V,
    ) -> Result<V::Value, ParamError> {
        self.deserialize_seq(visitor)
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ParamError> {
        match self.shape()? {
            Shape::Json(value) => Json(&value).deserialize_map(visitor),
            Shape::Spread(tree) => visitor.visit_map(Children {
                rest: tree.children.iter(),
                value: None,
            }),
        }
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        _fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, ParamError> {
        self.deserialize_map(visitor)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _name: &'static str,
        _variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, ParamError> {
        visitor.visit_enum(self.filled()?.into_deserializer())
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ParamError> {
        visitor.visit_unit()
    }

    serde::forward_to_deserialize_any! {
        i128 u128 bytes byte_buf unit unit_struct identifier
    }
}

/// The number of a list element: from one, without leading zeros.
fn index(name: &str) -> Result<usize, ParamError> {
    let number = text::integer::<usize>(name).ok();
    match number {
        Some(number) if (1..=MAX_INDEX).contains(&number) && !name.starts_with('0') => Ok(number),
        _ => Err(ParamError::invalid(format!(
            "has an element that is not numbered from 1 to {MAX_INDEX}"
        ))),
    }
}

struct Elements<'t>(vec::IntoIter<(usize, &'t Tree<'t>)>);

impl<'t> Elements<'t> {
    fn of(tree: &'t Tree<'t>) -> Result<Self, ParamError> {
        let mut numbered = tree
            .children
            .iter()
            .map(|(name, child)| index(name).map(|number| (number, child)))
            .collect::<Result<Vec<_>, _>>()?;
        numbered.sort_unstable_by_key(|(number, _)| *number);
        Ok(Self(numbered.into_iter()))
    }
}

impl<'de> SeqAccess<'de> for Elements<'_> {
    type Error = ParamError;

    fn next_element_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, ParamError> {
        let Some((number, child)) = self.0.next() else {
            return Ok(None);
        };
        seed.deserialize(Flat(child))
            .map(Some)
            .map_err(|error| error.within(&number.to_string()))
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.0.len())
    }
}

struct Children<'t> {
    rest: btree_map::Iter<'t, &'t str, Tree<'t>>,
    value: Option<(&'t str, &'t Tree<'t>)>,
}

impl<'de> MapAccess<'de> for Children<'_> {
    type Error = ParamError;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, ParamError> {
        self.value = self.rest.next().map(|(name, child)| (*name, child));
        match self.value {
            Some((name, _)) => seed.deserialize(name.into_deserializer()).map(Some),
            None => Ok(None),
        }
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(
        &mut self,
        seed: S,
    ) -> Result<S::Value, ParamError> {
        let (name, child) = self
            .value
            .take()
            .ok_or_else(|| ParamError::invalid("has a value without a name"))?;
        seed.deserialize(Flat(child))
            .map_err(|error| error.within(name))
    }
}
