//! SSH keys of users. Taken and told in SSH's form or in PEM; kept in SSH's, without a comment.
//! Source: IAM API Reference, UploadSSHPublicKey.

use std::fmt::Write as _;

use aws_lc_rs::encoding::AsDer as _;
use aws_lc_rs::rsa::PublicEncryptingKey;
use aws_lc_rs::signature::RsaPublicKeyComponents;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use claims::jose::rsa_components;
use rustls::pki_types::SubjectPublicKeyInfoDer;
use rustls::pki_types::pem::PemObject;
use serde::{Deserialize, Serialize};

use super::{Listed, One, Several, holder, place, room, status};
use crate::action::{Action, Ask, Done, Effect};
use crate::authorize::Permit;
use crate::cx::Cx;
use crate::error::{Code, Error, Result};
use crate::iam::bearer::{User, ask, put};
use crate::ids::{Prefix, UniqueId};
use crate::record::{SshPublicKey, UserCredential, UserRecord};
use crate::time::iso_seconds;

/// Keys of one user. Source: IAM quotas.
const MAX_KEYS: usize = 5;

/// The user has the key already.
const DUPLICATE: Code = Code::new("DuplicateSSHPublicKey", 400);
/// The key is none that is taken.
const INVALID: Code = Code::new("InvalidPublicKey", 400);
/// The text is in no form that is known.
const UNRECOGNIZED: Code = Code::new("UnrecognizedPublicKeyEncoding", 400);

/// The one kind of key that is taken.
const SSH_RSA: &str = "ssh-rsa";

/// An RSA key by its numbers, big-endian and without leading zeros.
struct Key {
    n: Vec<u8>,
    e: Vec<u8>,
}

impl Key {
    /// Reads `ssh-rsa …` or PEM (`PUBLIC KEY`).
    fn read(body: &str) -> Result<Self> {
        let body = body.trim();
        let invalid = || Error::new(INVALID, "The public key is invalid.");
        let key = if let Some(rest) = body.strip_prefix(SSH_RSA) {
            let blob = rest.split_ascii_whitespace().next().unwrap_or_default();
            Self::from_blob(&STANDARD.decode(blob).map_err(|_| invalid())?)
        } else if body.starts_with("-----BEGIN ") {
            let key = SubjectPublicKeyInfoDer::from_pem_slice(body.as_bytes());
            key.ok().and_then(|key| rsa_components(&key)).map(|(n, e)| Self { n, e })
        } else {
            let text = "The public key encoding format is unsupported or unrecognized.";
            return Err(Error::new(UNRECOGNIZED, text));
        };
        // The library takes RSA from 2048 to 8192 bits.
        key.filter(|key| key.spki().is_some()).ok_or_else(invalid)
    }

    fn from_blob(blob: &[u8]) -> Option<Self> {
        let (kind, rest) = field(blob)?;
        let (e, rest) = field(rest)?;
        let (n, rest) = field(rest)?;
        let plain = |number: &[u8]| {
            let zeros = number.iter().take_while(|byte| **byte == 0).count();
            number.get(zeros..).unwrap_or_default().to_vec()
        };
        let whole = kind == SSH_RSA.as_bytes() && rest.is_empty();
        whole.then(|| Self { n: plain(n), e: plain(e) })
    }

    fn blob(&self) -> Vec<u8> {
        let mut blob = Vec::new();
        for part in [SSH_RSA.as_bytes(), &number(&self.e), &number(&self.n)] {
            let length = u32::try_from(part.len()).unwrap_or(u32::MAX);
            blob.extend_from_slice(&length.to_be_bytes());
            blob.extend_from_slice(part);
        }
        blob
    }

    fn spki(&self) -> Option<Vec<u8>> {
        let key = RsaPublicKeyComponents { n: self.n.as_slice(), e: self.e.as_slice() };
        let key: PublicEncryptingKey = key.try_into().ok()?;
        Some(key.as_der().ok()?.as_ref().to_vec())
    }
}

/// A string of SSH (RFC 4251 section 5), and what follows it.
fn field(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = bytes.split_first_chunk::<4>()?;
    rest.split_at_checked(usize::try_from(u32::from_be_bytes(*length)).ok()?)
}

/// A positive number as SSH writes it: with a zero before a first bit that is set.
fn number(bytes: &[u8]) -> Vec<u8> {
    let sign = bytes.first().filter(|byte| **byte >= 0x80).map(|_| 0);
    sign.into_iter().chain(bytes.iter().copied()).collect()
}

/// The MD5 of the blob, as AWS tells it: sixteen bytes in hexadecimal, between colons.
fn fingerprint(blob: &[u8]) -> String {
    let mut text = String::new();
    for byte in md5::compute(blob).0 {
        let colon = if text.is_empty() { "" } else { ":" };
        let _ = write!(text, "{colon}{byte:02x}");
    }
    text
}

/// `PUBLIC KEY`, 64 characters a line (RFC 7468).
fn pem(der: &[u8]) -> String {
    let text = STANDARD.encode(der);
    let mut out = String::from("-----BEGIN PUBLIC KEY-----\n");
    for (at, letter) in text.chars().enumerate() {
        if at > 0 && at % 64 == 0 {
            out.push('\n');
        }
        out.push(letter);
    }
    out.push_str("\n-----END PUBLIC KEY-----\n");
    out
}

