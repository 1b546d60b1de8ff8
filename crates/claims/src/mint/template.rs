//! Filling in a profile's templates.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::MintFault;
use crate::UnixTime;

/// What templates are filled in with.
pub(super) struct Filling<'a> {
    pub(super) parameters: BTreeMap<String, String>,
    pub(super) groups: &'a [String],
    pub(super) now: UnixTime,
}

impl Filling<'_> {
    /// One claim or member; `None` if it is to be left out.
    pub(super) fn member(
        &self,
        name: &str,
        template: &Value,
    ) -> Result<Option<(String, Value)>, MintFault> {
        let value = self.value(template)?;
        Ok(match name.strip_suffix('?') {
            Some(_) if value == "" || value == json!([]) => None,
            Some(name) => Some((name.to_owned(), value)),
            None => Some((name.to_owned(), value)),
        })
    }

    /// A text with its parameters filled in.
    pub(super) fn text(&self, template: &str) -> Result<String, MintFault> {
        let fault = || MintFault::Template { template: template.to_owned() };
        let mut filled = String::with_capacity(template.len());
        let mut rest = template;
        while let Some((before, after)) = rest.split_once('{') {
            let (placeholder, after) = after.split_once('}').ok_or_else(fault)?;
            filled.push_str(before);
            let mut parts = placeholder.split('|');
            let name = parts.next().unwrap_or_default();
            let mut value = self.parameters.get(name).ok_or_else(fault)?.clone();
            for filter in parts {
                value = filtered(&value, filter).ok_or_else(fault)?;
            }
            filled.push_str(&value);
            rest = after;
        }
        filled.push_str(rest);
        Ok(filled)
    }

    fn value(&self, template: &Value) -> Result<Value, MintFault> {
        Ok(match template {
            Value::String(text) => Value::String(self.text(text)?),
            Value::Array(items) => {
                Value::Array(items.iter().map(|item| self.value(item)).collect::<Result<_, _>>()?)
            }
            Value::Object(members) => match self.special(members)? {
                Some(value) => value,
                None => {
                    let mut filled = Map::new();
                    for (name, template) in members {
                        filled.extend(self.member(name, template)?);
                    }
                    Value::Object(filled)
                }
            },
            other => other.clone(),
        })
    }

    fn special(&self, members: &Map<String, Value>) -> Result<Option<Value>, MintFault> {
        let fault = || MintFault::Template { template: Value::Object(members.clone()).to_string() };
        let Some((name, argument)) = members.iter().next().filter(|_| members.len() == 1) else {
            return Ok(None);
        };
        Ok(Some(match name.as_str() {
            "$time" => json!(self.now.plus(argument.as_i64().ok_or_else(fault)?).0),
            "$number" => {
                let text = self.text(argument.as_str().ok_or_else(fault)?)?;
                json!(text.parse::<i64>().map_err(|_| fault())?)
            }
            "$groups" if self.groups.is_empty() => self.value(argument)?,
            "$groups" => json!(self.groups),
            "$first" => {
                let entries = argument.as_array().ok_or_else(fault)?;
                let chosen = entries.iter().find(|entry| {
                    entry.get("if").and_then(Value::as_str).is_none_or(|it| self.holds(it))
                });
                self.value(chosen.and_then(|entry| entry.get("then")).ok_or_else(fault)?)?
            }
            _ => return Ok(None),
        }))
    }

    fn holds(&self, conditions: &str) -> bool {
        conditions.split(',').all(|condition| match condition.split_once('=') {
            Some((name, value)) => {
                self.parameters.get(name).is_some_and(|it| match value.strip_suffix('*') {
                    Some(prefix) => it.starts_with(prefix),
                    None => it == value,
                })
            }
            None => self.parameters.get(condition).is_some_and(|it| !it.is_empty()),
        })
    }
}

fn filtered(value: &str, filter: &str) -> Option<String> {
    let part = match filter.split_once(':') {
        Some(("before", mark)) => value.split_once(mark).map_or(value, |(before, _)| before),
        Some(("after", mark)) => value.rsplit_once(mark).map_or(value, |(_, after)| after),
        _ if filter == "colon" => return Some(value.replace(':', "%3A")),
        _ => return None,
    };
    Some(part.to_owned())
}
