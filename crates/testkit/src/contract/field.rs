//! One field of a request or an answer, as recorded.

use serde::Deserialize;
use serde_json::Value;
use std::collections::BTreeMap;

/// What the record says of a field.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Field {
    /// The type of its values.
    #[serde(rename = "type")]
    pub kind: Kind,
    /// The type of its elements, when it is an array.
    #[serde(default)]
    pub items: Option<Kind>,
    /// The members of it, or of its elements.
    #[serde(default)]
    pub fields: BTreeMap<String, Field>,
    /// A closer description of the type.
    #[serde(default)]
    pub format: Option<Format>,
    /// How it is flattened in a request.
    #[serde(default)]
    pub wire: Wire,
    /// Whether a request must have it.
    #[serde(default)]
    pub required: bool,
    /// Every value it may have, or its elements may have; any when empty.
    #[serde(default, rename = "enum")]
    pub values: Vec<String>,
    /// The least number it may be.
    #[serde(default)]
    pub min: Option<i64>,
    /// The greatest number it may be.
    #[serde(default)]
    pub max: Option<i64>,
    /// The value it has when a request leaves it out.
    #[serde(default)]
    pub default: Option<Value>,
    /// The fewest elements it may have.
    #[serde(default)]
    pub min_items: Option<usize>,
    /// The most elements it may have.
    #[serde(default)]
    pub max_items: Option<usize>,
    /// The fewest characters it may have.
    #[serde(default)]
    pub min_length: Option<usize>,
    /// The most characters it may have.
    #[serde(default)]
    pub max_length: Option<usize>,
    /// The fewest characters of an element.
    #[serde(default)]
    pub item_min_length: Option<usize>,
    /// The most characters of an element.
    #[serde(default)]
    pub item_max_length: Option<usize>,
    /// Whether the vendor advises against it.
    #[serde(default)]
    pub deprecated: bool,
    /// A recorded value, as text whatever the type.
    #[serde(default)]
    pub example: Option<String>,
}

/// The type of a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// Text.
    String,
    /// A whole number.
    Integer,
    /// A number.
    Number,
    /// True or false.
    Boolean,
    /// A list.
    Array,
    /// A structure with known members.
    Object,
    /// A structure whose members have any name.
    Map,
    /// Anything.
    Any,
}

/// A closer description of a type.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    /// 32 bits, signed.
    Int32,
    /// 64 bits, signed.
    Int64,
    /// A fraction is allowed.
    Float,
    /// A time.
    Iso8601,
}

/// How a request flattens a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
pub enum Wire {
    /// `Name=value`.
    #[default]
    Plain,
    /// `Name.1=..&Name.2=..`.
    #[serde(rename = "N")]
    List,
    /// `Name.1.Key=..`.
    #[serde(rename = "N.Key")]
    Objects,
    /// `Name=` one JSON text.
    #[serde(rename = "json")]
    Json,
}
