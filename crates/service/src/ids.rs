//! Identifiers that AWS clients see: unique ids (`AROA…`), access key ids, request ids.
//!
//! Made here and nowhere else, from the crypto library's randomness.
//! Source: IAM User Guide, "Understanding unique ID prefixes".

use std::fmt;

use aws_lc_rs::rand::{SecureRandom, SystemRandom};
use policy::AccountId;
use serde::{Deserialize, Serialize};

/// The characters of a unique id after its prefix: upper-case base32 without padding.
const ALPHABET: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
/// Characters after the prefix: 21 in all for entities, 20 for access keys, as on AWS.
const ENTITY_TAIL: usize = 17;
const KEY_TAIL: usize = 16;
/// Where in the eighty bits of a temporary key's sixteen characters its account is: forty bits, with one
/// before them that is set. Source: keys that AWS gave, at which GetAccessKeyInfo was asked.
const ACCOUNT_AT: u32 = 39;
const ACCOUNT_BITS: u128 = (1 << 40) - 1;

/// What a unique id's first characters say about its bearer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Prefix {
    /// `AIDA`: a user.
    User,
    /// `AROA`: a role.
    Role,
    /// `AGPA`: a group.
    Group,
    /// `ANPA`: a managed policy.
    Policy,
    /// `AIPA`: an instance profile.
    InstanceProfile,
    /// `ASCA`: a server certificate.
    ServerCertificate,
    /// `APKA`: a public key.
    PublicKey,
    /// `ACCA`: a credential for one service.
    ServiceCredential,
    /// `SAMLSP`: a SAML provider.
    SamlProvider,
    /// `SAMLPK`: a private key of a SAML provider.
    SamlPrivateKey,
    /// `AKIA`: a long-term access key.
    LongTermKey,
    /// `ASIA`: a temporary access key.
    TemporaryKey,
}

impl Prefix {
    const fn text(self) -> &'static str {
        match self {
            Self::User => "AIDA",
            Self::Role => "AROA",
            Self::Group => "AGPA",
            Self::Policy => "ANPA",
            Self::InstanceProfile => "AIPA",
            Self::ServerCertificate => "ASCA",
            Self::PublicKey => "APKA",
            Self::ServiceCredential => "ACCA",
            Self::SamlProvider => "SAMLSP",
            Self::SamlPrivateKey => "SAMLPK",
            Self::LongTermKey => "AKIA",
            Self::TemporaryKey => "ASIA",
        }
    }

    const fn tail(self) -> usize {
        match self {
            Self::LongTermKey | Self::TemporaryKey => KEY_TAIL,
            _ => ENTITY_TAIL,
        }
    }
}

/// An entity's stable id: never used again, even if an entity of the same name is made anew.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct UniqueId(String);

