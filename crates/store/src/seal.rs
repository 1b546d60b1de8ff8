//! Sealing: authenticated encryption of secret fields and of tokens under a ring of master keys.
//!
//! AES-256-GCM-SIV (RFC 8452) with a random nonce: should a nonce ever repeat, that tells only that
//! two sealed texts are equal. The key of a seal is a sub-key of a master key by HKDF-SHA256
//! (RFC 5869), one for each [`Purpose`], so that what was sealed for one purpose never opens for
//! another. Master keys come in generations: the newest seals, every one opens.
//!
//! ```text
//! envelope = version (1 byte) | generation (4, big-endian) | nonce (12) | ciphertext | tag (16)
//! ```

mod key_file;

use std::{
    collections::{BTreeMap, HashMap},
    fmt,
    sync::{Arc, PoisonError, RwLock},
};

use aws_lc_rs::{
    aead::{AES_256_GCM_SIV, Aad, LessSafeKey, Nonce, UnboundKey},
    hkdf::{HKDF_SHA256, Prk, Salt},
    rand,
};
use zeroize::Zeroizing;

pub use key_file::KeyError;

const VERSION: u8 = 1;
const NONCE: usize = 12;
const TAG: usize = 16;
const HEADER: usize = 1 + 4 + NONCE;

/// How many bytes an envelope is longer than what it seals.
pub const OVERHEAD: usize = HEADER + TAG;

/// What a seal is for. Purposes have separate keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Purpose(&'static str);

impl Purpose {
    /// A purpose of this name, which is part of its key: renaming it makes what was sealed
    /// unreadable.
    #[must_use]
    pub const fn new(name: &'static str) -> Self {
        Self(name)
    }

    /// Its name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        self.0
    }
}

/// The number of a master key; later ones are greater.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Generation(pub u32);

impl fmt::Display for Generation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Why an envelope did not open. It tells nothing of the content.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SealError {
    /// Too short, or of a version that this build does not know.
    Malformed,
    /// Sealed under a master key that is not in the ring (any more).
    UnknownGeneration(Generation),
    /// Changed, sealed for another purpose or with other associated data, or never sealed by us.
    Forged,
    /// The system's randomness failed; nothing was sealed.
    NoRandomness,
}

impl fmt::Display for SealError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Malformed => f.write_str("not a sealed envelope of a known version"),
            Self::UnknownGeneration(generation) => {
                write!(f, "sealed under master key {generation}, which is not in the ring")
            }
            Self::Forged => f.write_str("the seal is broken or for something else"),
            Self::NoRandomness => f.write_str("the system gave no randomness"),
        }
    }
}

impl std::error::Error for SealError {}

/// Master keys by generation. It does not change: a rotated key file makes a new ring.
///
/// The master keys themselves are gone from memory once the ring is made: it keeps what HKDF
/// extracted from them.
pub struct Keyring {
    generations: BTreeMap<Generation, Prk>,
    sealers: RwLock<HashMap<Purpose, Arc<Sealer>>>,
}

impl Keyring {
    /// Seals for a purpose under the newest generation; `aad` is authenticated and not contained,
    /// and must be given again to [`Self::open`].
    ///
    /// # Errors
    /// [`SealError::NoRandomness`].
    pub fn seal(&self, purpose: Purpose, aad: &[u8], text: &[u8]) -> Result<Vec<u8>, SealError> {
        self.sealer(purpose)?.seal(aad, text)
    }

    /// Opens what [`Self::seal`] made for the same purpose with the same `aad`, under any
    /// generation of the ring.
    ///
    /// # Errors
    /// Every other [`SealError`].
    pub fn open(
        &self,
        purpose: Purpose,
        aad: &[u8],
        envelope: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, SealError> {
        self.sealer(purpose)?.open(aad, envelope)
    }

    /// The keys of one purpose, for those who seal often: it saves the look-up.
    ///
    /// # Errors
    /// [`SealError::Malformed`] if no key can be derived, which no ring of valid keys does.
    pub fn sealer(&self, purpose: Purpose) -> Result<Arc<Sealer>, SealError> {
        let known = self.sealers.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(sealer) = known.get(&purpose) {
            return Ok(Arc::clone(sealer));
        }
        drop(known);
        let sealer = Arc::new(self.derive(purpose)?);
        let mut known = self.sealers.write().unwrap_or_else(PoisonError::into_inner);
        Ok(Arc::clone(known.entry(purpose).or_insert(sealer)))
    }

    /// The generation that seals.
    #[must_use]
    pub fn newest(&self) -> Generation {
        self.generations.keys().next_back().copied().unwrap_or(Generation(0))
    }

    /// The generations that open, oldest first.
    pub fn generations(&self) -> impl Iterator<Item = Generation> + '_ {
        self.generations.keys().copied()
    }

