//! The serializer: one element per value, named by where the value stands.

use std::fmt;

use serde::ser::{self, Impossible, Serialize, Serializer};

/// What this XML cannot say: bytes, tuples, enum variants with content, map keys that are not text.
#[derive(Debug)]
pub struct XmlError(String);

impl fmt::Display for XmlError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for XmlError {}

impl ser::Error for XmlError {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self(message.to_string())
    }
}

fn unsupported<T>(what: &str) -> Result<T, XmlError> {
    Err(XmlError(format!("{what} has no form in query XML")))
}

/// Writes one value as the element `name`.
pub(super) struct Element<'w, 'n> {
    out: &'w mut Vec<u8>,
    name: &'n str,
}

impl<'w, 'n> Element<'w, 'n> {
    pub(super) fn new(out: &'w mut Vec<u8>, name: &'n str) -> Self {
        Self { out, name }
    }

    fn display(self, value: impl fmt::Display) -> Result<(), XmlError> {
        text_element(self.out, self.name, &value.to_string());
        Ok(())
    }

    fn open(self) -> Open<'w, 'n> {
        let start = self.out.len();
        open(self.out, self.name);
        let content = self.out.len();
        Open { out: self.out, name: self.name, start, content }
    }
}

/// An element whose content is being written.
pub(super) struct Open<'w, 'n> {
    out: &'w mut Vec<u8>,
    name: &'n str,
    start: usize,
    content: usize,
}

impl Open<'_, '_> {
    fn close(self) {
        if self.out.len() == self.content {
            self.out.truncate(self.start);
            text_element(self.out, self.name, "");
        } else {
            close(self.out, self.name);
        }
    }
}

impl<'w, 'n> Serializer for Element<'w, 'n> {
    type Ok = ();
    type Error = XmlError;
    type SerializeSeq = Open<'w, 'n>;
    type SerializeTuple = Impossible<(), XmlError>;
    type SerializeTupleStruct = Impossible<(), XmlError>;
    type SerializeTupleVariant = Impossible<(), XmlError>;
    type SerializeMap = Open<'w, 'n>;
    type SerializeStruct = Open<'w, 'n>;
    type SerializeStructVariant = Impossible<(), XmlError>;

    fn serialize_bool(self, value: bool) -> Result<(), XmlError> {
        self.display(value)
    }
    fn serialize_i8(self, value: i8) -> Result<(), XmlError> {
        self.display(value)
    }
    fn serialize_i16(self, value: i16) -> Result<(), XmlError> {
        self.display(value)
    }
    fn serialize_i32(self, value: i32) -> Result<(), XmlError> {
        self.display(value)
    }
    fn serialize_i64(self, value: i64) -> Result<(), XmlError> {
        self.display(value)
    }
    fn serialize_u8(self, value: u8) -> Result<(), XmlError> {
        self.display(value)
    }
    fn serialize_u16(self, value: u16) -> Result<(), XmlError> {
        self.display(value)
    }
    fn serialize_u32(self, value: u32) -> Result<(), XmlError> {
        self.display(value)
    }
    fn serialize_u64(self, value: u64) -> Result<(), XmlError> {
        self.display(value)
    }
    fn serialize_f32(self, value: f32) -> Result<(), XmlError> {
        self.display(value)
    }
    fn serialize_f64(self, value: f64) -> Result<(), XmlError> {
        self.display(value)
    }
    fn serialize_char(self, value: char) -> Result<(), XmlError> {
        self.display(value)
    }
    fn serialize_str(self, value: &str) -> Result<(), XmlError> {
        text_element(self.out, self.name, value);
        Ok(())
    }
    fn serialize_bytes(self, _: &[u8]) -> Result<(), XmlError> {
        unsupported("a byte string")
    }
    fn serialize_none(self) -> Result<(), XmlError> {
        Ok(())
    }
    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<(), XmlError> {
        value.serialize(self)
    }
    fn serialize_unit(self) -> Result<(), XmlError> {
        text_element(self.out, self.name, "");
        Ok(())
    }
    fn serialize_unit_struct(self, _: &'static str) -> Result<(), XmlError> {
        self.serialize_unit()
    }
    fn serialize_unit_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
    ) -> Result<(), XmlError> {
        self.serialize_str(variant)
    }
    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        value: &T,
    ) -> Result<(), XmlError> {
        value.serialize(self)
    }
    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: &T,
    ) -> Result<(), XmlError> {
        unsupported("an enum variant with content")
    }
    fn serialize_seq(self, _: Option<usize>) -> Result<Open<'w, 'n>, XmlError> {
        Ok(self.open())
    }
    fn serialize_tuple(self, _: usize) -> Result<Self::SerializeTuple, XmlError> {
        unsupported("a tuple")
    }
    fn serialize_tuple_struct(
        self,
        _: &'static str,
        _: usize,
    ) -> Result<Self::SerializeTupleStruct, XmlError> {
        unsupported("a tuple")
    }
    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Self::SerializeTupleVariant, XmlError> {
        unsupported("an enum variant with content")
    }
    fn serialize_map(self, _: Option<usize>) -> Result<Open<'w, 'n>, XmlError> {
        Ok(self.open())
    }
    fn serialize_struct(self, _: &'static str, _: usize) -> Result<Open<'w, 'n>, XmlError> {
        Ok(self.open())
    }
    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Self::SerializeStructVariant, XmlError> {
        unsupported("an enum variant with content")
    }
}

