//! An issuer's public keys (RFC 7517), each with a verdict: usable, or why not.
//!
//! Rules are AWS's (as observed) in [`Checks::Aws`]; [`Checks::Strict`] differs where AWS is
//! lenient or arbitrary: see [`Unusable`].

use serde::Serialize;
use serde_json::{Map, Value};

use crate::Checks;
use crate::jose::alg::{Alg, Family};
use crate::jose::der::{self, CertificateKey};
use crate::jose::json::{self, JsonFault, Limits};
use crate::jose::verify::Material;

/// Longest JWKS document that is read, in bytes.
pub const MAX_JWKS_BYTES: usize = 1024 * 1024;

/// Keys of one kind (RSA, elliptic) in a JWKS beyond which AWS uses none of that kind.
pub const MAX_KEYS_PER_KIND: usize = 100;

const JWKS_LIMITS: Limits = Limits { bytes: MAX_JWKS_BYTES, depth: 16, values: 16_384 };

/// An issuer's keys, parsed once and kept for many tokens.
#[derive(Clone, Debug)]
pub struct KeySet {
    keys: Vec<Key>,
    checks: Checks,
}

/// One key of the set.
#[derive(Clone, Debug)]
pub(crate) struct Key {
    kid: Option<String>,
    declared_alg: Option<String>,
    family: Option<Family>,
    material: Result<Material, Unusable>,
}

/// What became of one key of a JWKS document.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct KeyVerdict {
    /// Its place in the document, from 0.
    pub index: usize,
    /// Its `kid`.
    pub kid: Option<String>,
    /// Its kind, if it is one that we know.
    pub family: Option<Family>,
    /// Its `alg`, if stated.
    pub alg: Option<String>,
    /// Why it cannot be used; `None` if it can.
    pub unusable: Option<Unusable>,
}

/// Why a document is not a JWKS.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum JwksFault {
    /// Not a JSON object within the limits.
    Json(JsonFault),
    /// A member occurs twice (strict only).
    Duplicate(String),
    /// No array named `keys`.
    NoKeys,
}

impl std::fmt::Display for JwksFault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Json(fault) => fault.fmt(f),
            Self::Duplicate(name) => write!(f, "{name} occurs twice"),
            Self::NoKeys => f.write_str("there is no array named keys"),
        }
    }
}

/// Why a key of a JWKS cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "unusable", rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Unusable {
    /// Not an object.
    NotAnObject,
    /// No `kid`, or an empty one. AWS wants one on every key.
    NoKid,
    /// `kty` is neither `RSA` nor `EC`. (`oct` would be a shared secret, published.)
    KeyType {
        /// The key's `kty`.
        kty: String,
    },
    /// A curve other than P-256, P-384, P-521.
    Curve {
        /// The key's `crv`.
        crv: String,
    },
    /// A member is missing, not a string, not base64url, or of the wrong length.
    Member {
        /// Which.
        name: &'static str,
    },
    /// An RSA modulus under 2048 or over 8192 bits, or an exponent that is even or below 3.
    Rsa {
        /// Bits of the modulus.
        bits: usize,
    },
    /// The point is not on the curve.
    Point,
    /// `use` is something else than `sig`.
    Use {
        /// The key's `use`.
        r#use: String,
    },
    /// `key_ops` is present (AWS), or present without `verify` (strict).
    KeyOps,
    /// `alg` is not one of the six, or does not fit the key (strict only; AWS ignores `alg`).
    Alg {
        /// The key's `alg`.
        alg: String,
    },
    /// The certificate in `x5c` is unreadable or certifies another key (RFC 7517 section 4.7).
    Certificate,
    /// The private part is published with it (strict only).
    PrivatePart,
    /// Another key has the same `kid`: strict uses neither, AWS the later one.
    SameKid,
    /// The document has more than [`MAX_KEYS_PER_KIND`] keys of this kind.
    TooManyKeys,
}

