//! What users prove themselves by to single services: SSH keys, X.509 certificates, passwords for
//! one service. They are kept with the user, listed, switched off and deleted alike; none of them
//! opens anything here.

mod service_specific;
mod signing_certificate;
mod ssh_public_key;

use std::marker::PhantomData;

use serde::{Deserialize, Serialize};

use super::bearer::{User, find, put};
use super::entity::{LIMIT_EXCEEDED, NO_SUCH_ENTITY};
use super::page::{Listing, Wanted, page};
use super::user::Whom;
use crate::action::{Action, Ask, Done, Effect, Entry};
use crate::authorize::Permit;
use crate::cx::Cx;
use crate::error::{Error, Result, code};
use crate::record::{UserCredential, UserRecord};
use service_specific::ServiceSpecific;
use signing_certificate::Certificates;
use ssh_public_key::SshKeys;

pub use signing_certificate::MAX_CERTIFICATES;

/// The actions of these nouns.
pub const ACTIONS: [Entry; 14] = [
    Entry::of::<service_specific::CreateServiceSpecificCredential>(),
    Entry::of::<Delete<Certificates>>(),
    Entry::of::<Delete<ServiceSpecific>>(),
    Entry::of::<Delete<SshKeys>>(),
    Entry::of::<ssh_public_key::GetSshPublicKey>(),
    Entry::of::<List<Certificates>>(),
    Entry::of::<service_specific::ListServiceSpecificCredentials>(),
    Entry::of::<List<SshKeys>>(),
    Entry::of::<service_specific::ResetServiceSpecificCredential>(),
    Entry::of::<Update<Certificates>>(),
    Entry::of::<Update<ServiceSpecific>>(),
    Entry::of::<Update<SshKeys>>(),
    Entry::of::<signing_certificate::UploadSigningCertificate>(),
    Entry::of::<ssh_public_key::UploadSshPublicKey>(),
];

/// A kind of credential that users have several of.
pub trait Several: Send + Sync + 'static {
    /// What AWS's sentences call one: `Public Key`.
    const NOUN: &'static str;
    /// `UpdateSSHPublicKey`
    const UPDATE: &'static str;
    /// `DeleteSSHPublicKey`
    const DELETE: &'static str;
    /// What is particular to the kind.
    type Of: Send + Sync;

    /// Those of a user, oldest first.
    fn of(user: &UserRecord) -> &[UserCredential<Self::Of>];
    /// Those of a user, to change.
    fn of_mut(user: &mut UserRecord) -> &mut Vec<UserCredential<Self::Of>>;
    /// What is asked about one of them, with what policies may ask of it.
    fn keyed(ask: Ask, _of: &Self::Of) -> Ask {
        ask
    }
}

/// A kind that is listed by user alone.
pub trait Listed: Several {
    /// `ListSSHPublicKeys`
    const LIST: &'static str;
    /// `SSHPublicKeys`: the list in its answer.
    const LIST_FIELD: &'static str;
    /// One of them in a list.
    type View: Serialize + Send;
    /// One as lists write it.
    fn view(user: &UserRecord, credential: &UserCredential<Self::Of>) -> Self::View;
}

/// The user that is meant: the named one, or else the caller.
///
/// # Errors
/// `NoSuchEntity`, in AWS's words; `ValidationError` for an account's root, which has none of these.
fn holder(cx: &Cx<'_>, name: Option<&str>) -> Result<UserRecord> {
    let whom = Whom::of(cx, name)?;
    let name = whom.name().ok_or_else(|| {
        Error::new(code::VALIDATION_ERROR, "Must specify userName for credentials of this kind")
    })?;
    find::<User>(&cx.world, cx.caller.account()?, name).cloned()
}

/// That a user may have one more of what AWS's quota of that name counts.
fn room(quota: &str, now: usize, most: usize) -> Result<()> {
    match now < most {
        true => Ok(()),
        false => {
            Err(Error::new(LIMIT_EXCEEDED, format!("Cannot exceed quota for {quota}: {most}")))
        }
    }
}

/// What is asked about one credential: its user, and what policies may ask of the credential.
fn ask_one<K: Several>(cx: &Cx<'_>, action: &str, one: &One) -> Result<Ask> {
    let whom = Whom::of(cx, one.user.as_deref())?;
    let ask = whom.ask(cx, action)?;
    let user = whom.name().and_then(|name| cx.account().ok()?.users.find(name));
    let found = user.and_then(|user| K::of(&user.record).iter().find(|it| it.id == one.id));
    Ok(match found {
        Some(it) => K::keyed(ask, &it.of),
        None => ask,
    })
}