impl ser::SerializeSeq for Open<'_, '_> {
    type Ok = ();
    type Error = XmlError;

    fn serialize_element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), XmlError> {
        value.serialize(Element::new(self.out, "member"))
    }

    fn end(self) -> Result<(), XmlError> {
        self.close();
        Ok(())
    }
}

impl ser::SerializeMap for Open<'_, '_> {
    type Ok = ();
    type Error = XmlError;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), XmlError> {
        open(self.out, "entry");
        key.serialize(Element::new(self.out, "key"))
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), XmlError> {
        value.serialize(Element::new(self.out, "value"))?;
        close(self.out, "entry");
        Ok(())
    }

    fn end(self) -> Result<(), XmlError> {
        self.close();
        Ok(())
    }
}

impl ser::SerializeStruct for Open<'_, '_> {
    type Ok = ();
    type Error = XmlError;

    fn serialize_field<T: Serialize + ?Sized>(
        &mut self,
        key: &'static str,
        value: &T,
    ) -> Result<(), XmlError> {
        value.serialize(Element::new(self.out, key))
    }

    fn end(self) -> Result<(), XmlError> {
        self.close();
        Ok(())
    }
}

/// `<name>text</name>`, or `<name/>`.
pub(super) fn text_element(out: &mut Vec<u8>, name: &str, text: &str) {
    if text.is_empty() {
        out.push(b'<');
        out.extend_from_slice(name.as_bytes());
        out.extend_from_slice(b"/>");
        return;
    }
    open(out, name);
    escape(out, text);
    close(out, name);
}

fn open(out: &mut Vec<u8>, name: &str) {
    out.push(b'<');
    out.extend_from_slice(name.as_bytes());
    out.push(b'>');
}

fn close(out: &mut Vec<u8>, name: &str) {
    out.extend_from_slice(b"</");
    out.extend_from_slice(name.as_bytes());
    out.push(b'>');
}

/// Escapes text. Characters that XML 1.0 cannot hold at all become U+FFFD, so that what a client sent
/// and we echo never makes an answer that parsers refuse.
pub(super) fn escape(out: &mut Vec<u8>, text: &str) {
    let mut rest = text.as_bytes();
    // Nearly always nothing is; looked at without a branch per byte, which the compiler vectorizes.
    if !rest.iter().fold(false, |found, byte| found | replaced(*byte)) {
        return out.extend_from_slice(rest);
    }
    while let Some(at) = rest.iter().position(|byte| replaced(*byte)) {
        let (plain, from) = rest.split_at(at);
        out.extend_from_slice(plain);
        let (replacement, length): (&[u8], usize) = match from {
            [b'&', ..] => (b"&amp;", 1),
            [b'<', ..] => (b"&lt;", 1),
            [b'>', ..] => (b"&gt;", 1),
            [b'"', ..] => (b"&quot;", 1),
            [b'\r', ..] => (b"&#xD;", 1),
            // U+FFFE and U+FFFF; other characters that begin with this byte stay.
            [0xef, 0xbf, 0xbe | 0xbf, ..] => ("\u{fffd}".as_bytes(), 3),
            [first @ 0xef, ..] => (std::slice::from_ref(first), 1),
            _ => ("\u{fffd}".as_bytes(), 1),
        };
        out.extend_from_slice(replacement);
        rest = from.get(length..).unwrap_or_default();
    }
    out.extend_from_slice(rest);
}

/// Whether a byte may be (the first of) a character that does not stand for itself.
fn replaced(byte: u8) -> bool {
    let control = (byte < b' ') & (byte != b'\t') & (byte != b'\n');
    let markup = (byte == b'&') | (byte == b'<') | (byte == b'>') | (byte == b'"');
    control | markup | (byte == 0xef)
}
