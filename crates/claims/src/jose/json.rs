//! Hostile JSON: read once, within limits, seeing every duplicate member.
//!
//! The syntax is `serde_json`'s; this adds what a token reader needs besides: a depth limit far
//! under the stack, a limit on the number of values, and the names of members that occur twice
//! (the last one wins, as in AWS; strict callers then refuse).

use serde::Serialize;
use serde::de::{DeserializeSeed, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::map::Entry;
use serde_json::{Map, Number, Value};

/// What may be read.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Bytes of text.
    pub bytes: usize,
    /// Nested objects and arrays, the outermost included.
    pub depth: usize,
    /// Values, at all depths together.
    pub values: usize,
}

/// One JSON object.
#[derive(Clone, Debug, PartialEq)]
pub struct Object {
    /// Its members; of duplicates the last.
    pub members: Map<String, Value>,
    /// Names that occurred more than once in one object, at any depth.
    pub duplicates: Vec<String>,
}

/// Why a text was not read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum JsonFault {
    /// Longer than the limit.
    TooLong,
    /// Nested deeper than the limit.
    TooDeep,
    /// More values than the limit.
    TooMany,
    /// Valid JSON, but not an object.
    NotAnObject,
    /// Not JSON: bad syntax, bad UTF-8, a lone surrogate, a number out of range, trailing text.
    Syntax {
        /// Line, from 1.
        line: usize,
        /// Column, from 1.
        column: usize,
    },
}

impl std::fmt::Display for JsonFault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::TooLong => f.write_str("too long"),
            Self::TooDeep => f.write_str("nested too deeply"),
            Self::TooMany => f.write_str("too many values"),
            Self::NotAnObject => f.write_str("not a JSON object"),
            Self::Syntax { line, column } => {
                write!(f, "not JSON (line {line}, column {column})")
            }
        }
    }
}

/// Reads one object, which must be the whole text.
///
/// # Errors
/// The first fault.
pub fn object(text: &[u8], limits: Limits) -> Result<Object, JsonFault> {
    if text.len() > limits.bytes {
        return Err(JsonFault::TooLong);
    }
    let mut reading =
        Reading { values_left: limits.values, limit_hit: None, duplicates: Vec::new() };
    let mut source = serde_json::Deserializer::from_slice(text);
    let value = Node { reading: &mut reading, depth_left: limits.depth }
        .deserialize(&mut source)
        .and_then(|value| source.end().map(|()| value));
    match (value, reading.limit_hit) {
        (_, Some(limit)) => Err(limit),
        (Err(error), None) => Err(JsonFault::Syntax { line: error.line(), column: error.column() }),
        (Ok(Value::Object(members)), None) => {
            Ok(Object { members, duplicates: reading.duplicates })
        }
        (Ok(_), None) => Err(JsonFault::NotAnObject),
    }
}

struct Reading {
    values_left: usize,
    limit_hit: Option<JsonFault>,
    duplicates: Vec<String>,
}

struct Node<'r> {
    reading: &'r mut Reading,
    depth_left: usize,
}

impl Node<'_> {
    fn enter<E: serde::de::Error>(&mut self) -> Result<usize, E> {
        match self.depth_left.checked_sub(1) {
            Some(left) => Ok(left),
            None => {
                self.reading.limit_hit = Some(JsonFault::TooDeep);
                Err(E::custom("too deep"))
            }
        }
    }
}

impl<'de> DeserializeSeed<'de> for Node<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, source: D) -> Result<Value, D::Error> {
        match self.reading.values_left.checked_sub(1) {
            Some(left) => self.reading.values_left = left,
            None => {
                self.reading.limit_hit = Some(JsonFault::TooMany);
                return Err(D::Error::custom("too many values"));
            }
        }
        source.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Node<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(Number::from_f64(value).map_or(Value::Null, Value::Number))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::String(value.to_owned()))
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(Value::String(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut items: A) -> Result<Value, A::Error> {
        let depth_left = self.enter()?;
        let mut array = Vec::new();
        while let Some(item) =
            items.next_element_seed(Node { reading: &mut *self.reading, depth_left })?
        {
            array.push(item);
        }
        Ok(Value::Array(array))
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut items: A) -> Result<Value, A::Error> {
        let depth_left = self.enter()?;
        let mut members = Map::new();
        while let Some(name) = items.next_key::<String>()? {
            let value = items.next_value_seed(Node { reading: &mut *self.reading, depth_left })?;
            match members.entry(name) {
                Entry::Vacant(free) => drop(free.insert(value)),
                Entry::Occupied(mut taken) => {
                    self.reading.duplicates.push(taken.key().clone());
                    taken.insert(value);
                }
            }
        }
        Ok(Value::Object(members))
    }
}
