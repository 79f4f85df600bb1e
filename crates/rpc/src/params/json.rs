//! Values inside JSON-style parameters.

use super::{MAX_DEPTH, ParamError, text};
use serde::de::{DeserializeSeed, Deserializer, IntoDeserializer, MapAccess, SeqAccess, Visitor};
use serde_json::Value;
use std::slice;

/// Reads the text of a JSON-style parameter.
pub(super) fn parse(text: &str) -> Result<Value, ParamError> {
    let value = serde_json::from_str(text).map_err(|error| {
        // Only the place: the error's own text repeats the value.
        ParamError::invalid(format!("is not JSON at column {}", error.column()))
    })?;
    if depth(&value) > MAX_DEPTH {
        return Err(ParamError::invalid("is nested too deep"));
    }
    Ok(value)
}

// serde_json reads 128 levels at most, so this ends early enough too.
fn depth(value: &Value) -> usize {
    match value {
        Value::Array(items) => 1 + items.iter().map(depth).max().unwrap_or(0),
        Value::Object(fields) => 1 + fields.values().map(depth).max().unwrap_or(0),
        _ => 0,
    }
}

/// Deserializes a JSON value, taking scalars written as strings for what they say.
pub(super) struct Json<'v>(pub(super) &'v Value);

macro_rules! integers {
    ($($method:ident $visit:ident $type:ty,)*) => {$(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ParamError> {
            match self.0 {
                // A number with a fraction or an exponent does not print as an integer.
                Value::Number(number) => {
                    visitor.$visit(text::integer::<$type>(&number.to_string())?)
                }
                Value::String(text) => visitor.$visit(text::integer::<$type>(text)?),
                _ => Err(ParamError::invalid("is not an integer")),
            }
        }
    )*};
}

impl<'de> Deserializer<'de> for Json<'_> {
    type Error = ParamError;

    integers! {
        deserialize_i8 visit_i8 i8, deserialize_i16 visit_i16 i16,
        deserialize_i32 visit_i32 i32, deserialize_i64 visit_i64 i64,
        deserialize_u8 visit_u8 u8, deserialize_u16 visit_u16 u16,
        deserialize_u32 visit_u32 u32, deserialize_u64 visit_u64 u64,
    }

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ParamError> {
        match self.0 {
            Value::Null => visitor.visit_unit(),
            Value::Bool(value) => visitor.visit_bool(*value),
            Value::String(text) => visitor.visit_str(text::holdable(text)?),
            Value::Array(_) => self.deserialize_seq(visitor),
            Value::Object(_) => self.deserialize_map(visitor),
            Value::Number(number) => match (number.as_u64(), number.as_i64(), number.as_f64()) {
                (Some(n), _, _) => visitor.visit_u64(n),
                (_, Some(n), _) => visitor.visit_i64(n),
                (_, _, Some(n)) => visitor.visit_f64(n),
                _ => Err(ParamError::invalid("is out of range")),
            },
        }
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ParamError> {
        match self.0 {
            Value::Bool(value) => visitor.visit_bool(*value),
            Value::String(text) => visitor.visit_bool(text::boolean(text)?),
            _ => Err(ParamError::invalid("is neither true nor false")),
        }
    }

    fn deserialize_f32<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ParamError> {
        self.deserialize_f64(visitor)
    }

    fn deserialize_f64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ParamError> {
        match self.0 {
            Value::Number(number) => visitor.visit_f64(text::float(&number.to_string())?),
            Value::String(text) => visitor.visit_f64(text::float(text)?),
            _ => Err(ParamError::invalid("is not a number")),
        }
    }

    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ParamError> {
        match self.0 {
            Value::String(text) => visitor.visit_str(text::holdable(text)?),
            // Clients without the types at hand write a telling text as the number it looks like.
            Value::Number(number) => visitor.visit_string(number.to_string()),
            Value::Bool(value) => visitor.visit_str(if *value { "true" } else { "false" }),
            _ => Err(ParamError::invalid("is not text")),
        }
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ParamError> {
        self.deserialize_str(visitor)
    }

    fn deserialize_char<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ParamError> {
        self.deserialize_str(visitor)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ParamError> {
        match self.0 {
            Value::Null => visitor.visit_none(),
            _ => visitor.visit_some(self),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        visitor: V,
    ) -> Result<V::Value, ParamError> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ParamError> {
        match self.0 {
            Value::Array(items) => visitor.visit_seq(Items {
                rest: items.iter(),
                index: 0,
            }),
            _ => Err(ParamError::invalid("is not a list")),
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
        match self.0 {
            Value::Object(fields) => visitor.visit_map(Fields {
                rest: fields.iter(),
                value: None,
            }),
            _ => Err(ParamError::invalid("is not an object")),
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
        match self.0 {
            Value::String(text) => visitor.visit_enum(text.as_str().into_deserializer()),
            _ => Err(ParamError::invalid("is not text")),
        }
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ParamError> {
        visitor.visit_unit()
    }

    serde::forward_to_deserialize_any! {
        i128 u128 bytes byte_buf unit unit_struct identifier
    }
}

struct Items<'v> {
    rest: slice::Iter<'v, Value>,
    index: usize,
}

impl<'de> SeqAccess<'de> for Items<'_> {
    type Error = ParamError;

    fn next_element_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, ParamError> {
        let Some(item) = self.rest.next() else {
            return Ok(None);
        };
        self.index += 1;
        seed.deserialize(Json(item))
            .map(Some)
            .map_err(|error| error.within(&self.index.to_string()))
    }
}

struct Fields<'v> {
    rest: serde_json::map::Iter<'v>,
    value: Option<(&'v String, &'v Value)>,
}

impl<'de> MapAccess<'de> for Fields<'_> {
    type Error = ParamError;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, ParamError> {
        // A field that is null is a field that is not there.
        self.value = self.rest.find(|(_, value)| !value.is_null());
        match self.value {
            Some((name, _)) => seed
                .deserialize(text::holdable(name)?.into_deserializer())
                .map(Some),
            None => Ok(None),
        }
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(
        &mut self,
        seed: S,
    ) -> Result<S::Value, ParamError> {
        let (name, value) = self
            .value
            .take()
            .ok_or_else(|| ParamError::invalid("has a value without a name"))?;
        seed.deserialize(Json(value))
            .map_err(|error| error.within(name))
    }
}
