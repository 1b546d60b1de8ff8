//! What this installation does not have, and what clients ask for all the same, mostly before they
//! delete a user: SSH keys, certificates, passwords for single services. Lists of them are empty;
//! nothing of the kind can be made.

use std::marker::PhantomData;

use serde::ser::SerializeStruct;
use serde::{Deserialize, Serialize, Serializer};

use super::user::Whom;
use crate::action::{Action, Ask, Done, Effect, Entry};
use crate::authorize::Permit;
use crate::cx::Cx;
use crate::error::Result;

/// The actions of this file.
pub const ACTIONS: [Entry; 3] = [
    Entry::of::<Empty<ServiceSpecificCredentials>>(),
    Entry::of::<Empty<SigningCertificates>>(),
    Entry::of::<Empty<SshPublicKeys>>(),
];

/// What is not there.
pub trait Absent: Send + Sync + 'static {
    /// `ListMFADevices`
    const LIST: &'static str;
    /// `MFADevices`: the list in its answer.
    const FIELD: &'static str;
    /// The entity that would have them: what is asked about.
    ///
    /// # Errors
    /// If the input names none where it must.
    fn ask(cx: &Cx<'_>, input: &Input) -> Result<Ask>;
    /// That this entity exists.
    ///
    /// # Errors
    /// `NoSuchEntity`, in AWS's words.
    fn check(cx: &Cx<'_>, input: &Input) -> Result<()>;
}

/// Whose they would be.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Input {
    user_name: Option<String>,
}

/// An empty list of them.
pub struct Empty<K>(PhantomData<K>);

/// Its result.
pub struct Output {
    field: &'static str,
}

impl Serialize for Output {
    fn serialize<S: Serializer>(&self, to: S) -> std::result::Result<S::Ok, S::Error> {
        let mut out = to.serialize_struct("Empty", 2)?;
        out.serialize_field(self.field, &[(); 0].as_slice())?;
        out.serialize_field("IsTruncated", &false)?;
        out.end()
    }
}

impl<K: Absent> Action for Empty<K> {
    const NAME: &'static str = K::LIST;
    const EFFECT: Effect = Effect::Read;
    type Input = Input;
    type Output = Output;

    fn asks(cx: &Cx<'_>, input: &Input) -> Result<Vec<Ask>> {
        Ok(vec![K::ask(cx, input)?])
    }

    async fn run(cx: &mut Cx<'_>, input: Input, _permit: Permit<Self>) -> Result<Done<Output>> {
        K::check(cx, &input)?;
        Ok(Done::read(Output { field: K::FIELD }))
    }
}

/// What a user would have.
trait OfUser: Send + Sync + 'static {
    const LIST: &'static str;
    const FIELD: &'static str;
}

impl<K: OfUser> Absent for K {
    const LIST: &'static str = <K as OfUser>::LIST;
    const FIELD: &'static str = <K as OfUser>::FIELD;
    fn ask(cx: &Cx<'_>, input: &Input) -> Result<Ask> {
        Whom::of(cx, input.user_name.as_deref())?.ask(cx, <K as OfUser>::LIST)
    }
    fn check(cx: &Cx<'_>, input: &Input) -> Result<()> {
        Whom::of(cx, input.user_name.as_deref())?.check(cx)
    }
}

/// Passwords for single services.
pub struct ServiceSpecificCredentials;
/// X.509 certificates.
pub struct SigningCertificates;
/// Keys for repositories.
pub struct SshPublicKeys;

impl OfUser for ServiceSpecificCredentials {
    const LIST: &'static str = "ListServiceSpecificCredentials";
    const FIELD: &'static str = "ServiceSpecificCredentials";
}
impl OfUser for SigningCertificates {
    const LIST: &'static str = "ListSigningCertificates";
    const FIELD: &'static str = "Certificates";
}
impl OfUser for SshPublicKeys {
    const LIST: &'static str = "ListSSHPublicKeys";
    const FIELD: &'static str = "SSHPublicKeys";
}
