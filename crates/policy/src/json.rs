//! A strict JSON reader that keeps byte spans, duplicate members and number texts.
//!
//! Duplicates are kept in the tree (the grammar refuses them, with both places), not dropped as a
//! lenient reader would. Limits are on length, depth and count, so that hostile text costs no more than
//! one linear pass.

use crate::diagnostic::Span;

/// A value and where it stands.
#[derive(Clone, Debug, PartialEq)]
pub struct Node {
    /// The value.
    pub value: Value,
    /// First byte to one past the last.
    pub span: Span,
}

/// A JSON value. Numbers keep their text.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// `null`
    Null,
    /// `true`, `false`
    Bool(bool),
    /// As written.
    Number(String),
    /// Unescaped.
    String(String),
    /// `[…]`
    Array(Vec<Node>),
    /// `{…}`, in order, duplicates included.
    Object(Vec<Member>),
}

/// A member of an object.
#[derive(Clone, Debug, PartialEq)]
pub struct Member {
    /// Unescaped.
    pub key: String,
    /// The key with its quotes.
    pub key_span: Span,
    /// The value.
    pub value: Node,
}

/// Limits on a text.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Characters.
    pub characters: usize,
    /// Nested arrays and objects.
    pub depth: usize,
    /// Values in all.
    pub nodes: usize,
}

impl Limits {
    /// For policy documents: no legal policy nests deeper than six.
    pub const POLICY: Self = Self { characters: 131_072, depth: 16, nodes: 65_536 };
}

/// Where and why reading stopped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JsonFault {
    /// What is wrong.
    pub message: &'static str,
    /// The offending byte or token.
    pub span: Span,
}

/// Reads one JSON value that fills the text.
///
/// # Errors
/// The first fault, with its place.
pub fn read(text: &str, limits: Limits) -> Result<Node, JsonFault> {
    // A text has at most as many characters as bytes; only count when that does not settle it.
    if text.len() > limits.characters && text.chars().count() > limits.characters {
        return Err(JsonFault { message: "the text is too long", span: Span::new(0, 0) });
    }
    let mut reader = Reader { text, at: 0, nodes: 0, limits };
    reader.skip_space();
    let node = reader.value(0)?;
    reader.skip_space();
    if reader.at < text.len() {
        return Err(reader.fault("nothing may follow the document"));
    }
    Ok(node)
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
    nodes: usize,
    limits: Limits,
}