impl std::fmt::Display for Unusable {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::NotAnObject => f.write_str("it is not a JSON object"),
            Self::NoKid => f.write_str("it has no kid"),
            Self::KeyType { kty } => write!(f, "kty {kty:?} is neither RSA nor EC"),
            Self::Curve { crv } => write!(f, "crv {crv:?} is none of P-256, P-384, P-521"),
            Self::Member { name } => write!(f, "{name} is missing or malformed"),
            Self::Rsa { bits } => {
                write!(f, "an RSA key of {bits} bits with this exponent is not accepted")
            }
            Self::Point => f.write_str("the point is not on the curve"),
            Self::Use { r#use } => write!(f, "use is {:?}, not \"sig\"", r#use),
            Self::KeyOps => f.write_str("key_ops forbids verifying"),
            Self::Alg { alg } => write!(f, "alg {alg:?} does not fit the key"),
            Self::Certificate => f.write_str("x5c does not certify this key"),
            Self::PrivatePart => f.write_str("its private part is published"),
            Self::SameKid => f.write_str("another key has the same kid"),
            Self::TooManyKeys => {
                write!(f, "there are more than {MAX_KEYS_PER_KIND} keys of its kind")
            }
        }
    }
}

/// Why a token finds no key in the set.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "miss", rename_all = "kebab-case")]
#[non_exhaustive]
pub enum KeyMiss {
    /// The set has no key that can be used.
    NoUsableKey,
    /// The token names no key and the set has not exactly one.
    NoKid {
        /// How many there are to choose from.
        keys: usize,
    },
    /// The token's `kid` is empty.
    EmptyKid,
    /// No key has the token's `kid`. The issuer may have rotated its keys: fetch them again.
    UnknownKid {
        /// The token's `kid`.
        kid: String,
    },
    /// The key that the token names cannot be used.
    Unusable {
        /// The token's `kid`.
        kid: String,
        /// Why not.
        why: Unusable,
    },
    /// The token's algorithm is for another kind of key.
    Family {
        /// The token's algorithm.
        alg: Alg,
        /// The key's kind.
        key: Family,
    },
    /// The key states another algorithm than the token's (strict only).
    DeclaredAlg {
        /// The token's algorithm.
        alg: Alg,
        /// The key's `alg`.
        declared: String,
    },
}

impl std::fmt::Display for KeyMiss {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::NoUsableKey => f.write_str("the issuer publishes no key that can be used"),
            Self::NoKid { keys } => write!(f, "no kid, and {keys} keys to choose from"),
            Self::EmptyKid => f.write_str("an empty kid"),
            Self::UnknownKid { kid } => write!(f, "kid {kid:?}, which the issuer does not publish"),
            Self::Unusable { kid, why } => write!(f, "kid {kid:?}, unusable: {why}"),
            Self::Family { alg, key } => write!(f, "alg {alg} with a key of kind {}", key.name()),
            Self::DeclaredAlg { alg, declared } => {
                write!(f, "alg {alg} with a key declared for {declared:?}")
            }
        }
    }
}

impl KeySet {
    /// Reads a JWKS document and judges each of its keys.
    ///
    /// # Errors
    /// If the document as a whole is unreadable. Unusable keys are no error: see
    /// [`KeySet::verdicts`].
    pub fn from_jwks(document: &[u8], checks: Checks) -> Result<Self, JwksFault> {
        let object = json::object(document, JWKS_LIMITS).map_err(JwksFault::Json)?;
        if let (Checks::Strict, Some(name)) = (checks, object.duplicates.into_iter().next()) {
            return Err(JwksFault::Duplicate(name));
        }
        let Some(Value::Array(entries)) = object.members.get("keys") else {
            return Err(JwksFault::NoKeys);
        };
        let mut keys: Vec<Key> = entries.iter().map(|entry| Key::read(entry, checks)).collect();
        refuse_crowds(&mut keys);
        refuse_same_kids(&mut keys, checks);
        Ok(Self { keys, checks })
    }

