//! Events as JSON: byte for byte what `serde_json` writes, with three fifths of its instructions.
//!
//! Every call ends with one of these texts, some kilobytes long, and most of its members' names
//! are the program's own: those are copied, not searched for what must be escaped. Values are
//! searched in words of eight bytes.

use serde::ser::{
    Error as _, Impossible, Serialize, SerializeMap, SerializeSeq, SerializeStruct, SerializeTuple,
    SerializeTupleStruct, Serializer,
};

type Error = serde_json::Error;
type Result<T = (), E = Error> = std::result::Result<T, E>;

/// What `serde_json` calls a text that is JSON already ([`serde_json::value::RawValue`]).
const RAW: &str = "$serde_json::private::RawValue";

/// Appends `value` to `out`.
///
/// # Errors
/// A form that no event has: bytes, variants of several values, names that are not texts.
pub fn append(out: &mut Vec<u8>, value: &impl Serialize) -> Result {
    value.serialize(&mut Writer { out, raw: false })
}

struct Writer<'o> {
    out: &'o mut Vec<u8>,
    /// The next text is JSON already.
    raw: bool,
}

impl Writer<'_> {
    fn byte(&mut self, byte: u8) {
        self.out.push(byte);
    }

    /// A text of the program's own, without anything to escape.
    fn plain(&mut self, text: &str) {
        self.byte(b'"');
        self.out.extend_from_slice(text.as_bytes());
        self.byte(b'"');
    }

    fn text(&mut self, text: &str) {
        self.byte(b'"');
        let mut rest = text.as_bytes();
        while let Some((plain, &[special, ref after @ ..])) = rest.split_at_checked(plain(rest)) {
            self.out.extend_from_slice(plain);
            self.escape(special);
            rest = after;
        }
        self.out.extend_from_slice(rest);
        self.byte(b'"');
    }

    fn escape(&mut self, byte: u8) {
        const HEX: &[u8; 16] = b"0123456789abcdef";
        let short = match byte {
            b'"' | b'\\' => byte,
            0x08 => b'b',
            b'\t' => b't',
            b'\n' => b'n',
            0x0c => b'f',
            b'\r' => b'r',
            _ => {
                let digit = |nibble: u8| HEX.get(usize::from(nibble)).copied().unwrap_or(b'0');
                self.out.extend_from_slice(b"\\u00");
                self.out.extend_from_slice(&[digit(byte >> 4), digit(byte & 15)]);
                return;
            }
        };
        self.out.extend_from_slice(&[b'\\', short]);
    }

    /// A number or a boolean, as `serde_json` writes it.
    fn scalar(&mut self, value: &impl Serialize) -> Result {
        serde_json::to_writer(&mut *self.out, value)
    }
}

/// How many bytes come before the first one that must be escaped: all, if there is none.
fn plain(bytes: &[u8]) -> usize {
    const ONES: u64 = u64::MAX / 255;
    const HIGH: u64 = ONES << 7;
    // The lowest bit of each that is set stands for the first such byte; those above may be wrong.
    let below = |word: u64, limit: u64| word.wrapping_sub(ONES * limit) & !word & HIGH;
    let equal = |word: u64, byte: u8| below(word ^ (ONES * u64::from(byte)), 1);
    let (words, tail) = bytes.as_chunks::<8>();
    for (at, word) in words.iter().enumerate() {
        let word = u64::from_le_bytes(*word);
        let special = below(word, 0x20) | equal(word, b'"') | equal(word, b'\\');
        if special != 0 {
            return at * 8 + special.trailing_zeros() as usize / 8;
        }
    }
    let special = |byte: &u8| matches!(byte, ..0x20 | b'"' | b'\\');
    bytes.len() - tail.len() + tail.iter().position(special).unwrap_or(tail.len())
}

/// A list or an object that is being written.
struct Inside<'w, 'o> {
    to: &'w mut Writer<'o>,
    begun: bool,
    end: &'static [u8],
}

