//! Temporary credentials: sealed into their own session token, never stored.
//!
//! The session token is an AEAD envelope that holds all the session is: whose, until when, its
//! tags, its policies and its secret key. It is bound to its access key id. So any node checks any
//! session without a look-up. A session ends by its time, by the deletion of its role or user, or
//! by a policy on `aws:TokenIssueTime`, as on AWS.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use policy::{AccountId, Tag};
use serde::{Deserialize, Serialize};
use store::seal::{Keyring, Purpose};
use zeroize::Zeroizing;

use crate::error::{Code, Error, Result};
use crate::ids::{self, AccessKeyId, UniqueId};
use crate::record::Millis;

/// The longest session token that is issued, and that is looked at, in characters. AWS's are of 4096
/// at most, and packed closer.
pub const MAX_TOKEN: usize = 16 * 1024;

/// The session does not fit into a token.
pub const PACKED_POLICY_TOO_LARGE: Code = Code::new("PackedPolicyTooLarge", 400);

/// The sub-key that seals sessions.
const SESSION: Purpose = Purpose::new("session token");

/// What a session is. Everything here was decided when it was issued.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Session {
    /// Who acts.
    #[serde(rename = "w")]
    pub who: Who,
    /// The account of the identity.
    #[serde(rename = "a")]
    pub account: AccountId,
    /// Issued at.
    #[serde(rename = "i")]
    pub issued: Millis,
    /// Ends at.
    #[serde(rename = "e")]
    pub expires: Millis,
    /// Session tags, the inherited ones among them.
    #[serde(rename = "t", default, skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<Tag>,
    /// Keys of the tags that go on to the next session in a chain.
    #[serde(rename = "tt", default, skip_serializing_if = "Vec::is_empty")]
    pub transitive: Vec<String>,
    /// Set once, and never changed in a chain.
    #[serde(rename = "s", default, skip_serializing_if = "Option::is_none")]
    pub source_identity: Option<String>,
    /// The inline session policy's text.
    #[serde(rename = "p", default, skip_serializing_if = "Option::is_none")]
    pub policy: Option<String>,
    /// Managed session policies; their documents are read when a request is decided.
    #[serde(rename = "pa", default, skip_serializing_if = "Vec::is_empty")]
    pub policy_arns: Vec<String>,
    /// `aws:FederatedProvider`.
    #[serde(rename = "f", default, skip_serializing_if = "Option::is_none")]
    pub federated_provider: Option<String>,
    /// The few claims that AWS keeps as condition keys, such as `…:sub`.
    #[serde(rename = "c", default, skip_serializing_if = "Vec::is_empty")]
    pub claims: Vec<(String, Vec<String>)>,
    /// When an MFA device proved itself, for sessions that were asked for with one.
    #[serde(rename = "m", default, skip_serializing_if = "Option::is_none")]
    pub mfa: Option<Millis>,
}

/// Whose session.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Who {
    /// Of a role, by `AssumeRole` or by federation.
    #[serde(rename = "r")]
    Role {
        /// `AROA…`
        id: UniqueId,
        /// The role's name when it was assumed.
        role: String,
        /// The session's name.
        session: String,
    },
    /// Of a user, by `GetSessionToken`.
    #[serde(rename = "u")]
    User {
        /// `AIDA…`
        id: UniqueId,
        /// The user's name.
        name: String,
    },
    /// Of an account's root, by `GetSessionToken`.
    #[serde(rename = "o")]
    Root,
    /// Of a federated user, by `GetFederationToken`.
    #[serde(rename = "f")]
    Federated {
        /// `AIDA…` of the user who vouches; none when the root did.
        id: Option<UniqueId>,
        /// The name that was given to the federated user.
        name: String,
    },
}

/// What a client gets of new credentials.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Credentials {
    /// `ASIA…`
    pub access_key_id: String,
    /// Forty characters.
    pub secret_access_key: String,
    /// The sealed session.
    pub session_token: String,
    /// ISO 8601, whole seconds.
    pub expiration: String,
}

impl Credentials {
    /// `SessionTokenSize`: of the session token, in bytes.
    pub fn token_size(&self) -> usize {
        self.session_token.len()
    }

    /// `SessionTokenUtilization`: what that is of the longest one, in percent.
    pub fn token_utilization(&self) -> usize {
        utilization(self.token_size())
    }
}

fn utilization(size: usize) -> usize {
    (size * 100).div_ceil(MAX_TOKEN)
}

/// A session opened from its token, with the secret that signs for it.
pub struct Opened {
    /// The session.
    pub session: Session,
    /// Its secret access key.
    pub secret: Zeroizing<String>,
}

#[derive(Serialize)]
struct SealedOut<'a> {
    s: &'a Session,
    k: &'a str,
    /// Makes the token as long as was asked for.
    #[serde(skip_serializing_if = "str::is_empty")]
    z: &'a str,
}

#[derive(Deserialize)]
struct SealedIn {
    s: Session,
    k: String,
}

/// Issues credentials for a session, whose token has at least so many characters
/// (`MinimumSessionTokenSize`).
///
/// # Errors
/// `PackedPolicyTooLarge` for a session that would not be opened again; if the key ring cannot seal.
pub fn issue(keyring: &Keyring, session: &Session, at_least: Option<u16>) -> Result<Credentials> {
    let id = AccessKeyId::temporary(&session.account);
    let secret = Zeroizing::new(ids::secret_access_key());
    let sealed = |padding: &str| {
        let sealed = SealedOut { s: session, k: &secret, z: padding };
        let plain = serde_json::to_vec(&sealed)
            .map(Zeroizing::new)
            .map_err(|error| Error::internal(format!("a session could not be written: {error}")))?;
        let envelope = keyring.seal(SESSION, id.as_str().as_bytes(), &plain);
        let envelope = envelope
            .map_err(|error| Error::internal(format!("a session could not be sealed: {error}")))?;
        Ok::<_, Error>(STANDARD.encode(envelope))
    };
    let mut session_token = sealed("")?;
    let short = usize::from(at_least.unwrap_or(0)).saturating_sub(session_token.len());
    if short > 0 {
        session_token = sealed(&"0".repeat(short))?;
    }
    if session_token.len() > MAX_TOKEN {
        let percent = utilization(session_token.len());
        let text = format!(
            "Packed policy consumes {percent}% of allotted space, please use smaller policy."
        );
        return Err(Error::new(PACKED_POLICY_TOO_LARGE, text));
    }
    Ok(Credentials {
        access_key_id: id.to_string(),
        secret_access_key: secret.to_string(),
        session_token,
        expiration: crate::time::iso_seconds(session.expires),
    })
}

/// Opens the token that came with a temporary access key; `None` if it is not that key's token.
pub fn open(keyring: &Keyring, id: &AccessKeyId, token: &str) -> Option<Opened> {
    // ATTACK: a token of megabytes must not cost a decryption.
    if token.len() > MAX_TOKEN {
        return None;
    }
    let envelope = STANDARD.decode(token).ok()?;
    let plain = keyring.open(SESSION, id.as_str().as_bytes(), &envelope).ok()?;
    let SealedIn { s: session, k } = serde_json::from_slice(&plain).ok()?;
    Some(Opened { session, secret: Zeroizing::new(k) })
}