    /// What became of each key, in the document's order.
    pub fn verdicts(&self) -> impl Iterator<Item = KeyVerdict> + '_ {
        self.keys.iter().enumerate().map(|(index, key)| KeyVerdict {
            index,
            kid: key.kid.clone(),
            family: key.family,
            alg: key.declared_alg.clone(),
            unusable: key.material.as_ref().err().cloned(),
        })
    }

    /// How many keys can be used.
    #[must_use]
    pub fn usable(&self) -> usize {
        self.keys.iter().filter(|key| key.material.is_ok()).count()
    }

    /// Whether a key of this id is published, usable or not. If not, the issuer may have rotated
    /// its keys.
    #[must_use]
    pub fn knows(&self, kid: &str) -> bool {
        self.keys.iter().any(|key| key.kid.as_deref() == Some(kid))
    }

    /// The key for a token with this `kid` and `alg`.
    ///
    /// ATTACK: ids that are paths, queries or empty are compared as text, never interpreted
    /// (corpus/tokens/oidc/kid-*.json).
    pub(crate) fn select(&self, kid: Option<&str>, alg: Alg) -> Result<&Material, KeyMiss> {
        let key = match kid {
            Some("") => return Err(KeyMiss::EmptyKid),
            Some(kid) => self.named(kid)?,
            None => self.only()?,
        };
        let material = key.material.as_ref().map_err(|why| KeyMiss::Unusable {
            kid: key.kid.clone().unwrap_or_default(),
            why: why.clone(),
        })?;
        match key.family {
            Some(family) if family != alg.family() => {
                return Err(KeyMiss::Family { alg, key: family });
            }
            _ => {}
        }
        match (&key.declared_alg, self.checks) {
            (Some(declared), Checks::Strict) if declared != alg.name() => {
                Err(KeyMiss::DeclaredAlg { alg, declared: declared.clone() })
            }
            _ => Ok(material),
        }
    }

    fn named(&self, kid: &str) -> Result<&Key, KeyMiss> {
        // From the end: of keys with the same id AWS uses the later one.
        let found = self.keys.iter().rev().find(|key| key.kid.as_deref() == Some(kid));
        match found {
            Some(key) => Ok(key),
            None if self.usable() == 0 => Err(KeyMiss::NoUsableKey),
            None => Err(KeyMiss::UnknownKid { kid: kid.to_owned() }),
        }
    }

    fn only(&self) -> Result<&Key, KeyMiss> {
        let candidates =
            || self.keys.iter().filter(|key| self.checks == Checks::Aws || key.material.is_ok());
        let mut each = candidates();
        match (each.next(), each.next()) {
            (None, _) => Err(KeyMiss::NoUsableKey),
            (Some(key), None) => Ok(key),
            (Some(_), Some(_)) => Err(KeyMiss::NoKid { keys: candidates().count() }),
        }
    }
}

/// More than 100 keys of a kind break all keys of that kind; the other kind still works.
fn refuse_crowds(keys: &mut [Key]) {
    for rsa in [true, false] {
        let of_kind = |key: &&mut Key| key.family.is_some_and(|it| (it == Family::Rsa) == rsa);
        if keys.iter_mut().filter(of_kind).count() > MAX_KEYS_PER_KIND {
            for key in keys.iter_mut().filter(of_kind) {
                key.material = Err(Unusable::TooManyKeys);
            }
        }
    }
}

fn refuse_same_kids(keys: &mut [Key], checks: Checks) {
    let mut seen = std::collections::HashMap::new();
    for index in 0..keys.len() {
        let Some(kid) = keys.get(index).and_then(|key| key.kid.clone()) else { continue };
        let Some(earlier) = seen.insert(kid, index) else { continue };
        let refused = match checks {
            Checks::Strict => &[earlier, index][..],
            Checks::Aws => &[earlier][..],
        };
        for place in refused {
            if let Some(key) = keys.get_mut(*place) {
                key.material = Err(Unusable::SameKid);
            }
        }
    }
}

impl Key {
    fn read(entry: &Value, checks: Checks) -> Self {
        let Value::Object(members) = entry else {
            return Self {
                kid: None,
                declared_alg: None,
                family: None,
                material: Err(Unusable::NotAnObject),
            };
        };
        let text = |name| members.get(name).and_then(Value::as_str).map(str::to_owned);
        let kid = text("kid").filter(|kid| !kid.is_empty());
        let family = family(members);
        let material = match (&kid, &family) {
            (None, _) => Err(Unusable::NoKid),
            (_, Err(why)) => Err(why.clone()),
            (Some(_), Ok(family)) => purpose(members, *family, checks)
                .and_then(|()| public_numbers(members, *family))
                .and_then(|numbers| numbers.material(members)),
        };
        Self { kid, declared_alg: text("alg"), family: family.ok(), material }
    }
}

fn family(members: &Map<String, Value>) -> Result<Family, Unusable> {
    let text = |name| members.get(name).and_then(Value::as_str);
    match (text("kty").ok_or(Unusable::Member { name: "kty" })?, text("crv")) {
        ("RSA", _) => Ok(Family::Rsa),
        ("EC", Some("P-256")) => Ok(Family::P256),
        ("EC", Some("P-384")) => Ok(Family::P384),
        ("EC", Some("P-521")) => Ok(Family::P521),
        ("EC", Some(crv)) => Err(Unusable::Curve { crv: crv.to_owned() }),
        ("EC", None) => Err(Unusable::Member { name: "crv" }),
        (kty, _) => Err(Unusable::KeyType { kty: kty.to_owned() }),
    }
}

