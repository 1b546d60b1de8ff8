//! Inputs from the wire: a form's tree or a JSON body, converted to the model's types.

use serde_json::{Map, Number, Value};

use super::Refusal;
use super::model::{Kind, Operation, ShapeId, Shapes};
use crate::query::{Form, Node};

impl Operation {
    /// Decodes and checks a form. Parameters that the model does not know are ignored, as on AWS.
    ///
    /// # Errors
    /// [`Refusal::Malformed`] for the first value that is not of its type, else
    /// [`Refusal::Invalid`] with all violations.
    pub fn decode(&self, form: &Form<'_>) -> Result<Value, Refusal> {
        let Some(input) = self.input else {
            return Ok(Value::Object(Map::new()));
        };
        let mut walk = Walk { shapes: self.shapes, path: String::new() };
        let value = walk.form(input, form.root())?.unwrap_or_else(|| Value::Object(Map::new()));
        self.check(&value)?;
        Ok(value)
    }

    /// Converts and checks a JSON body. Members that the model does not know are dropped.
    ///
    /// # Errors
    /// As [`Operation::decode`].
    pub fn decode_json(&self, body: &Value) -> Result<Value, Refusal> {
        let Some(input) = self.input else {
            return Ok(Value::Object(Map::new()));
        };
        let mut walk = Walk { shapes: self.shapes, path: String::new() };
        let value = walk.json(input, body)?;
        self.check(&value)?;
        Ok(value)
    }
}

/// Recursion ends with the shapes': `generate.py` refuses recursive ones.
struct Walk {
    shapes: &'static Shapes,
    path: String,
}

impl Walk {
    fn malformed<T>(&self) -> Result<T, Refusal> {
        Err(Refusal::Malformed { path: self.path.clone() })
    }

    /// Runs `step` one level deeper, at `name`.
    fn within<T>(
        &mut self,
        name: &str,
        step: impl FnOnce(&mut Self) -> Result<T, Refusal>,
    ) -> Result<T, Refusal> {
        let length = self.path.len();
        if length > 0 {
            self.path.push('.');
        }
        self.path.push_str(name);
        let result = step(self)?;
        self.path.truncate(length);
        Ok(result)
    }

    fn form(&mut self, id: ShapeId, node: Node<'_>) -> Result<Option<Value>, Refusal> {
        let Some(shape) = self.shapes.shape(id) else {
            return self.malformed();
        };
        match &shape.kind {
            Kind::Structure(members) => {
                let mut object = Map::new();
                for member in members {
                    let Some(child) = node.child(member.name) else { continue };
                    let value = self.within(&member.path, |walk| walk.form(member.shape, child))?;
                    if let Some(value) = value {
                        object.insert(member.name.to_owned(), value);
                    }
                }
                Ok(Some(Value::Object(object)))
            }
            Kind::List(item) => {
                let items = self.positions(node, "member")?;
                let Some(items) = items else {
                    // `Tags=` is how clients write an empty list.
                    return Ok(node.value().map(|_| Value::Array(Vec::new())));
                };
                let mut array = Vec::with_capacity(items.len());
                for (at, child) in (1..).zip(items) {
                    let name = format!("{at}.member");
                    let value = self.within(&name, |walk| walk.form(*item, child))?;
                    array.push(value.unwrap_or(Value::Null));
                }
                Ok(Some(Value::Array(array)))
            }
            Kind::Map { key, value } => {
                let Some(entries) = self.positions(node, "entry")? else {
                    return Ok(node.value().map(|_| Value::Object(Map::new())));
                };
                let mut object = Map::new();
                for (at, entry) in (1..).zip(entries) {
                    self.within(&format!("{at}.entry"), |walk| {
                        let (Some(name), Some(content)) =
                            (entry.child("key"), entry.child("value"))
                        else {
                            return walk.malformed();
                        };
                        let name = walk.form(*key, name)?;
                        let content = walk.form(*value, content)?;
                        if let (Some(Value::String(name)), Some(content)) = (name, content) {
                            object.entry(name).or_insert(content);
                        }
                        Ok(())
                    })?;
                }
                Ok(Some(Value::Object(object)))
            }
            scalar => match node.value() {
                Some(text) => self.scalar(scalar, text).map(Some),
                None => self.malformed(),
            },
        }
    }

