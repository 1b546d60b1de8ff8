//! Checking a decoded input against its constraints: all violations, in AWS's words.

use std::fmt;

use serde_json::Value;

use super::Refusal;
use super::model::{Kind, Operation, Shape, ShapeId, Shapes};

/// Most violations collected; a request with more is told of these.
const MAX_VIOLATIONS: usize = 100;
/// Longest echo of a value in a message, in characters. Ours: AWS echoes without end.
const MAX_ECHO: usize = 8192;

/// All that is wrong with an input. `Display` is AWS's message:
/// `2 validation errors detected: Value 'x' at 'roleArn' failed to satisfy constraint: …; Value …`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Violations(pub Vec<Violation>);

/// One value outside one constraint.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Violation {
    /// `roleSessionName`, `tags.1.member.key`.
    pub path: String,
    /// What the message shows of the value.
    pub shown: Shown,
    /// What it should have been.
    pub constraint: Constraint,
}

/// What a message shows of a value.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Shown {
    /// There is none.
    Null,
    /// The value, cut at 8192 characters.
    Value(String),
    /// Nothing: the member is sensitive.
    Hidden,
}

/// A constraint of the model.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Constraint {
    /// The member is required.
    NotNull,
    /// A Java pattern for the whole text.
    Pattern(&'static str),
    /// One of these words.
    OneOf(&'static [&'static str]),
    /// Fewest characters or elements.
    MinLength(i64),
    /// Most characters or elements.
    MaxLength(i64),
    /// Smallest number.
    MinValue(i64),
    /// Largest number.
    MaxValue(i64),
    /// What each element of a list must satisfy.
    Each(Vec<Constraint>),
}

impl Operation {
    /// Collects all violations of a decoded input.
    ///
    /// # Errors
    /// [`Refusal::Invalid`] when there are any.
    pub(super) fn check(&self, input: &Value) -> Result<(), Refusal> {
        let Some(id) = self.input else {
            return Ok(());
        };
        let mut check = Check { shapes: self.shapes, path: String::new(), found: Vec::new() };
        check.value(id, input, false);
        match check.found.is_empty() {
            true => Ok(()),
            false => Err(Refusal::Invalid(Violations(check.found))),
        }
    }

    /// Replaces every sensitive text (tokens, passwords, one-time codes) of a decoded input by what
    /// `replace` makes of it. For everything that is recorded or shown.
    pub fn redact(&self, input: &mut Value, replace: &mut dyn FnMut(&str) -> String) {
        if let Some(id) = self.input {
            redact(self.shapes, id, input, false, replace);
        }
    }
}

fn redact(
    shapes: &Shapes,
    id: ShapeId,
    value: &mut Value,
    sensitive: bool,
    replace: &mut dyn FnMut(&str) -> String,
) {
    let Some(shape) = shapes.shape(id) else { return };
    let sensitive = sensitive || shape.sensitive;
    match (&shape.kind, value) {
        (Kind::Structure(members), Value::Object(object)) => {
            for member in members {
                if let Some(child) = object.get_mut(member.name) {
                    redact(shapes, member.shape, child, sensitive || member.sensitive, replace);
                }
            }
        }
        (Kind::List(item), Value::Array(array)) => {
            for child in array {
                redact(shapes, *item, child, sensitive, replace);
            }
        }
        (Kind::Map { value: content, .. }, Value::Object(object)) => {
            for child in object.values_mut() {
                redact(shapes, *content, child, sensitive, replace);
            }
        }
        (_, Value::String(text)) if sensitive => *text = replace(text),
        _ => {}
    }
}

struct Check {
    shapes: &'static Shapes,
    path: String,
    found: Vec<Violation>,
}

impl Check {
    fn within(&mut self, name: &str, step: impl FnOnce(&mut Self)) {
        let length = self.path.len();
        if length > 0 {
            self.path.push('.');
        }
        self.path.push_str(name);
        step(self);
        self.path.truncate(length);
    }

