//! The serde adapter behind [`super::to_raw`].

use std::borrow::Cow;

use serde::ser::{
    Impossible, Serialize, SerializeMap, SerializeSeq, SerializeStruct, SerializeStructVariant,
    SerializeTuple, SerializeTupleStruct, SerializeTupleVariant, Serializer,
};

use super::{MAX_STRING, cloudtrail_time, digest_of, rule, scrubbed};

/// How a value is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::audit) enum Mode {
    /// As it is, member names with a small first letter.
    Plain,
    /// As it is, member names too: they are the user's.
    Verbatim,
    /// Only a digest of it.
    Digest,
    /// As CloudTrail writes an expiration.
    Expiration,
}

/// A serializer that filters what passes to another one.
struct Filter<S> {
    to: S,
    mode: Mode,
}

/// A value on its way through the filter.
pub(super) struct Through<'a, T: ?Sized> {
    pub value: &'a T,
    pub mode: Mode,
}

impl<T: Serialize + ?Sized> Serialize for Through<'_, T> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        self.value.serialize(Filter { to, mode: self.mode })
    }
}

/// The inside of a list or an object.
struct Inside<C> {
    to: C,
    mode: Mode,
    /// The rule of the map key that was just written; none if its value is dropped.
    next: Option<Mode>,
}

macro_rules! numbers {
    ($($name:ident: $kind:ty),*) => {$(
        fn $name(self, value: $kind) -> Result<S::Ok, S::Error> {
            match self.mode {
                Mode::Digest => self.to.serialize_str("[omitted]"),
                _ => self.to.$name(value),
            }
        }
    )*};
}

impl<S: Serializer> Serializer for Filter<S> {
    type Ok = S::Ok;
    type Error = S::Error;
    type SerializeSeq = Inside<S::SerializeSeq>;
    type SerializeTuple = Inside<S::SerializeSeq>;
    type SerializeTupleStruct = Inside<S::SerializeSeq>;
    type SerializeTupleVariant = Impossible<S::Ok, S::Error>;
    type SerializeMap = Inside<S::SerializeMap>;
    type SerializeStruct = Inside<S::SerializeMap>;
    type SerializeStructVariant = Inside<S::SerializeMap>;

    numbers!(
        serialize_bool: bool, serialize_i8: i8, serialize_i16: i16, serialize_i32: i32,
        serialize_i64: i64, serialize_u8: u8, serialize_u16: u16, serialize_u32: u32,
        serialize_u64: u64, serialize_f32: f32, serialize_f64: f64, serialize_char: char
    );

    fn serialize_str(self, value: &str) -> Result<S::Ok, S::Error> {
        match self.mode {
            Mode::Digest => self.to.serialize_str(&digest_of(value.as_bytes())),
            Mode::Expiration => {
                let text = cloudtrail_time(value).map_or(Cow::Borrowed(value), Cow::Owned);
                self.to.serialize_str(&text)
            }
            Mode::Plain | Mode::Verbatim if value.len() > MAX_STRING => {
                let cut = value.floor_char_boundary(MAX_STRING);
                let kept = value.get(..cut).unwrap_or_default();
                self.to.serialize_str(&format!("{}… [{} bytes]", scrubbed(kept), value.len()))
            }
            Mode::Plain | Mode::Verbatim => self.to.serialize_str(&scrubbed(value)),
        }
    }

    fn serialize_bytes(self, value: &[u8]) -> Result<S::Ok, S::Error> {
        self.to.serialize_str(&digest_of(value))
    }

    fn serialize_none(self) -> Result<S::Ok, S::Error> {
        self.to.serialize_none()
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<S::Ok, S::Error> {
        value.serialize(self)
    }

    fn serialize_unit(self) -> Result<S::Ok, S::Error> {
        self.to.serialize_unit()
    }

    fn serialize_unit_struct(self, _: &'static str) -> Result<S::Ok, S::Error> {
        self.to.serialize_unit()
    }

    fn serialize_unit_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
    ) -> Result<S::Ok, S::Error> {
        self.to.serialize_str(variant)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        value: &T,
    ) -> Result<S::Ok, S::Error> {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        value: &T,
    ) -> Result<S::Ok, S::Error> {
        let mut map = self.serialize_map(Some(1))?;
        SerializeMap::serialize_entry(&mut map, variant, value)?;
        SerializeMap::end(map)
    }