    /// The numbered nodes below `step`; `None` when there is nothing of it.
    fn positions<'f>(&self, node: Node<'f>, step: &str) -> Result<Option<Vec<Node<'f>>>, Refusal> {
        match node.child(step).map(|numbered| numbered.items()) {
            None => Ok(None),
            Some(Ok(items)) => Ok(Some(items)),
            Some(Err(_)) => self.malformed(),
        }
    }

    fn scalar(&self, kind: &Kind, text: &str) -> Result<Value, Refusal> {
        let value = match kind {
            Kind::Integer { long } => read_integer(text, *long).map(Value::from),
            Kind::Boolean => match text {
                "true" => Some(Value::Bool(true)),
                "false" => Some(Value::Bool(false)),
                _ => None,
            },
            Kind::Timestamp => {
                text.parse::<jiff::Timestamp>().ok().map(|at| Value::from(at.as_second()))
            }
            _ => Some(Value::from(text)),
        };
        value.map_or_else(|| self.malformed(), Ok)
    }

    fn json(&mut self, id: ShapeId, value: &Value) -> Result<Value, Refusal> {
        let Some(shape) = self.shapes.shape(id) else {
            return self.malformed();
        };
        match (&shape.kind, value) {
            (Kind::Structure(members), Value::Object(object)) => {
                let mut known = Map::new();
                for member in members {
                    let Some(child) = object.get(member.name).filter(|v| !v.is_null()) else {
                        continue;
                    };
                    let child = self.within(&member.path, |walk| walk.json(member.shape, child))?;
                    known.insert(member.name.to_owned(), child);
                }
                Ok(Value::Object(known))
            }
            (Kind::List(item), Value::Array(array)) => {
                let mut items = Vec::with_capacity(array.len());
                for (at, child) in (1..).zip(array) {
                    let name = format!("{at}.member");
                    items.push(match child {
                        Value::Null => Value::Null,
                        child => self.within(&name, |walk| walk.json(*item, child))?,
                    });
                }
                Ok(Value::Array(items))
            }
            (Kind::Map { value: content, .. }, Value::Object(object)) => {
                let mut entries = Map::new();
                for (name, child) in object {
                    let child = self.within("value", |walk| walk.json(*content, child))?;
                    entries.insert(name.clone(), child);
                }
                Ok(Value::Object(entries))
            }
            (Kind::Text { .. }, Value::String(_)) | (Kind::Boolean, Value::Bool(_)) => {
                Ok(value.clone())
            }
            (Kind::Integer { long }, Value::Number(number)) => number
                .as_i64()
                .filter(|n| *long || i32::try_from(*n).is_ok())
                .map_or_else(|| self.malformed(), |n| Ok(Value::from(n))),
            (Kind::Timestamp, Value::Number(number)) => {
                read_timestamp(number).map_or_else(|| self.malformed(), |n| Ok(Value::from(n)))
            }
            _ => self.malformed(),
        }
    }
}

/// As Java's `Integer.parseInt`: a sign and decimal digits (`+900` and `0900` are 900).
fn read_integer(text: &str, long: bool) -> Option<i64> {
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    text.parse::<i64>().ok().filter(|n| long || i32::try_from(*n).is_ok())
}

/// Seconds since 1970, perhaps with a fraction; whole milliseconds are kept.
fn read_timestamp(number: &Number) -> Option<Number> {
    if let Some(seconds) = number.as_i64() {
        return jiff::Timestamp::from_second(seconds).ok().map(|_| Number::from(seconds));
    }
    let seconds = number.as_f64()?;
    // The range of years -9999 to 9999.
    if !(-377_705_023_201.0..=253_402_207_200.0).contains(&seconds) {
        return None;
    }
    Number::from_f64((seconds * 1000.0).round() / 1000.0)
}