impl<'w, 'o> Inside<'w, 'o> {
    fn list(to: &'w mut Writer<'o>) -> Self {
        to.byte(b'[');
        Self { to, begun: false, end: b"]" }
    }

    fn object(to: &'w mut Writer<'o>) -> Self {
        to.byte(b'{');
        Self { to, begun: false, end: b"}" }
    }

    fn next(&mut self) {
        if std::mem::replace(&mut self.begun, true) {
            self.to.byte(b',');
        }
    }

    fn close(self) -> Result {
        self.to.out.extend_from_slice(self.end);
        Ok(())
    }
}

macro_rules! scalars {
    ($($name:ident: $kind:ty),*) => {$(
        fn $name(self, value: $kind) -> Result {
            self.scalar(&value)
        }
    )*};
}

impl<'w, 'o> Serializer for &'w mut Writer<'o> {
    type Ok = ();
    type Error = Error;
    type SerializeSeq = Inside<'w, 'o>;
    type SerializeTuple = Inside<'w, 'o>;
    type SerializeTupleStruct = Inside<'w, 'o>;
    type SerializeTupleVariant = Impossible<(), Error>;
    type SerializeMap = Inside<'w, 'o>;
    type SerializeStruct = Inside<'w, 'o>;
    type SerializeStructVariant = Impossible<(), Error>;

    scalars!(
        serialize_i8: i8, serialize_i16: i16, serialize_i32: i32, serialize_i64: i64,
        serialize_u8: u8, serialize_u16: u16, serialize_u32: u32, serialize_u64: u64,
        serialize_f32: f32, serialize_f64: f64, serialize_char: char
    );

    fn serialize_bool(self, value: bool) -> Result {
        self.out.extend_from_slice(if value { b"true" } else { b"false" });
        Ok(())
    }

    fn serialize_str(self, text: &str) -> Result {
        match self.raw {
            true => self.out.extend_from_slice(text.as_bytes()),
            false => self.text(text),
        }
        Ok(())
    }

    fn serialize_bytes(self, _: &[u8]) -> Result {
        Err(Error::custom("no event holds bytes"))
    }