    fn report(&mut self, id: ShapeId, value: &Value, sensitive: bool, constraint: Constraint) {
        if self.found.len() < MAX_VIOLATIONS {
            let shown = match value {
                Value::Null => Shown::Null,
                _ if sensitive => Shown::Hidden,
                Value::Array(_) | Value::Object(_) => {
                    let mut value = value.clone();
                    redact(self.shapes, id, &mut value, false, &mut |_| "…".to_owned());
                    Shown::Value(show(&value))
                }
                value => Shown::Value(show(value)),
            };
            self.found.push(Violation { path: self.path.clone(), shown, constraint });
        }
    }

    fn value(&mut self, id: ShapeId, value: &Value, sensitive: bool) {
        let Some(shape) = self.shapes.shape(id) else { return };
        let sensitive = sensitive || shape.sensitive;
        for constraint in constraints(shape) {
            if !holds(shape, &constraint, value) {
                self.report(id, value, sensitive, constraint);
            }
        }
        match (&shape.kind, value) {
            (Kind::Structure(members), Value::Object(object)) => {
                for member in members {
                    let hidden = sensitive || member.sensitive;
                    self.within(&member.path, |check| match object.get(member.name) {
                        Some(child) => check.value(member.shape, child, hidden),
                        None if member.required => {
                            check.report(member.shape, &Value::Null, hidden, Constraint::NotNull);
                        }
                        None => {}
                    });
                }
            }
            (Kind::List(item), Value::Array(_)) => self.list(id, *item, value, sensitive),
            (Kind::Map { key, value: content }, Value::Object(object)) => {
                for (name, child) in object {
                    self.within("key", |check| {
                        check.value(*key, &Value::from(name.as_str()), sensitive);
                    });
                    self.within(&format!("{name}.value"), |check| {
                        check.value(*content, child, sensitive);
                    });
                }
            }
            _ => {}
        }
    }

    /// Elements that are plain values are judged together, at the list's own path.
    fn list(&mut self, id: ShapeId, item: ShapeId, list: &Value, sensitive: bool) {
        let (Some(shape), Some(array)) = (self.shapes.shape(item), list.as_array()) else {
            return;
        };
        if matches!(shape.kind, Kind::Structure(_) | Kind::List(_) | Kind::Map { .. }) {
            for (at, child) in (1..).zip(array) {
                self.within(&format!("{at}.member"), |check| match child {
                    Value::Null => check.report(item, child, sensitive, Constraint::NotNull),
                    child => check.value(item, child, sensitive),
                });
            }
            return;
        }
        let sensitive = sensitive || shape.sensitive;
        let mut each = constraints(shape);
        let fits = |value| each.iter().all(|constraint| holds(shape, constraint, value));
        if !array.iter().all(|value| !value.is_null() && fits(value)) {
            // Within a list AWS names lengths before patterns, the larger bound first.
            each.sort_by_key(|constraint| match constraint {
                Constraint::MaxLength(_) | Constraint::MaxValue(_) => 0,
                Constraint::MinLength(_) | Constraint::MinValue(_) => 1,
                _ => 2,
            });
            self.report(id, list, sensitive, Constraint::Each(each));
        }
    }
}

fn constraints(shape: &'static Shape) -> Vec<Constraint> {
    let number = matches!(shape.kind, Kind::Integer { .. });
    let min = if number { Constraint::MinValue } else { Constraint::MinLength };
    let max = if number { Constraint::MaxValue } else { Constraint::MaxLength };
    let mut all = Vec::new();
    if let Kind::Text { pattern, words } = &shape.kind {
        all.extend(pattern.as_ref().map(|pattern| Constraint::Pattern(pattern.as_str())));
        all.extend((!words.is_empty()).then_some(Constraint::OneOf(words)));
    }
    all.extend(shape.min.map(min));
    all.extend(shape.max.map(max));
    all
}

