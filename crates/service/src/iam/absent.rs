//! What this installation does not have, and what clients ask for all the same before they delete
//! a user or a role: passwords, MFA devices, SSH keys, certificates, instance profiles. Lists of
//! them are empty, each one of them is missing; nothing of the kind can be made.

use std::marker::PhantomData;

use serde::ser::SerializeStruct;
use serde::{Deserialize, Serialize, Serializer};

use super::bearer::{Role, ask, find};
use super::entity::NO_SUCH_ENTITY;
use super::user::Whom;
use crate::action::{Action, Ask, Done, Effect, Entry};
use crate::authorize::Permit;
use crate::cx::Cx;
use crate::error::{Error, Result};

/// The actions of this file.
pub const ACTIONS: [Entry; 8] = [
    Entry::of::<LoginProfile<Delete>>(),
    Entry::of::<LoginProfile<Get>>(),
    Entry::of::<Empty<InstanceProfiles>>(),
    Entry::of::<Empty<InstanceProfilesForRole>>(),
    Entry::of::<Empty<MfaDevices>>(),
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
    role_name: Option<String>,
    path_prefix: Option<String>,
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

/// Instance profiles of the account.
pub struct InstanceProfiles;

impl Absent for InstanceProfiles {
    const LIST: &'static str = "ListInstanceProfiles";
    const FIELD: &'static str = "InstanceProfiles";
    fn ask(cx: &Cx<'_>, input: &Input) -> Result<Ask> {
        let account = cx.caller.account()?;
        let prefix = input.path_prefix.as_deref().unwrap_or("/");
        let arn = format!("arn:aws:iam::{account}:instance-profile{prefix}");
        Ok(Ask::identity(cx, "iam:ListInstanceProfiles", &arn, account))
    }
    fn check(_cx: &Cx<'_>, _input: &Input) -> Result<()> {
        Ok(())
    }
}

/// Instance profiles of a role.
pub struct InstanceProfilesForRole;

impl Absent for InstanceProfilesForRole {
    const LIST: &'static str = "ListInstanceProfilesForRole";
    const FIELD: &'static str = "InstanceProfiles";
    fn ask(cx: &Cx<'_>, input: &Input) -> Result<Ask> {
        ask::<Role>(cx, Self::LIST, input.role_name.as_deref().unwrap_or_default())
    }
    fn check(cx: &Cx<'_>, input: &Input) -> Result<()> {
        let name = input.role_name.as_deref().unwrap_or_default();
        find::<Role>(&cx.world, cx.caller.account()?, name).map(|_| ())
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

/// Devices of multi-factor authentication.
pub struct MfaDevices;
/// Passwords for single services.
pub struct ServiceSpecificCredentials;
/// X.509 certificates.
pub struct SigningCertificates;
/// Keys for repositories.
pub struct SshPublicKeys;

impl OfUser for MfaDevices {
    const LIST: &'static str = "ListMFADevices";
    const FIELD: &'static str = "MFADevices";
}
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

/// What is tried with a password that is not there.
pub trait Verb: Send + Sync + 'static {
    /// The action.
    const NAME: &'static str;
    /// What it would do.
    const EFFECT: Effect;
}

/// `GetLoginProfile`
pub struct Get;
/// `DeleteLoginProfile`
pub struct Delete;

impl Verb for Get {
    const NAME: &'static str = "GetLoginProfile";
    const EFFECT: Effect = Effect::Read;
}
impl Verb for Delete {
    const NAME: &'static str = "DeleteLoginProfile";
    const EFFECT: Effect = Effect::Write;
}

/// A user's password: there is none, ever.
pub struct LoginProfile<V>(PhantomData<V>);

impl<V: Verb> Action for LoginProfile<V> {
    const NAME: &'static str = V::NAME;
    const EFFECT: Effect = V::EFFECT;
    type Input = Input;
    type Output = ();

    fn asks(cx: &Cx<'_>, input: &Input) -> Result<Vec<Ask>> {
        Ok(vec![Whom::of(cx, input.user_name.as_deref())?.ask(cx, V::NAME)?])
    }

    async fn run(cx: &mut Cx<'_>, input: Input, _permit: Permit<Self>) -> Result<Done<()>> {
        let whom = Whom::of(cx, input.user_name.as_deref())?;
        whom.check(cx)?;
        let name = whom.name().unwrap_or("root");
        let text = format!("Login Profile for User {name} cannot be found.");
        Err(Error::new(NO_SUCH_ENTITY, text))
    }
}
