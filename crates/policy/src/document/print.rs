//! Document → text: compact JSON, members in the order of the grammar.

use std::fmt::Write as _;

use super::{ConditionLine, Document, Effect, Patterns, PrincipalBlock, Statement, Version};

pub(super) fn print(document: &Document) -> String {
    let mut out = String::with_capacity(document.source.len());
    out.push('{');
    if let Some(version) = document.version {
        let date = match version {
            Version::V2008 => "2008-10-17",
            Version::V2012 => "2012-10-17",
        };
        member(&mut out, "Version");
        string(&mut out, date);
    }
    if let Some(id) = &document.id {
        member(&mut out, "Id");
        string(&mut out, &id.text);
    }
    member(&mut out, "Statement");
    list(&mut out, document.listed, &document.statements, statement);
    out.push('}');
    out
}

fn statement(out: &mut String, statement: &Statement) {
    out.push('{');
    if let Some(sid) = &statement.sid {
        member(out, "Sid");
        string(out, &sid.text);
    }
    member(out, "Effect");
    string(out, if statement.effect == Effect::Allow { "Allow" } else { "Deny" });
    if let Some(block) = &statement.principal {
        principal(out, block);
    }
    patterns(out, "Action", "NotAction", &statement.action);
    if let Some(resource) = &statement.resource {
        patterns(out, "Resource", "NotResource", resource);
    }
    if let Some(lines) = &statement.conditions {
        member(out, "Condition");
        conditions(out, lines);
    }
    out.push('}');
}

fn principal(out: &mut String, block: &PrincipalBlock) {
    member(out, if block.negated { "NotPrincipal" } else { "Principal" });
    if block.star {
        string(out, "*");
        return;
    }
    out.push('{');
    for item in &block.members {
        member(out, item.kind.name());
        list(out, item.listed, &item.list, |out, value| string(out, &value.text));
    }
    out.push('}');
}

fn patterns(out: &mut String, plain: &str, negated: &str, patterns: &Patterns) {
    member(out, if patterns.negated { negated } else { plain });
    list(out, patterns.listed, &patterns.list, |out, value| string(out, &value.text));
}

fn conditions(out: &mut String, lines: &[ConditionLine]) {
    out.push('{');
    for operator in lines.chunk_by(|a, b| a.operator == b.operator) {
        let Some(first) = operator.first() else { continue };
        member(out, &first.operator.text);
        out.push('{');
        for line in operator {
            member(out, &line.key.text);
            list(out, line.listed, &line.values, |out, value| {
                if value.quoted {
                    string(out, &value.text.text);
                } else {
                    out.push_str(&value.text.text);
                }
            });
        }
        out.push('}');
    }
    out.push('}');
}

fn list<T>(out: &mut String, listed: bool, items: &[T], mut one: impl FnMut(&mut String, &T)) {
    if let ([item], false) = (items, listed) {
        return one(out, item);
    }
    out.push('[');
    for (n, item) in items.iter().enumerate() {
        if n > 0 {
            out.push(',');
        }
        one(out, item);
    }
    out.push(']');
}

fn member(out: &mut String, name: &str) {
    if !out.ends_with('{') {
        out.push(',');
    }
    string(out, name);
    out.push(':');
}

fn string(out: &mut String, text: &str) {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            // What may appear in a policy only as an escape.
            c if !(' '..='\u{FF}').contains(&c) => {
                for unit in c.encode_utf16(&mut [0; 2]) {
                    // Writing to a String cannot fail.
                    let _ = write!(out, "\\u{unit:04x}");
                }
            }
            c => out.push(c),
        }
    }
    out.push('"');
}