    fn serialize_none(self) -> Result {
        self.serialize_unit()
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result {
        value.serialize(self)
    }

    fn serialize_unit(self) -> Result {
        self.out.extend_from_slice(b"null");
        Ok(())
    }

    fn serialize_unit_struct(self, _: &'static str) -> Result {
        self.serialize_unit()
    }

    fn serialize_unit_variant(self, _: &'static str, _: u32, variant: &'static str) -> Result {
        self.plain(variant);
        Ok(())
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(self, _: &'static str, it: &T) -> Result {
        it.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        value: &T,
    ) -> Result {
        let mut object = Inside::object(self);
        SerializeStruct::serialize_field(&mut object, variant, value)?;
        object.close()
    }

    fn serialize_seq(self, _: Option<usize>) -> Result<Self::SerializeSeq> {
        Ok(Inside::list(self))
    }

    fn serialize_tuple(self, _: usize) -> Result<Self::SerializeTuple> {
        Ok(Inside::list(self))
    }

    fn serialize_tuple_struct(
        self,
        _: &'static str,
        _: usize,
    ) -> Result<Self::SerializeTupleStruct> {
        Ok(Inside::list(self))
    }

    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Self::SerializeTupleVariant> {
        Err(Error::custom("no event has a variant of several values"))
    }

    fn serialize_map(self, _: Option<usize>) -> Result<Self::SerializeMap> {
        Ok(Inside::object(self))
    }

    fn serialize_struct(self, name: &'static str, _: usize) -> Result<Self::SerializeStruct> {
        if name == RAW {
            self.raw = true;
            return Ok(Inside { to: self, begun: false, end: b"" });
        }
        Ok(Inside::object(self))
    }

    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Self::SerializeStructVariant> {
        Err(Error::custom("no event has a variant of several members"))
    }
}

impl SerializeSeq for Inside<'_, '_> {
    type Ok = ();
    type Error = Error;

    fn serialize_element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result {
        self.next();
        value.serialize(&mut *self.to)
    }

    fn end(self) -> Result {
        self.close()
    }
}

impl SerializeTuple for Inside<'_, '_> {
    type Ok = ();
    type Error = Error;

    fn serialize_element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result {
        SerializeSeq::serialize_element(self, value)
    }

    fn end(self) -> Result {
        self.close()
    }
}

impl SerializeTupleStruct for Inside<'_, '_> {
    type Ok = ();
    type Error = Error;

    fn serialize_field<T: Serialize + ?Sized>(&mut self, value: &T) -> Result {
        SerializeSeq::serialize_element(self, value)
    }

    fn end(self) -> Result {
        self.close()
    }
}

impl SerializeMap for Inside<'_, '_> {
    type Ok = ();
    type Error = Error;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result {
        self.next();
        let begin = self.to.out.len();
        key.serialize(&mut *self.to)?;
        match self.to.out.get(begin) {
            Some(b'"') => Ok(()),
            _ => Err(Error::custom("a member's name is not a text")),
        }
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result {
        self.to.byte(b':');
        value.serialize(&mut *self.to)
    }

    fn end(self) -> Result {
        self.close()
    }
}

impl SerializeStruct for Inside<'_, '_> {
    type Ok = ();
    type Error = Error;

    fn serialize_field<T: Serialize + ?Sized>(&mut self, name: &'static str, it: &T) -> Result {
        if std::mem::take(&mut self.to.raw) {
            return it.serialize(&mut Writer { out: &mut *self.to.out, raw: true });
        }
        self.next();
        self.to.plain(name);
        self.to.byte(b':');
        it.serialize(&mut *self.to)
    }

    fn end(self) -> Result {
        self.close()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::value::{RawValue, to_raw_value};
    use serde_json::{Value, json};

    fn written(value: &impl Serialize) -> String {
        let mut out = Vec::new();
        append(&mut out, value).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn every_character_and_every_place_is_escaped_as_serde_json_does() {
        for special in (0..=0x7f).map(char::from).chain(['\u{80}', 'é', '\u{2028}', '😀']) {
            for before in 0..20 {
                let text = format!("{}{special}{special}after it", "x".repeat(before));
                assert_eq!(written(&text), serde_json::to_string(&text).unwrap());
            }
        }
    }

    #[derive(serde::Serialize)]
    struct Raw {
        before: Option<Box<RawValue>>,
        absent: Option<Box<RawValue>>,
        after: &'static str,
    }

    #[test]
    fn what_is_json_already_stays_as_it_is_and_what_follows_is_escaped() {
        let before = to_raw_value(&json!({"a": ["\"", 1.5, null]})).ok();
        let raw = Raw { before, absent: None, after: "\"" };
        assert_eq!(written(&raw), serde_json::to_string(&raw).unwrap());
    }

    #[test]
    fn a_name_that_is_no_text_is_refused() {
        let numbered = std::collections::BTreeMap::from([(1, "one")]);
        assert!(append(&mut Vec::new(), &numbered).is_err());
    }

    fn values() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<u64>().prop_map(Value::from),
            any::<f64>().prop_map(Value::from),
            any::<String>().prop_map(Value::from),
        ];
        leaf.prop_recursive(4, 64, 8, |inner| {
            prop_oneof![
                proptest::collection::vec(inner.clone(), 0..8).prop_map(Value::from),
                proptest::collection::btree_map(any::<String>(), inner, 0..8)
                    .prop_map(|members| members.into_iter().collect()),
            ]
        })
    }

    proptest! {
        #[test]
        fn any_value_is_written_as_serde_json_writes_it(value in values()) {
            prop_assert_eq!(written(&value), serde_json::to_string(&value).unwrap());
        }
    }
}
