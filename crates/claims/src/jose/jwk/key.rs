//! One key of a JWKS: what it is for, its public numbers, and whether it can be used.

use serde::Serialize;
use serde_json::{Map, Value};

use crate::Checks;
use crate::jose::alg::{Alg, Family};
use crate::jose::b64;
use crate::jose::der::{self, CertificateKey};
use crate::jose::jwk::MAX_KEYS_PER_KIND;
use crate::jose::verify::Material;

/// One key of the set.
#[derive(Clone, Debug)]
pub(super) struct Key {
    pub(super) kid: Option<String>,
    pub(super) declared_alg: Option<String>,
    pub(super) family: Option<Family>,
    pub(super) material: Result<Material, Unusable>,
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

impl Key {
    pub(super) fn read(entry: &Value, checks: Checks) -> Self {
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
            .and_then(b64::decode)
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
