//! An issuer's public keys (RFC 7517), each with a verdict: usable, or why not.
//!
//! Rules are AWS's (as observed) in [`Checks::Aws`]; [`Checks::Strict`] differs where AWS is
//! lenient or arbitrary: see [`Unusable`].

mod key;

use serde::Serialize;
use serde_json::Value;

use crate::Checks;
use crate::jose::alg::{Alg, Family};
use crate::jose::json::{self, JsonFault, Limits};
use crate::jose::verify::Material;

use key::Key;

pub use key::Unusable;

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