/// Whether the key is published for checking signatures.
fn purpose(members: &Map<String, Value>, family: Family, checks: Checks) -> Result<(), Unusable> {
    match members.get("use") {
        None => {}
        Some(Value::String(sig)) if sig == "sig" => {}
        Some(other) => {
            let r#use = other.as_str().unwrap_or("not a string").to_owned();
            return Err(Unusable::Use { r#use });
        }
    }
    match (members.get("key_ops"), checks) {
        (None, _) => {}
        (Some(Value::Array(ops)), Checks::Strict) if ops.iter().any(|op| op == "verify") => {}
        (Some(_), _) => return Err(Unusable::KeyOps),
    }
    if checks == Checks::Strict {
        if let Some(alg) = members.get("alg") {
            let name = alg.as_str().unwrap_or("not a string");
            if Alg::named(name).is_none_or(|alg| alg.family() != family) {
                return Err(Unusable::Alg { alg: name.to_owned() });
            }
        }
        if members.contains_key("d") {
            return Err(Unusable::PrivatePart);
        }
    }
    Ok(())
}

enum Numbers {
    Rsa { n: Vec<u8>, e: Vec<u8> },
    Ec { family: Family, point: Vec<u8> },
}

fn public_numbers(members: &Map<String, Value>, family: Family) -> Result<Numbers, Unusable> {
    let bytes = |name: &'static str| {
        members
            .get(name)
            .and_then(Value::as_str)
            .and_then(super::b64::decode)
            .filter(|bytes| !bytes.is_empty())
            .ok_or(Unusable::Member { name })
    };
    match family.coordinate() {
        // Some issuers publish a leading zero byte, against RFC 7518 section 6.3.1.1; harmless.
        None => Ok(Numbers::Rsa {
            n: der::unsigned(&bytes("n")?).to_vec(),
            e: der::unsigned(&bytes("e")?).to_vec(),
        }),
        Some(size) => {
            let coordinate = |name| {
                bytes(name).and_then(|it| {
                    if it.len() == size { Ok(it) } else { Err(Unusable::Member { name }) }
                })
            };
            let point = [vec![4], coordinate("x")?, coordinate("y")?].concat();
            Ok(Numbers::Ec { family, point })
        }
    }
}

impl Numbers {
    fn material(self, members: &Map<String, Value>) -> Result<Material, Unusable> {
        if !members.get("x5c").is_none_or(|chain| self.certified_by(chain)) {
            return Err(Unusable::Certificate);
        }
        match self {
            Self::Rsa { n, e } => {
                let bits = bit_length(&n);
                let odd = |bytes: &[u8]| bytes.last().is_some_and(|last| last & 1 == 1);
                let exponent_fits = odd(&e) && (2..=33).contains(&bit_length(&e));
                if !(2048..=8192).contains(&bits) || !odd(&n) || !exponent_fits {
                    return Err(Unusable::Rsa { bits });
                }
                Material::rsa(&n, &e).ok_or(Unusable::Rsa { bits })
            }
            Self::Ec { family, point } => Material::ec(family, &point).ok_or(Unusable::Point),
        }
    }

    /// Whether the first certificate of an `x5c` member is for this key. `x5c` is base64, not
    /// base64url (RFC 7517 section 4.7).
    fn certified_by(&self, chain: &Value) -> bool {
        use base64::Engine;
        let certified = chain
            .get(0)
            .and_then(Value::as_str)
            .and_then(|text| base64::engine::general_purpose::STANDARD.decode(text).ok())
            .and_then(|der| der::certificate_key(&der));
        match (self, certified) {
            (Self::Rsa { n, e }, Some(CertificateKey::Rsa { n: cn, e: ce })) => {
                *n == cn && *e == ce
            }
            (Self::Ec { point, .. }, Some(CertificateKey::Point(certified))) => *point == certified,
            _ => false,
        }
    }
}

fn bit_length(unsigned: &[u8]) -> usize {
    let first = unsigned.first().map_or(0, |byte| byte.leading_zeros() as usize);
    unsigned.len() * 8 - first
}