impl UniqueId {
    /// A fresh id with the given prefix.
    pub fn fresh(prefix: Prefix) -> Self {
        Self(random_id(prefix))
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for UniqueId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<String> for UniqueId {
    fn from(text: String) -> Self {
        Self(text)
    }
}

/// An access key id, `AKIA…` (long-term) or `ASIA…` (temporary). Not a secret.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct AccessKeyId(String);

impl AccessKeyId {
    /// A fresh long-term key id.
    pub fn long_term() -> Self {
        Self(random_id(Prefix::LongTermKey))
    }

    /// A fresh temporary key id of an account. It tells the account, as AWS's do: nothing else is kept of
    /// such keys that could.
    pub fn temporary(account: &AccountId) -> Self {
        let number = account.as_str().parse::<u128>().unwrap_or_default();
        let chance = u128::from_be_bytes(random()) & ((1 << ACCOUNT_AT) - 1);
        let bits = 1 << (ACCOUNT_AT + 40) | number << ACCOUNT_AT | chance;
        let letters = (0..KEY_TAIL).rev().map(|at| (bits >> (5 * at)) as usize % ALPHABET.len());
        let letters = letters.filter_map(|at| ALPHABET.get(at)).map(|letter| char::from(*letter));
        Self(Prefix::TemporaryKey.text().chars().chain(letters).collect())
    }

    /// The account that a temporary key's id tells; `None` for an id that is none.
    pub fn temporary_of(&self) -> Option<AccountId> {
        let tail = self.0.strip_prefix(Prefix::TemporaryKey.text());
        let tail = tail.filter(|tail| tail.len() == KEY_TAIL)?;
        let bits = tail.bytes().try_fold(0_u128, |bits, byte| {
            let at = ALPHABET.iter().position(|letter| *letter == byte)?;
            Some(bits << 5 | at as u128)
        })?;
        AccountId::parse(&format!("{:012}", bits >> ACCOUNT_AT & ACCOUNT_BITS)).ok()
    }

    /// Whether this id belongs to temporary credentials, which come with a session token.
    pub fn is_temporary(&self) -> bool {
        self.0.starts_with(Prefix::TemporaryKey.text())
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for AccessKeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<&str> for AccessKeyId {
    fn from(text: &str) -> Self {
        Self(text.to_owned())
    }
}

/// A version 4 UUID (RFC 9562): request ids and event ids.
pub fn uuid() -> String {
    let mut bytes = random::<16>();
    bytes[6] = (bytes[6] & 0x0f) | 0x40;
    bytes[8] = (bytes[8] & 0x3f) | 0x80;
    let mut hex = [0_u8; 32];
    // INVARIANT: 16 bytes always fill 32 hexadecimal digits.
    let _ = hex::encode_to_slice(bytes, &mut hex);
    let mut out = String::with_capacity(36);
    for (at, digit) in hex.iter().enumerate() {
        if matches!(at, 8 | 12 | 16 | 20) {
            out.push('-');
        }
        out.push(char::from(*digit));
    }
    out
}

/// A fresh secret access key: 40 characters of base64, 240 bits of randomness, as AWS's look.
pub fn secret_access_key() -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD.encode(random::<30>())
}

/// `N` random bytes from the crypto library.
pub fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0_u8; N];
    // The operating system's generator fails only where no program could go on safely.
    #[expect(clippy::expect_used, reason = "without randomness no credential may be issued")]
    SystemRandom::new().fill(&mut bytes).expect("the operating system gives random bytes");
    bytes
}

fn random_id(prefix: Prefix) -> String {
    let bytes = random::<ENTITY_TAIL>();
    let mut id = String::with_capacity(prefix.text().len() + prefix.tail());
    id.push_str(prefix.text());
    for byte in bytes.iter().take(prefix.tail()) {
        if let Some(letter) = ALPHABET.get(usize::from(byte % 32)) {
            id.push(char::from(*letter));
        }
    }
    id
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_have_the_lengths_that_clients_expect() {
        assert_eq!(UniqueId::fresh(Prefix::Role).as_str().len(), 21);
        let account = AccountId::parse("999999999999").unwrap();
        let temporary = AccessKeyId::temporary(&account);
        assert_eq!(temporary.as_str().len(), 20);
        assert!(temporary.is_temporary());
        assert_ne!(temporary, AccessKeyId::temporary(&account));
        assert!(!AccessKeyId::long_term().is_temporary());
        assert_eq!(secret_access_key().len(), 40);
        let id = uuid();
        assert_eq!((id.len(), id.as_bytes()[14]), (36, b'4'));
        assert_ne!(uuid(), uuid());
    }

    /// The last is one that AWS gave.
    #[test]
    fn a_temporary_key_tells_its_account() {
        for number in ["000000000000", "000000000001", "111122223333", "999999999999"] {
            let account = AccountId::parse(number).unwrap();
            assert_eq!(AccessKeyId::temporary(&account).temporary_of(), Some(account), "{number}");
        }
        let told = |id: &str| AccessKeyId::from(id).temporary_of().map(|it| it.to_string());
        assert_eq!(told("ASIAY34FZKBOKMUTVV7A").as_deref(), Some("609629065308"));
        assert_eq!(told("AKIAY34FZKBOKMUTVV7A"), None);
        assert_eq!(told("ASIAY34FZKBOKMUTVV71"), None);
        assert_eq!(told("ASIAY34FZKBOKMUTVV7"), None);
    }
}