    fn serialize_seq(self, len: Option<usize>) -> Result<Self::SerializeSeq, S::Error> {
        Ok(Inside { to: self.to.serialize_seq(len)?, mode: self.mode, next: None })
    }

    fn serialize_tuple(self, len: usize) -> Result<Self::SerializeTuple, S::Error> {
        self.serialize_seq(Some(len))
    }

    fn serialize_tuple_struct(
        self,
        _: &'static str,
        len: usize,
    ) -> Result<Self::SerializeTupleStruct, S::Error> {
        self.serialize_seq(Some(len))
    }

    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Self::SerializeTupleVariant, S::Error> {
        Err(serde::ser::Error::custom("no parameter has this form"))
    }

    fn serialize_map(self, _: Option<usize>) -> Result<Self::SerializeMap, S::Error> {
        // The length is not known: members may be dropped.
        Ok(Inside { to: self.to.serialize_map(None)?, mode: self.mode, next: None })
    }

    fn serialize_struct(
        self,
        _: &'static str,
        len: usize,
    ) -> Result<Self::SerializeStruct, S::Error> {
        self.serialize_map(Some(len))
    }

    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        len: usize,
    ) -> Result<Self::SerializeStructVariant, S::Error> {
        self.serialize_map(Some(len))
    }
}

impl<C: SerializeSeq> SerializeSeq for Inside<C> {
    type Ok = C::Ok;
    type Error = C::Error;
    fn serialize_element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), C::Error> {
        self.to.serialize_element(&Through { value, mode: self.mode })
    }
    fn end(self) -> Result<C::Ok, C::Error> {
        self.to.end()
    }
}

impl<C: SerializeSeq> SerializeTuple for Inside<C> {
    type Ok = C::Ok;
    type Error = C::Error;
    fn serialize_element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), C::Error> {
        SerializeSeq::serialize_element(self, value)
    }
    fn end(self) -> Result<C::Ok, C::Error> {
        self.to.end()
    }
}

impl<C: SerializeSeq> SerializeTupleStruct for Inside<C> {
    type Ok = C::Ok;
    type Error = C::Error;
    fn serialize_field<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), C::Error> {
        SerializeSeq::serialize_element(self, value)
    }
    fn end(self) -> Result<C::Ok, C::Error> {
        self.to.end()
    }
}

impl<C: SerializeSeq> SerializeTupleVariant for Inside<C> {
    type Ok = C::Ok;
    type Error = C::Error;
    fn serialize_field<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), C::Error> {
        SerializeSeq::serialize_element(self, value)
    }
    fn end(self) -> Result<C::Ok, C::Error> {
        self.to.end()
    }
}

impl<C: SerializeMap> Inside<C> {
    fn member<T: Serialize + ?Sized>(&mut self, name: &str, value: &T) -> Result<(), C::Error> {
        match self.mode {
            Mode::Plain => match rule(name) {
                Some(mode) => self.to.serialize_entry(&SmallFirst(name), &Through { value, mode }),
                None => Ok(()),
            },
            // Inside of what is the user's own or is only a digest, the mode stays.
            mode => self.to.serialize_entry(&scrubbed(name), &Through { value, mode }),
        }
    }
}

impl<C: SerializeMap> SerializeMap for Inside<C> {
    type Ok = C::Ok;
    type Error = C::Error;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), C::Error> {
        let name = key.serialize(KeyText).map_err(|_| {
            <C::Error as serde::ser::Error>::custom("a parameter's name is not a text")
        })?;
        let next = if self.mode == Mode::Plain { rule(&name) } else { Some(self.mode) };
        self.next = next;
        match (next, self.mode) {
            (None, _) => Ok(()),
            (Some(_), Mode::Plain) => self.to.serialize_key(&SmallFirst(&name)),
            (Some(_), _) => self.to.serialize_key(&scrubbed(&name)),
        }
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), C::Error> {
        match self.next.take() {
            Some(mode) => self.to.serialize_value(&Through { value, mode }),
            None => Ok(()),
        }
    }

    fn end(self) -> Result<C::Ok, C::Error> {
        self.to.end()
    }
}

impl<C: SerializeMap> SerializeStruct for Inside<C> {
    type Ok = C::Ok;
    type Error = C::Error;
    fn serialize_field<T: Serialize + ?Sized>(
        &mut self,
        name: &'static str,
        value: &T,
    ) -> Result<(), C::Error> {
        self.member(name, value)
    }
    fn end(self) -> Result<C::Ok, C::Error> {
        self.to.end()
    }
}