impl Reader<'_> {
    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn fault(&self, message: &'static str) -> JsonFault {
        JsonFault { message, span: Span::new(self.at, self.border(self.at + 1)) }
    }

    fn fault_from(&self, start: usize, message: &'static str) -> JsonFault {
        JsonFault { message, span: Span::new(start, self.border(self.at)) }
    }

    /// The first border between characters at or after a byte: spans never cut one in two.
    fn border(&self, at: usize) -> usize {
        self.text.ceil_char_boundary(at)
    }

    fn skip_space(&mut self) {
        while let Some(b' ' | b'\t' | b'\n' | b'\r') = self.peek() {
            self.at += 1;
        }
    }

    fn value(&mut self, depth: usize) -> Result<Node, JsonFault> {
        self.nodes += 1;
        if self.nodes > self.limits.nodes {
            return Err(self.fault("the document holds too many values"));
        }
        if depth > self.limits.depth {
            return Err(self.fault("the document is nested too deeply"));
        }
        let start = self.at;
        let value = match self.peek() {
            Some(b'{') => Value::Object(self.object(depth)?),
            Some(b'[') => Value::Array(self.array(depth)?),
            Some(b'"') => Value::String(self.string()?),
            Some(b't') => self.word("true", Value::Bool(true))?,
            Some(b'f') => self.word("false", Value::Bool(false))?,
            Some(b'n') => self.word("null", Value::Null)?,
            Some(b'-' | b'0'..=b'9') => Value::Number(self.number()?),
            Some(_) => return Err(self.fault("expected a JSON value")),
            None => return Err(self.fault("the document ends too early")),
        };
        Ok(Node { value, span: Span::new(start, self.at) })
    }

    fn word(&mut self, word: &str, value: Value) -> Result<Value, JsonFault> {
        if self.text.get(self.at..).is_some_and(|rest| rest.starts_with(word)) {
            self.at += word.len();
            Ok(value)
        } else {
            Err(self.fault("expected a JSON value"))
        }
    }

    fn object(&mut self, depth: usize) -> Result<Vec<Member>, JsonFault> {
        let mut members = Vec::new();
        self.at += 1;
        self.skip_space();
        if self.peek() == Some(b'}') {
            self.at += 1;
            return Ok(members);
        }
        loop {
            self.skip_space();
            if self.peek() != Some(b'"') {
                return Err(self.fault("expected a member name in double quotes"));
            }
            let start = self.at;
            let key = self.string()?;
            let key_span = Span::new(start, self.at);
            self.skip_space();
            if self.peek() != Some(b':') {
                return Err(self.fault("expected \":\" after the member name"));
            }
            self.at += 1;
            self.skip_space();
            members.push(Member { key, key_span, value: self.value(depth + 1)? });
            self.skip_space();
            match self.peek() {
                Some(b',') => self.at += 1,
                Some(b'}') => {
                    self.at += 1;
                    return Ok(members);
                }
                _ => return Err(self.fault("expected \",\" or \"}\"")),
            }
        }
    }

    fn array(&mut self, depth: usize) -> Result<Vec<Node>, JsonFault> {
        let mut items = Vec::new();
        self.at += 1;
        self.skip_space();
        if self.peek() == Some(b']') {
            self.at += 1;
            return Ok(items);
        }
        loop {
            self.skip_space();
            items.push(self.value(depth + 1)?);
            self.skip_space();
            match self.peek() {
                Some(b',') => self.at += 1,
                Some(b']') => {
                    self.at += 1;
                    return Ok(items);
                }
                _ => return Err(self.fault("expected \",\" or \"]\"")),
            }
        }
    }

    fn number(&mut self) -> Result<String, JsonFault> {
        let start = self.at;
        if self.peek() == Some(b'-') {
            self.at += 1;
        }
        let leading_zero = self.peek() == Some(b'0');
        let whole = self.digits();
        if whole == 0 || (leading_zero && whole > 1) {
            return Err(self.fault_from(start, "malformed number"));
        }
        if self.peek() == Some(b'.') {
            self.at += 1;
            if self.digits() == 0 {
                return Err(self.fault_from(start, "malformed number"));
            }
        }
        if let Some(b'e' | b'E') = self.peek() {
            self.at += 1;
            if let Some(b'+' | b'-') = self.peek() {
                self.at += 1;
            }
            if self.digits() == 0 {
                return Err(self.fault_from(start, "malformed number"));
            }
        }
        Ok(self.text.get(start..self.at).unwrap_or_default().to_owned())
    }

    fn digits(&mut self) -> usize {
        let start = self.at;
        while self.peek().is_some_and(|b| b.is_ascii_digit()) {
            self.at += 1;
        }
        self.at - start
    }

    fn string(&mut self) -> Result<String, JsonFault> {
        let opened = self.at;
        self.at += 1;
        let mut out = String::new();
        loop {
            let rest = self.text.as_bytes().get(self.at..).unwrap_or_default();
            let plain = rest.iter().position(|b| matches!(b, b'"' | b'\\' | 0..=0x1F));
            let Some(plain) = plain else {
                self.at = self.text.len();
                return Err(self.fault_from(opened, "the text is not closed"));
            };
            out.push_str(self.text.get(self.at..self.at + plain).unwrap_or_default());
            self.at += plain;
            match self.peek() {
                Some(b'"') => {
                    self.at += 1;
                    return Ok(out);
                }
                Some(b'\\') => {
                    let escape = self.at;
                    self.at += 1;
                    out.push(self.escape(escape)?);
                }
                _ => return Err(self.fault("a control character must be escaped")),
            }
        }
    }

    fn escape(&mut self, start: usize) -> Result<char, JsonFault> {
        let letter = self.peek();
        self.at += 1;
        Ok(match letter {
            Some(b'"') => '"',
            Some(b'\\') => '\\',
            Some(b'/') => '/',
            Some(b'b') => '\u{8}',
            Some(b'f') => '\u{C}',
            Some(b'n') => '\n',
            Some(b'r') => '\r',
            Some(b't') => '\t',
            Some(b'u') => {
                let high = self.hex(start)?;
                let code = if (0xD800..0xDC00).contains(&high) {
                    let pair = self.text.get(self.at..self.at + 2) == Some("\\u");
                    self.at += if pair { 2 } else { 0 };
                    let low = if pair { self.hex(start)? } else { 0 };
                    if !(0xDC00..0xE000).contains(&low) {
                        return Err(self.fault_from(start, "half of a surrogate pair"));
                    }
                    0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00)
                } else {
                    high
                };
                let lone = "half of a surrogate pair";
                char::from_u32(code).ok_or_else(|| self.fault_from(start, lone))?
            }
            _ => return Err(self.fault_from(start, "unknown escape")),
        })
    }

    fn hex(&mut self, start: usize) -> Result<u32, JsonFault> {
        let digits = self.text.get(self.at..self.at + 4);
        let digits = digits.filter(|d| d.bytes().all(|b| b.is_ascii_hexdigit()));
        let code = digits.and_then(|digits| u32::from_str_radix(digits, 16).ok());
        let code = code.ok_or_else(|| self.fault_from(start, "malformed \\u escape"))?;
        self.at += 4;
        Ok(code)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fault(text: &str) -> JsonFault {
        read(text, Limits::POLICY).unwrap_err()
    }

    #[test]
    fn spans_and_duplicates_are_kept() {
        let node = read(r#" {"a": [1, "é"], "a": true} "#, Limits::POLICY).unwrap();
        assert_eq!(node.span, Span::new(1, 28));
        let Value::Object(members) = node.value else { panic!("object") };
        assert_eq!(members.len(), 2);
        assert_eq!(members[1].key_span, Span::new(18, 21));
        let Value::Array(items) = &members[0].value.value else { panic!("array") };
        assert_eq!(items[1].value, Value::String("é".to_owned()));
        assert_eq!(items[1].span, Span::new(11, 15));
    }

    #[test]
    fn what_strict_json_forbids_is_refused_where_it_stands() {
        assert_eq!(fault("{,}").span, Span::new(1, 2));
        assert_eq!(fault("[1,]").span, Span::new(3, 4));
        assert_eq!(fault("{é}").span, Span::new(1, 3), "whole characters");
        assert_eq!(fault(r#"["\é"]"#).span, Span::new(2, 5), "whole characters");
        assert_eq!(fault("01").message, "malformed number");
        assert_eq!(fault("{} x").message, "nothing may follow the document");
        assert_eq!(fault("\"a\nb\"").message, "a control character must be escaped");
        assert_eq!(fault("\"abc").message, "the text is not closed");
        assert_eq!(fault(r#""\ud800""#).message, "half of a surrogate pair");
        assert_eq!(fault(r#""\udc00""#).message, "half of a surrogate pair");
        assert_eq!(fault(r#""\u12"#).message, "malformed \\u escape");
        assert_eq!(fault(r#""\x""#).message, "unknown escape");
        assert_eq!(fault("").message, "the document ends too early");
        assert_eq!(fault("nul").message, "expected a JSON value");
        assert_eq!(fault("{a:1}").message, "expected a member name in double quotes");
        assert_eq!(fault(r#"{"a" 1}"#).message, "expected \":\" after the member name");
        assert_eq!(fault(r#"{"a":1]"#).message, "expected \",\" or \"}\"");
        assert_eq!(fault("[1}").message, "expected \",\" or \"]\"");
        assert_eq!(fault("1.").message, "malformed number");
        assert_eq!(fault("1e").message, "malformed number");
    }

    #[test]
    fn escapes_are_read() {
        let node = read(r#""\ud83d\ude00\n\t\"\\\/\b\f\r\u0041""#, Limits::POLICY).unwrap();
        let wanted = "😀\n\t\"\\/\u{8}\u{c}\rA".to_owned();
        assert_eq!(node.value, Value::String(wanted));
    }

    #[test]
    fn limits_hold() {
        // ATTACK: nesting to exhaust the stack; more values than any policy needs.
        assert_eq!(fault(&"[".repeat(100_000)).message, "the document is nested too deeply");
        let many = format!("[{}1]", "1,".repeat(65_540 - 1));
        assert_eq!(
            read(&many, Limits { characters: 1 << 20, ..Limits::POLICY }).unwrap_err().message,
            "the document holds too many values"
        );
        assert_eq!(fault(&" ".repeat(131_073)).message, "the text is too long");
        assert!(read(&format!("1{}", " ".repeat(131_071)), Limits::POLICY).is_ok());
    }
}