fn place<K: Several>(user: &UserRecord, id: &str) -> Result<usize> {
    K::of(user).iter().position(|it| it.id == id).ok_or_else(|| {
        Error::new(NO_SUCH_ENTITY, format!("The {} with id {id} cannot be found.", K::NOUN))
    })
}

fn status(active: bool) -> &'static str {
    if active { "Active" } else { "Inactive" }
}

/// A user and one of its credentials.
#[derive(Deserialize)]
pub struct One {
    #[serde(rename = "UserName")]
    user: Option<String>,
    #[serde(
        alias = "SSHPublicKeyId",
        alias = "CertificateId",
        alias = "ServiceSpecificCredentialId"
    )]
    id: String,
}

/// `ListSSHPublicKeys`, `ListSigningCertificates`
pub struct List<K>(PhantomData<K>);

/// Its input.
#[derive(Deserialize)]
pub struct ListInput {
    #[serde(rename = "UserName")]
    user: Option<String>,
    #[serde(flatten)]
    wanted: Wanted,
}

impl<K: Listed> Action for List<K> {
    const NAME: &'static str = K::LIST;
    const EFFECT: Effect = Effect::Read;
    type Input = ListInput;
    type Output = Listing<K::View>;

    fn asks(cx: &Cx<'_>, input: &ListInput) -> Result<Vec<Ask>> {
        Ok(vec![Whom::of(cx, input.user.as_deref())?.ask(cx, Self::NAME)?])
    }

    async fn run(
        cx: &mut Cx<'_>,
        input: ListInput,
        _permit: Permit<Self>,
    ) -> Result<Done<Listing<K::View>>> {
        // An account's root has none, and may ask.
        let user = match Whom::of(cx, input.user.as_deref())? {
            Whom::Root => None,
            Whom::User(name) => Some(holder(cx, Some(&name))?),
        };
        let mut all: Vec<_> =
            user.iter().flat_map(|user| K::of(user).iter().map(move |it| (user, it))).collect();
        all.sort_by(|(_, a), (_, b)| a.id.cmp(&b.id));
        let page = page(cx.operation.name, all, |(_, it)| it.id.clone(), &input.wanted)?;
        Ok(Done::read(page.map(|(user, it)| K::view(user, it)).listed(K::LIST_FIELD)))
    }
}

/// `UpdateSSHPublicKey` and so on: switched on or off.
pub struct Update<K>(PhantomData<K>);

/// Its input.
#[derive(Deserialize)]
pub struct UpdateInput {
    #[serde(flatten)]
    one: One,
    #[serde(rename = "Status")]
    status: String,
}

impl<K: Several> Action for Update<K> {
    const NAME: &'static str = K::UPDATE;
    const EFFECT: Effect = Effect::Write;
    type Input = UpdateInput;
    type Output = ();

    fn asks(cx: &Cx<'_>, input: &UpdateInput) -> Result<Vec<Ask>> {
        Ok(vec![ask_one::<K>(cx, Self::NAME, &input.one)?])
    }

    async fn run(cx: &mut Cx<'_>, input: UpdateInput, _permit: Permit<Self>) -> Result<Done<()>> {
        let mut user = holder(cx, input.one.user.as_deref())?;
        let place = place::<K>(&user, &input.one.id)?;
        if let Some(credential) = K::of_mut(&mut user).get_mut(place) {
            // What is not `Active` cannot be used: `Inactive` and `Expired` alike.
            credential.active = input.status == "Active";
        }
        Ok(Done::write((), put::<User>(user)))
    }
}

/// `DeleteSSHPublicKey` and so on
pub struct Delete<K>(PhantomData<K>);

impl<K: Several> Action for Delete<K> {
    const NAME: &'static str = K::DELETE;
    const EFFECT: Effect = Effect::Write;
    type Input = One;
    type Output = ();

    fn asks(cx: &Cx<'_>, input: &One) -> Result<Vec<Ask>> {
        Ok(vec![ask_one::<K>(cx, Self::NAME, input)?])
    }

    async fn run(cx: &mut Cx<'_>, input: One, _permit: Permit<Self>) -> Result<Done<()>> {
        let mut user = holder(cx, input.user.as_deref())?;
        let place = place::<K>(&user, &input.id)?;
        K::of_mut(&mut user).remove(place);
        Ok(Done::write((), put::<User>(user)))
    }
}