impl<C: SerializeMap> SerializeStructVariant for Inside<C> {
    type Ok = C::Ok;
    type Error = C::Error;
    fn serialize_field<T: Serialize + ?Sized>(
        &mut self,
        name: &'static str,
        value: &T,
    ) -> Result<(), C::Error> {
        self.member(name, value)
    }
    fn end(self) -> Result<C::Ok, C::Error> {
        self.to.end()
    }
}

/// `RoleArn` → `roleArn`, `SAMLAssertionID` → `sAMLAssertionID`: CloudTrail's rule.
struct SmallFirst<'a>(&'a str);

impl Serialize for SmallFirst<'_> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let clean = scrubbed(self.0);
        if !clean.starts_with(|first: char| first.is_ascii_uppercase()) {
            return to.serialize_str(&clean);
        }
        // Every call has some of them, and hardly one is longer: no allocation for these.
        let mut room = [0; 64];
        if let Some(name) = room.get_mut(..clean.len()) {
            name.copy_from_slice(clean.as_bytes());
            name.get_mut(..1).into_iter().for_each(<[u8]>::make_ascii_lowercase);
            if let Ok(name) = std::str::from_utf8(name) {
                return to.serialize_str(name);
            }
        }
        let mut name = clean.into_owned();
        name.get_mut(..1).into_iter().for_each(str::make_ascii_lowercase);
        to.serialize_str(&name)
    }
}

/// Reads a map's key as text.
struct KeyText;

/// A map's key was no text.
#[derive(Debug)]
struct NoText;

impl std::fmt::Display for NoText {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("not a text")
    }
}

impl std::error::Error for NoText {}

impl serde::ser::Error for NoText {
    fn custom<T: std::fmt::Display>(_: T) -> Self {
        Self
    }
}

macro_rules! no_text {
    ($($name:ident($($kind:ty),*)),* $(,)?) => {$(
        fn $name(self, $(_: $kind),*) -> Result<String, NoText> {
            Err(NoText)
        }
    )*};
}

impl Serializer for KeyText {
    type Ok = String;
    type Error = NoText;
    type SerializeSeq = Impossible<String, NoText>;
    type SerializeTuple = Impossible<String, NoText>;
    type SerializeTupleStruct = Impossible<String, NoText>;
    type SerializeTupleVariant = Impossible<String, NoText>;
    type SerializeMap = Impossible<String, NoText>;
    type SerializeStruct = Impossible<String, NoText>;
    type SerializeStructVariant = Impossible<String, NoText>;

    fn serialize_str(self, text: &str) -> Result<String, NoText> {
        Ok(text.to_owned())
    }

    fn serialize_unit_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
    ) -> Result<String, NoText> {
        Ok(variant.to_owned())
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        value: &T,
    ) -> Result<String, NoText> {
        value.serialize(self)
    }

    no_text!(
        serialize_bool(bool),
        serialize_i8(i8),
        serialize_i16(i16),
        serialize_i32(i32),
        serialize_i64(i64),
        serialize_u8(u8),
        serialize_u16(u16),
        serialize_u32(u32),
        serialize_u64(u64),
        serialize_f32(f32),
        serialize_f64(f64),
        serialize_char(char),
        serialize_bytes(&[u8]),
        serialize_none(),
        serialize_unit(),
        serialize_unit_struct(&'static str),
    );

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<String, NoText> {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: &T,
    ) -> Result<String, NoText> {
        Err(NoText)
    }

    fn serialize_seq(self, _: Option<usize>) -> Result<Self::SerializeSeq, NoText> {
        Err(NoText)
    }

    fn serialize_tuple(self, _: usize) -> Result<Self::SerializeTuple, NoText> {
        Err(NoText)
    }

    fn serialize_tuple_struct(
        self,
        _: &'static str,
        _: usize,
    ) -> Result<Self::SerializeTupleStruct, NoText> {
        Err(NoText)
    }

    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Self::SerializeTupleVariant, NoText> {
        Err(NoText)
    }

    fn serialize_map(self, _: Option<usize>) -> Result<Self::SerializeMap, NoText> {
        Err(NoText)
    }

    fn serialize_struct(self, _: &'static str, _: usize) -> Result<Self::SerializeStruct, NoText> {
        Err(NoText)
    }

    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Self::SerializeStructVariant, NoText> {
        Err(NoText)
    }
}