/// Whether a value satisfies one of its shape's constraints; values of another kind have been
/// refused before.
fn holds(shape: &Shape, constraint: &Constraint, value: &Value) -> bool {
    let length = || match value {
        Value::String(text) => text.chars().count(),
        Value::Array(array) => array.len(),
        Value::Object(object) => object.len(),
        _ => 0,
    };
    let length = || i64::try_from(length()).unwrap_or(i64::MAX);
    // A character has one to four bytes: most texts need not be counted.
    let bytes = value.as_str().and_then(|text| i64::try_from(text.len()).ok());
    match constraint {
        Constraint::MinLength(least) => {
            bytes.is_some_and(|bytes| bytes / 4 >= *least) || length() >= *least
        }
        Constraint::MaxLength(most) => {
            bytes.is_some_and(|bytes| bytes <= *most) || length() <= *most
        }
        Constraint::MinValue(least) => value.as_i64().is_some_and(|n| n >= *least),
        Constraint::MaxValue(most) => value.as_i64().is_some_and(|n| n <= *most),
        Constraint::OneOf(words) => value.as_str().is_some_and(|text| words.contains(&text)),
        Constraint::Pattern(_) => match (&shape.kind, value) {
            (Kind::Text { pattern: Some(pattern), .. }, Value::String(text)) => {
                pattern.matches(text)
            }
            _ => false,
        },
        Constraint::NotNull => !value.is_null(),
        Constraint::Each(_) => true,
    }
}

/// A value as Java prints it: text bare, lists in brackets, structures as `{Key=a, Value=b}`.
fn show(value: &Value) -> String {
    let mut text = String::new();
    write_shown(&mut text, value);
    if let Some((cut, _)) = text.char_indices().nth(MAX_ECHO) {
        text.truncate(cut);
        text.push('…');
    }
    text
}

fn write_shown(out: &mut String, value: &Value) {
    match value {
        Value::String(text) => out.push_str(text),
        Value::Array(array) => {
            out.push('[');
            for (at, item) in array.iter().enumerate() {
                if at > 0 {
                    out.push_str(", ");
                }
                write_shown(out, item);
            }
            out.push(']');
        }
        Value::Object(object) => {
            out.push('{');
            for (at, (name, item)) in object.iter().enumerate() {
                if at > 0 {
                    out.push_str(", ");
                }
                out.push_str(name);
                out.push('=');
                write_shown(out, item);
            }
            out.push('}');
        }
        scalar => out.push_str(&scalar.to_string()),
    }
}

impl fmt::Display for Violations {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let errors = if self.0.len() == 1 { "error" } else { "errors" };
        write!(f, "{} validation {errors} detected: ", self.0.len())?;
        for (at, violation) in self.0.iter().enumerate() {
            if at > 0 {
                f.write_str("; ")?;
            }
            violation.fmt(f)?;
        }
        Ok(())
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.shown {
            Shown::Null => f.write_str("Value null")?,
            Shown::Value(text) => write!(f, "Value '{text}'")?,
            Shown::Hidden => f.write_str("Value")?,
        }
        write!(f, " at '{}' failed to satisfy constraint: {}", self.path, self.constraint)
    }
}

impl fmt::Display for Constraint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotNull => f.write_str("Member must not be null"),
            Self::Pattern(pattern) => {
                write!(f, "Member must satisfy regular expression pattern: {pattern}")
            }
            Self::OneOf(words) => {
                write!(f, "Member must satisfy enum value set: [{}]", words.join(", "))
            }
            Self::MinLength(n) => {
                write!(f, "Member must have length greater than or equal to {n}")
            }
            Self::MaxLength(n) => write!(f, "Member must have length less than or equal to {n}"),
            Self::MinValue(n) => write!(f, "Member must have value greater than or equal to {n}"),
            Self::MaxValue(n) => write!(f, "Member must have value less than or equal to {n}"),
            Self::Each(each) => {
                f.write_str("Member must satisfy constraint: [")?;
                for (at, constraint) in each.iter().enumerate() {
                    if at > 0 {
                        f.write_str(", ")?;
                    }
                    constraint.fmt(f)?;
                }
                f.write_str("]")
            }
        }
    }
}
