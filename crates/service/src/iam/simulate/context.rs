//! The condition keys of a simulation: what the caller says they are, typed.

use std::net::IpAddr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use policy::document::Version;
use policy::operator::Operator;
use policy::{Context, SetBy};
use serde::Deserialize;

use super::invalid;
use crate::error::Result;

/// One key with its values.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct ContextEntry {
    context_key_name: Option<String>,
    #[serde(default)]
    context_key_values: Vec<String>,
    context_key_type: Option<String>,
}

/// The context that the entries describe.
///
/// # Errors
/// `InvalidInput` for an entry without a name, type or value, twice the same key, several values
/// of a scalar, or a value that is not of its type.
pub fn of(entries: &[ContextEntry]) -> Result<Context> {
    let mut context = Context::with_capacity(entries.len());
    for entry in entries {
        let (name, kind) = (entry.context_key_name.as_deref(), entry.context_key_type.as_deref());
        let values = &entry.context_key_values;
        if name.is_none() && kind.is_none() && values.is_empty() {
            continue;
        }
        let name = name.filter(|name| !name.is_empty());
        let name = name.ok_or_else(|| invalid("ContextKeyName cannot be null or empty."))?;
        if context.find_key(name).is_some() {
            return Err(invalid(format!("Duplicate context key: {name}.")));
        }
        let kind =
            kind.ok_or_else(|| invalid(format!("Context key {name} has invalid type null.")))?;
        if values.is_empty() {
            let text = format!("Context values for context key {name} cannot be null or empty.");
            return Err(invalid(text));
        }
        let (scalar, list) = match kind.strip_suffix("List") {
            Some(scalar) => (scalar, true),
            None => (kind, false),
        };
        let read = |value: &String| {
            read(scalar, value).map_err(|wanted| {
                invalid(format!("Invalid context value for key {name}: expected {wanted}."))
            })
        };
        match (list, values.as_slice()) {
            (true, values) => {
                let values = values.iter().map(read).collect::<Result<Vec<_>>>()?;
                context.set_many(name, values, SetBy::Simulation);
            }
            (false, [value]) => {
                context.set(name, &read(value)?, SetBy::Simulation);
            }
            (false, several) => {
                let count = several.len();
                return Err(invalid(format!(
                    "Context key {kind} expected a single value, but received {count}."
                )));
            }
        }
    }
    Ok(context)
}

/// The value as it is compared, or what it should have been.
fn read(kind: &str, value: &str) -> std::result::Result<String, &'static str> {
    let sound = |operator: &str| {
        let operator = Operator::named(operator);
        operator.is_some_and(|operator| operator.fault_of(value, Version::V2008).is_none())
    };
    let (sound, wanted) = match kind {
        "boolean" => return Ok(value.eq_ignore_ascii_case("true").to_string()),
        "numeric" => (sound("NumericEquals"), "numeric format"),
        "date" => (sound("DateEquals"), "DateTime format"),
        "ip" => (value.parse::<IpAddr>().is_ok(), "IP address"),
        "binary" => (STANDARD.decode(value).is_ok(), "base-64 encoded binary format"),
        _ => (true, ""),
    };
    if sound { Ok(value.to_owned()) } else { Err(wanted) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(name: &str, kind: &str, values: &[&str]) -> ContextEntry {
        let optional = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        ContextEntry {
            context_key_name: optional(name),
            context_key_values: values.iter().map(|value| (*value).to_owned()).collect(),
            context_key_type: optional(kind),
        }
    }

    /// The values that the key then has, or the refusal.
    fn told(entries: &[ContextEntry]) -> String {
        match of(entries) {
            Ok(context) => {
                let values =
                    |e: policy::context::Entry<'_>| e.values().collect::<Vec<_>>().join(",");
                context.iter().map(values).collect::<Vec<_>>().join(";")
            }
            Err(error) => {
                assert_eq!(error.code.name, "InvalidInput");
                error.message.unwrap()
            }
        }
    }

    #[test]
    fn values_are_held_against_their_type() {
        let bad = |wanted: &str| format!("Invalid context value for key a:key: expected {wanted}.");
        for (kind, value, wanted) in [
            ("numeric", "01.00", "01.00".to_owned()),
            ("numeric", "+1", "+1".to_owned()),
            ("numeric", "1e2", "1e2".to_owned()),
            ("numeric", "0x10", bad("numeric format")),
            ("numeric", " 1 ", bad("numeric format")),
            ("numeric", "NaN", bad("numeric format")),
            ("numeric", "Infinity", bad("numeric format")),
            ("date", "2035", "2035".to_owned()),
            ("date", "tomorrow", bad("DateTime format")),
            ("ip", "10.0.0.1", "10.0.0.1".to_owned()),
            ("ip", "999.0.0.1", bad("IP address")),
            ("binary", "YQ==", "YQ==".to_owned()),
            ("binary", "!base64", bad("base-64 encoded binary format")),
            ("boolean", "TRUE", "true".to_owned()),
            ("boolean", "yes", "false".to_owned()),
            ("string", "", String::new()),
        ] {
            assert_eq!(told(&[entry("a:key", kind, &[value])]), wanted, "{kind} {value}");
        }
    }

    #[test]
    fn entries_are_whole_and_once() {
        let told = |entries: &[ContextEntry]| told(entries);
        assert_eq!(told(&[entry("", "", &[])]), "", "nothing was said");
        let string = |name: &str| entry(name, "string", &["v"]);
        assert_eq!(told(&[string("")]), "ContextKeyName cannot be null or empty.");
        assert_eq!(told(&[string("a:b"), string("A:B")]), "Duplicate context key: A:B.");
        let untyped = entry("a:key", "", &["v"]);
        assert_eq!(told(&[untyped]), "Context key a:key has invalid type null.");
        let empty = entry("a:key", "stringList", &[]);
        let wanted = "Context values for context key a:key cannot be null or empty.";
        assert_eq!(told(&[empty]), wanted);
        let two = entry("a:key", "string", &["v", "w"]);
        assert_eq!(told(&[two]), "Context key string expected a single value, but received 2.");
        assert_eq!(told(&[entry("a:key", "stringList", &["v", "w"])]), "v,w");
    }
}