    // INVARIANT: `keys` is not empty; `key_file` refuses a ring without keys.
    fn new(keys: BTreeMap<Generation, MasterKey>) -> Self {
        let salt = Salt::new(HKDF_SHA256, b"vestibule master key");
        let extract =
            |(generation, key): (Generation, MasterKey)| (generation, salt.extract(&*key));
        let generations = keys.into_iter().map(extract).collect();
        Self { generations, sealers: RwLock::default() }
    }

    fn derive(&self, purpose: Purpose) -> Result<Sealer, SealError> {
        let mut keys = Vec::with_capacity(self.generations.len());
        for (generation, master) in &self.generations {
            let label = [b"vestibule seal 1 ".as_slice(), purpose.0.as_bytes()];
            let okm = master.expand(&label, &AES_256_GCM_SIV).map_err(|_| SealError::Malformed)?;
            keys.push((*generation, LessSafeKey::new(UnboundKey::from(okm))));
        }
        Ok(Sealer { keys })
    }
}

/// Names the generations only.
impl fmt::Debug for Keyring {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Keyring").field(&self.generations.keys()).finish()
    }
}

type MasterKey = Zeroizing<[u8; 32]>;

/// The keys of one [`Purpose`], in all generations.
pub struct Sealer {
    /// Oldest first, never empty.
    keys: Vec<(Generation, LessSafeKey)>,
}

impl Sealer {
    /// As [`Keyring::seal`].
    ///
    /// # Errors
    /// [`SealError::NoRandomness`].
    pub fn seal(&self, aad: &[u8], text: &[u8]) -> Result<Vec<u8>, SealError> {
        let (generation, key) = self.keys.last().ok_or(SealError::Malformed)?;
        let mut nonce = [0; NONCE];
        rand::fill(&mut nonce).map_err(|_| SealError::NoRandomness)?;

        let mut envelope = Vec::with_capacity(text.len() + OVERHEAD);
        envelope.push(VERSION);
        envelope.extend_from_slice(&generation.0.to_be_bytes());
        envelope.extend_from_slice(&nonce);
        envelope.extend_from_slice(text);
        let (_, body) = envelope.split_at_mut_checked(HEADER).ok_or(SealError::Malformed)?;
        let tag = key
            .seal_in_place_separate_tag(Nonce::assume_unique_for_key(nonce), Aad::from(aad), body)
            .map_err(|_| SealError::Malformed)?;
        envelope.extend_from_slice(tag.as_ref());
        Ok(envelope)
    }

    /// As [`Keyring::open`].
    ///
    /// # Errors
    /// Every [`SealError`] but `NoRandomness`.
    pub fn open(&self, aad: &[u8], envelope: &[u8]) -> Result<Zeroizing<Vec<u8>>, SealError> {
        let (version, rest) = envelope.split_first().ok_or(SealError::Malformed)?;
        let (generation, rest) = rest.split_first_chunk().ok_or(SealError::Malformed)?;
        let (nonce, body) = rest.split_first_chunk::<NONCE>().ok_or(SealError::Malformed)?;
        if *version != VERSION || body.len() < TAG {
            return Err(SealError::Malformed);
        }
        let generation = Generation(u32::from_be_bytes(*generation));
        let (_, key) = (self.keys.iter().rev().find(|(known, _)| *known == generation))
            .ok_or(SealError::UnknownGeneration(generation))?;

        let mut text = Zeroizing::new(body.to_vec());
        let nonce = Nonce::assume_unique_for_key(*nonce);
        let length = key
            .open_in_place(nonce, Aad::from(aad), &mut text)
            .map_err(|_| SealError::Forged)?
            .len();
        text.truncate(length);
        Ok(text)
    }
}

#[cfg(test)]
mod tests;