/// SSH keys, to what all kinds share.
pub struct SshKeys;

impl Several for SshKeys {
    const NOUN: &'static str = "Public Key";
    const UPDATE: &'static str = "UpdateSSHPublicKey";
    const DELETE: &'static str = "DeleteSSHPublicKey";
    type Of = SshPublicKey;

    fn of(user: &UserRecord) -> &[UserCredential<SshPublicKey>] {
        &user.ssh_keys
    }
    fn of_mut(user: &mut UserRecord) -> &mut Vec<UserCredential<SshPublicKey>> {
        &mut user.ssh_keys
    }
}

impl Listed for SshKeys {
    const LIST: &'static str = "ListSSHPublicKeys";
    const LIST_FIELD: &'static str = "SSHPublicKeys";
    type View = View;

    fn view(user: &UserRecord, credential: &UserCredential<SshPublicKey>) -> View {
        View {
            user_name: user.name.clone(),
            id: credential.id.clone(),
            fingerprint: None,
            body: None,
            status: status(credential.active),
            upload_date: iso_seconds(credential.created),
        }
    }
}

/// A key as answers write it; lists leave the key itself out.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct View {
    user_name: String,
    #[serde(rename = "SSHPublicKeyId")]
    id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    fingerprint: Option<String>,
    #[serde(rename = "SSHPublicKeyBody", skip_serializing_if = "Option::is_none")]
    body: Option<String>,
    status: &'static str,
    upload_date: String,
}

/// One key.
#[derive(Serialize)]
pub struct OneKey {
    #[serde(rename = "SSHPublicKey")]
    key: View,
}

fn told(
    user: &UserRecord,
    credential: &UserCredential<SshPublicKey>,
    in_pem: bool,
) -> Result<OneKey> {
    let lost = || Error::internal("a stored SSH key that cannot be read");
    let blob = STANDARD.decode(&credential.of.blob).map_err(|_| lost())?;
    let body = match in_pem {
        true => pem(&Key::from_blob(&blob).and_then(|key| key.spki()).ok_or_else(lost)?),
        false => format!("{SSH_RSA} {}", credential.of.blob),
    };
    let listed = SshKeys::view(user, credential);
    let key = View { fingerprint: Some(fingerprint(&blob)), body: Some(body), ..listed };
    Ok(OneKey { key })
}

/// `UploadSSHPublicKey`
pub struct UploadSshPublicKey;

/// Its input.
#[derive(Deserialize)]
pub struct UploadInput {
    #[serde(rename = "UserName")]
    user: String,
    #[serde(rename = "SSHPublicKeyBody")]
    body: String,
}

impl Action for UploadSshPublicKey {
    const NAME: &'static str = "UploadSSHPublicKey";
    const EFFECT: Effect = Effect::Write;
    type Input = UploadInput;
    type Output = OneKey;

    fn asks(cx: &Cx<'_>, input: &UploadInput) -> Result<Vec<Ask>> {
        Ok(vec![ask::<User>(cx, Self::NAME, &input.user)?])
    }

    async fn run(
        cx: &mut Cx<'_>,
        input: UploadInput,
        _permit: Permit<Self>,
    ) -> Result<Done<OneKey>> {
        let mut user = holder(cx, Some(&input.user))?;
        let blob = STANDARD.encode(Key::read(&input.body)?.blob());
        if user.ssh_keys.iter().any(|it| it.of.blob == blob) {
            let text = "The SSH public key is already associated with the specified IAM user.";
            return Err(Error::new(DUPLICATE, text));
        }
        room("SSHPublicKeysPerUser", user.ssh_keys.len(), MAX_KEYS)?;
        let credential = UserCredential {
            id: UniqueId::fresh(Prefix::PublicKey).to_string(),
            active: true,
            created: cx.now.as_millisecond(),
            of: SshPublicKey { blob },
        };
        let output = told(&user, &credential, false)?;
        user.ssh_keys.push(credential);
        Ok(Done::write(output, put::<User>(user)))
    }
}

/// `GetSSHPublicKey`
pub struct GetSshPublicKey;

/// Its input.
#[derive(Deserialize)]
pub struct GetInput {
    #[serde(flatten)]
    one: One,
    #[serde(rename = "Encoding")]
    encoding: String,
}

impl Action for GetSshPublicKey {
    const NAME: &'static str = "GetSSHPublicKey";
    const EFFECT: Effect = Effect::Read;
    type Input = GetInput;
    type Output = OneKey;

    fn asks(cx: &Cx<'_>, input: &GetInput) -> Result<Vec<Ask>> {
        let user = input.one.user.as_deref().unwrap_or_default();
        Ok(vec![ask::<User>(cx, Self::NAME, user)?])
    }

    async fn run(cx: &mut Cx<'_>, input: GetInput, _permit: Permit<Self>) -> Result<Done<OneKey>> {
        let user = holder(cx, input.one.user.as_deref())?;
        let found = user.ssh_keys.get(place::<SshKeys>(&user, &input.one.id)?);
        let found = found.ok_or_else(|| Error::internal("a key that has just been found"))?;
        Ok(Done::read(told(&user, found, input.encoding == "PEM")?))
    }
}
